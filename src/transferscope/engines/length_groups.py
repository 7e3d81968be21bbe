"""Rows of similar length are read together, so that little of a batch is padding."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import torch

_FIXED = {"cpu": 32}
"""What a pass over a batch costs beyond its tokens, in tokens: all weights are read once.

On a processor, 20 tokens take as long as that; a graphics card needs some thousands.
"""
_FIXED_ELSEWHERE = 4096


def length_groups(lengths: Sequence[int], device: torch.device) -> list[list[int]]:
    """Split rows by length into the groups that cost least; return their places in ``lengths``.

    A group costs its rows times its longest row, and a fixed number of tokens for its pass.
    """
    fixed = _FIXED.get(device.type, _FIXED_ELSEWHERE)
    count = Counter(lengths)
    known = sorted(count)
    # least[k]: the cost of all rows up to the k-th length, the last group beginning at cut[k].
    least, cut = [0.0], [0]
    for last, length in enumerate(known):
        rows, best, begin = 0, math.inf, last
        for first in range(last, -1, -1):
            rows += count[known[first]]
            cost = least[first] + fixed + rows * length
            if cost < best:
                best, begin = cost, first
        least.append(best)
        cut.append(begin)
    groups, end = [], len(known)
    while end:
        begin = cut[end]
        shortest, longest = known[begin], known[end - 1]
        groups.append([at for at, own in enumerate(lengths) if shortest <= own <= longest])
        end = begin
    return groups

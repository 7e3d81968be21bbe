"""What this machine reaches in products alone, and the time that a batch of answers needs at least.

Seconds are those of all threads' processors, so that neighbours count little. Prints one JSON
object: for both dtypes, FLOP/s and bytes/s of a processor second.

    nice -n 5 .venv/bin/python benchmarks/peaks.py
"""

import itertools
import json
import time
from collections.abc import Callable, Sequence

import torch

from transferscope.engines.packed_linear import PackedLinear


def fastest(run: Callable[[], object], repeats: int = 5) -> float:
    """Processor seconds of the fastest of some runs."""
    run()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)


@torch.no_grad()
def speeds(dtype: str) -> tuple[float, float]:
    """FLOP/s of a large product, and bytes/s of reading weights in a product of one row."""
    wide, inner, layers = 1536, 576, 64  # 64 of them fit no cache
    kind = getattr(torch, dtype)
    made = [torch.nn.Linear(inner, wide, bias=False, dtype=kind) for _ in range(layers)]
    packed = [PackedLinear(layer, keep=False) for layer in made]
    many, one = (torch.randn(rows, inner, dtype=kind) for rows in (1024, 1))
    product = fastest(lambda: packed[0](many))
    reading = fastest(lambda: [layer(one) for layer in packed])
    size = wide * inner * kind.itemsize
    return 2 * 1024 * wide * inner / product, layers * size / reading


def tokens_to_read(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens of different prompts, with what all of them share counted once."""
    unique = list(dict.fromkeys(map(tuple, prompts)))
    same = (len(set(column)) == 1 for column in zip(*unique, strict=False))
    shared = sum(itertools.takewhile(bool, same))
    return shared + sum(len(row) - shared for row in unique)


def floor_of_choices(
    prompts: Sequence[Sequence[int]],
    lengths: Sequence[int],
    *,
    weights: int,
    head: int,
    peaks: tuple[float, float],
) -> float:
    """Processor seconds of the products alone; ``lengths`` are those of all choices in tokens.

    A prompt's last token predicts the first token of its choices, and a choice's last token
    predicts nothing that is scored.
    """
    read = (weights - head) * tokens_to_read(prompts) + head * len(prompts)
    return 2 * (read + weights * sum(length - 1 for length in lengths)) / peaks[0]


def floor_of_answers(
    prompts: Sequence[Sequence[int]],
    lengths: Sequence[int],
    *,
    weights: int,
    head: int,
    dtype: str,
    peaks: tuple[float, float],
) -> float:
    """Processor seconds of the products alone, all rows decoded in one batch.

    Every token read costs 2 FLOPs a weight, and a step reads all weights once, whichever takes
    longer. ``lengths`` are those of the answers in tokens. ``head``: weights of the output layer,
    which a prompt's last token alone needs.
    """
    flops, bandwidth = peaks
    reading = weights * getattr(torch, dtype).itemsize / bandwidth
    steps = range(1, max(lengths))  # the first token comes with the prompt
    rows = [sum(length > step for length in lengths) for step in steps]
    read = 2 * ((weights - head) * tokens_to_read(prompts) + head * len(prompts)) / flops
    return read + sum(max(2 * weights * n / flops, reading) for n in rows)


if __name__ == "__main__":
    print(json.dumps({dtype: speeds(dtype) for dtype in ("bfloat16", "float32")}))

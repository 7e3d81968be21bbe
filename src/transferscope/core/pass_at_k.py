"""pass@k and pass^k of repeated answers: at least one, or all, of k samples are right.

Both are estimated without bias from more samples than k, by counting the subsets of k samples
(pass@k: Chen et al., arXiv 2107.03374, section 2.1; pass^k: Yao et al., arXiv 2406.12045,
section 3). pass@1 and pass^1 are the mean score.

>>> pass_at_k(np.array([0, 1, 4]), samples=4, k=2).tolist()
[0.0, 0.5, 1.0]
>>> pass_hat_k(np.array([0, 2, 4]), samples=4, k=2).round(3).tolist()
[0.0, 0.167, 1.0]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .stats import Array

Counts = NDArray[np.int64]


def pass_at_k(right_N: Counts, *, samples: int, k: int) -> Array:
    """For each item (N,), the share of subsets of ``k`` of its samples with a right one, 0..1.

    ``right_N``: right answers among the item's ``samples``. Raises :class:`ValueError` for k
    outside 1..samples and for counts outside 0..samples.
    """
    return np.asarray(1.0 - _all_inside(samples - _checked(right_N, samples, k), samples, k))


def pass_hat_k(right_N: Counts, *, samples: int, k: int) -> Array:
    """For each item (N,), the share of subsets of ``k`` of its samples that are all right, 0..1.

    Raises the same errors as :func:`pass_at_k`.
    """
    return _all_inside(_checked(right_N, samples, k), samples, k)


def sizes_up_to(samples: int) -> tuple[int, ...]:
    """The k to report: powers of two up to ``samples``, and ``samples`` itself.

    >>> sizes_up_to(10)
    (1, 2, 4, 8, 10)
    """
    powers = [1 << at for at in range(samples.bit_length()) if 1 << at <= samples]
    return tuple(dict.fromkeys([*powers, samples]))


def _checked(right_N: Counts, samples: int, k: int) -> Counts:
    if not 1 <= k <= samples:
        raise ValueError(f"k {k} is not within 1..{samples}, the number of samples")
    if right_N.size and not (right_N.min() >= 0 and right_N.max() <= samples):
        raise ValueError(f"a count of right answers is not within 0..{samples}")
    return right_N


def _all_inside(inside_N: Counts, samples: int, k: int) -> Array:
    """C(inside, k) / C(samples, k), as a product of ratios that are all exact to rounding."""
    share_N = np.ones(len(inside_N))
    for at in range(k):
        share_N *= np.maximum(inside_N - at, 0) / (samples - at)
    return share_N

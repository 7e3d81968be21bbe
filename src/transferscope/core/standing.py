"""The status of a change, shared by plane, benchmarks, ranking, gate and page. No numpy."""

from __future__ import annotations

import math
from typing import Literal

ALPHA = 0.05
Standing = Literal["gain", "loss", "gain suggested", "loss suggested", "open", "too few", "unknown"]
"""What is shown of a change: established, suggested, not shown, can't be shown, unknown."""


def standing(
    change: float, p: float, *, adjusted: float | None = None, smallest: float = 0.0
) -> Standing:
    """What ``p`` and ``adjusted`` (after Holm's correction; by default ``p``) show of a change.

    Established if ``adjusted`` is below 0.05, suggested if only ``p`` is; "too few" if the
    ``smallest`` possible p is not below 0.05; "unknown" for NaN.
    """
    if math.isnan(p):
        return "unknown"
    if smallest >= ALPHA:
        return "too few"
    if p >= ALPHA or change == 0:
        return "open"
    if (p if adjusted is None else adjusted) < ALPHA:
        return "gain" if change > 0 else "loss"
    return "gain suggested" if change > 0 else "loss suggested"

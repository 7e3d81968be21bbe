"""Words for what a test shows, the same for plane, benchmarks, ranking, gate and page. No numpy."""

from __future__ import annotations

import math
from typing import Literal

ALPHA = 0.05
Standing = Literal["gain", "loss", "gain suggested", "loss suggested", "open", "too few", "unknown"]
"""What is shown of a change: established, suggested, not shown, not showable, not known."""


def standing(
    change: float, p: float, *, adjusted: float | None = None, smallest: float = 0.0
) -> Standing:
    """What ``p``, and ``adjusted`` (after Holm's correction; default: ``p``), show of a change.

    Established where ``adjusted`` is below 0.05, suggested where only ``p`` is; "too few" where the
    ``smallest`` possible p is not below 0.05; "unknown" for a NaN.
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

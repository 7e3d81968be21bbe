"""What a chart shows, as plain data: drawn with scripts by :mod:`.vega_specs`, without by
:mod:`.static_svg`.

A series is told by the colour *and* the shape of its mark, so that neither is needed alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

COLOURS = 8
"""Colours of the style sheet for models, ``--m0`` to ``--m7``."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
ROW_STEP = 15
"""Pixels of one series' line in a chart of bands."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How one series is drawn: a colour of the style sheet without its dashes, and a shape."""

    colour: str
    shape: str


def model_mark(at: int) -> Mark:
    """The mark of the ``at``-th model. The first 24 differ: 8 colours and 6 shapes."""
    return Mark(f"m{at % COLOURS}", SHAPES[at % len(SHAPES)])


TONES = {
    "gain": Mark("gain", "triangle-up"),
    "loss": Mark("loss", "triangle-down"),
    "open": Mark("open", "circle"),
}
"""Marks that tell what a comparison established, where there are too many models for colours."""


def tone_of(standing: str) -> str:
    """The key in :data:`TONES` of what is established; what is only suggested is open."""
    return standing if standing in TONES else "open"


@dataclass(frozen=True, slots=True)
class Bands:
    """A band per ``row`` value in ``order``, and in it a line per series.

    Rows have ``row``, ``model`` (the series) and ``value``; ``low`` and ``high`` where
    ``intervals`` are drawn. ``span`` fixes the axis, so that several charts share it.
    """

    rows: Sequence[Row]
    order: Sequence[str]
    labels: Sequence[str]
    title: str
    span: tuple[float, float] | None = None
    bars: bool = False
    intervals: bool = True

    @property
    def bands(self) -> list[str]:
        """Bands that have rows, in order."""
        found = [row["row"] for row in self.rows]
        return [entry for entry in dict.fromkeys([*self.order, *found]) if entry in found]

    @property
    def present(self) -> list[str]:
        """Series that have rows, in order."""
        return [label for label in self.labels if any(r["model"] == label for r in self.rows)]

    @property
    def alone(self) -> bool:
        """Whether every band holds one line, of whatever series."""
        return len(self.bands) == len(self.rows)

    @property
    def band_height(self) -> int:
        """Pixels of a band."""
        lines = 1 if self.alone else len(self.present)
        return lines * (ROW_STEP + 3 * self.bars) + (3 if self.alone else 10)

    @property
    def domain(self) -> tuple[float, float]:
        """The axis, from the smallest to the largest value, 0 included."""
        if self.span is not None:
            return self.span
        keys = ("low", "high") if self.intervals else ("value",)
        return span([row[key] for row in self.rows for key in keys], tight=not self.intervals)


@dataclass(frozen=True, slots=True)
class Points:
    """Points ``x``, ``y`` of series ``model``, each named ``label``; ``titles``: x first.

    With ``intervals`` rows also have ``x_low``, ``x_high``, ``y_low`` and ``y_high``. ``note`` is
    written beside every point where a row has it.
    """

    rows: Sequence[Row]
    labels: Sequence[str]
    titles: tuple[str, str]
    intervals: bool = False
    origin: str = ""

    def domain(self, key: str) -> tuple[float, float]:
        """The axis ``x`` or ``y``."""
        keys = (key, f"{key}_low", f"{key}_high") if self.intervals else (key,)
        return span([row[k] for row in self.rows for k in keys])


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines through rows of ``model``, ``x`` (a whole number) and ``y``; ``titles``: x first."""

    rows: Sequence[Row]
    labels: Sequence[str]
    titles: tuple[str, str]


Chart = Bands | Points | Curves


def span(values: Sequence[float], *, tight: bool = False) -> tuple[float, float]:
    """Axis from the smallest to the largest finite value, 0 included, with a little air.

    ``tight``: no air below 0 where nothing lies there.
    """
    known = [v for v in values if math.isfinite(v)] or [0.0]
    low, high = min(0.0, *known), max(0.0, *known)
    air = 0.06 * (high - low) or 1.0
    return (low if tight and low == 0 else low - air, high + air)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between ``low`` and ``high``, about ``count`` of them.

    >>> ticks(-3.0, 33.0)
    [0.0, 10.0, 20.0, 30.0]
    """
    rough = (high - low) / count
    if not (math.isfinite(rough) and rough > 0):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    # The nearest of 1, 2, 5 and 10 on a scale of ratios.
    near = ((50**0.5, 10), (10**0.5, 5), (2**0.5, 2), (0.0, 1))
    step = next(size * power for least, size in near if rough / power >= least)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(at * step, 12) for at in range(first, last + 1)]

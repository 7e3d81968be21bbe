"""Charts as plain data, for :mod:`.vega_specs` (interactive) and :mod:`.static_svg` (static).

A series has a mark with a colour *and* a shape, so that a reader never has to rely on colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

COLOURS = 8
"""Number of colours for models in the style sheet, ``--m0`` to ``--m7``."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
ROW_STEP = 15
"""Height in pixels of one series in a band."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How one series is drawn: the name of a colour in the style sheet, without dashes; a shape."""

    colour: str
    shape: str


def model_mark(at: int) -> Mark:
    """Return the mark of the ``at``-th model. With 8 colours and 6 shapes, the first 24 differ."""
    return Mark(f"m{at % COLOURS}", SHAPES[at % len(SHAPES)])


TONES = {
    "gain": Mark("gain", "triangle-up"),
    "loss": Mark("loss", "triangle-down"),
    "open": Mark("open", "circle"),
}
"""Marks for what a comparison established, used if there are too many models for colours."""


def tone_of(standing: str) -> str:
    """Return the key in :data:`TONES`; a change that is only suggested is ``open``."""
    return standing if standing in TONES else "open"


@dataclass(frozen=True, slots=True)
class Bands:
    """One band per ``row`` value, sorted as in ``order``, with one lane per series.

    Rows have ``row``, ``model`` (the series) and ``value``, and with ``intervals`` also ``low`` and
    ``high``. ``span`` sets the axis, so that several charts can share it.
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
        """The bands that have rows, in order."""
        found = [row["row"] for row in self.rows]
        return [entry for entry in dict.fromkeys([*self.order, *found]) if entry in found]

    @property
    def present(self) -> list[str]:
        """The series that have rows, in order."""
        return [label for label in self.labels if any(r["model"] == label for r in self.rows)]

    @property
    def alone(self) -> bool:
        """Whether every band has exactly one row, from any series."""
        return len(self.bands) == len(self.rows)

    @property
    def band_height(self) -> int:
        """The height of a band in pixels."""
        lines = 1 if self.alone else len(self.present)
        return lines * (ROW_STEP + 3 * self.bars) + (3 if self.alone else 10)

    @property
    def domain(self) -> tuple[float, float]:
        """The range of the axis, from the smallest to the largest value, including 0."""
        if self.span is not None:
            return self.span
        keys = ("low", "high") if self.intervals else ("value",)
        return span([row[key] for row in self.rows for key in keys], tight=not self.intervals)


@dataclass(frozen=True, slots=True)
class Points:
    """Points at ``x``, ``y``, with a ``label`` and a series ``model``; ``titles`` are of x and y.

    With ``intervals``, rows also have ``x_low``, ``x_high``, ``y_low`` and ``y_high``. A row's
    optional ``note`` is written next to its point.
    """

    rows: Sequence[Row]
    labels: Sequence[str]
    titles: tuple[str, str]
    intervals: bool = False
    origin: str = ""

    def domain(self, key: str) -> tuple[float, float]:
        """The range of the axis ``x`` or ``y``."""
        keys = (key, f"{key}_low", f"{key}_high") if self.intervals else (key,)
        return span([row[k] for row in self.rows for k in keys])


@dataclass(frozen=True, slots=True)
class Curves:
    """One line per ``model``, through ``x`` (an integer) and ``y``; ``titles``: x first."""

    rows: Sequence[Row]
    labels: Sequence[str]
    titles: tuple[str, str]


Chart = Bands | Points | Curves


def span(values: Sequence[float], *, tight: bool = False) -> tuple[float, float]:
    """Return an axis range that covers all finite values and 0, with some padding.

    ``tight``: no padding below 0 unless a value is negative.
    """
    known = [v for v in values if math.isfinite(v)] or [0.0]
    low, high = min(0.0, *known), max(0.0, *known)
    air = 0.06 * (high - low) or 1.0
    return (low if tight and low == 0 else low - air, high + air)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about ``count`` round numbers between ``low`` and ``high``.

    >>> ticks(-3.0, 33.0)
    [0.0, 10.0, 20.0, 30.0]
    """
    rough = (high - low) / count
    if not (math.isfinite(rough) and rough > 0):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    # The nearest of 1, 2, 5 and 10 on a logarithmic scale.
    near = ((50**0.5, 10), (10**0.5, 5), (2**0.5, 2), (0.0, 1))
    step = next(size * power for least, size in near if rough / power >= least)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(at * step, 12) for at in range(first, last + 1)]

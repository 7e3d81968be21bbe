"""Tables of pass@k: what a model reaches with several samples, beside what it reaches with one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import words
from .escaping import name
from .views import Grid

if TYPE_CHECKING:
    from ..documents.comparison import PassRate, TunedResult

MEASURE = (
    "pass@k is the percentage of questions that at least one of k samples answers correctly, "
    "estimated from all samples; pass^k, the percentage that all k answer correctly. Coverage is "
    "the tuned model's pass@k over the base's. Below 1 at a large k, the tuned model can't reach "
    "answers that the base reaches by sampling, even if it scores more with one sample."
)


def pass_rate_grid(result: TunedResult) -> Grid:
    """One row for each benchmark and k."""
    head = ("benchmark", "k", "base", "tuned", "change", "coverage", "pass^k, base → tuned")
    rows = [
        (
            name(rate.benchmark),
            f"{rate.k}",
            words.number(rate.base),
            words.number(rate.tuned),
            f"{words.signed(rate.delta)} ({words.interval(rate.ci)})",
            coverage(rate),
            f"{words.number(rate.base_all)} → {words.number(rate.tuned_all)}",
        )
        for rate in result.pass_rates
    ]
    return Grid(head, tuple(rows))


def coverage(rate: PassRate) -> str:
    """``0.93 (0.88 to 0.97)``; without a base success there is none."""
    if rate.coverage is None:
        return "undefined"
    return f"{rate.coverage:.2f} ({words.interval(rate.coverage_ci, 2)})"


def narrowing(result: TunedResult) -> list[str]:
    """A sentence for each benchmark of which sampling shows more, or less, than one answer does."""
    by_name: dict[str, list[PassRate]] = {}
    for rate in result.pass_rates:
        by_name.setdefault(rate.benchmark, []).append(rate)
    return [sentence for rates in by_name.values() if (sentence := _narrowing(rates))]


def _narrowing(rates: Sequence[PassRate]) -> str:
    first, last = rates[0], rates[-1]
    low, high = last.coverage_ci
    if last.coverage is None or first.coverage is None:
        return ""
    label = f"{name(last.benchmark)}: with {last.k} samples, coverage is {coverage(last)}"
    if high < 1.0:
        after = "; a loss of coverage is established"
        return label + after + (", beside a gain at pass@1" if first.ci[0] > 0 else "")
    if low > 1.0:
        return f"{label}; the tuned model reaches more than the base"
    return f"{label}; neither a loss nor a gain of coverage is shown"

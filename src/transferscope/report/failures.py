"""What is said of requests that failed: they are in no score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..runs import Run


def failures_said(run: Run) -> Iterator[str]:
    """A line per benchmark that lacks answers, and one that says what to do about it."""
    for name, failures in run.failed.items():
        answered = len(run.by_benchmark.get(name, ()))
        ((why, _),) = Counter(failure.why for failure in failures).most_common(1)
        yield (
            f"{name}: {len(failures)} of {answered + len(failures)} requests failed ({why}); "
            f"its score is of the {answered} answers"
        )
    if run.failed:
        yield "Failed requests are left out of every score; the same command asks them again."

"""Messages about failed requests, which are left out of every score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..runs import Run


def failures_said(run: Run) -> Iterator[str]:
    """One line per benchmark that lacks answers, and one that says what to do."""
    for name, failures in run.failed.items():
        answered = len(run.by_benchmark.get(name, ()))
        ((why, _),) = Counter(failure.why for failure in failures).most_common(1)
        yield (
            f"{name}: {len(failures)} of {answered + len(failures)} requests failed ({why}); "
            f"its score uses the {answered} answers"
        )
    if run.failed:
        yield "Failed requests are left out of every score; rerun the same command to retry them."

"""A table of scores that names its metrics: which of a task's scores is read."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.rowfiles import Row
from .naming import Place, lower_is_better


def one_metric(rows: Sequence[Row], place: Place) -> tuple[list[Row], str, tuple[str, ...]]:
    """A task's rows of one metric, its name, and the metrics not taken.

    The first of the taxonomy's metrics that the rows name, else the first that they name and that
    is better when higher, else the first. Rows that name none are all kept.
    """
    named = list(dict.fromkeys(fields["metric"] for _, fields in rows if "metric" in fields))
    if not named:
        return list(rows), "score", ()
    plain = {metric.partition(",")[0].casefold(): metric for metric in reversed(named)}
    wanted = [plain[m.partition(",")[0].casefold()] for m in place.metrics if _plain(m) in plain]
    higher = [metric for metric in named if not lower_is_better(metric)]
    taken = (wanted or higher or named)[0]
    kept = [row for row in rows if row[1].get("metric") == taken]
    return kept, taken, tuple(metric for metric in named if metric != taken)


def _plain(metric: str) -> str:
    return metric.partition(",")[0].casefold()

"""Select the metric to read from a table of scores that names its metrics."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.rowfiles import Row
from .naming import Place, lower_is_better


def one_metric(rows: Sequence[Row], place: Place) -> tuple[list[Row], str, tuple[str, ...]]:
    """A task's rows of one metric, the metric's name, and the metrics that are not read.

    The metric is the first one of the taxonomy that the rows name, else their first one that is
    better when higher, else their first one. If no row names a metric, all rows are kept.
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

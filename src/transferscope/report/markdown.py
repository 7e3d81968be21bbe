"""The comparison as Markdown that fits into one pull-request comment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from . import parts, robustness_rows, study_grids, verdict, words
from .differences import together
from .escaping import markdown_cell as cell
from .escaping import markdown_html
from .escaping import markdown_line as cell_text
from .model_names import model_labels

if TYPE_CHECKING:
    from ..core.attribution import Attribution
    from ..documents.comparison import BenchmarkChange, Comparison, TunedResult
    from .report_input import ReportInput

COMMENT_LIMIT = 60_000
"""Maximum number of characters; GitHub refuses comments above 65,536."""
SPARE = 1_000
"""Characters above the limit that notes about omitted parts may take."""
DIFFERENCES_SHOWN = 20


def render_markdown(report: ReportInput) -> str:
    """Verdict, plane, index, a table per model, differences. Cells are escaped.

    Above :data:`COMMENT_LIMIT` characters, the sentences under the headlines are dropped first,
    then the per-benchmark tables of the last models, and a note says so.
    """
    comparison = report.comparison
    names = model_labels([t.model for t in comparison.tuned])
    labels = [cell(label) for label in names]
    head = [f"## {cell_text(report.title)}"]
    if comparison.differences:
        head += _differences(comparison)
    head += [f"- {cell_text(note)}" for note in report.notes]
    head += _study(report)
    tables = _plane(comparison, labels) + _index(comparison, labels)
    tail = _provenance(report)
    room = COMMENT_LIMIT - _length([*head, *tables, tail])
    said = _verdicts(comparison, labels, sentences=True)
    if _length(said) > room:
        said = _verdicts(comparison, labels, sentences=False)
    room -= _length(said)
    details = [
        _benchmarks(label, result, comparison)
        for label, result in zip(names, comparison.tuned, strict=True)
        if result.benchmarks or result.not_compared
    ]
    kept: list[str] = []
    for part in details:
        room -= _length([part])
        if room < 0:
            kept.append(
                f"{len(details) - len(kept)} more per-benchmark tables do not fit here; "
                "see the HTML report."
            )
            break
        kept.append(part)
    text = "\n\n".join([*head, *said, *tables, *kept, tail]) + "\n"
    if len(text) <= COMMENT_LIMIT + SPARE:
        return text
    return text[: text.rindex("\n", 0, COMMENT_LIMIT)] + "\n\nTruncated; see the HTML report.\n"


def _length(parts: Iterable[str]) -> int:
    """Characters of ``parts`` with the empty lines between them."""
    return sum(len(part) + 2 for part in parts)


def _verdicts(comparison: Comparison, labels: Sequence[str], *, sentences: bool) -> list[str]:
    """Every model's headline, with the sentences below it if ``sentences``."""
    out = []
    for label, result in zip(labels, comparison.tuned, strict=True):
        out.append(f"**{label}**: {cell_text(verdict.headline(result, comparison.source))}")
        if sentences:
            mark = words.index_label(comparison.suite)
            lines = [
                *verdict.verdicts(result, comparison.source),
                *verdict.index_differences(result.index, result.index_linear, mark).values(),
            ]
            out.append("\n".join(f"- {cell_text(line)}" for line in lines))
    return [part for part in out if part]


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words_columns: int = 1) -> str:
    """Markdown table of cells that are already escaped; numbers are right-aligned."""
    marks = [":--"] * words_columns + ["--:"] * (len(head) - words_columns)
    lines = [head, marks, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _differences(comparison: Comparison) -> list[str]:
    notes = together(comparison.differences)
    shown = notes[:DIFFERENCES_SHOWN]
    lines = [f"> - {cell_text(text)}" for text in shown]
    if left := len(notes) - len(shown):
        lines.append(f"> - and {left} more")
    return ["\n".join(["> **Not like for like**: the runs differ.", ">", *lines])]


def _study(report: ReportInput) -> list[str]:
    """A study's arms averaged over runs, and its claims; empty for a plain comparison."""
    grids = [
        (
            "Arms: means over training runs",
            study_grids.arm_grid(report.arm_means, report.comparison.source),
        ),
        ("The paper's claims, at this scale", study_grids.claim_grid(report.claims)),
    ]
    out = []
    for title, grid in grids:
        if grid.rows:
            rows = [[cell_text(text) for text in row] for row in grid.rows]
            out += [f"### {title}", table([cell(text) for text in grid.head], rows)]
    return out


def _plane(comparison: Comparison, labels: Sequence[str]) -> list[str]:
    rows = []
    for label, result in zip(labels, comparison.tuned, strict=True):
        causes = result.attribution
        points = [
            (words.group_name(g) + (" (source)" if g == comparison.source else ""), p, found)
            for g, p in result.plane.items()
            for found in [causes.groups.get(g)]
        ]
        if result.retention is not None:
            together = "retention: all other groups"
            points.append((together, result.retention, causes.retention))
        rows += [
            (
                label,
                cell(group),
                words.signed(point.gain),
                words.interval(point.ci),
                parts.standing_cell(point.standing, found),
            )
            for group, point, found in points
        ]
    head = ("model", "group", "change, points", "95 % interval", "verdict")
    return ["### Gain and retention", table(head, rows, words_columns=2)]


def _index(comparison: Comparison, labels: Sequence[str]) -> list[str]:
    label = words.index_label(comparison.suite)
    rows = []
    for model, result in zip(labels, comparison.tuned, strict=True):
        if result.index is None:
            why = "undefined: no benchmark of the source group could be compared"
            rows.append((model, "", why, why))
            continue
        for group in result.index.ti:
            linear = result.index_linear
            rows.append(
                (
                    model,
                    cell(words.group_name(group)),
                    cell_text(words.index_value(result.index, group)),
                    "not computed"
                    if linear is None
                    else cell_text(words.index_value(linear, group)),
                )
            )
    head = ("model", "group", f"robust, scale {cell(comparison.scale)}", "linear (Fieller)")
    out = [f"### {label}", table(head, rows, words_columns=4)]
    out.append(words.COVERAGE)
    if note := words.index_note(comparison.suite):
        out.append(note)
    return out


def _benchmarks(label: str, result: TunedResult, comparison: Comparison) -> str:
    head = (
        "benchmark",
        "base",
        "tuned",
        "change",
        "95 % interval",
        "p",
        "Holm p",
        "MDE",
        "n",
        "from flagged",
        "from clean",
        "clean questions' own mean (n)",
        "lost / won",
        "verdict",
    )
    causes = result.attribution.benchmarks
    body = table(head, [_row(row, causes.get(row.benchmark)) for row in result.benchmarks])
    missing = "\n".join(
        f"- not compared: {cell(benchmark)} ({cell_text(why)})"
        for benchmark, why in result.not_compared.items()
    )
    said = "\n".join(
        f"- {cell_text(line)}"
        for line in (*words.limits(result), *robustness_rows.sentences(result, comparison))
    )
    # In an HTML line, Markdown's backslashes would be visible, so entities escape it.
    summary = f"<details><summary>Benchmarks: {markdown_html(label)}</summary>"
    return "\n\n".join(part for part in (summary, body, said, missing, "</details>") if part)


def _row(row: BenchmarkChange, made_by: Attribution | None) -> tuple[str, ...]:
    split, own = ("n/a", "n/a"), "n/a"
    if row.artefact_points is not None:
        split = parts.of_row(row)[1:]
        own = f"{words.signed(row.clean_delta)} ({row.clean_n})"
    return (
        cell(row.benchmark),
        words.number(row.base),
        words.number(row.tuned),
        words.signed(row.delta),
        words.interval(row.ci),
        cell(words.p_value(row.p)),
        cell(words.p_value(row.p_holm)),
        words.mde(row),
        words.count(row.n),
        *split,
        own,
        "n/a" if row.flips is None else f"{row.flips.lost} / {row.flips.won}",
        parts.standing_cell(row.standing, made_by),
    )


def _provenance(report: ReportInput) -> str:
    comparison = report.comparison
    made = f", {cell(report.created)}" if report.created else ""
    return (
        f"Base {cell(comparison.base)}, suite {cell(comparison.suite)}, "
        f"{comparison.replicates:,} bootstrap replicates and sign flips, "
        f"seed {comparison.seed}{made}. "
        "“No change established” does not mean that nothing was lost."
    )

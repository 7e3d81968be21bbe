"""Print results in the terminal, in tables that fit its width without cutting any number.

Long names wrap. In a narrow terminal the less important columns are left out
(:mod:`.fitted_table`). Above :data:`.figures.MANY` models, each model gets one line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..core.hidden_shift import HiddenShift
from . import overview, parts, pass_rate_rows, robustness_rows, verdict, views, words
from .differences import together
from .escaping import minus, name, sentence, token
from .figures import MANY
from .fitted_table import Column, fitted_table, plain_table
from .model_lines import HOW_TO_SEE_MORE, READING, line_notes, lines_table, standing_mark
from .model_names import model_labels, with_short_names

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from ..core.hidden_shift import HiddenPart, LayerShift
    from ..core.index import IndexResult
    from ..core.table_index import TableIndex
    from ..core.token_shift import ShiftedToken, TokenMeans, TokenShift
    from ..documents.comparison import Comparison, TunedResult
    from ..published import CohortChecks, Recomputed

DIFFERENCES_SHOWN = 10


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print differences between runs, verdicts, plane, index and a table of benchmarks per model.

    Above :data:`.figures.MANY` models, print one line per model, sorted by retention.
    """
    comparison = with_short_names(comparison)
    print_differences(comparison.differences, console)
    if len(comparison.tuned) > MANY:
        _print_lines(comparison, console)
        return
    print_verdict(comparison, console)
    console.print()
    console.print(_plane(comparison, console.width))
    label = words.index_label(comparison.suite)
    indices = [t.index for t in comparison.tuned if t.index is not None]
    if indices:
        console.print()
        said = f"{label}, robust, scale {name(comparison.scale)}, with 95 % interval"
        _index_table(said, indices, console)
        linear = [t.index_linear for t in comparison.tuned if t.index_linear is not None]
        if linear:
            console.print()
            _index_table(f"{label}, linear, with Fieller interval", linear, console)
        _say(words.TERMS, console, style="dim")
        _say(words.COVERAGE, console, style="dim")
    if note := words.index_note(comparison.suite):
        _say(note, console, style="dim")
    for label, result in _labelled(comparison):
        console.print()
        console.print(_benchmarks(label, result, console.width))
        if flags := parts.flag_totals(result):
            console.print()
            console.print(_flagged(result))
            _say(f"flagged answers, base → tuned: {flags}", console, indent=2)
        if result.pass_rates:
            console.print()
            console.print(_sampled(result))
        sampled = pass_rate_rows.narrowing(result)
        for line in (
            *sampled,
            *words.limits(result),
            *robustness_rows.sentences(result, comparison),
        ):
            _say(line, console, indent=2)
        for benchmark, why in result.not_compared.items():
            _say(f"not compared: {name(benchmark)} ({why})", console, indent=2)
    console.print()
    _say(
        "Scores are in percent, changes in points. Each interval is for one benchmark alone; "
        "Holm's p corrects for testing all of them. MDE, the minimum detectable effect, is the "
        "smallest change that the test shows with 80 % power. "
        f"{READING}",
        console,
        style="dim",
    )


def print_verdict(comparison: Comparison, console: Console) -> None:
    """Print a headline and the change of every group for each tuned model, on one screen.

    Above :data:`.figures.MANY` models, print one line per model.
    """
    comparison = with_short_names(comparison)
    if len(comparison.tuned) > MANY:
        _print_lines(comparison, console)
        return
    for at, (label, result) in enumerate(_labelled(comparison)):
        if at:
            console.print()
        _say(f"{label}: {verdict.headline(result, comparison.source)}", console, style="bold")
        for line in verdict.verdicts(result, comparison.source):
            _say(line, console, indent=2)
        if result.index is not None:
            mark = words.index_label(comparison.suite)
            for line in verdict.index_sentences(result.index, result.index_linear, mark):
                _say(line, console, indent=2)


def print_index(result: TableIndex, console: Console) -> None:
    """Print gain, DI and TI per group for every tuned model of a score table."""
    index = result.index
    scale = "" if index.scale is None else f", scale {index.scale}"
    _index_table(f"Transferability Index, {index.definition}{scale}", index.models, console)
    if index.sigma is not None and index.scale != "unit":
        _say(f"sigma: {_sigma(index.sigma)}", console, style="dim")
    if lacking := result.without_n:
        shown = ", ".join(name(row) for row in lacking[:DIFFERENCES_SHOWN])
        more = (
            ""
            if len(lacking) <= DIFFERENCES_SHOWN
            else f" and {len(lacking) - DIFFERENCES_SHOWN} more"
        )
        _say(f"no intervals: n is missing for {shown}{more}", console, style="dim")
    elif index.definition == "robust" and result.table.items:
        _say(words.COVERAGE, console, style="dim")


def print_published(recomputed: Recomputed, checks: CohortChecks, console: Console) -> None:
    """Print the paper's cohort: TI recomputed and published, with a star where they disagree."""
    from .fault_rows import fault_notes
    from .published import cohort_notes

    groups = list(dict.fromkeys(g for model, _ in recomputed.rows for g in model.published_ti))
    table = plain_table("The published cohort: TI recomputed (here) and published (paper)")
    table.add_column("model", overflow="fold")
    for group in groups:
        _numbers(table, f"{group}\nhere", f"{group}\npaper")
        table.add_column("", no_wrap=True, width=1)
    agree = total = 0
    for model, result in recomputed.rows:
        verdict = recomputed.agrees(model, result)
        cells = [name(model.name)]
        for group in groups:
            said = model.published_ti.get(group)
            agrees = verdict.get(group, True)
            agree += agrees and group in verdict
            total += group in verdict
            cells += [words.number(result.ti.get(group)), words.number(said)]
            cells.append("" if agrees else "*")
        table.add_row(*map(Text, cells))
    console.print(table)
    _say(f"sigma: {_sigma(recomputed.sigma)}", console)
    _say(
        f"{agree} of {total} published values are reproduced to within 1.0; the {total - agree} "
        "marked * do not follow from the published scores.",
        console,
    )
    for note in (*cohort_notes(recomputed, checks), *fault_notes(checks)):
        _say(note, console)


def print_shift(shift: HiddenShift | TokenShift, console: Console) -> None:
    """Print a probe's summary values, then its groups, layers or shifted tokens."""
    table = plain_table("Shift of the tuned model")
    table.add_column("measure", overflow="fold")
    _numbers(table, "value")
    for key, value in shift.to_json().items():
        if key in ("undefined_reason", "schema"):
            continue
        if value is None or isinstance(value, int | float | str):
            found = shift.value(key)
            shown = "undefined" if found is None else views.digits(found)
            table.add_row(Text(name(key)), Text(shown))
    console.print(table)
    if isinstance(shift, HiddenShift):
        _print_hidden(shift, console)
    else:
        _print_tokens(shift, console)


def _print_hidden(shift: HiddenShift, console: Console) -> None:
    if shift.undefined_reason:
        _say(f"undefined: {shift.undefined_reason}", console, style="dim")
    if 0 < shift.n_layers_averaged < len(shift.layers):
        of = f"{shift.n_layers_averaged} of {len(shift.layers)}"
        _say(f"Distances are means over {of} layers. {words.NO_AXIS}", console, style="dim")
    if shift.groups:
        console.print()
        console.print(_parts("By group", shift.groups, HIDDEN_PARTS))
    if shift.layers:
        console.print()
        console.print(_layers(shift.layers))


def _print_tokens(shift: TokenShift, console: Console) -> None:
    if shift.n_infinite:
        _say(words.INFINITE, console, style="dim")
    if shift.groups:
        console.print()
        console.print(_parts("By group", shift.groups, TOKEN_PARTS))
    if shift.shifted_tokens:
        console.print()
        console.print(_shifted(shift.shifted_tokens))


HIDDEN_PARTS = ("n_texts", "d_layerwise", "d_paper")
TOKEN_PARTS = ("n_texts", "kl_tuned_base", "kl_base_tuned", "js")
"""Values shown for each group of texts."""


def _parts(
    title: str, parts: Mapping[str, HiddenPart | TokenMeans | None], keys: Sequence[str]
) -> Table:
    table = plain_table(title)
    table.add_column("texts of", overflow="fold")
    _numbers(table, *keys)
    for label, part in parts.items():
        cells = [views.digits(part.value(key)) for key in keys] if part else ["too few texts"]
        table.add_row(Text(words.group_name(label)), *map(Text, cells))
    return table


def _layers(layers: Sequence[LayerShift]) -> Table:
    table = plain_table("By layer (0 is the embedding)")
    _numbers(table, *vars(layers[0]))
    for layer in layers:
        table.add_row(*(Text(views.digits(value)) for value in vars(layer).values()))
    return table


def _shifted(shifted: Sequence[ShiftedToken]) -> Table:
    table = plain_table("Shifted tokens (positive: ranked higher by the tuned model)")
    table.add_column("token", overflow="fold")
    table.add_column("kind", overflow="fold")
    _numbers(table, "mean shift", "count")
    for entry in shifted[: views.TOKENS_SHOWN]:
        table.add_row(
            Text(token(entry.token)),
            Text(name(entry.kind)),
            Text(words.signed(entry.mean_shift)),
            Text(views.digits(entry.count)),
        )
    return table


def print_differences(differences: Sequence[str], console: Console) -> None:
    """Print the differences between the runs that make a comparison unfair, if there are any."""
    if not differences:
        return
    _say("Not like for like: the runs differ.", console, style="bold yellow")
    notes = together(differences)
    for text in notes[:DIFFERENCES_SHOWN]:
        _say(f"- {text}", console, indent=2)
    if (left := len(notes) - DIFFERENCES_SHOWN) > 0:
        _say(f"- and {left} more", console, indent=2)
    console.print()


def _print_lines(comparison: Comparison, console: Console) -> None:
    comparison = overview.by_retention(comparison)
    console.print(lines_table(comparison, console.width))
    for text in line_notes(comparison):
        _say(text, console)
    _say(f"{READING} {HOW_TO_SEE_MORE}", console, style="dim")


def _plane(comparison: Comparison, width: int) -> Table:
    model, group = Column("model", folds=True), Column("group", folds=True)
    change, interval = Column("change"), Column("95 % interval")
    said, ends = Column("", left=True), []
    for label, result in _labelled(comparison):
        causes = result.attribution
        points = [(words.group_name(g), p, causes.groups.get(g)) for g, p in result.plane.items()]
        if result.retention is not None:
            points.append(("retention", result.retention, causes.retention))
        for at, (of, point, made_by) in enumerate(points):
            model.cells.append(label if at == 0 else "")
            group.cells.append(name(of))
            change.cells.append(words.signed(point.gain))
            interval.cells.append(words.interval(point.ci))
            said.cells.append(standing_mark(point.standing, made_by))
        ends.append(len(model.cells) - 1)
    columns = [model, group, change, interval, said]
    return fitted_table("Mean change in points", columns, width, sections=ends)


def _index_table(title: str, results: Sequence[IndexResult], console: Console) -> None:
    """Print a row per model and group; below, each reason for undefined values appears once."""
    model, of = Column("model", folds=True), Column("group", folds=True)
    gain, di = Column("gain", spare=1), Column("DI", spare=2)
    ti, interval = Column("TI %"), Column("95 % interval")
    ends = []
    reasons: dict[str, list[str]] = {}
    for result in results:
        for at, group in enumerate(result.gain):
            target = group in result.ti
            value = result.ti.get(group)
            if target and value is None:
                why = result.undefined_reason.get(group, "no reason recorded")
                reasons.setdefault(f"{name(result.model)}: {why}", []).append(group)
            bounds = result.ci.get(group)
            undefined = "undefined" if target else ""
            model.cells.append(name(result.model) if at == 0 else "")
            of.cells.append(name(words.group_name(group)))
            gain.cells.append(words.signed(result.gain[group]))
            di.cells.append(words.signed(result.di.get(group), 2))
            ti.cells.append(undefined if value is None else words.number(value))
            interval.cells.append("" if bounds is None else words.interval(bounds))
        ends.append(len(model.cells) - 1)
    columns = [model, of, gain, di, ti, interval]
    console.print(fitted_table(title, columns, console.width, names=14, sections=ends))
    for why in reasons:
        _say(f"undefined for {minus(why)}", console, style="dim")


def _benchmarks(label: str, result: TunedResult, width: int) -> Table:
    rows = result.benchmarks
    columns = [
        Column("benchmark", [name(row.benchmark) for row in rows], folds=True),
        Column("base", [words.number(row.base) for row in rows], spare=2),
        Column("tuned", [words.number(row.tuned) for row in rows], spare=2),
        Column("change", [words.signed(row.delta) for row in rows]),
        Column("95 % interval", [words.interval(row.ci) for row in rows]),
        Column("Holm p", [words.p_value(row.p_holm) for row in rows], spare=1),
        Column("MDE", [words.mde(row) for row in rows], spare=5),
        Column("n", [words.count(row.n) for row in rows], spare=4),
        Column(
            "",
            [
                standing_mark(r.standing, result.attribution.benchmarks.get(r.benchmark))
                for r in rows
            ],
            left=True,
        ),
    ]
    ends = [at for at in range(len(rows) - 1) if rows[at].group != rows[at + 1].group]
    return fitted_table(label, columns, width, names=14, sections=ends)


def _sampled(result: TunedResult) -> Table:
    """pass@k of the benchmarks with several samples, without pass^k, which the page has."""
    grid = pass_rate_rows.pass_rate_grid(result)
    table = plain_table("pass@k, with the tuned model's coverage of the base")
    table.add_column(grid.head[0], overflow="fold")
    _numbers(table, *grid.head[1:6])
    for row in grid.rows:
        table.add_row(*map(Text, row[:6]))
    return table


def _flagged(result: TunedResult) -> Table:
    table = plain_table("Where the change comes from, in points")
    grid = parts.flagged_grid(result)
    table.add_column(grid.head[0], overflow="fold")
    _numbers(table, *grid.head[1:])
    for row in grid.rows:
        table.add_row(*map(Text, row))
    return table


def _numbers(table: Table, *heads: str) -> None:
    """Add columns of numbers, which never shrink."""
    for head in heads:
        table.add_column(Text(head), justify="right", no_wrap=True)


def _say(text: str, console: Console, *, style: str = "", indent: int = 0) -> None:
    # As a Text object, a model called "[red]" is not read as markup.
    line: RenderableType = Text(sentence(text), style=style)
    console.print(Padding(line, (0, 0, 0, indent)) if indent else line, highlight=False)


def _sigma(sigma: Mapping[str, float]) -> str:
    return ", ".join(f"{name(group)} {value:.3f}" for group, value in sigma.items())


def _labelled(comparison: Comparison) -> list[tuple[str, TunedResult]]:
    labels = model_labels([t.model for t in comparison.tuned])
    return list(zip(labels, comparison.tuned, strict=True))

"""The paper's cohort as a page: Figures 1 and 2 and Tables 4, 5 and 6 redrawn from its data.

The page shows recomputed next to published values, and starts with notes on how to read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import words
from .chart_data import Bands, Points, model_mark
from .escaping import name, sentence
from .fault_rows import UNKNOWN, below_grid, released_grid
from .figures import Figure
from .html import render_page
from .own_rows import OwnRow, own_grid, own_notes
from .robustness_rows import curve_grid
from .views import Grid

if TYPE_CHECKING:
    from ..published import CohortChecks, PublishedModel, Recomputed

METHODS = ("RL", "SFT")
CONTROLLED = "UniReason"
"""Name prefix of the paper's own models, tuned from one base on the same queries (Figure 2)."""
AIME, TALK = ("AIME24", "AIME25"), ("CoQA", "HaluEval")


def render_published(cohort: Recomputed, checks: CohortChecks, own: Sequence[OwnRow] = ()) -> str:
    """Self-contained HTML document; the same data gives the same text.

    ``own`` are the rows of the user's models.
    """
    from ..published import read_table

    groups = list(cohort.sigma)
    targets = [group for group in groups if group != groups[0]]
    return render_page(
        "published.html.j2",
        figure1=[_transfer(cohort, group) for group in targets],
        figure2=_controlled(cohort, groups),
        table4=ablation_grid(read_table("ablation")),
        table5=index_grid(cohort, targets),
        own=own_grid(own) if own else None,
        own_notes=own_notes(own),
        table6=pca_grid(read_table("pca_shift")),
        disagreements=disagreements(cohort),
        notes=cohort_notes(cohort, checks),
        contrasts=contrast_grid(checks),
        below=below_grid(checks),
        released=released_grid(checks),
        released_unknown=UNKNOWN,
        curve=curve_grid(checks.curve, targets, values=False),
        left_out=left_out_grid(cohort, checks, targets),
        methods=[(method, model_mark(at)) for at, method in enumerate(METHODS)],
    )


def disagreements(cohort: Recomputed) -> list[str]:
    """Every published TI that the published scores don't reproduce, with both values."""
    return [
        f"{name(model.name)}, {words.group_name(group)}: {words.number(result.ti[group])} "
        f"recomputed, {words.number(model.published_ti[group])} published."
        for model, result in cohort.rows
        for group, agrees in cohort.agrees(model, result).items()
        if not agrees
    ]


def cohort_notes(cohort: Recomputed, checks: CohortChecks) -> list[str]:
    """Caveats for comparing methods in the cohort."""
    from ..published import weight_share

    started = " and ".join(
        f"{some} of {every} {method} models"
        for method, (some, every) in checks.instruct_bases.items()
    )
    only = ", ".join(checks.same_base) or "none"
    worst: dict[str, int] = {}
    for rows in checks.non_answers.values():
        for row in rows:
            worst[row.benchmark] = worst.get(row.benchmark, 0) + 1
    silent = ", ".join(f"{name(b)} {count} of {len(cohort.rows)}" for b, count in worst.items())
    aime = [weight_share(rows, *AIME) for rows in checks.weights.values()]
    talk = [weight_share(rows, *TALK) for rows in checks.weights.values()]
    return [
        f"Methods differ in their bases too: {started} start from an instruct model. Compare "
        f"methods only between models of one base. Bases with models of both methods: {only}.",
        f"Scores below half of what guessing gives, probably because the form of the answers was "
        f"not recognised: {silent} tuned models. Part of their loss is due to format.",
        f"The 60 questions of {' and '.join(AIME)} have {_span(aime)} % of the weight of math; "
        f"{' and '.join(TALK)} have {_span(talk)} % of the weight of non-reasoning.",
        "No intervals are available, because the paper publishes scores but no answers.",
    ]


def index_grid(cohort: Recomputed, targets: Sequence[str]) -> Grid:
    """Table 5 with Table 1's models: recomputed and published TI, with disagreements marked."""
    head = ["model", "base", "method", "gain math"]
    for group in targets:
        head += [f"TI {words.group_name(group)}, here", "paper"]
    rows = []
    for model, result in cohort.rows:
        agrees = cohort.agrees(model, result)
        cells = [name(model.name), name(model.base), model.method]
        cells.append(words.signed(next(iter(result.gain.values()))))
        for group in targets:
            mark = "" if agrees.get(group, True) else " *"
            cells += [
                words.number(result.ti[group]) + mark,
                words.number(model.published_ti[group]),
            ]
        rows.append(tuple(cells))
    return Grid(tuple(head), tuple(rows))


def ablation_grid(rows: Sequence[Mapping[str, str]]) -> Grid:
    """Table 4: recomputed changes from the base, and their ratio next to the published TI.

    The paper prints only group means here, so only the uniform linear index can be recomputed.
    """
    base, *arms = rows
    keys = ("math_avg", "other_avg", "non_avg")
    head = ("arm", "math", "other", "non", "linear TI other", "paper", "linear TI non", "paper")
    out = []
    for arm in arms:
        gain, other, non = (float(arm[key]) - float(base[key]) for key in keys)
        cells = [name(arm["setting"]), *(words.signed(x) for x in (gain, other, non))]
        for change, said in ((other, arm["ti_other"]), (non, arm["ti_non"])):
            cells += [words.number(100.0 * change / gain), words.number(float(said))]
        out.append(tuple(cells))
    return Grid(head, tuple(out))


def pca_grid(rows: Sequence[Mapping[str, str]]) -> Grid:
    """Tables 2 and 6: PCA shift per group; ratio to the least shifted RL model of the base."""
    ratio_head = "non: ratio to the least shifted RL model of this base"
    head = ("model", "base", "method", "math", "other", "non", ratio_head)
    lowest: dict[str, float] = {}
    for row in rows:
        if row["method"] == "RL":
            lowest[row["base"]] = min(float(row["non"]), lowest.get(row["base"], float("inf")))
    out = []
    for row in rows:
        reference = lowest.get(row["base"])
        comparable = reference and row["method"] == "SFT"
        ratio = f"{float(row['non']) / reference:.1f} x" if comparable and reference else ""
        shifts = [words.number(float(row[key])) for key in ("math", "other", "non")]
        out.append((name(row["model"]), name(row["base"]), row["method"], *shifts, ratio))
    return Grid(head, tuple(out))


def contrast_grid(checks: CohortChecks) -> Grid:
    """Return differences between SFT and RL models with the same base, in points."""
    head = ("SFT model", "RL model", "base", "gain, SFT minus RL", "retention, SFT minus RL")
    rows = []
    for base, models in checks.same_base.items():
        for one in (m for m in models if m.method == "SFT"):
            for other in (m for m in models if m.method == "RL"):
                rows.append(
                    (name(one.name), name(other.name), name(base), *_minus(one, other, checks))
                )
    return Grid(head, tuple(rows))


def left_out_grid(cohort: Recomputed, checks: CohortChecks, targets: Sequence[str]) -> Grid:
    """Range of TI with one benchmark left out, and over all specifications."""
    head = ["model"]
    for group in targets:
        label = words.group_name(group)
        head += [f"{label}: TI", "one benchmark left out", "all specifications"]
    rows = []
    for model, result in cohort.rows:
        cells = [name(model.name)]
        for group in targets:
            known = [v for row in checks.left_out[model.name] if (v := row.ti[group]) is not None]
            span = checks.curve.range[model.name][group]
            cells.append(words.number(result.ti[group], 0))
            cells.append(_span(known) if known else "undefined")
            cells.append(_span(span) if span else "undefined")
        rows.append(tuple(cells))
    return Grid(tuple(head), tuple(rows))


def _minus(one: PublishedModel, other: PublishedModel, checks: CohortChecks) -> list[str]:
    pairs = zip(checks.plane[one.name], checks.plane[other.name], strict=True)
    return [words.signed(a - b) for a, b in pairs]


def _span(values: Sequence[float]) -> str:
    return f"{words.number(min(values), 0)} to {words.number(max(values), 0)}"


def _transfer(cohort: Recomputed, group: str) -> Figure:
    rows = [
        {
            "label": name(model.name),
            "model": model.method,
            "x": next(iter(result.gain.values())),
            "y": result.ti[group],
        }
        for model, result in cohort.rows
    ]
    label = words.group_name(group)
    return Figure(
        f"transfer-{group}",
        f"Figure 1: TI {label}",
        "Each mark is a tuned model; TI is the share of its gain in maths that shows up elsewhere.",
        Points(rows, METHODS, ("gain on math, points", f"TI {label}, %")),
    )


def _controlled(cohort: Recomputed, groups: Sequence[str]) -> tuple[Figure, list[Any]]:
    """The chart of the controlled models by group, and its legend."""
    own = [(m, r) for m, r in cohort.rows if m.name.startswith(CONTROLLED)]
    labels = [name(model.name) for model, _ in own]
    rows = [
        {"row": words.group_name(group), "model": label, "value": result.gain[group]}
        for label, (_, result) in zip(labels, own, strict=True)
        for group in groups
    ]
    order = [words.group_name(group) for group in groups]
    chart = Bands(rows, order, labels, "mean change, points", bars=True, intervals=False)
    title = "Figure 2: one base and the same maths queries, tuned in three ways"
    caption = f"Mean change of each group from {own[0][0].base}."
    figure = Figure("controlled", title, sentence(caption), chart)
    return figure, [(label, model_mark(at)) for at, label in enumerate(labels)]

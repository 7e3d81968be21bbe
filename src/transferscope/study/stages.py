"""The stages of a study: train, evaluate, probe, compare, report. Complete ones are skipped.

runs/base  arms/CELL  runs/CELL  probes/CELL.{hidden,tokens,weights}.json, runs and probes for
CELL@STEP too  overlap.json  comparison.json  arms.json  claims.json  predictors.json
report.html  report.md
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compare import Comparison, compare_runs
from ..core.errors import InputError
from ..core.files import holding, make_folder, write_atomically, write_json
from ..core.hidden_shift import HiddenShift
from ..core.records import Tick, no_tick
from ..core.suite import Suite
from ..core.token_shift import TokenShift
from ..core.typed_record import Document, plain
from ..core.weight_shift import WeightShift
from ..documents import read_document
from ..evaluate import evaluate_model
from ..models import AUTO, parameter_count
from ..probe.texts import Responses, run_responses
from ..report import ReportInput, render_html, render_markdown
from ..runs import Run, read_run
from ..train import is_complete, train_arm
from ..train.arm_config import PRECISIONS
from ..train.dynamics import Dynamics, dynamics
from .arms import arm_means
from .cell_locks import cell_lock, each_once
from .claims import judge
from .cost import cost_of, estimate_note
from .decontaminate_study import (
    decontaminate_sources,
    decontamination_notes,
    with_decontaminated_queries,
)
from .drop_predictors import predict
from .fairness import unequal
from .plan import (
    PROBES,
    Progress,
    Say,
    check_study,
    claim_folder,
    model_folder,
    plan_study,
    probe_path,
    run_names,
)
from .run_summary import Measured, measure
from .study_config import Cell, StudyConfig

if TYPE_CHECKING:
    from ..probe.kept_base import KeptBase

SHIFTS: Mapping[str, type[Document]] = {
    "hidden": HiddenShift,
    "tokens": TokenShift,
    "weights": WeightShift,
}
"""The document that each probe writes to its own file."""
REMEDY = "remove the file and start the study again"


@dataclass
class _Found:
    """The results of the stages of all cells, by run name."""

    tuned: list[Run] = field(default_factory=list)
    hidden: dict[str, HiddenShift] = field(default_factory=dict)
    tokens: dict[str, TokenShift] = field(default_factory=dict)
    weights: dict[str, WeightShift] = field(default_factory=dict)
    training: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def run_study(
    config: StudyConfig,
    out: Path,
    *,
    data: Path | None = None,
    dtype: str = AUTO,
    pace: float | None = None,
    tick: Tick = no_tick,
    say: Say = print,
) -> ReportInput:
    """Run every stage that is not complete; returns what the report shows.

    Says the plan first, then each stage as it begins. Several processes called with the same
    ``out`` share the cells. ``data`` is the folder that real benchmarks are read from, wherever it
    is on this machine. ``dtype`` is the dtype of training and evaluation, unless the study's file
    says otherwise; with ``auto``, all models use the dtype that the base was evaluated in, even
    when the study resumes on another kind of machine. ``pace`` is that of
    :func:`~.plan.plan_study`. Raises :class:`InputError` when ``out`` holds another study, or one
    in another dtype.
    """
    check_study(config, out, data=data)
    from ..probe.kept_base import KeptBase

    suite = config.load_suite()
    claim_folder(config, out)
    plan = plan_study(config, out, pace=pace)
    for line in plan.lines():
        say(line)
    progress = Progress(plan, say)
    options: dict[str, Any] = {"n": config.items, "seed": config.seed, "data": data, "tick": tick}
    progress.begin(out / "runs" / "base")
    with holding(cell_lock(out, "base")):
        folder = evaluate_model(config.base, suite, out / "runs" / "base", dtype=dtype, **options)
        base = read_run(folder)
        options["dtype"] = base.manifest.engine["dtype"]
        sources = decontaminate_sources(config, base, out)
    for sentence in decontamination_notes(out):
        say(sentence)

    kept = KeptBase(config.base, **config.probe.loading)

    def run(cell: Cell) -> None:
        if progress.is_measured(cell):
            return  # by this process or another; its weights may be gone
        decontaminated = with_decontaminated_queries(cell, sources)
        _run_cell(
            config, decontaminated, base, suite, kept, out=out, progress=progress, options=options
        )

    each_once(config.cells(), out, run)
    kept.release()
    progress.begin(out / "report.html")
    return _report(config, base, config.cells(), out)


def report_so_far(config: StudyConfig, out: Path) -> ReportInput:
    """Report on the models that are already measured, without training or evaluating anything.

    Raises :class:`InputError` when ``out`` holds another study, or none with a measured model.
    """
    plan = plan_study(config, out)
    cells = [cell for cell in config.cells() if plan.is_measured(cell)]
    base = plan.stages[0]
    if not cells or not base.done:
        what = "holds no measured model yet"
        raise InputError(what, place=str(out), remedy="start the study, without --so-far")
    return _report(config, read_run(base.path), cells, out)


def _report(config: StudyConfig, base: Run, cells: Sequence[Cell], out: Path) -> ReportInput:
    """Compare, predict and judge ``cells``; write the JSON documents and the pages."""
    found = _collect(cells, out)
    comparison = compare_runs(base, found.tuned, seed=config.seed)
    forecast = predict(comparison, found.hidden, found.tokens, found.weights, seed=config.seed)
    write_json(out / "predictors.json", plain(forecast))
    weights = parameter_count(config.base)
    gpus = config.cost.gpus
    costs = {name: cost_of(rows, weights, gpus=gpus) for name, rows in found.training.items()}
    measured = measured_cells(cells, comparison, found.hidden, found.tokens, costs)
    means = arm_means(measured)
    write_json(out / "arms.json", plain(means))
    claims = judge(measured, config.claims)
    write_json(out / "claims.json", plain(claims))
    write_json(out / "comparison.json", comparison.to_json())
    report = ReportInput(
        title=f"transferscope {config.name}: {config.base} and {len(found.tuned)} tuned models",
        comparison=comparison,
        hidden=found.hidden,
        tokens=found.tokens,
        weights=found.weights,
        training=found.training,
        costs=costs,
        cost_note=estimate_note(gpus) if costs and weights is not None else "",
        predictors=forecast,
        # No claims are made about models that were not trained by this study.
        claims=claims if found.training else (),
        arm_means=means if found.training else (),
        arms={label: cell.table for cell in cells for label in run_names(cell)},
        dynamics={name: dynamics_of(rows) for name, rows in found.training.items()},
        notes=[*_missing(config, cells), *unequal(config), *decontamination_notes(out)],
        created=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    )
    write_atomically(out / "report.md", render_markdown(report))
    write_atomically(out / "report.html", render_html(report))
    return report


def _missing(config: StudyConfig, cells: Sequence[Cell]) -> list[str]:
    """Return the note of a report on ``cells`` alone."""
    missing = [cell.name for cell in config.cells() if cell not in cells]
    if not missing:
        return []
    return [
        f"{len(cells)} of the study's {len(config.cells())} models are measured. Intervals and "
        f"verdicts are based on these alone. Missing: {', '.join(missing)}."
    ]


def _collect(cells: Sequence[Cell], out: Path) -> _Found:
    """Collect the results of ``cells``, in their order."""
    from ..train.step_log import FILE, read_steps

    found = _Found()
    for cell in cells:
        if cell.config is not None:
            found.training[cell.name] = read_steps(out / "arms" / cell.name / FILE, finished=True)
        for label in run_names(cell):
            found.tuned.append(read_run(out / "runs" / label))
            for probe, kind in SHIFTS.items():
                path = probe_path(out, label, probe)
                getattr(found, probe)[label] = read_document(kind, path, remedy=REMEDY)
    return found


def _run_cell(
    config: StudyConfig,
    cell: Cell,
    base: Run,
    suite: Suite,
    kept: KeptBase,
    *,
    out: Path,
    progress: Progress,
    options: Mapping[str, Any],
) -> None:
    """Train, evaluate and probe one cell. The base stays loaded over cells, but not in training."""
    tick: Tick = options["tick"]
    folder = model_folder(cell, out)
    if cell.config is not None:
        progress.begin(folder)
        start: dict[str, Any] = {}
        if cell.start is not None:
            start["model"] = str(model_folder(cell.start, out))
        if cell.config.precision == "auto":
            start |= {"precision": PRECISIONS.get(options["dtype"], "auto")}
        if not is_complete(folder):
            kept.release()
        train_arm(cell.config.model_copy(update=start), folder, tick=tick)
    responses = run_responses(base, items=config.probe.items)
    for label in run_names(cell):
        progress.begin(out / "runs" / label)
        step = label.partition("@")[2]
        model = folder / "at" / step if step else folder
        evaluate_model(
            str(model), suite, out / "runs" / label, base=config.base, name=label, **options
        )
        probe_cell(kept, responses, label, model, out=out, begin=progress.begin, tick=tick)


def probe_cell(
    base: KeptBase,
    responses: Responses,
    label: str,
    model: Path,
    *,
    out: Path,
    begin: Callable[[Path], None],
    tick: Tick,
) -> None:
    """All probes of one model, on the base's own ``responses``; those on the disk are kept.

    One fixed response set serves all tuned models, so that their shifts are comparable. Base and
    tuned model are loaded once for both probes that run them.
    """
    from ..probe.hidden import hidden_shift
    from ..probe.tokens import token_shift
    from ..probe.weights import weights_shift

    rows = responses.rows
    texts = [str(row.prompt) for row in rows]
    options: dict[str, Any] = {"labels": responses.labels, "tick": tick}
    with base.beside(str(model)) as pair:
        measures: dict[str, Callable[[], Document]] = {
            "hidden": lambda: hidden_shift(*pair(), texts, **options),
            "tokens": lambda: token_shift(*pair(), rows, prefix="base", **options),
            "weights": lambda: weights_shift(base.name, str(model), tick=tick),
        }
        for kind in PROBES:
            path = probe_path(out, label, kind)
            begin(path)
            if not path.is_file():
                document = measures[kind]().to_json()
                make_folder(path.parent)
                write_json(path, document)


def measured_cells(
    cells: Sequence[Cell],
    comparison: Comparison,
    hidden: Mapping[str, HiddenShift],
    tokens: Mapping[str, TokenShift],
    costs: Mapping[str, Mapping[str, Any]],
) -> list[Measured]:
    """Summarize every run of ``cells`` for the claims."""
    results = {result.model: result for result in comparison.tuned}
    return [
        measure(
            cell,
            results[label],
            hidden=hidden.get(label),
            tokens=tokens.get(label),
            cost=costs.get(label),
        )
        for cell in cells
        for label in run_names(cell)
    ]


def dynamics_of(steps: list[dict[str, Any]]) -> Dynamics:
    """Gradient dynamics of an arm's steps; the log holds ``null`` where a norm wasn't finite."""
    return dynamics([row["grad_norm"] for row in steps])

"""The stages of a study: train, evaluate, probe, compare, report; each skipped when complete.

runs/base  arms/CELL  runs/CELL  probes/CELL.{hidden,tokens,weights}.json, runs and probes for
CELL@STEP too  overlap.json  comparison.json  arms.json  claims.json  predictors.json
report.html  report.md
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from ..compare import Comparison, compare_runs
from ..core.files import read_json, write_atomically, write_json
from ..core.records import Tick, no_tick
from ..core.suite import Suite
from ..evaluate import evaluate_model
from ..models import parameter_count
from ..probe.texts import Responses, run_responses
from ..report import ReportInput, render_html, render_markdown
from ..runs import Run, read_run
from ..train import train_arm
from ..train.dynamics import dynamics
from .arms import arm_means
from .claims import judge
from .config import Cell, StudyConfig
from .measured import Measured, measure
from .overlap import clean_sources, with_clean_queries
from .plan import (
    PROBES,
    Say,
    announcer,
    check_study,
    claim_folder,
    is_measured,
    probe_path,
    run_names,
    unequal,
)
from .predict import predict
from .sharing import each_once, holding

GPU_FLOPS = 4e14
"""What one GPU of a cluster does in a second of training: 40 % of 1e15 in bf16."""


class Shift(Protocol):
    """A probe's result."""

    def to_json(self) -> dict[str, Any]:
        """The JSON of the ``probe`` commands."""


@dataclass
class _Found:
    """What the stages of all cells left, by run name."""

    tuned: list[Run] = field(default_factory=list)
    hidden: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: dict[str, dict[str, Any]] = field(default_factory=dict)
    training: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def run_study(
    config: StudyConfig, out: Path, *, tick: Tick = no_tick, say: Say = print
) -> ReportInput:
    """Run every stage that is not complete; returns what the report shows.

    Called by several processes with the same ``out``, they share the cells. Raises
    :class:`InputError` when ``out`` holds another study.
    """
    check_study(config, out)
    suite = config.load_suite()
    claim_folder(config, out)
    announce = announcer(config, out, say)
    options: dict[str, Any] = {"n": config.items, "seed": config.seed, "tick": tick}
    announce(out / "runs" / "base")
    with holding(out, "base", wait=True):
        base = read_run(evaluate_model(config.base, suite, out / "runs" / "base", **options))
        sources = clean_sources(config, base, out)

    def run(cell: Cell) -> None:
        clean = with_clean_queries(cell, sources)
        _run_cell(config, clean, base, suite, out=out, announce=announce, options=options)

    each_once(config.cells(), out, run)
    announce(out / "report.html")
    report = _report(config, base, _collect(config, out), out)
    write_atomically(out / "report.md", render_markdown(report))
    write_atomically(out / "report.html", render_html(report))
    return report


def _report(config: StudyConfig, base: Run, found: _Found, out: Path) -> ReportInput:
    """Compare, predict and judge; writes the JSON documents."""
    comparison = compare_runs(base, found.tuned, seed=config.seed)
    forecast = predict(comparison, found.hidden, found.tokens, found.weights, seed=config.seed)
    write_json(out / "predictors.json", [predictor.to_json() for predictor in forecast])
    weights = parameter_count(config.base)
    costs = {name: cost_of(rows, weights) for name, rows in found.training.items()}
    measured = measured_cells(config, comparison, found.hidden, found.tokens, costs)
    means = [mean.to_json() for mean in arm_means(measured)]
    write_json(out / "arms.json", means)
    claims = [claim.to_json() for claim in judge(measured, config.claims)]
    write_json(out / "claims.json", claims)
    write_json(out / "comparison.json", comparison.to_json())
    return ReportInput(
        title=f"transferscope {config.name}: {config.base} and {len(found.tuned)} tuned models",
        comparison=comparison,
        hidden=found.hidden,
        tokens=found.tokens,
        weights=found.weights,
        training=found.training,
        costs=costs,
        predictors=[predictor.to_json() for predictor in forecast],
        # Of models that somebody else tuned nothing is claimed.
        claims=claims if found.training else (),
        arm_means=means if found.training else (),
        arms={label: cell.table for cell in config.cells() for label in run_names(cell)},
        dynamics={name: dynamics_of(rows) for name, rows in found.training.items()},
        notes=unequal(config),
        created=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    )


def _collect(config: StudyConfig, out: Path) -> _Found:
    """What all cells left, in the study's order."""
    from ..train.log import FILE, read_steps

    found = _Found()
    for cell in config.cells():
        if cell.config is not None:
            found.training[cell.name] = read_steps(out / "arms" / cell.name / FILE)
        for label in run_names(cell):
            found.tuned.append(read_run(out / "runs" / label))
            for kind in PROBES:
                getattr(found, kind)[label] = read_json(
                    probe_path(out, label, kind),
                    remedy="remove the file and start the study again",
                )
    return found


def _run_cell(
    config: StudyConfig,
    cell: Cell,
    base: Run,
    suite: Suite,
    *,
    out: Path,
    announce: Callable[[Path], None],
    options: Mapping[str, Any],
) -> None:
    """Train, evaluate and probe one cell. One that was measured needs its weights no more."""
    if is_measured(cell, out):
        return
    tick: Tick = options["tick"]
    folder = out / "arms" / cell.name if cell.checkpoint is None else Path(cell.checkpoint)
    if cell.config is not None:
        announce(folder)
        start = {} if cell.start is None else {"model": str(out / "arms" / cell.start)}
        train_arm(cell.config.model_copy(update=start), folder, tick=tick)
    for label in run_names(cell):
        announce(out / "runs" / label)
        step = label.partition("@")[2]
        model = folder / "at" / step if step else folder
        evaluate_model(
            str(model), suite, out / "runs" / label, base=config.base, name=label, **options
        )
        probe_cell(config, base, label, model, out=out, announce=announce, tick=tick)


def probe_cell(
    config: StudyConfig,
    base: Run,
    label: str,
    model: Path,
    *,
    out: Path,
    announce: Callable[[Path], None],
    tick: Tick,
) -> None:
    """All probes of one model, on the base's own responses."""
    from ..probe.hidden import hidden_shift
    from ..probe.tokens import token_shift
    from ..probe.weights import weights_shift

    rows, labels = probe_inputs(base, config.probe.items)
    pair = config.base, str(model)
    texts = [str(row.prompt) for row in rows]
    options: dict[str, Any] = {"labels": labels, "tick": tick, **config.probe.loading}
    measures: dict[str, Callable[[], Shift]] = {
        "hidden": partial(hidden_shift, *pair, texts, **options),
        "tokens": partial(token_shift, *pair, rows, prefix="base", **options),
        "weights": partial(weights_shift, *pair, tick=tick),
    }
    for kind in PROBES:
        path = probe_path(out, label, kind)
        announce(path)
        if not path.is_file():
            document = measures[kind]().to_json()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, document)


def measured_cells(
    config: StudyConfig,
    comparison: Comparison,
    hidden: Mapping[str, Mapping[str, Any]],
    tokens: Mapping[str, Mapping[str, Any]],
    costs: Mapping[str, Mapping[str, Any]],
) -> list[Measured]:
    """Every run of the study as the claims need it."""
    results = {result.model: result for result in comparison.tuned}
    return [
        measure(
            cell,
            results[label],
            hidden=hidden.get(label),
            tokens=tokens.get(label),
            cost=costs.get(label),
        )
        for cell in config.cells()
        for label in run_names(cell)
    ]


def probe_inputs(base: Run, items: int) -> Responses:
    """The first ``items`` prompts of every benchmark, and the base's own answers to them.

    One fixed response set serves all tuned models, so that their shifts are comparable.
    """
    return run_responses(base, items=items)


def dynamics_of(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Gradient dynamics of an arm's steps; the log holds ``null`` where a norm wasn't finite."""
    return dynamics([row["grad_norm"] for row in steps]).to_json()


def cost_of(steps: list[dict[str, Any]], weights: int | None = None) -> dict[str, Any]:
    """What an arm cost: steps, tokens generated, tokens trained, seconds, FLOPs.

    FLOPs: 2 per weight and token generated, 6 per weight and token trained, prompts left out; where
    the number of ``weights`` is known, with the time they would take on 8 GPUs of 400 TFLOP/s each.
    """
    cost = _counted(steps)
    if weights is not None:
        cost["flops"] = weights * (2 * cost["tokens_generated"] + 6 * cost["tokens_trained"])
        cost["8_gpus_seconds"] = cost["flops"] / (8 * GPU_FLOPS)
    return cost


def _counted(steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "steps": len(steps),
        "tokens_generated": sum(int(row.get("tokens_generated") or 0) for row in steps),
        "tokens_trained": sum(int(row.get("tokens_trained") or 0) for row in steps),
        "seconds": round(sum(float(row.get("seconds") or 0.0) for row in steps), 1),
    }

"""A controlled study from one TOML: train, evaluate, probe, compare, report; resumable.

    name = "demo"
    base = "smollm2-135m"
    suite = "mini"
    items = 40
    [arms.off-policy-sft]
    steps = 20
    [arms.on-policy-rl]
    steps = 12

Every stage is a folder or a file of the study's folder and is skipped when it is complete:

    runs/base  arms/ARM  runs/ARM  probes/ARM.hidden.json  probes/ARM.tokens.json
    comparison.json  report.html  report.md
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .compare import compare_runs
from .core.errors import InputError
from .core.files import parse_toml, read_json, read_text, write_atomically, write_json
from .core.records import Tick, digest, no_tick
from .core.suite import Suite, load_suite
from .evaluate import check_model, evaluate_model
from .probe.texts import ResponseRow
from .report import ReportInput, render_html, render_markdown
from .runs import Run, read_run
from .runs.manifest import MANIFEST_FILE, read_manifest
from .train import ArmConfig, arm_config, is_complete, train_arm

Say = Callable[[str], None]
STUDY_FILE = "study.json"
MAX_SEED = 999_999
"""Evaluation seeds end here; the mini suite's training seeds lie beyond."""


class Shift(Protocol):
    """A probe's result."""

    def to_json(self) -> dict[str, Any]:
        """The JSON of the ``probe`` commands."""


class ProbeConfig(BaseModel):
    """How many of the suite's items per benchmark the probes read."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    items: int = Field(default=5, ge=1)


class StudyConfig(BaseModel):
    """The study's TOML. ``arms`` maps an arm's name to its settings (see ``ArmConfig``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    base: str
    suite: str = "mini"
    items: int = Field(default=40, ge=2)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    arms: dict[str, dict[str, Any]] = Field(min_length=1)
    probe: ProbeConfig = ProbeConfig()

    def arm(self, name: str) -> ArmConfig:
        """The settings of one arm, validated; key ``arm`` where it is not the table's name."""
        given = {"arm": name, "model": self.base, "seed": self.seed, **self.arms[name]}
        return arm_config(given, place=f"study {self.name} [arms.{name}]")


def parse_study(text: str, *, place: str) -> StudyConfig:
    """Study from TOML text, arms validated. Raises :class:`InputError` naming the key."""
    try:
        config = StudyConfig.model_validate(parse_toml(text, place=place))
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(first["msg"], place=f"{place} [{where}]") from None
    for name in config.arms:
        if name == "base" or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise InputError(
                f"an arm can't be called {name!r}",
                place=place,
                remedy="use letters, digits, '.', '_' and '-', and another name than 'base'",
            )
        config.arm(name)
    load_suite(config.suite)
    return config


def load_study(path: Path) -> StudyConfig:
    """Study from a file. Raises :class:`InputError` for a missing or malformed one."""
    return parse_study(read_text(path, remedy="name a study's .toml file"), place=str(path))


def demo_study() -> StudyConfig:
    """The study that ``transferscope demo`` runs."""
    text = (files("transferscope") / "demo.toml").read_text(encoding="utf-8")
    return parse_study(text, place="demo.toml")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what it does, what it leaves behind, and about how long it takes."""

    title: str
    detail: str
    path: Path
    minutes: float
    done: bool


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """The stages of a study in their order."""

    name: str
    stages: tuple[Stage, ...]

    def lines(self) -> list[str]:
        """The plan as text, at most 80 columns."""
        out = [f"{self.name}: {len(self.stages)} stages; minutes as measured on 2 idle cores"]
        for number, stage in enumerate(self.stages, start=1):
            time_ = "done" if stage.done else f"~{max(1, round(stage.minutes))} min"
            out.append(f"{number:3}. {stage.title:26} {stage.detail:36} {time_:>8}")
        left = sum(stage.minutes for stage in self.stages if not stage.done)
        out.append(f"     about {max(1, round(left))} minutes to go; safe to interrupt")
        return out

    def announcer(self, say: Say) -> Callable[[], None]:
        """A function to call as each stage begins: says which, and about how long is left.

        The plan's minutes are scaled by how long the finished stages really took on this machine.
        """
        began = time.monotonic()
        numbers = iter(range(len(self.stages)))

        def announce() -> None:
            at = next(numbers)
            stage = self.stages[at]
            spent = (time.monotonic() - began) / 60
            expected = sum(s.minutes for s in self.stages[:at] if not s.done)
            left = sum(s.minutes for s in self.stages[at:] if not s.done)
            left *= spent / expected if expected > 1.0 else 1.0
            what = "done before" if stage.done else stage.detail
            head = f"[{at + 1}/{len(self.stages)}] {stage.title}: {what}"
            say(f"{head}; about {max(1, round(left))} min to go")

        return announce


# Read off one demo on 2 idle cores, 2026-11-23, items scaled for the wider token limits: rough, and
# only the plan's minutes rest on them.
SECONDS_PER_ITEM = 0.17
SECONDS_PER_PROBE_TEXT = 0.25
SECONDS_PER_ROW = {"teacher": 0.5, "policy": 0.6}


def plan_study(config: StudyConfig, out: Path) -> StudyPlan:
    """What :func:`run_study` will do in ``out``, and which stages are already complete.

    Raises :class:`InputError` when ``out`` holds another study.
    """
    _refuse_another(config, out)
    suite = load_suite(config.suite)
    answers = sum(b.repeats for b in suite.benchmarks.values()) * config.items
    texts = len(suite.benchmarks) * config.probe.items
    evaluation = answers * SECONDS_PER_ITEM / 60
    detail = f"{len(suite.benchmarks)} benchmarks x {config.items} items"
    stages = [_run_stage("evaluate base", detail, out / "runs" / "base", evaluation)]
    for name in config.arms:
        arm = config.arm(name)
        folder = out / "arms" / name
        what = f"{arm.steps} steps of {arm.queries_per_step} queries x {arm.rollouts}"
        minutes = arm.steps * arm.rows_per_step * SECONDS_PER_ROW[arm.recipe.sampler] / 60
        stages.append(Stage(f"train {name}", what, folder, minutes, is_complete(folder)))
        run = out / "runs" / name
        stages.append(_run_stage(f"evaluate {name}", detail, run, evaluation))
        for kind in ("hidden", "tokens"):
            path = out / "probes" / f"{name}.{kind}.json"
            minutes = texts * SECONDS_PER_PROBE_TEXT / 60
            title = f"probe {kind}"
            stages.append(Stage(title, f"{name}, {texts} texts", path, minutes, path.is_file()))
    report = out / "report.html"
    stages.append(Stage("report", "plane, index, tests, shifts", report, 0.2, False))
    return StudyPlan(config.name, tuple(stages))


def check_study(config: StudyConfig, out: Path) -> None:
    """Raise what :func:`run_study` would before its first stage; loads and writes nothing."""
    _refuse_another(config, out)
    suite = load_suite(config.suite)
    check_model(config.base, suite, n=config.items, seed=config.seed)


def _run_stage(title: str, detail: str, path: Path, minutes: float) -> Stage:
    done = (path / MANIFEST_FILE).is_file() and read_manifest(path).status == "complete"
    return Stage(title, detail, path, minutes, done)


def run_study(
    config: StudyConfig, out: Path, *, tick: Tick = no_tick, say: Say = print
) -> ReportInput:
    """Run every stage that is not complete; returns what the report shows.

    Raises :class:`InputError` when ``out`` holds another study.
    """
    from .probe.hidden import hidden_shift
    from .probe.tokens import token_shift
    from .train.log import FILE, read_steps

    check_study(config, out)
    suite = load_suite(config.suite)
    _claim(config, out)
    announce = plan_study(config, out).announcer(say)
    announce()
    run_options: dict[str, Any] = {"n": config.items, "seed": config.seed, "tick": tick}
    base_path = evaluate_model(config.base, suite, out / "runs" / "base", **run_options)
    base = read_run(base_path)
    tuned: list[Run] = []
    hidden: dict[str, dict[str, Any]] = {}
    tokens: dict[str, dict[str, Any]] = {}
    training: dict[str, list[dict[str, Any]]] = {}
    for name in config.arms:
        folder = out / "arms" / name
        announce()
        train_arm(config.arm(name), folder, tick=tick)
        training[name] = read_steps(folder / FILE)
        announce()
        path = evaluate_model(
            str(folder), suite, out / "runs" / name, base=config.base, name=name, **run_options
        )
        tuned.append(read_run(path))
        texts, rows = probe_inputs(base, suite, config.probe.items)
        measure_hidden = partial(hidden_shift, config.base, str(folder), texts, tick=tick)
        measure_tokens = partial(
            token_shift, config.base, str(folder), rows, prefix="base", tick=tick
        )
        announce()
        hidden[name] = _cached(out / "probes" / f"{name}.hidden.json", measure_hidden)
        announce()
        tokens[name] = _cached(out / "probes" / f"{name}.tokens.json", measure_tokens)
    announce()
    comparison = compare_runs(base, tuned, seed=config.seed)
    report = ReportInput(
        title=f"transferscope {config.name}: {config.base} and {len(tuned)} tuned models",
        comparison=comparison,
        hidden=hidden,
        tokens=tokens,
        training=training,
        costs={name: cost_of(rows) for name, rows in training.items()},
        created=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    )
    write_json(out / "comparison.json", comparison.to_json())
    write_atomically(out / "report.md", render_markdown(report))
    write_atomically(out / "report.html", render_html(report))
    return report


def probe_inputs(base: Run, suite: Suite, items: int) -> tuple[list[str], list[ResponseRow]]:
    """The first ``items`` prompts of every benchmark, and the base's own answers to them.

    One fixed response set serves all tuned models, so that their shifts are comparable.
    """
    texts: list[str] = []
    rows: list[ResponseRow] = []
    for name in suite.benchmarks:
        responses = [r for r in base.responses(name).values() if r.repeat == 0][:items]
        texts += [r.prompt for r in responses]
        rows += [ResponseRow(prompt=r.prompt, response=r.response) for r in responses if r.response]
    return texts, rows


def cost_of(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """What an arm cost: steps, tokens generated, tokens trained, seconds."""
    return {
        "steps": len(steps),
        "tokens_generated": sum(int(row.get("tokens_generated") or 0) for row in steps),
        "tokens_trained": sum(int(row.get("tokens_trained") or 0) for row in steps),
        "seconds": round(sum(float(row.get("seconds") or 0.0) for row in steps), 1),
    }


def _refuse_another(config: StudyConfig, out: Path) -> None:
    path = out / STUDY_FILE
    if path.is_file():
        theirs = read_json(path, remedy="name another --out").get("hash")
        if theirs != digest(config.model_dump(mode="json")):
            raise InputError(
                "holds a study with other settings", place=str(out), remedy="name another --out"
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("is not empty", place=str(out), remedy="name another --out")


def _claim(config: StudyConfig, out: Path) -> None:
    """Mark ``out`` as this study's, or refuse it."""
    _refuse_another(config, out)
    settings = config.model_dump(mode="json")
    out.mkdir(parents=True, exist_ok=True)
    mine = {"schema": 1, "hash": digest(settings), "config": settings}
    write_json(out / STUDY_FILE, mine)


def _cached(path: Path, measure: Callable[[], Shift]) -> dict[str, Any]:
    """The JSON document at ``path``, made first where it is missing."""
    if path.is_file():
        return read_json(path, remedy="remove the file and start the study again")
    document = measure().to_json()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, document)
    return document

"""Plans a study: its stages, which of them are complete, and how long the rest takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from ..core.errors import InputError, MissingExtra
from ..core.files import check_folder, is_scratch, make_folder, read_json, write_json
from ..core.records import digest
from ..evaluate import check_model
from ..models import load_tokenizer
from ..models.refusals import require_device
from ..runs.manifest import MANIFEST_FILE, read_manifest
from ..train import ArmConfig, is_complete
from ..train.arm_config import PROCEDURAL
from ..train.query_prompts import require_template
from ..train.query_sources import queries_of, read_queries, require_enough, responses_of, unanswered
from ..train.sharding import processes
from ..train.warm_start import adapter_of, refuse_start
from .study_config import Cell, StudyConfig

Say = Callable[[str], None]
STUDY_FILE = "study.json"
FEWEST_TEXTS = 3
"""The number of texts that two principal axes need."""
PROBES = ("hidden", "tokens", "weights")

# Measured in one demo on 2 idle cores, 2026-11-23, items scaled for the wider token limits. Rough,
# and only used for the minutes of the plan.
SECONDS_PER_ITEM = 0.17
SECONDS_PER_PROBE_TEXT = 0.25
SECONDS_PER_ROW = {"teacher": 0.5, "policy": 0.6}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what it does, what it leaves behind at ``path``, and about how long it takes.

    ``is_done`` looks at ``path``; ``done`` is what it said last. ``cell`` is the name of the cell
    that the stage belongs to, empty for the base and the report.
    """

    title: str
    detail: str
    path: Path
    minutes: float
    is_done: Callable[[Path], bool]
    cell: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """The stages of a study in their order; ``measured``: their minutes are this machine's."""

    name: str
    stages: tuple[Stage, ...]
    measured: bool = False

    @property
    def minutes_left(self) -> float:
        """Minutes of all stages that are not complete."""
        return sum(stage.minutes for stage in self.stages if not stage.done)

    def refreshed(self) -> StudyPlan:
        """The plan as the files are now. A stage that was done is not looked at again."""
        stages = (s if s.done else replace(s, done=s.is_done(s.path)) for s in self.stages)
        return replace(self, stages=tuple(stages))

    def is_measured(self, cell: Cell) -> bool:
        """Whether everything of the cell is done: the arm, its runs and its probes."""
        return all(stage.done for stage in self.stages if stage.cell == cell.name)

    def lines(self) -> list[str]:
        """Format the plan as text of at most 80 columns."""
        where = "on this machine" if self.measured else "on 2 idle cores"
        out = [f"{self.name}: {len(self.stages)} stages; minutes as measured {where}"]
        for number, stage in enumerate(self.stages, start=1):
            time_ = "done" if stage.done else f"~{max(1, round(stage.minutes))} min"
            out.append(f"{number:3}. {stage.title[:26]:26} {stage.detail[:36]:36} {time_:>8}")
        out.append(
            f"     about {max(1, round(self.minutes_left))} minutes to go; safe to interrupt"
        )
        return out


class Progress:
    """Follows a plan while its stages run, here and in other processes; says what begins.

    The minutes left are scaled by how fast stages were finished since the start, by all processes
    that work on the study.
    """

    def __init__(self, plan: StudyPlan, say: Say) -> None:
        self._plan, self._say = plan, say
        self._began, self._first = time.monotonic(), plan.minutes_left

    def begin(self, path: Path) -> None:
        """Say which stage, the one that leaves ``path``, begins, and what is left."""
        plan = self._plan = self._plan.refreshed()
        at, stage = next((n, s) for n, s in enumerate(plan.stages, start=1) if s.path == path)
        spent, finished = (time.monotonic() - self._began) / 60, self._first - plan.minutes_left
        left = plan.minutes_left * (spent / finished if finished > 1.0 else 1.0)
        what = "done before" if stage.done else stage.detail
        head = f"[{at}/{len(plan.stages)}] {stage.title}: {what}"
        self._say(f"{head}; about {max(1, round(left))} min to go")

    def is_measured(self, cell: Cell) -> bool:
        """Whether everything of the cell is done by now, whichever process did it."""
        self._plan = self._plan.refreshed()
        return self._plan.is_measured(cell)


def plan_study(config: StudyConfig, out: Path, *, pace: float | None = None) -> StudyPlan:
    """What :func:`~.stages.run_study` will do in ``out``, and which stages are complete.

    Reads every run's manifest once. ``pace`` is how many times as long as the reference machine
    this one takes, if it was measured.

    Raises :class:`InputError` when ``out`` holds another study.
    """
    refuse_another(config, out)
    return unstarted_plan(config, out, pace=pace).refreshed()


def unstarted_plan(config: StudyConfig, out: Path, *, pace: float | None = None) -> StudyPlan:
    """The plan of :func:`plan_study` as if ``out`` were empty; reads no file in it."""
    suite = config.load_suite()
    answers = sum(b.repeats for b in suite.benchmarks.values()) * config.items
    texts = len(suite.benchmarks) * config.probe.items
    evaluation = answers * SECONDS_PER_ITEM / 60
    detail = f"{len(suite.benchmarks)} benchmarks x {config.items} items"
    stages = [Stage("evaluate base", detail, out / "runs" / "base", evaluation, _is_run)]
    for cell in config.cells():
        name = cell.name
        if (arm := cell.config) is not None:
            what = f"{arm.steps} steps of {arm.queries_per_step} queries x {arm.rollouts}"
            minutes = arm.steps * arm.rows_per_step * SECONDS_PER_ROW[arm.recipe.sampler] / 60
            folder = model_folder(cell, out)
            stages.append(Stage(f"train {name}", what, folder, minutes, is_complete, name))
        for label in run_names(cell):
            run = out / "runs" / label
            stages.append(Stage(f"evaluate {label}", detail, run, evaluation, _is_run, name))
            for kind in PROBES:
                path = probe_path(out, label, kind)
                minutes = texts * SECONDS_PER_PROBE_TEXT / 60
                what = f"{label}, {'all matrices' if kind == 'weights' else f'{texts} texts'}"
                stages.append(Stage(f"probe {kind}", what, path, minutes, Path.is_file, name))
    report = out / "report.html"
    stages.append(Stage("report", "plane, index, tests, shifts", report, 0.2, lambda _: False))
    own = [replace(stage, minutes=stage.minutes * (pace or 1.0)) for stage in stages]
    return StudyPlan(config.name, tuple(own), measured=pace is not None)


def model_folder(cell: Cell, out: Path) -> Path:
    """Return the folder of the cell's model: a given checkpoint or the (future) arm's folder."""
    return out / "arms" / cell.name if cell.checkpoint is None else Path(cell.checkpoint)


def probe_path(out: Path, label: str, kind: str) -> Path:
    """Return the path of the result of probe ``kind`` for run ``label``."""
    return out / "probes" / f"{label}.{kind}.json"


def run_names(cell: Cell) -> list[str]:
    """Return the cell's run folders: one per kept checkpoint by step, then its own."""
    kept = cell.config.kept_steps if cell.config else ()
    return [*(f"{cell.name}@{step}" for step in kept), cell.name]


def check_study(config: StudyConfig, out: Path, *, data: Path | None = None) -> None:
    """Raise every error that running would raise before its first stage, without loading a model.

    This writes nothing. ``data`` is the folder that real benchmarks are read from.

    Raises :class:`MissingExtra` if a stage's packages are missing. Raises :class:`InputError` under
    a launcher too, because its processes would average the gradients of the different cells that
    they work on.
    """
    if (count := processes()) > 1:
        raise InputError(
            f"a launcher started {count} processes as one training",
            place=f"study {config.name}",
            remedy="start the same command once per GPU without a launcher, or train one arm by "
            "`transferscope train`",
        )
    refuse_another(config, out)
    trained = {cell.name: cell.config for cell in config.cells() if cell.config is not None}
    training = any(not is_complete(out / "arms" / name) for name in trained)
    need_packages(training=training)
    suite = config.load_suite()
    for model in (config.base, *(c.checkpoint for c in config.cells() if c.checkpoint)):
        check_model(model, suite, n=config.items, seed=config.seed, data=data)
    if len(suite.benchmarks) * config.probe.items < FEWEST_TEXTS:
        what = f"the probes need at least {FEWEST_TEXTS} texts"
        raise InputError(what, place=f"study {config.name} [probe] items", remedy="increase it")
    if config.probe.device_map is not None:
        place = f"study {config.name} [probe] device_map"
        require_device(config.probe.device_map, place=place)
    if training:
        require_template(load_tokenizer(config.base), name=config.base)
        _check_starts(config)
        _check_data(list(trained.values()))


def need_packages(*, training: bool) -> None:
    """Check the packages of all stages at once, because one extra installs them all."""
    wanted = ["torch", "transformers", "lm_eval", *(["trl"] if training else [])]
    if any(find_spec(package) is None for package in wanted):
        raise MissingExtra("all", needed_for="a study")


def _check_starts(config: StudyConfig) -> None:
    """Raise what training would raise for an arm that can't train from its start."""
    for cell in config.cells():
        if cell.config is None:
            continue
        if cell.start is not None and cell.start.config is not None:  # not trained yet
            rank = cell.start.config.lora_rank
            adapter = {"r": rank} if rank else None
        else:
            start = cell.start.checkpoint if cell.start is not None else None
            adapter = adapter_of(start or config.base)
        refuse_start(cell.config, adapter, place=f"study {config.name} [arms.{cell.table}]")


def _check_data(arms: Sequence[ArmConfig]) -> None:
    """Raise what training would raise for queries and responses that are missing or too few.

    Overlap with the evaluation is only known after the base has been evaluated.
    """
    for source in dict.fromkeys(arm.queries_from for arm in arms):
        own = [arm for arm in arms if arm.queries_from == source]
        if source == PROCEDURAL:
            for arm in own:
                if arm.recipe.sampler == "teacher":
                    responses_of(arm, queries_of(arm))
            continue
        queries = read_queries(source)
        lacking = len(unanswered(queries, own))
        for arm in own:
            require_enough(arm, len(queries) - lacking, place=source, left_out=lacking)


def refuse_another(config: StudyConfig, out: Path) -> None:
    """Raise :class:`InputError` if ``out`` is neither new nor a folder of this study."""
    check_folder(out, remedy="name another --out")
    # List the folder only once: another process may be claiming it for the same study.
    held = list(out.iterdir()) if out.is_dir() else []
    path = out / STUDY_FILE
    if path in held:
        theirs = read_json(path, remedy="name another --out").get("hash")
        if theirs != digest(config.identity()):
            raise InputError(
                "contains a study with other settings", place=str(out), remedy="name another --out"
            )
        return
    if not all(is_scratch(entry, of=STUDY_FILE) for entry in held):
        raise InputError("is not empty", place=str(out), remedy="name another --out")


def claim_folder(config: StudyConfig, out: Path) -> None:
    """Record in ``out`` that it belongs to this study, with its thresholds, or refuse it."""
    refuse_another(config, out)
    settings = config.identity()
    make_folder(out)
    write_json(out / STUDY_FILE, {"schema": 1, "hash": digest(settings), "config": settings})


def _is_run(path: Path) -> bool:
    """Whether ``path`` holds a finished run."""
    return (path / MANIFEST_FILE).is_file() and read_manifest(path).status == "complete"

"""Suite x engine -> run folder: one lm-eval call per benchmark, committed when it ends."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import tasks
from ..core.artefacts import flags_of
from ..core.errors import InputError, MissingExtra
from ..core.records import ModelRef, Outcome, Response, Tick, digest, no_tick
from ..core.suite import Suite
from ..engines.base import Engine
from ..grade.choice import most_likely
from ..runs import Manifest, RunWriter

if TYPE_CHECKING:
    from ..engines.lm import EngineLM

SCORE = "score"
"""What a pack's ``process_results`` must return: ``{"score": 0..1}``."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One benchmark of a plan. ``items`` is ``None`` where the pack decides (all it has)."""

    benchmark: str
    group: str
    pack: str
    items: int | None
    repeats: int


def plan(suite: Suite, *, n: int | None = None) -> list[Planned]:
    """What :func:`evaluate` would run, in its order; loads nothing."""
    return [
        Planned(name, group, suite.benchmarks[name].pack, n, suite.benchmarks[name].repeats)
        for group, names in suite.groups.items()
        for name in names
    ]


def evaluate(
    engine: Engine,
    suite: Suite,
    out: str | Path,
    *,
    model_ref: ModelRef,
    n: int | None = None,
    seed: int = 0,
    tick: Tick = no_tick,
    data: str | Path | None = None,
    packs: Mapping[str, Path] | None = None,
) -> Path:
    """Evaluate the engine's model on every benchmark of ``suite``; returns the run folder.

    ``n`` items per benchmark (``None``: all that the pack has), drawn and decoded with ``seed``.
    Started again after an interrupt, it goes on with the first benchmark that is not committed.
    ``tick(benchmark, items done, items)`` is called within benchmarks too. ``data`` is the folder
    of files that pack ``paper`` reads. ``packs`` maps a
    pack's name to a folder of lm-eval YAML; by default the packs that ship with the package.

    Raises :class:`MissingExtra` when lm-eval or a grader's package is absent, and
    :class:`InputError` for an unknown pack or task and for a folder of another run.
    """
    need_lm_eval()
    from .quiet import quiet_lm_eval

    with quiet_lm_eval():
        managers = task_managers(
            suite, tasks.PACKS if packs is None else packs, n=n, seed=seed, data=data
        )
    manifest = _manifest(engine, suite, managers, model_ref=model_ref, n=n, seed=seed)
    with RunWriter.open(out, manifest) as writer:
        for item in plan(suite, n=n):
            if item.benchmark in writer.finished:
                done = writer.manifest.complete[item.benchmark]["n"] // item.repeats
                tick(item.benchmark, done, done)
                continue
            try:
                with quiet_lm_eval():
                    outcomes, responses = _run_benchmark(
                        engine, suite, item, managers[item.pack], seed=seed, tick=tick
                    )
            except ImportError as err:  # a grader's package: langdetect, nltk, math-verify ...
                needed_for = f"benchmark {item.benchmark} ({err})"
                raise MissingExtra("eval", needed_for=needed_for) from err
            writer.write_benchmark(item.benchmark, outcomes, responses)
    return Path(out)


def need_lm_eval() -> None:
    """Raise :class:`MissingExtra` where lm-eval is absent."""
    try:
        import lm_eval  # noqa: F401
    except ImportError:
        raise MissingExtra("eval", needed_for="evaluation") from None


def task_managers(
    suite: Suite,
    packs: Mapping[str, Path],
    *,
    n: int | None,
    seed: int,
    data: str | Path | None = None,
) -> dict[str, Any]:
    """lm-eval's TaskManager of every pack that the suite uses."""
    from lm_eval.tasks import TaskManager

    metadata: dict[str, Any] = {"seed": seed} if n is None else {"seed": seed, "n": n}
    if data is not None:
        metadata["data"] = str(data)
    managers: dict[str, Any] = {}
    for name, benchmark in suite.benchmarks.items():
        pack = benchmark.pack
        if pack not in packs:
            raise InputError(
                f"unknown pack {pack!r}",
                place=f"suite {suite.name} [benchmarks.{name}]",
                remedy=f"use one of {', '.join(sorted(packs))}",
            )
        if pack not in managers:
            managers[pack] = TaskManager(
                include_path=str(packs[pack]), include_defaults=False, metadata=metadata
            )
        if tasks.task_name(pack, name) not in managers[pack].all_subtasks:
            raise InputError(
                f"pack {pack} has no task {tasks.task_name(pack, name)!r}",
                place=f"suite {suite.name} [benchmarks.{name}]",
                remedy=f"see the YAML files in {packs[pack]}",
            )
    return managers


def _manifest(
    engine: Engine,
    suite: Suite,
    managers: Mapping[str, Any],
    *,
    model_ref: ModelRef,
    n: int | None,
    seed: int,
) -> Manifest:
    about = dict(engine.describe())
    versions = {name: version(name) for name in ("transferscope", "lm-eval")}
    versions |= {"python": platform.python_version(), **about.pop("versions", {})}
    template = about.pop("template", None)
    return Manifest(
        model=model_ref,
        suite=suite.model_dump(mode="json"),
        suite_hash=suite.hash,
        engine=about,
        decoding=_decodings(suite, managers),
        template=template,
        versions=versions,
        seed=seed,
        limit=n,
    )


def decodings(
    suite: Suite, *, n: int | None, seed: int, data: str | Path | None = None
) -> dict[str, Any]:
    """How a run of ``suite`` would draw its answers, by benchmark; loads no model.

    Raises as :func:`evaluate` does for an unknown pack or task, and for a file that is missing.
    """
    need_lm_eval()
    from ..tasks.paper import find_file
    from .quiet import quiet_lm_eval

    with quiet_lm_eval():
        found = _decodings(suite, task_managers(suite, tasks.PACKS, n=n, seed=seed, data=data))
    for name, benchmark in suite.benchmarks.items():
        if benchmark.pack == "paper":
            find_file(data, name)
    return found


def _decodings(suite: Suite, managers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _decoding(managers[b.pack], tasks.task_name(b.pack, name))
        for name, b in suite.benchmarks.items()
    }


def _decoding(manager: Any, task: str) -> dict[str, Any]:
    """How answers of one task are drawn, read from its YAML (the run's seed stands apart)."""
    from ..engines.lm import decoding_of

    config = manager.task_index[task].cfg
    method = config.get("output_type", "generate_until")
    if method != "generate_until":
        return {"method": method}
    settings = asdict(decoding_of(config.get("generation_kwargs") or {}, seed=0, place=task))
    del settings["seed"]
    return {"method": method, **settings, "stop": list(settings["stop"])}


def _run_benchmark(
    engine: Engine, suite: Suite, item: Planned, manager: Any, *, seed: int, tick: Tick
) -> tuple[list[Outcome], list[Response]]:
    from lm_eval import simple_evaluate

    from ..engines.lm import EngineLM

    name = tasks.task_name(item.pack, item.benchmark)
    (task,) = manager.load([name])["tasks"].values()
    total = len(task.eval_docs)
    tick(item.benchmark, 0, total)
    generates = task.OUTPUT_TYPE == "generate_until"
    task.set_config("repeats", item.repeats if generates else 1)
    lm = EngineLM(engine, benchmark=item.benchmark, seed=seed, tick=tick)
    result = simple_evaluate(
        model=lm,
        tasks=[task],
        task_manager=manager,
        bootstrap_iters=0,
        apply_chat_template=True,
        log_samples=True,
        # The global generators belong to the caller (this may run inside training).
        random_seed=None,
        numpy_random_seed=None,
        torch_random_seed=None,
        fewshot_random_seed=seed,
    )
    chance = suite.benchmarks[item.benchmark].chance
    outcomes: list[Outcome] = []
    responses: list[Response] = []
    for sample in result["samples"][name]:
        convert = _generated(task, lm, sample) if generates else _chosen(sample)
        for repeat, (score, text, recorded) in enumerate(convert):
            doc, prompt = sample["doc"], sample["arguments"][0][0]
            try:
                outcome = Outcome(
                    benchmark=item.benchmark,
                    id=str(doc["id"]),
                    score=float(score),
                    repeat=repeat,
                    subset=str(doc.get("subset") or ""),
                    cluster=str(doc.get("cluster") or ""),
                    weight=1.0 if (weight := doc.get("weight")) is None else float(weight),
                    chance=chance,
                    message_hash=lm.messages[prompt],
                    rendered_hash=digest(prompt),
                    **recorded,
                )
            except (KeyError, ValueError) as err:
                raise InputError(f"bad row: {err}", place=f"task {name}") from None
            outcomes.append(outcome)
            responses.append(Response(outcome.id, repeat, prompt, text))
    tick(item.benchmark, total, total)
    return outcomes, responses


_Converted = Iterator[tuple[float, str, dict[str, Any]]]
"""(score, response, recorded fields of the outcome) of every repeat."""


def _generated(task: Any, lm: EngineLM, sample: Mapping[str, Any]) -> _Converted:
    """lm-eval grades one repeat (its default filter drops the others): the rest is graded here."""
    answers = lm.generations[(sample["doc_id"], 0)]
    prompt = sample["arguments"][0][0]
    for repeat, answer in enumerate(answers):
        graded = sample if repeat == 0 else task.process_results(sample["doc"], [answer.text])
        flags, inferred = flags_of(answer.text, finish=answer.finish, prompt=prompt)
        recorded = {
            "flags": flags,
            "flags_inferred": inferred,
            "tokens": answer.tokens,
            "finish": answer.finish,
        }
        yield graded[SCORE], answer.text, recorded


def _chosen(sample: Mapping[str, Any]) -> _Converted:
    """The response to a choice is its likeliest continuation."""
    nats: Sequence[float] = [response[0][0] for response in sample["resps"]]
    best = most_likely(nats)
    yield sample[SCORE], str(sample["arguments"][best][1]), {}

"""One benchmark: what is left of it to ask, asked and graded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import tasks
from ..core.artefacts import flags_of
from ..core.errors import InputError
from ..core.records import Failure, Outcome, Response, Tick, digest
from ..core.suite import Suite
from ..engines.protocol import Engine
from ..grade.choice import most_likely
from ..runs import Run
from ..runs.journal import Journal

if TYPE_CHECKING:
    from ..engines.lm_eval_model import EngineLM

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


@dataclass(frozen=True, slots=True)
class Job:
    """One benchmark as lm-eval's task (of ``manager``), its items' ids, what a run holds of it.

    ``done``: (id, repeat) that are answered and committed; ``failed``: keys of answers that failed.
    ``left`` numbers the items that lack an answer.
    """

    item: Planned
    task: Any
    manager: Any
    ids: tuple[str, ...]
    done: frozenset[tuple[str, int]]
    failed: frozenset[tuple[str, str, int]]
    left: tuple[int, ...]

    @property
    def total(self) -> int:
        """Number of items."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a job: new outcomes with their responses, and what failed."""

    outcomes: list[Outcome]
    responses: list[Response]
    failures: list[Failure]


def job_of(item: Planned, manager: Any, run: Run | None) -> Job:
    """The job that is left of ``item``, given what ``run`` holds.

    Raises :class:`InputError` for a task whose items have no id.
    """
    name = tasks.task_name(item.pack, item.benchmark)
    (task,) = manager.load([name])["tasks"].values()
    repeats = item.repeats if _generates(task) else 1
    task.set_config("repeats", repeats)
    try:
        ids = tuple(str(doc["id"]) for doc in task.eval_docs)
    except KeyError as err:
        raise InputError(f"bad row: {err}", place=f"task {name}") from None
    outcomes = run.by_benchmark.get(item.benchmark, ()) if run is not None else ()
    failures = run.failed.get(item.benchmark, ()) if run is not None else ()
    done = frozenset((outcome.id, outcome.repeat) for outcome in outcomes)
    lacking = (any((id_, r) not in done for r in range(repeats)) for id_ in ids)
    left = tuple(at for at, lacks in enumerate(lacking) if lacks)
    return Job(item, task, manager, ids, done, frozenset(f.key for f in failures), left)


def _generates(task: Any) -> bool:
    return bool(task.OUTPUT_TYPE == "generate_until")


def run_job(
    engine: Engine, suite: Suite, job: Job, *, seed: int, tick: Tick, kept: Journal
) -> Asked:
    """Ask and grade what is left of ``job``; answers go through ``kept``."""
    from lm_eval import simple_evaluate

    from ..engines.lm_eval_model import EngineLM

    item, task = job.item, job.task
    name = tasks.task_name(item.pack, item.benchmark)
    before = job.total - len(job.left)

    def ticked(benchmark: str, done: int, _: int) -> None:
        tick(benchmark, before + done, job.total)

    tick(item.benchmark, before, job.total)
    lm = EngineLM(
        engine, benchmark=item.benchmark, seed=seed, tick=ticked, kept=kept, done=job.done
    )
    result = simple_evaluate(
        model=lm,
        tasks=[task],
        task_manager=job.manager,
        samples={name: list(job.left)} if before else None,
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
    found = Asked([], [], [])
    for at, sample in enumerate(result["samples"][name]):
        convert = _generated(task, lm, at, sample) if _generates(task) else _chosen(sample)
        for repeat, (score, text, recorded) in enumerate(convert):
            doc, prompt = sample["doc"], sample["arguments"][0][0]
            id_ = str(doc["id"])
            if (id_, repeat) in job.done:
                continue
            if (why := lm.failed.get((at, repeat))) is not None:
                found.failures.append(Failure(item.benchmark, id_, repeat, why))
                continue
            try:
                outcome = Outcome(
                    benchmark=item.benchmark,
                    id=id_,
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
            found.outcomes.append(outcome)
            found.responses.append(Response(outcome.id, repeat, prompt, text))
    tick(item.benchmark, job.total, job.total)
    return found


_Converted = Iterator[tuple[float, str, dict[str, Any]]]
"""(score, response, recorded fields of the outcome) of every repeat."""


def _generated(task: Any, lm: EngineLM, at: int, sample: Mapping[str, Any]) -> _Converted:
    """lm-eval grades one repeat (its default filter drops the others): the rest is graded here."""
    answers = lm.generations[(at, 0)]
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

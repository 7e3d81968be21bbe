"""A job for tasks of lm-eval, which lm-eval's own evaluator runs on one of our engines.

The samples are read with the rules for imported lm-eval results
(:mod:`transferscope.runs.importers.lmeval`), so that a run made here can be compared item by item
with an imported run of the same tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as changed

from ..core.artefacts import flags_of
from ..core.errors import InputError
from ..core.records import Failure, Outcome, Tick
from ..core.shard import Shard
from ..engines.protocol import Engine
from ..runs import Run
from ..runs.importers.foreign_run import Sample
from ..runs.importers.lmeval_about import decoding_of
from ..runs.importers.lmeval_samples import EXTRACTION_FAILED, question_of, read_samples
from ..runs.importers.lmeval_tasks import Task, subset_of, task_of
from ..runs.importers.naming import Place
from ..runs.journal import Journal
from .benchmark_job import Asked, Planned, refuse_others
from .lm_eval_loader import LmEvalTasks, before_running, named_tasks, plain
from .quiet import quiet_lm_eval

if TYPE_CHECKING:
    from ..engines.lm_eval_model import EngineLM

_SAMPLES = Path("lm-eval's samples")
"""Stands for a path in messages, because these samples are not in a file."""

Document = tuple[str, int]
"""A task's name and the number of one of its documents."""


@dataclass(frozen=True, slots=True)
class LmEvalJob:
    """A benchmark made of one or more lm-eval tasks.

    ``tasks`` has lm-eval's task objects by name, ``places`` the benchmark and subset for each.
    ``items`` maps an item's id to its documents: usually one, but for MC-TACO all candidate answers
    to a question. ``max_tokens`` caps the length of answers. ``done`` holds the ids of items that
    are committed. Without ``chat``, prompts have lm-eval's plain form instead of the model's chat
    template.
    """

    item: Planned
    tasks: Mapping[str, Any]
    places: Mapping[str, Place]
    items: Mapping[str, tuple[Document, ...]]
    method: Mapping[str, Any]
    versions: Mapping[str, str]
    max_tokens: int | None = None
    done: frozenset[str] = frozenset()
    failed: frozenset[tuple[str, str, int]] = frozenset()
    chat: bool = True

    @property
    def total(self) -> int:
        """Number of items."""
        return len(self.items)

    @property
    def lacking(self) -> frozenset[str]:
        """Ids of the items that lack an answer."""
        return frozenset(self.items.keys() - self.done)

    @property
    def left(self) -> int:
        """Number of items that lack an answer."""
        return len(self.lacking)

    @property
    def begun(self) -> bool:
        """Whether an earlier start has committed answers."""
        return bool(self.done)

    @property
    def temperature(self) -> float | None:
        """0 if answers are generated, whatever a task's own temperature; ``None`` otherwise."""
        kinds = {task.OUTPUT_TYPE for task in self.tasks.values()}
        return 0.0 if "generate_until" in kinds else None

    @property
    def ids(self) -> list[str]:
        """Ids of all items, in the order in which a run lists them."""
        return list(self.items)

    @property
    def scores_choices(self) -> bool:
        """Whether the engine must give the log-likelihood of choices."""
        return any(task.OUTPUT_TYPE != "generate_until" for task in self.tasks.values())

    def given(self, run: Run) -> LmEvalJob:
        """The same job with the answers of ``run``.

        Raises :class:`InputError` if ``run`` has items that the tasks don't have.
        """
        name = self.item.benchmark
        done = frozenset(outcome.id for outcome in run.by_benchmark.get(name, ()))
        failed = frozenset(failure.key for failure in run.failed.get(name, ()))
        refuse_others(done - self.items.keys(), run, name)
        return replace(self, done=done, failed=failed)

    def of_shard(self, shard: Shard) -> LmEvalJob:
        """The same job with every n-th item."""
        return self.only(set(shard.of_units(self.ids)))

    def only(self, ids: Set[str]) -> LmEvalJob:
        """The same job with those of its items that are in ``ids``."""
        return replace(self, items={id_: d for id_, d in self.items.items() if id_ in ids})

    def texts(self) -> list[str]:
        """The prompts of all documents, without examples and before any chat template."""
        documents = {name: self.tasks[name].eval_docs for name in self.tasks}
        return [
            str(self.tasks[task].doc_to_text(documents[task][at]))
            for found in self.items.values()
            for task, at in found
        ]

    def ask(self, engine: Engine, *, seed: int, tick: Tick, kept: Journal) -> Asked:
        """Ask and grade the items that lack an answer.

        Raises :class:`InputError` for a task whose samples have no score per item.
        """
        from lm_eval.evaluator import evaluate

        from ..engines.lm_eval_model import EngineLM

        name, before = self.item.benchmark, self.total - self.left
        documents: dict[str, list[int]] = {}
        for id_, found in self.items.items():
            for task, at in found if id_ not in self.done else ():
                documents.setdefault(task, []).append(at)
        asked = {task: sorted(numbers) for task, numbers in documents.items()}

        def ticked(_: str, done: int, documents: int) -> None:
            tick(name, before + done * self.left // documents, self.total)

        tick(name, before, self.total)
        lm = EngineLM(
            engine,
            benchmark=name,
            documents=asked,
            seed=seed,
            max_tokens=self.max_tokens,
            tick=ticked,
            kept=kept,
        )
        with quiet_lm_eval():
            result = evaluate(
                lm,
                {"tasks": {task: self.tasks[task] for task in asked}, "groups": {}},
                samples=asked,
                bootstrap_iters=0,
                log_samples=True,
                apply_chat_template=self.chat,
                fewshot_as_multiturn=self.chat,  # lm-eval's own default with a chat template
            )
        answers = self._read(plain(result), lm, list(asked))
        tick(name, self.total, self.total)
        return answers

    def _read(self, raw: Mapping[str, Any], lm: EngineLM, asked: Sequence[str]) -> Asked:
        """Read lm-eval's result with the importer, and add what the engine recorded."""
        lost = {
            id_: lm.failed[document]
            for id_, found in self.items.items()
            for document in found
            if document in lm.failed
        }
        name = self.item.benchmark
        answers = Asked([], [], [Failure(name, id_, why=why) for id_, why in lost.items()])
        members = [before_running(self.places[task], self.tasks[task])[0] for task in self.tasks]
        for task in asked:
            for sample in _samples(self.places[task], raw, members):
                if sample.outcome.id in lost:
                    continue
                (document, *_) = self.items[sample.outcome.id]
                drawn = lm.generations.get(document, [])
                answers.outcomes.append(_recorded(sample, drawn))
                if sample.response is not None:
                    answers.responses.append(sample.response)
        return answers


def lm_eval_job(
    item: Planned,
    source: LmEvalTasks,
    *,
    chance: float | None,
    seed: int,
    max_tokens: int | None = None,
    chat: bool = True,
    place: str,
) -> LmEvalJob:
    """The job for ``item``, whose pack names tasks of lm-eval; loads their data.

    ``item.items`` limits the number of documents per task, ``max_tokens`` the answers. Raises
    :class:`InputError` (naming ``place``) for tasks that lm-eval doesn't have or that can't be run
    here.
    """
    from ..engines.lm_eval_model import capped

    if item.repeats > 1:
        remedy = "remove repeats: an lm-eval task defines its own"
        raise InputError("a suite can't set repeats for lm-eval tasks", place=place, remedy=remedy)
    tasks: dict[str, Any] = {}
    for name in named_tasks(item.pack, item.benchmark):
        tasks |= source.load(name, seed=seed, place=place)
    places = {name: source.place(name, item.benchmark, chance=chance) for name in tasks}
    found = {name: before_running(places[name], task) for name, task in tasks.items()}
    members = [
        replace(task, by_question=_by_question(task, tasks[name]))
        for name, (task, _) in found.items()
    ]
    raw: dict[str, Any] = {"configs": {}, "n-shot": {}}
    for name, (_, own) in found.items():
        for part in raw:
            raw[part] |= own[part]
        config = raw["configs"][name]
        if max_tokens is not None and tasks[name].OUTPUT_TYPE == "generate_until":
            config["generation_kwargs"] = capped(config["generation_kwargs"], max_tokens)
    items: dict[str, tuple[Document, ...]] = {}
    for task in members:
        items |= _items(task, tasks[task.place.task], subset_of(task, members), item.items)
    versions = sorted({str(task.VERSION) for task in tasks.values()})
    return LmEvalJob(
        item=item,
        tasks=tasks,
        places=places,
        items=items,
        method=decoding_of(members, raw),
        versions={f"task {item.benchmark}": ", ".join(versions)},
        max_tokens=max_tokens,
        chat=chat,
    )


def _by_question(task: Task, loaded: Any) -> bool:
    """Whether several documents form one item, by the importer's rule for samples."""
    is_f1 = task.key is not None and task.key[0] == "f1"
    return is_f1 and question_of(next(iter(loaded.eval_docs), None)) is not None


def _items(task: Task, loaded: Any, subset: str, n: int | None) -> dict[str, tuple[Document, ...]]:
    """Documents by item id, which is the first document's, as in the importer."""
    found: dict[str, tuple[Document, ...]] = {}
    first: dict[str, str] = {}
    for at, doc in enumerate(islice(loaded.eval_docs, n)):
        id_ = f"{subset}:{at}" if subset else str(at)
        if task.by_question and (question := question_of(doc)) is not None:
            id_ = first.setdefault(question, id_)
        found[id_] = (*found.get(id_, ()), (task.place.task, at))
    return found


def _samples(place: Place, raw: Mapping[str, Any], members: Sequence[Task]) -> Iterator[Sample]:
    name = place.task
    task = task_of(place, raw, samples={name: (_SAMPLES, raw["samples"][name])}, notes=[])
    if task.samples is None:
        metric = ",".join(task.key or ("no metric",))
        remedy = "choose another metric of the task in a --map file"
        raise InputError(f"{metric} has no score per item", place=f"task {name}", remedy=remedy)
    yield from read_samples(replace(task.samples, subset=subset_of(task, members)))


def _recorded(sample: Sample, drawn: Sequence[Any]) -> Outcome:
    """The outcome with the engine's finish reason and tokens, and the flags derived from them."""
    outcome = sample.outcome
    if sample.response is None or outcome.repeat >= len(drawn):
        return outcome
    answer = drawn[outcome.repeat]
    flags, inferred = flags_of(answer.text, finish=answer.finish, prompt=sample.response.prompt)
    if EXTRACTION_FAILED in outcome.flags:
        flags = (*flags, EXTRACTION_FAILED)
    return changed(
        outcome, flags=flags, flags_inferred=inferred, tokens=answer.tokens, finish=answer.finish
    )

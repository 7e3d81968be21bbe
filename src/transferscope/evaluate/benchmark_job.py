"""Jobs: one benchmark of a plan each. A job asks and grades the items that lack an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..core.artefacts import TIED, flags_of
from ..core.errors import InputError
from ..core.records import (
    Failure,
    Generation,
    NoAnswer,
    Outcome,
    Response,
    Tick,
    digest,
    message_hash,
)
from ..core.shard import Shard
from ..engines.asking import Request, generated, scored
from ..engines.protocol import Engine
from ..grade.choice import most_likely
from ..runs import Run
from ..runs.journal import Journal
from ..tasks import Benchmark, Item
from .grading import graded


@dataclass(frozen=True, slots=True)
class Planned:
    """One benchmark of a plan. ``items`` is their number; ``None`` means all that the pack has."""

    benchmark: str
    group: str
    pack: str
    items: int | None
    repeats: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The result of a job: new outcomes with their responses, and the requests that failed."""

    outcomes: list[Outcome]
    responses: list[Response]
    failures: list[Failure]


class Job(Protocol):
    """One benchmark of a plan with its items, and the answers that a run folder already has."""

    @property
    def item(self) -> Planned:
        """The benchmark in the plan."""

    @property
    def total(self) -> int:
        """Number of items."""

    @property
    def lacking(self) -> Set[str]:
        """Ids of the items that lack an answer."""

    @property
    def left(self) -> int:
        """Number of items that lack an answer."""

    @property
    def begun(self) -> bool:
        """Whether an earlier start has committed answers."""

    @property
    def ids(self) -> Sequence[str]:
        """Ids of all items, in the order in which a run lists them."""

    @property
    def failed(self) -> frozenset[tuple[str, str, int]]:
        """Keys of answers that failed permanently in an earlier start."""

    @property
    def method(self) -> Mapping[str, Any]:
        """How answers are drawn, for the manifest."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the benchmark's tasks, for the manifest."""

    @property
    def temperature(self) -> float | None:
        """The temperature at which answers are drawn; ``None`` if none are generated."""

    @property
    def scores_choices(self) -> bool:
        """Whether the engine must give the log-likelihood of choices."""

    def given(self, run: Run) -> Job:
        """The same job with the answers of ``run``; raises if ``run`` has other items."""

    def of_shard(self, shard: Shard) -> Job:
        """The same job with every n-th unit: an item, or all items that share a cluster."""

    def only(self, ids: Set[str]) -> Job:
        """The same job with those of its items that are in ``ids``."""

    def texts(self) -> list[str]:
        """The prompts of all items before any chat template."""

    def ask(self, engine: Engine, *, seed: int, tick: Tick, kept: Journal) -> Asked:
        """Ask and grade the items that lack an answer. Answers are recorded in ``kept``."""


@dataclass(frozen=True, slots=True)
class OwnJob:
    """A benchmark of a Python pack.

    ``chance`` is the suite's chance level, in 0..1. ``done`` holds (id, repeat) of the answers that
    are committed.
    """

    item: Planned
    benchmark: Benchmark
    items: tuple[Item, ...]
    chance: float | None
    done: frozenset[tuple[str, int]] = frozenset()
    failed: frozenset[tuple[str, str, int]] = frozenset()

    @property
    def total(self) -> int:
        """Number of items."""
        return len(self.items)

    @property
    def lacking(self) -> frozenset[str]:
        """Ids of the items that lack an answer."""
        return frozenset(item.id for item in self._lacking())

    @property
    def left(self) -> int:
        """Number of items that lack an answer."""
        return len(self.lacking)

    @property
    def begun(self) -> bool:
        """Whether an earlier start has committed answers."""
        return bool(self.done)

    @property
    def ids(self) -> list[str]:
        """Ids of all items, in the order in which a run lists them."""
        return [item.id for item in self.items]

    @property
    def method(self) -> Mapping[str, Any]:
        """How answers are drawn."""
        return self.benchmark.method()

    @property
    def versions(self) -> Mapping[str, str]:
        """Empty: a pack has the version of the package."""
        return {}

    @property
    def temperature(self) -> float | None:
        """The temperature at which answers are drawn; ``None`` for choices."""
        decoding = self.benchmark.decoding
        return None if decoding is None else decoding.temperature

    @property
    def scores_choices(self) -> bool:
        """Whether replies are chosen by log-likelihood."""
        return self.benchmark.decoding is None

    def given(self, run: Run) -> OwnJob:
        """The same job with the answers of ``run``.

        Raises :class:`InputError` if ``run`` has items that the benchmark doesn't have.
        """
        name = self.item.benchmark
        done = frozenset((o.id, o.repeat) for o in run.by_benchmark.get(name, ()))
        failed = frozenset(failure.key for failure in run.failed.get(name, ()))
        refuse_others({id_ for id_, _ in done} - {item.id for item in self.items}, run, name)
        return replace(self, done=done, failed=failed)

    def of_shard(self, shard: Shard) -> OwnJob:
        """The same job with every n-th cluster or unclustered item, in the order of drawing."""
        units = {item.id: (item.cluster, "" if item.cluster else item.id) for item in self.items}
        chosen = set(shard.of_units(list(dict.fromkeys(units.values()))))
        return replace(self, items=tuple(i for i in self.items if units[i.id] in chosen))

    def only(self, ids: Set[str]) -> OwnJob:
        """The same job with those of its items that are in ``ids``."""
        return replace(self, items=tuple(item for item in self.items if item.id in ids))

    def texts(self) -> list[str]:
        """The prompts of all items before any chat template."""
        return [item.text for item in self.items]

    def ask(self, engine: Engine, *, seed: int, tick: Tick, kept: Journal) -> Asked:
        """Ask and grade the items that lack an answer."""
        name, items = self.item.benchmark, self._lacking()
        before = self.total - len(items)

        def progress(done: int, requests: int) -> None:
            tick(name, before + done * len(items) // requests, self.total)

        tick(name, before, self.total)
        prompts = [engine.render(item.messages) for item in items]
        answers: Iterator[tuple[int, int, _Answer | NoAnswer]]
        if self.benchmark.decoding is None:
            answers = self._chosen(engine, items, prompts, kept=kept, progress=progress)
        else:
            answers = self._generated(
                engine, items, prompts, seed=seed, kept=kept, progress=progress
            )
        found = Asked([], [], [])
        given: list[tuple[int, int, _Answer]] = []
        for at, repeat, answer in answers:
            if (items[at].id, repeat) in self.done:
                continue
            if isinstance(answer, NoAnswer):
                found.failures.append(Failure(name, items[at].id, repeat, answer.why))
                continue
            given.append((at, repeat, answer))
            found.responses.append(Response(items[at].id, repeat, prompts[at], answer.text))
        replies = [(items[at], answer.text) for at, _, answer in given]
        scores = graded(self.benchmark, self.benchmark.grade, replies)
        for at, repeat, answer in given:
            found.outcomes.append(self._outcome(items[at], repeat, answer, prompts[at], scores))
        tick(name, self.total, self.total)
        return found

    @property
    def _repeats(self) -> int:
        return 1 if self.benchmark.decoding is None else self.item.repeats

    def _lacking(self) -> list[Item]:
        repeats = range(self._repeats)
        return [i for i in self.items if any((i.id, repeat) not in self.done for repeat in repeats)]

    def _generated(
        self,
        engine: Engine,
        items: Sequence[Item],
        prompts: Sequence[str],
        *,
        seed: int,
        kept: Journal,
        progress: _Progress,
    ) -> Iterator[tuple[int, int, _Answer | NoAnswer]]:
        assert self.benchmark.decoding is not None
        places = [(at, repeat) for at in range(len(items)) for repeat in range(self._repeats)]
        requests = [
            Request(place, (items[at].id, 0, repeat), prompts[at])
            for place, (at, repeat) in enumerate(places)
        ]
        found = generated(
            engine,
            requests,
            replace(self.benchmark.decoding, seed=seed),
            kept=kept,
            done=self.done,
            progress=lambda done: progress(done, len(requests)),
        )
        for (at, repeat), answer in zip(places, found, strict=True):
            recorded = answer if isinstance(answer, NoAnswer) else _Answer(answer.text, answer)
            yield at, repeat, recorded

    def _chosen(
        self,
        engine: Engine,
        items: Sequence[Item],
        prompts: Sequence[str],
        *,
        kept: Journal,
        progress: _Progress,
    ) -> Iterator[tuple[int, int, _Answer | NoAnswer]]:
        """Take the most likely option as the reply; an item fails if one likelihood is missing."""
        places = [(at, part) for at, item in enumerate(items) for part in range(len(item.choices))]
        requests = [
            Request(place, (items[at].id, part, 0), prompts[at], items[at].choices[part])
            for place, (at, part) in enumerate(places)
        ]
        found = scored(
            engine, requests, kept=kept, progress=lambda done: progress(done, len(requests))
        )
        nats: list[list[float]] = [[] for _ in items]
        lost: dict[int, NoAnswer] = {}
        for (at, _), answer in zip(places, found, strict=True):
            if isinstance(answer, NoAnswer):
                lost[at] = answer
            else:
                nats[at].append(answer)
        for at, item in enumerate(items):
            if at in lost:
                yield at, 0, lost[at]
                continue
            best = most_likely(nats[at])
            tied = nats[at].count(nats[at][best]) > 1
            yield at, 0, _Answer(item.choices[best], tied=tied)

    def _outcome(
        self, item: Item, repeat: int, answer: _Answer, prompt: str, scores: Iterator[float]
    ) -> Outcome:
        """The outcome of an answer, whose score is the next of ``scores``."""
        drawn = answer.drawn
        flags: tuple[str, ...] = (TIED,) if answer.tied else ()
        inferred: tuple[str, ...] = ()
        if drawn is not None:
            flags, inferred = flags_of(drawn.text, finish=drawn.finish, prompt=prompt)
        try:
            return Outcome(
                benchmark=self.item.benchmark,
                id=item.id,
                score=float(next(scores)),
                repeat=repeat,
                subset=item.subset,
                cluster=item.cluster,
                weight=item.weight,
                chance=self.chance,
                flags=flags,
                flags_inferred=inferred,
                tokens=None if drawn is None else drawn.tokens,
                finish=None if drawn is None else drawn.finish,
                message_hash=message_hash(item.messages),
                rendered_hash=digest(prompt),
            )
        except ValueError as err:
            place = f"benchmark {self.item.benchmark}, item {item.id}"
            raise InputError(str(err), place=place, remedy="correct the benchmark") from None


@dataclass(frozen=True, slots=True)
class _Answer:
    """The text to grade; ``drawn`` is its generation, ``None`` for a choice.

    ``tied``: the choice is the first of several equally likely ones.
    """

    text: str
    drawn: Generation | None = None
    tied: bool = False


class _Progress(Protocol):
    def __call__(self, done: int, requests: int, /) -> None: ...


def refuse_others(ids: Set[str], run: Run, benchmark: str) -> None:
    """Raise :class:`InputError` for ``ids`` that ``run`` has but the benchmark doesn't."""
    if ids:
        raise InputError(
            f"contains other items of {benchmark} (such as {min(ids)!r})",
            place=str(run.path),
            remedy="name another folder: --out DIR",
        )

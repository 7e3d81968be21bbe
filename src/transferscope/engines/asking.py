"""Requests of one benchmark, asked of any engine: answers are kept as they come.

An answer that an earlier start has kept is not paid for again. A request that fails for good has
:class:`~transferscope.core.records.NoAnswer` in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ..core.records import Decoding, Generation, NoAnswer, Tick, digest
from ..runs.journal import Journal, Key
from .protocol import Bounded, Engine, Streaming, StreamingScores, sample_seed

CHUNK, PAIRS = 256, 1024
"""Prompts, and pairs of prompt and option, in one call of an engine that doesn't stream. Its
answers are kept after each call."""

Progress = Callable[[int], None]
"""Called with the number of requests that have an answer."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Request:
    """A rendered prompt, for choices with the ``option`` to score.

    ``at`` is the request's place among those asked together. ``key`` names it in a journal; samples
    depend on it, and so not on what is asked beside them.
    """

    at: int
    key: Key
    prompt: str
    option: str = ""

    @property
    def digest(self) -> str:
        """What a kept answer must have been asked."""
        return digest([self.prompt, self.option])

    @property
    def sample(self) -> int:
        """A number that distinguishes the samples of one prompt, in any selection of requests."""
        return int(digest(self.key), 16)


def generated(
    engine: Engine,
    requests: Sequence[Request],
    decoding: Decoding,
    *,
    kept: Journal | None,
    done: Container[tuple[str, int]] = (),
    progress: Progress,
) -> list[Generation | NoAnswer]:
    """One answer per request, in their order.

    Requests whose (id, repeat) is in ``done`` are not asked; their answer is empty.
    """
    answers: dict[int, Generation | NoAnswer] = {}
    left: list[Request] = []
    for each in requests:
        if each.key[::2] in done:
            answers[each.at] = Generation("")
        elif (known := _recalled(each, kept)) is not None:
            answers[each.at] = Generation(**known)
        else:
            left.append(each)
    for each, why in _unfit(engine, left, decoding.max_tokens):
        answers[each.at] = NoAnswer(why, too_long=True)
    left = [each for each in left if each.at not in answers]
    for each, answer in _generations(engine, left, decoding, _after(len(answers), progress)):
        answers[each.at] = answer
        if isinstance(answer, Generation):
            said = {"text": answer.text, "tokens": answer.tokens, "finish": answer.finish}
            _keep(each, said, kept)
    return [answers[each.at] for each in requests]


def scored(
    engine: Engine, requests: Sequence[Request], *, kept: Journal | None, progress: Progress
) -> list[float | NoAnswer]:
    """log p(option | prompt) of every request in nats, in their order."""
    nats: dict[int, float | NoAnswer] = {}
    for each in requests:
        if (known := _recalled(each, kept)) is not None:
            nats[each.at] = known["nats"]
    left = [each for each in requests if each.at not in nats]
    for each, why in _unfit(engine, left, 0):
        nats[each.at] = NoAnswer(why, too_long=True)
    left = [each for each in left if each.at not in nats]
    for each, answer in _loglikelihoods(engine, left, _after(len(nats), progress)):
        nats[each.at] = answer
        if isinstance(answer, float):
            _keep(each, {"nats": answer}, kept)
    return [nats[each.at] for each in requests]


def _unfit(engine: Engine, asked: Sequence[Request], answer: int) -> Iterator[tuple[Request, str]]:
    """The requests that exceed the model's context with ``answer`` more tokens, and why."""
    if isinstance(engine, Bounded) and asked:
        found = engine.unfit([each.prompt + each.option for each in asked], answer)
        yield from ((asked[at], why) for at, why in found.items())


def _generations(
    engine: Engine, asked: Sequence[Request], decoding: Decoding, progress: Progress
) -> Iterator[tuple[Request, Generation | NoAnswer]]:
    if isinstance(engine, Streaming):
        nth = [each.sample for each in asked]
        found = engine.generate_each([each.prompt for each in asked], decoding, nth=nth)
        for done, (at, answer) in enumerate(found, start=1):
            yield asked[at], answer
            progress(done)
        return
    for start, part in _parts(asked, CHUNK):
        # Parts with one seed would draw the same samples.
        own = decoding
        if decoding.temperature:
            own = replace(decoding, seed=sample_seed(decoding.seed, part[0].prompt, part[0].sample))
        tick = _ticking(start, progress)
        answers = engine.generate([each.prompt for each in part], own, tick=tick)
        yield from zip(part, answers, strict=True)


def _loglikelihoods(
    engine: Engine, asked: Sequence[Request], progress: Progress
) -> Iterator[tuple[Request, float | NoAnswer]]:
    if isinstance(engine, StreamingScores):
        found = engine.loglikelihoods_each([(each.prompt, each.option) for each in asked])
        for done, (at, nats) in enumerate(found, start=1):
            yield asked[at], nats
            progress(done)
        return
    for start, part in _parts(asked, PAIRS):
        pairs = [(each.prompt, each.option) for each in part]
        yield from zip(
            part, engine.loglikelihoods(pairs, tick=_ticking(start, progress)), strict=True
        )


def _parts(asked: Sequence[_T], size: int) -> Iterator[tuple[int, Sequence[_T]]]:
    for start in range(0, len(asked), size):
        yield start, asked[start : start + size]


def _after(before: int, progress: Progress) -> Progress:
    return lambda done: progress(before + done)


def _ticking(before: int, progress: Progress) -> Tick:
    return lambda _what, done, _total: progress(before + done)


def _recalled(each: Request, kept: Journal | None) -> dict[str, Any] | None:
    """The answer of an earlier start to the very same request."""
    if kept is None or (known := kept.answers.get(each.key)) is None:
        return None
    answer = dict(known)
    return answer if answer.pop("asked", None) == each.digest else None


def _keep(each: Request, answer: Mapping[str, Any], kept: Journal | None) -> None:
    if kept is not None:
        kept.add(each.key, {**answer, "asked": each.digest})

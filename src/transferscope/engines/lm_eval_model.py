"""An adapter that presents any engine as an lm-eval model.

It records what lm-eval discards: finish reasons, token counts and the messages behind a rendered
prompt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lm_eval.api.model import LM

from ..core.errors import InputError
from ..core.records import (
    Decoding,
    Generation,
    Message,
    NoAnswer,
    Tick,
    digest,
    message_hash,
    no_tick,
)
from ..runs.journal import Journal, Key
from .protocol import Engine, Streaming, times_before

_LENGTH_NAMES = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_KNOWN = {"do_sample", "temperature", "top_p", "until", *_LENGTH_NAMES}


CHUNK, PAIRS = 256, 1024
"""Prompts, and (prompt, option) pairs, per call of an engine that doesn't stream; its answers are
saved after every call."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: its place, its document's number, its key in a journal, what is asked."""

    at: int
    doc: int
    key: Key
    prompt: str
    option: str

    @property
    def digest(self) -> str:
        return digest([self.prompt, self.option])


def _chunks(asked: Sequence[_Asked], size: int) -> Iterator[tuple[int, Sequence[_Asked]]]:
    for start in range(0, len(asked), size):
        yield start, asked[start : start + size]


def decoding_of(settings: Mapping[str, Any], *, seed: int, place: str) -> Decoding:
    """lm-eval's ``generation_kwargs`` as a :class:`Decoding`.

    ``do_sample: false`` means greedy whatever the temperature, as in lm-eval. Raises
    :class:`InputError` (naming ``place``) for a missing token limit (lm-eval would silently take
    256) and for settings that not every engine has.
    """
    if unknown := sorted(set(settings) - _KNOWN):
        raise InputError(
            f"generation setting {unknown[0]!r} is not supported",
            place=place,
            remedy=f"use {', '.join(sorted(_KNOWN))}",
        )
    limits = [settings[name] for name in _LENGTH_NAMES if name in settings]
    if len(limits) != 1:
        raise InputError("sets no token limit", place=place, remedy="set max_gen_toks")
    greedy = not settings.get("do_sample", float(settings.get("temperature", 0.0)) > 0.0)
    until = settings.get("until") or ()
    return Decoding(
        temperature=0.0 if greedy else float(settings.get("temperature", 1.0)),
        top_p=1.0 if greedy else float(settings.get("top_p", 1.0)),
        max_tokens=int(limits[0]),
        stop=(until,) if isinstance(until, str) else tuple(until),
        seed=seed,
    )


class EngineLM(LM):  # type: ignore[misc]
    """Adapts an engine to ``lm_eval.simple_evaluate`` for ONE benchmark.

    ``generations`` maps (doc_id, request index) to that request's answers, one per repeat;
    ``messages`` maps a rendered prompt to the hash of its messages. ``failed`` maps (doc_id,
    repeat) to the reason why there is no answer: lm-eval gets an empty one. ``tick`` counts items.

    Answers that ``kept`` holds are not asked for again, and those that come are added to it as they
    come. (id, repeat) in ``done`` are not asked for at all.
    """

    tokenizer_name = "engine"  # names lm-eval's request caches, which are never used

    def __init__(
        self,
        engine: Engine,
        *,
        benchmark: str,
        seed: int = 0,
        tick: Tick = no_tick,
        kept: Journal | None = None,
        done: Container[tuple[str, int]] = (),
    ) -> None:
        super().__init__()
        self.engine, self.benchmark, self.seed, self.tick = engine, benchmark, seed, tick
        self.kept, self.done = kept, done
        self.generations: dict[tuple[int, int], list[Generation]] = {}
        self.messages: dict[str, str] = {}
        self.failed: dict[tuple[int, int], str] = {}

    def apply_chat_template(
        self, chat_history: Sequence[Message], add_generation_prompt: bool = True
    ) -> str:
        """Rendered by the engine, which continues a last assistant message (``gen_prefix``)."""
        del add_generation_prompt  # false exactly when the last message is the assistant's
        rendered = self.engine.render(chat_history)
        self.messages[rendered] = message_hash(chat_history)
        return rendered

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """Answers in the order of the requests (lm-eval repeats a request for its repeats)."""
        asked = self._asked(requests)
        groups: dict[Decoding, list[_Asked]] = {}
        for each, request in zip(asked, requests, strict=True):
            decoding = decoding_of(request.args[1], seed=self.seed, place=self.benchmark)
            groups.setdefault(decoding, []).append(each)
        answers: dict[int, Generation] = {}
        for decoding, members in groups.items():
            nth = times_before([each.prompt for each in members])
            times = {each.at: n for each, n in zip(members, nth, strict=True)}
            left = []
            for each in members:
                if each.key[::2] in self.done:
                    answers[each.at] = Generation("")
                elif (known := self._recalled(each)) is not None:
                    answers[each.at] = Generation(**known)
                else:
                    left.append(each)
            for each, answer in self._generated(left, decoding, times, len(answers), requests):
                answers[each.at] = self._checked(each, answer, Generation(""))
                if isinstance(answer, Generation):
                    said = {"text": answer.text, "tokens": answer.tokens, "finish": answer.finish}
                    self._keep(each, said)
        for each in asked:
            own = self.generations.setdefault((each.doc, each.key[1]), [])
            own.append(answers[each.at])
        return [answers[each.at].text for each in asked]

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """(nats, False): engines don't say whether greedy decoding would give the continuation."""
        asked = self._asked(requests)
        nats: dict[int, float] = {}
        for each in asked:
            if (known := self._recalled(each)) is not None:
                nats[each.at] = known["nats"]
        left = [each for each in asked if each.at not in nats]
        for each, answer in self._scored(left, len(nats), requests):
            nats[each.at] = self._checked(each, answer, 0.0)
            if isinstance(answer, float):
                self._keep(each, {"nats": answer})
        return [(nats[each.at], False) for each in asked]

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:  # noqa: ARG002
        """Not offered: no suite measures perplexity."""
        raise InputError(
            "asks for rolling log-likelihoods, which engines don't offer",
            place=self.benchmark,
            remedy="use generate_until or multiple_choice",
        )

    def _generated(
        self,
        asked: Sequence[_Asked],
        decoding: Decoding,
        times: Mapping[int, int],
        before: int,
        requests: Sequence[Any],
    ) -> Iterator[tuple[_Asked, Generation | NoAnswer]]:
        """Answers as they come, ``before`` others having come already."""
        tick, engine = self._scaled(requests, offset=before), self.engine
        if isinstance(engine, Streaming):
            nth = [times[each.at] for each in asked]
            found = engine.generate_each([each.prompt for each in asked], decoding, nth=nth)
            for done, (at, answer) in enumerate(found, start=1):
                yield asked[at], answer
                tick("generate", done, len(asked))
            return
        for start, chunk in _chunks(asked, CHUNK):
            # A chunk's samples are not those of another one.
            own = (
                decoding
                if not decoding.temperature
                else replace(decoding, seed=decoding.seed + chunk[0].at)
            )
            tick = self._scaled(requests, offset=before + start)
            answers = engine.generate([each.prompt for each in chunk], own, tick=tick)
            yield from zip(chunk, answers, strict=True)

    def _scored(
        self, asked: Sequence[_Asked], before: int, requests: Sequence[Any]
    ) -> Iterator[tuple[_Asked, float | NoAnswer]]:
        """As :meth:`_generated`, for log-likelihoods."""
        tick, engine = self._scaled(requests, offset=before), self.engine
        if isinstance(engine, Streaming):
            found = engine.loglikelihoods_each([(each.prompt, each.option) for each in asked])
            for done, (at, nats) in enumerate(found, start=1):
                yield asked[at], nats
                tick("loglikelihoods", done, len(asked))
            return
        for start, chunk in _chunks(asked, PAIRS):
            tick = self._scaled(requests, offset=before + start)
            pairs = [(each.prompt, each.option) for each in chunk]
            yield from zip(chunk, engine.loglikelihoods(pairs, tick=tick), strict=True)

    def _asked(self, requests: Sequence[Any]) -> list[_Asked]:
        repeats: Counter[tuple[int, int]] = Counter()
        found = []
        for at, request in enumerate(requests):
            own = (request.doc_id, request.idx)
            key = (str(request.doc.get("id", request.doc_id)), request.idx, repeats[own])
            repeats[own] += 1
            option = request.args[1] if isinstance(request.args[1], str) else ""
            found.append(_Asked(at, request.doc_id, key, request.args[0], option))
        return found

    def _checked(self, each: _Asked, answer: T | NoAnswer, nothing: T) -> T:
        if isinstance(answer, NoAnswer):
            self.failed[each.doc, each.key[2]] = answer.why
            return nothing
        return answer

    def _recalled(self, each: _Asked) -> dict[str, Any] | None:
        """Return the answer that an earlier attempt recorded for exactly this request."""
        if self.kept is None or (known := self.kept.answers.get(each.key)) is None:
            return None
        answer = dict(known)
        return answer if answer.pop("asked", None) == each.digest else None

    def _keep(self, each: _Asked, answer: Mapping[str, Any]) -> None:
        if self.kept is not None:
            self.kept.add(each.key, {**answer, "asked": each.digest})

    def _scaled(self, requests: Sequence[Any], *, offset: int) -> Tick:
        """Engines count requests; the user is shown items (several choices or repeats each)."""
        items = len({request.doc_id for request in requests})

        def tick(_: str, done: int, __: int) -> None:
            self.tick(self.benchmark, (offset + done) * items // len(requests), items)

        return tick

"""Any engine as an lm-eval model: what lm-eval throws away is recorded here.

lm-eval keeps neither finish reasons nor token counts nor the messages behind a rendered prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval.api.model import LM

from ..core.errors import InputError
from ..core.records import Decoding, Generation, Message, Tick, message_hash, no_tick
from .base import Engine

_LENGTH_NAMES = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_KNOWN = {"do_sample", "temperature", "top_p", "until", *_LENGTH_NAMES}


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
        raise InputError("states no token limit", place=place, remedy="set max_gen_toks")
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
    ``messages`` maps a rendered prompt to the hash of its messages. ``tick`` counts items.
    """

    tokenizer_name = "engine"  # names lm-eval's request caches, which are never used

    def __init__(
        self, engine: Engine, *, benchmark: str, seed: int = 0, tick: Tick = no_tick
    ) -> None:
        super().__init__()
        self.engine, self.benchmark, self.seed, self.tick = engine, benchmark, seed, tick
        self.generations: dict[tuple[int, int], list[Generation]] = {}
        self.messages: dict[str, str] = {}

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
        groups: dict[Decoding, list[int]] = {}
        for i, request in enumerate(requests):
            decoding = decoding_of(request.args[1], seed=self.seed, place=self.benchmark)
            groups.setdefault(decoding, []).append(i)
        answers: list[Generation] = [Generation("")] * len(requests)
        done = 0
        for decoding, members in groups.items():
            prompts = [requests[i].args[0] for i in members]
            found = self.engine.generate(
                prompts, decoding, tick=self._scaled(requests, offset=done)
            )
            for i, answer in zip(members, found, strict=True):
                answers[i] = answer
            done += len(members)
        for request, answer in zip(requests, answers, strict=True):
            self.generations.setdefault((request.doc_id, request.idx), []).append(answer)
        return [answer.text for answer in answers]

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """(nats, False): engines don't say whether greedy decoding would give the continuation."""
        pairs = [(request.args[0], request.args[1]) for request in requests]
        scores = self.engine.loglikelihoods(pairs, tick=self._scaled(requests, offset=0))
        return [(score, False) for score in scores]

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:  # noqa: ARG002
        """Not offered: no suite measures perplexity."""
        raise InputError(
            "asks for rolling log-likelihoods, which engines don't offer",
            place=self.benchmark,
            remedy="use generate_until or multiple_choice",
        )

    def _scaled(self, requests: Sequence[Any], *, offset: int) -> Tick:
        """Engines count requests; the user is shown items (several choices or repeats each)."""
        items = len({request.doc_id for request in requests})

        def tick(_: str, done: int, __: int) -> None:
            self.tick(self.benchmark, (offset + done) * items // len(requests), items)

        return tick

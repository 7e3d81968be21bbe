"""An adapter that presents any engine as an lm-eval model.

lm-eval keeps neither finish reasons nor token counts, and knows no request without an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from lm_eval.api.model import LM

from ..core.errors import InputError
from ..core.records import Decoding, Generation, Message, NoAnswer, Tick, no_tick
from ..runs.journal import Journal
from .asking import Progress, Request, generated, scored
from .protocol import Engine

_LENGTH_NAMES = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_KNOWN = {"do_sample", "temperature", "top_p", "until", *_LENGTH_NAMES}

MAX_TOKENS = 256
"""The limit of an answer where a task states none; lm-eval's own models have the same."""

Document = tuple[str, int]
"""A task's name and the number of one of its documents."""

_T = TypeVar("_T")


def decoding_of(settings: Mapping[str, Any], *, seed: int, place: str) -> Decoding:
    """lm-eval's ``generation_kwargs`` as a :class:`Decoding`.

    ``do_sample: false`` means greedy whatever the temperature, as in lm-eval. Raises
    :class:`InputError` (naming ``place``) for two token limits and for settings that not every
    engine has.
    """
    if unknown := sorted(set(settings) - _KNOWN):
        raise InputError(
            f"generation setting {unknown[0]!r} is not supported",
            place=place,
            remedy=f"use {', '.join(sorted(_KNOWN))}",
        )
    if sum(name in settings for name in _LENGTH_NAMES) > 1:
        raise InputError("states two token limits", place=place, remedy="keep max_gen_toks")
    greedy = not settings.get("do_sample", float(settings.get("temperature", 0.0)) > 0.0)
    until = settings.get("until") or ()
    return Decoding(
        temperature=0.0 if greedy else float(settings.get("temperature", 1.0)),
        top_p=1.0 if greedy else float(settings.get("top_p", 1.0)),
        max_tokens=limit_of(settings),
        stop=(until,) if isinstance(until, str) else tuple(until),
        seed=seed,
    )


def limit_of(settings: Mapping[str, Any]) -> int:
    """The maximum number of tokens of an answer in ``generation_kwargs``."""
    return int(next((settings[name] for name in _LENGTH_NAMES if name in settings), MAX_TOKENS))


def capped(settings: Mapping[str, Any], max_tokens: int | None) -> dict[str, Any]:
    """``generation_kwargs`` with answers of at most ``max_tokens`` (``None``: unchanged)."""
    if max_tokens is None:
        return dict(settings)
    named = [name for name in _LENGTH_NAMES if name in settings] or ["max_gen_toks"]
    limits = {name: min(int(settings.get(name, MAX_TOKENS)), max_tokens) for name in named}
    return {**settings, **limits}


class EngineLM(LM):  # type: ignore[misc]
    """Adapts an engine to lm-eval's ``evaluate`` for the tasks of ONE benchmark.

    ``documents`` maps a task to the numbers of its documents that are asked: lm-eval counts them
    again from 0. ``generations`` maps (task, document) to the answers to its first request, one per
    repeat; ``failed`` maps a document to the reason why one of its requests has no answer: lm-eval
    gets an empty one. ``max_tokens`` caps the length of answers. ``tick`` counts documents.

    Answers that ``kept`` holds are not asked for again, and those that come are added to it as they
    come.
    """

    tokenizer_name = "engine"  # names lm-eval's request caches, which are never used

    def __init__(
        self,
        engine: Engine,
        *,
        benchmark: str,
        documents: Mapping[str, Sequence[int]],
        seed: int = 0,
        max_tokens: int | None = None,
        tick: Tick = no_tick,
        kept: Journal | None = None,
    ) -> None:
        super().__init__()
        self.engine, self.benchmark, self.seed, self.tick = engine, benchmark, seed, tick
        self.kept, self.documents, self.max_tokens = kept, documents, max_tokens
        self.generations: dict[Document, list[Generation]] = {}
        self.failed: dict[Document, str] = {}

    def apply_chat_template(
        self, chat_history: Sequence[Message], add_generation_prompt: bool = True
    ) -> str:
        """Rendered by the engine, which continues a last assistant message (``gen_prefix``)."""
        del add_generation_prompt  # false exactly when the last message is the assistant's
        return self.engine.render(chat_history)

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """Answers in the order of the requests (lm-eval repeats a request for its repeats)."""
        asked = self._asked(requests)
        groups: dict[Decoding, list[int]] = {}
        for each, request in zip(asked, requests, strict=True):
            place = f"task {request.task_name}"
            settings = capped(request.args[1], self.max_tokens)
            decoding = decoding_of(settings, seed=self.seed, place=place)
            groups.setdefault(decoding, []).append(each.at)
        texts = [""] * len(requests)
        before = 0
        for decoding, places in groups.items():
            progress = self._progress(requests, before=before)
            members = [asked[at] for at in places]
            found = generated(self.engine, members, decoding, kept=self.kept, progress=progress)
            for at, answer in zip(places, found, strict=True):
                checked = self._checked(requests[at], answer, Generation(""))
                texts[at] = checked.text
                if requests[at].idx == 0:
                    self.generations.setdefault(self._document(requests[at]), []).append(checked)
            before += len(members)
        return texts

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """(nats, False): engines don't say whether greedy decoding would give the continuation."""
        progress = self._progress(requests)
        found = scored(self.engine, self._asked(requests), kept=self.kept, progress=progress)
        answers = zip(requests, found, strict=True)
        return [(self._checked(request, nats, 0.0), False) for request, nats in answers]

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:  # noqa: ARG002
        """Not offered: a perplexity is not a score within 0..1."""
        raise InputError(
            "asks for rolling log-likelihoods, which engines don't offer",
            place=self.benchmark,
            remedy="use tasks of output_type generate_until or multiple_choice",
        )

    def _document(self, request: Any) -> Document:
        task = str(request.task_name)
        return task, self.documents[task][request.doc_id]

    def _asked(self, requests: Sequence[Any]) -> list[Request]:
        repeats: Counter[tuple[Document, int]] = Counter()
        found = []
        for at, request in enumerate(requests):
            task, number = self._document(request)
            own = ((task, number), request.idx)
            key = (f"{task}:{number}", request.idx, repeats[own])
            repeats[own] += 1
            option = request.args[1] if isinstance(request.args[1], str) else ""
            found.append(Request(at, key, request.args[0], option))
        return found

    def _checked(self, request: Any, answer: _T | NoAnswer, nothing: _T) -> _T:
        if isinstance(answer, NoAnswer):
            self.failed[self._document(request)] = answer.why
            return nothing
        return answer

    def _progress(self, requests: Sequence[Any], *, before: int = 0) -> Progress:
        """Engines count requests; the user is shown items (several choices or repeats each)."""
        items = len({(request.task_name, request.doc_id) for request in requests})

        def report(done: int) -> None:
            self.tick(self.benchmark, (before + done) * items // len(requests), items)

        return report

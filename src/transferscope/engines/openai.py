"""The engine for OpenAI-compatible servers: ``vllm serve``, SGLang, llama.cpp and others.

Given the served model's tokenizer, prompts are rendered and encoded here and sent as token ids. The
server then adds no second start token, and a choice's log-probabilities are found by position. Text
offsets would not work: SGLang returns none, and vLLM counts them over tokens decoded one by one.
Without a tokenizer, messages are sent and the server applies its own chat template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.errors import InputError
from ..core.records import (
    Decoding,
    Generation,
    Message,
    NoAnswer,
    Say,
    Tick,
    no_say,
    no_tick,
)
from ..models import encode, load_tokenizer
from .completion_reading import continuation_of, generation_of
from .endpoint import Endpoint
from .prompt_form import AS_USUAL, PromptForm
from .protocol import Needs, sample_seed, times_before
from .rendering import (
    encode_pair,
    messages_of,
    plain,
    rendered,
    template_digest,
    unrendered,
)
from .replies import Unanswered
from .server import ServerOptions
from .trial import Trial

TRIAL: tuple[Message, ...] = ({"role": "user", "content": "List a dozen words, any you like."},)

SAMPLERS_OFF = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""Neutral values for settings that vLLM and others would otherwise read from the model's folder."""


class OpenAIEngine:
    """One model on an OpenAI-compatible server.

    >>> options = ServerOptions("http://localhost:8000/v1", tokenizer="ORG/MODEL")
    >>> engine = OpenAIEngine("ORG/MODEL", options)  # doctest: +SKIP

    Raises :class:`InputError` if the tokenizer can't be loaded and, in use, if the server can't be
    reached, refuses a request or sends a malformed reply.
    """

    def __init__(self, model: str, options: ServerOptions, *, form: PromptForm = AS_USUAL) -> None:
        self.name, self.options, self.form = model, options, form
        self.tokenizer = None if options.tokenizer is None else load_tokenizer(options.tokenizer)
        self._endpoint = Endpoint(options)

    def render(self, messages: Sequence[Message]) -> str:
        """Apply the chat template; without a tokenizer, see :func:`.rendering.unrendered`.

        Raises :class:`InputError` without a tokenizer if the server's template would have to
        continue the assistant's message.
        """
        if self.tokenizer is not None:
            return rendered(self.tokenizer, messages, self.form)
        if not self.form.template:
            return plain(messages)
        if messages[-1]["role"] == "assistant":
            what = "the answer's beginning is given, which chat servers continue in different ways"
            raise InputError(what, place=self.name, remedy=_NAME_TOKENIZER)
        return unrendered(messages)

    def try_out(self, needs: Needs, *, say: Say = no_say) -> None:
        """Send the trial requests of :mod:`.trial`; wait for a server that is still loading."""
        self._endpoint.health.say = say
        trial = Trial(self._endpoint, self.name, self._path)
        asked = self.render(TRIAL)

        def payload(nth: int, decoding: Decoding) -> dict[str, Any]:
            return self._payload(asked, nth, decoding)

        def read(answer: dict[str, Any], decoding: Decoding) -> Generation:
            return generation_of(answer, decoding, chat=self._chats, url=self._url)

        if needs.generates:
            trial.generation(needs, payload, read)
        if needs.scores:
            trial.named(lambda: self.loglikelihoods([(asked, "A")]))

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, *, tick: Tick = no_tick
    ) -> list[Generation]:
        """Return one answer per rendered prompt.

        ``tokens`` is the server's count, which may include the end token, else the tokenizer's. At
        a temperature above 0, a request's seed depends on the decoding's seed, the prompt and how
        often the prompt was asked before: samples of one prompt differ, and other prompts in the
        same call have no influence on them.
        """
        found: dict[int, Generation] = {}
        for at, answer in self._generated(prompts, decoding, times_before(prompts)):
            if isinstance(answer, Unanswered):
                raise answer
            found[at] = answer
            tick("generate", len(found), len(prompts))
        return [found[at] for at in range(len(prompts))]

    def generate_each(
        self, prompts: Sequence[str], decoding: Decoding, *, nth: Sequence[int]
    ) -> Iterator[tuple[int, Generation | NoAnswer]]:
        """Yield answers as they arrive; see :class:`~.protocol.Streaming`."""
        for at, answer in self._generated(prompts, decoding, nth):
            yield at, _left_out(answer) if isinstance(answer, Unanswered) else answer

    def _generated(
        self, prompts: Sequence[str], decoding: Decoding, nth: Sequence[int]
    ) -> Iterator[tuple[int, Generation | Unanswered]]:
        payloads = [self._payload(*each, decoding) for each in zip(prompts, nth, strict=True)]

        def read(_: int, answer: dict[str, Any]) -> Generation:
            return generation_of(answer, decoding, chat=self._chats, url=self._url)

        for at, answer in self._endpoint.ask_each(self._path, payloads, read):
            yield at, answer if isinstance(answer, Unanswered) else self._counted(answer)

    def loglikelihoods(
        self, pairs: Sequence[tuple[str, str]], *, tick: Tick = no_tick
    ) -> list[float]:
        """Return log p(continuation | prompt) in nats, as the server computes it.

        The scored tokens are those that :class:`~.hf.HFEngine` scores. Raises :class:`InputError`
        without a tokenizer, and if the server doesn't return the prompt's log-probabilities.
        """
        path, payloads, read = self._scoring(pairs)
        return self._endpoint.ask_all(path, payloads, read, what="loglikelihoods", tick=tick)

    def loglikelihoods_each(
        self, pairs: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[int, float | NoAnswer]]:
        """Yield log-likelihoods as they arrive; see :class:`~.protocol.StreamingScores`."""
        for at, nats in self._endpoint.ask_each(*self._scoring(pairs)):
            yield at, _left_out(nats) if isinstance(nats, Unanswered) else nats

    def _scoring(
        self, pairs: Sequence[tuple[str, str]]
    ) -> tuple[str, list[Any], Callable[[int, dict[str, Any]], float]]:
        if self.tokenizer is None:
            what = "choices can't be scored through a server's chat interface"
            raise InputError(what, place=self.name, remedy=_NAME_TOKENIZER)
        own = [self.tokenizer.bos_token_id, self.tokenizer.eos_token_id]
        empty = [token for token in own if token is not None][:1]
        asked = [encode_pair(self.tokenizer, *pair, empty=empty, name=self.name) for pair in pairs]
        # Some servers refuse to generate no tokens, so one is requested.
        wanted = {"max_tokens": 1, "temperature": 0.0, "logprobs": 1, "echo": True}
        payloads = [{"model": self.name, "prompt": [*a, *b], **wanted} for a, b in asked]

        def read(at: int, answer: dict[str, Any]) -> float:
            start, after = map(len, asked[at])
            return continuation_of(answer, start, start + after, self.options.url("completions"))

        return "completions", payloads, read

    def describe(self) -> Mapping[str, Any]:
        """Return engine, address, tokenizer, hash of the chat template, server version if known.

        ``template`` is ``"server"`` if the server applies its own template, ``"off"`` if
        none is applied.
        """
        template = "off" if not self.form.template else "server"
        if self.tokenizer is not None:
            template = template_digest(self.tokenizer, self.form)
        version = self._endpoint.version()
        return {
            "engine": "openai",
            "base_url": self.options.base_url,
            "served": self.name,
            "tokenizer": self.options.tokenizer,
            "strict": self.options.strict,
            **self.form.described(),
            "template": template,
            "versions": {} if version is None else {"server": version},
        }

    def _payload(self, prompt: str, nth: int, decoding: Decoding) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "model": self.name,
            "max_tokens": decoding.max_tokens,
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
        }
        if not self.options.strict:
            payload |= SAMPLERS_OFF
        if decoding.stop:
            payload["stop"] = list(decoding.stop)
        if decoding.temperature > 0.0:
            payload["seed"] = sample_seed(decoding.seed, prompt, nth)
        if self.tokenizer is not None:
            return payload | {"prompt": encode(self.tokenizer, prompt)}
        if not self._chats:
            return payload | {"prompt": prompt}
        if self.form.thinking is not None:
            payload["chat_template_kwargs"] = self.form.switches()
        try:
            return payload | {"messages": messages_of(prompt)}
        except (ValueError, TypeError):
            what = "a prompt was not rendered by this engine"
            remedy = "render the messages with the engine's render() first"
            raise InputError(what, place=self.name, remedy=remedy) from None

    @property
    def _chats(self) -> bool:
        """Whether messages are sent, to which the server applies its own chat template."""
        return self.tokenizer is None and self.form.template

    @property
    def _path(self) -> str:
        return "chat/completions" if self._chats else "completions"

    @property
    def _url(self) -> str:
        return self.options.url(self._path)

    def _counted(self, answer: Generation) -> Generation:
        """Fill in a missing token count; a tokenizer isn't thread-safe, so not in the requests."""
        if answer.tokens is not None or self.tokenizer is None:
            return answer
        ids = self.tokenizer.encode(answer.text, add_special_tokens=False)
        return replace(answer, tokens=len(ids))


def _left_out(failure: Unanswered) -> NoAnswer:
    return NoAnswer(failure.what, too_long=failure.too_long)


_NAME_TOKENIZER = "add --engine-args tokenizer=MODEL, the served model's name or folder"

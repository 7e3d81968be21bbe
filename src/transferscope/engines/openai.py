"""The engine for OpenAI-compatible servers: ``vllm serve``, SGLang, llama.cpp and others.

Given the served model's tokenizer, prompts are rendered and encoded here and sent as token ids. The
server then adds no second start token, and a choice's log-probabilities are found by position. Text
offsets would not work: SGLang returns none, and vLLM counts them over tokens decoded one by one.
Without a tokenizer, messages are sent and the server applies its own chat template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from ..core.errors import InputError
from ..core.records import Decoding, Generation, Message, NoAnswer, Tick, digest, no_tick
from ..models import encode, load_tokenizer
from .endpoint import Endpoint
from .protocol import sample_seed, times_before
from .rendering import encode_pair, messages_of, rendered, unrendered
from .replies import Unanswered, malformed
from .server import ServerOptions

SAMPLERS_OFF = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""Neutral values for settings that vLLM and others would otherwise read from the model's folder."""

ROUNDING = 1e-3
"""Nats by which rounding may push a log-probability above 0."""


class OpenAIEngine:
    """One model on an OpenAI-compatible server.

    >>> options = ServerOptions("http://localhost:8000/v1", tokenizer="ORG/MODEL")
    >>> engine = OpenAIEngine("ORG/MODEL", options)  # doctest: +SKIP

    Raises :class:`InputError` if the tokenizer can't be loaded and, in use, if the server can't be
    reached, refuses a request or sends a malformed reply.
    """

    def __init__(self, model: str, options: ServerOptions) -> None:
        self.name, self.options = model, options
        self.tokenizer = None if options.tokenizer is None else load_tokenizer(options.tokenizer)
        self._endpoint = Endpoint(options)

    def render(self, messages: Sequence[Message]) -> str:
        """Apply the chat template; without a tokenizer, see :func:`.rendering.unrendered`.

        Raises :class:`InputError` without a tokenizer if the last message is the assistant's.
        """
        if self.tokenizer is not None:
            return rendered(self.tokenizer, messages)
        if messages[-1]["role"] == "assistant":
            what = "the answer's beginning is given, which chat servers continue in different ways"
            raise InputError(what, place=self.name, remedy=_NAME_TOKENIZER)
        return unrendered(messages)

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
            yield at, NoAnswer(answer.what) if isinstance(answer, Unanswered) else answer

    def _generated(
        self, prompts: Sequence[str], decoding: Decoding, nth: Sequence[int]
    ) -> Iterator[tuple[int, Generation | Unanswered]]:
        path = "completions" if self.tokenizer is not None else "chat/completions"
        payloads = [self._payload(*each, decoding) for each in zip(prompts, nth, strict=True)]

        def read(_: int, answer: dict[str, Any]) -> Generation:
            return self._generation(answer, decoding, self.options.url(path))

        for at, answer in self._endpoint.ask_each(path, payloads, read):
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
            yield at, NoAnswer(nats.what) if isinstance(nats, Unanswered) else nats

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
            return _continuation(answer, start, start + after, self.options.url("completions"))

        return "completions", payloads, read

    def describe(self) -> Mapping[str, Any]:
        """Return engine, address, tokenizer, hash of the chat template, server version if known.

        ``template`` is ``"server"`` if the server applies its own template.
        """
        own = None if self.tokenizer is None else self.tokenizer.chat_template
        template = "server" if self.tokenizer is None else "none" if own is None else digest(own)
        version = self._endpoint.version()
        return {
            "engine": "openai",
            "base_url": self.options.base_url,
            "served": self.name,
            "tokenizer": self.options.tokenizer,
            "strict": self.options.strict,
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
        try:
            return payload | {"messages": messages_of(prompt)}
        except (ValueError, TypeError):
            what = "a prompt was not rendered by this engine"
            remedy = "render the messages with the engine's render() first"
            raise InputError(what, place=self.name, remedy=remedy) from None

    def _generation(self, answer: dict[str, Any], decoding: Decoding, url: str) -> Generation:
        choice = answer["choices"][0]
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason.lower() not in ENDINGS:
            _no_answer(f"ended with finish_reason {reason[:40]!r}", url)
        text = choice.get("text") if self.tokenizer is not None else _said(choice, url)
        if not isinstance(text, str):
            raise malformed("no text", url)
        if not text and reason is None:
            _no_answer("is empty and has no finish_reason", url)
        # Half of a surrogate pair is not a character and can't be written to a file.
        text = text.encode("utf-8", "replace").decode("utf-8")
        usage = answer.get("usage")
        told = usage.get("completion_tokens") if isinstance(usage, dict) else None
        tokens = told if type(told) is int and 0 <= told <= decoding.max_tokens else None
        if ends := [at for stop in decoding.stop if (at := text.find(stop)) >= 0]:
            return Generation(text[: min(ends)], tokens, "stop_string")
        return Generation(text, tokens, _finish(choice, decoding))

    def _counted(self, answer: Generation) -> Generation:
        """Fill in a missing token count; a tokenizer isn't thread-safe, so not in the requests."""
        if answer.tokens is not None or self.tokenizer is None:
            return answer
        ids = self.tokenizer.encode(answer.text, add_special_tokens=False)
        return replace(answer, tokens=len(ids))


def _no_answer(what: str, url: str, remedy: str = "see the server's log") -> NoReturn:
    """Raise :class:`Unanswered` for a reply that isn't the model's answer."""
    shown = "".join(c if c.isprintable() else " " for c in what)
    raise Unanswered(f"the reply {shown}", place=url, remedy=remedy, is_reply=True)


def _said(choice: Mapping[str, Any], url: str) -> Any:
    """Return the content of a chat message; raise :class:`Unanswered` if it is not an answer."""
    message = choice.get("message")
    if not isinstance(message, dict):
        return None
    content = message.get("content")
    if message.get("refusal"):
        _no_answer("is a refusal by the server", url)
    if content is None or content == "":
        thought = any(message.get(name) for name in ("reasoning_content", "reasoning"))
        if thought:
            _no_answer("holds reasoning and no answer", url, "raise the benchmark's max_gen_toks")
    if content is None:
        _no_answer("holds no content", url)
    return content


ENDINGS = frozenset(
    {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_string", "complete"}
    | {"completed", "finished", "length", "max_tokens", "model_length", "repetition"}
    | {"tool_calls", "function_call"}
)
"""Finish reasons of answers that the model ended or the token limit cut. Any other reason ("error",
"abort", "content_filter", "cancelled", ...) means that there is no answer."""
CUT = frozenset({"length", "max_tokens", "model_length"})

_NAME_TOKENIZER = "add --engine-args tokenizer=MODEL, the served model's name or folder"


def _finish(choice: Mapping[str, Any], decoding: Decoding) -> str | None:
    """Return the finish reason; vLLM (``stop_reason``) and SGLang (``matched_stop``) name the stop.

    ``None`` where the reply doesn't tell whether an end token or a stop string ended the answer.
    """
    reason = choice.get("finish_reason")
    if reason != "stop":
        return "length" if isinstance(reason, str) and reason.lower() in CUT else None
    told = [choice[name] for name in ("stop_reason", "matched_stop") if name in choice]
    if any(isinstance(by, str) for by in told):
        return "stop_string"
    return "stop" if told or not decoding.stop else None


def _continuation(answer: dict[str, Any], start: int, end: int, url: str) -> float:
    """Sum the log-probabilities of tokens ``start`` to ``end`` of an echoed prompt."""
    told = answer["choices"][0].get("logprobs")
    nats = told.get("token_logprobs") if isinstance(told, dict) else None
    # llama.cpp leaves out the prompt's tokens: used as they are, its values would make choices tie.
    if not isinstance(nats, list) or len(nats) not in (end, end + 1):
        count = len(nats) if isinstance(nats, list) else 0
        raise InputError(
            f"returns log-probabilities for {count} tokens where the prompt has {end}, so "
            "choices can't be scored",
            place=url,
            remedy="use a server whose completions echo the prompt's (vLLM, SGLang), or a suite "
            "without choices",
        )
    scored = nats[start:end]
    # Written so that NaN is refused too.
    if not all(type(x) in (int, float) and -1e9 < x <= ROUNDING for x in scored):
        raise malformed("invalid log-probabilities", url)
    return float(sum(scored))

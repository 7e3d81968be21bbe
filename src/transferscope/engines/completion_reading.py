"""Reading of a completion: the answer or the log-probabilities in a server's reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ..core.errors import InputError
from ..core.records import Decoding, Generation
from .replies import Unanswered, malformed

ROUNDING = 1e-3
"""Nats by which rounding may push a log-probability above 0."""


def generation_of(
    answer: Mapping[str, Any], decoding: Decoding, *, chat: bool, url: str
) -> Generation:
    """Return the answer in a completion (``chat``: a chat completion).

    Raises :class:`Unanswered` for a reply that is malformed or holds no answer of the model.
    """
    choice = answer["choices"][0]
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and reason.lower() not in ENDINGS:
        _no_answer(f"ended with finish_reason {reason[:40]!r}", url)
    text = _said(choice, url) if chat else choice.get("text")
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
        if thought and _is_cut(choice):
            return ""  # cut while it was thinking: a wrong answer, as with every other engine
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


def _is_cut(choice: Mapping[str, Any]) -> bool:
    reason = choice.get("finish_reason")
    return isinstance(reason, str) and reason.lower() in CUT


def _finish(choice: Mapping[str, Any], decoding: Decoding) -> str | None:
    """Return the finish reason; vLLM (``stop_reason``) and SGLang (``matched_stop``) name the stop.

    ``None`` where the reply doesn't tell whether an end token or a stop string ended the answer.
    """
    reason = choice.get("finish_reason")
    if reason != "stop":
        return "length" if _is_cut(choice) else None
    told = [choice[name] for name in ("stop_reason", "matched_stop") if name in choice]
    if any(isinstance(by, str) for by in told):
        return "stop_string"
    return "stop" if told or not decoding.stop else None


def continuation_of(answer: Mapping[str, Any], start: int, end: int, url: str) -> float:
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

"""Extract a model's answer, and the question it was asked, from the formats other programs use.

A value may be a string, a list of strings (repeats of one item), chat messages, a server response
(OpenAI chat, completions or responses, a line of a batch, vLLM output) or lists of these. A failed
request yields an answer whose text is ``None``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from .records import digest

FAILED = frozenset({"content_filter", "error", "abort", "failed", "cancelled"})
"""Finish reasons that mean that the request failed."""
ENDS: Mapping[str, str] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "completed": "stop",
    "stop_sequence": "stop_string",
    "stop_string": "stop_string",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
}
"""Maps other programs' finish reasons to :attr:`~.records.Generation.finish`."""
ASSISTANT = frozenset({"assistant", "gpt", "model", "bot", "chatgpt", "ai"})
USER = frozenset({"user", "human"})
_INSIDE = (
    *("body", "choices", "outputs", "message", "messages", "content", "text", "generated_text"),
    *("output_text", "output", "response", "value"),
)
"""Keys under which an object keeps its text; those of a server response's outer levels first."""
DEEPEST = 12
"""Maximum number of nested lists and objects around a text."""


class Answer(NamedTuple):
    """One answer: its text (``None`` if the request failed) and its finish reason, if known."""

    text: str | None
    finish: str | None = None


def answers_in(value: Any, *, depth: int = 0) -> list[Answer]:
    """The answers in ``value``, at least one. Raises :class:`ValueError` if it contains no text.

    >>> answers_in([["a"], ["b"]])
    [Answer(text='a', finish=None), Answer(text='b', finish=None)]
    >>> answers_in([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}])
    [Answer(text='a', finish=None)]
    """
    if depth > DEEPEST:
        raise ValueError("is nested too deeply")
    if value is None or isinstance(value, str):
        return [Answer(value)]
    if isinstance(value, list):
        if is_chat(value):
            return [Answer(_said_last(value, ASSISTANT))]
        if value and all(_is_part(part) for part in value):
            return [Answer(_joined(value))]
        found = [answer for part in value for answer in answers_in(part, depth=depth + 1)]
        return found or [Answer(None)]
    if isinstance(value, Mapping):
        return _of_object(value, depth)
    raise ValueError(f"holds {str(value)[:40]!r} instead of text")


def asked_in(value: Any, *, depth: int = 0) -> str:
    """The question: a string as it is; for chat messages, the last user message.

    Raises :class:`ValueError` if there is no text.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if depth <= DEEPEST and isinstance(value, list):
        if is_chat(value):
            return _said_last(value, USER) or ""
        if value and all(_is_part(part) for part in value):
            return _joined(value)
        if value:  # lm-eval's arguments: [[prompt, settings]]
            return asked_in(value[0], depth=depth + 1)
    if depth <= DEEPEST and isinstance(value, Mapping):
        for name in ("messages", "prompt", "content", "text", "gen_args_0", "arg_0", "body"):
            if value.get(name) is not None:
                return asked_in(value[name], depth=depth + 1)
    raise ValueError(f"holds {str(value)[:40]!r} instead of text")


def identity_of(value: Any) -> str:
    """Everything that was asked, without the answer: it identifies an item that has no id."""
    if isinstance(value, list) and is_chat(value):
        last = len(value) - 1
        value = value[:last] if value and _role(value[last]) in ASSISTANT else value
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def item_key(*asked: Any) -> str:
    """The id of an item without one: the hash of everything that was asked."""
    return digest([identity_of(part) for part in asked if part])


def failures(count: int) -> str:
    """The note about ``count`` failed requests."""
    requests = "1 request has" if count == 1 else f"{count} requests have"
    return f"{requests} no answer (failed or empty): left out"


def is_chat(value: Any) -> bool:
    """Whether ``value`` is a list of chat messages (``role`` and ``content``, or ShareGPT's)."""
    return isinstance(value, list) and bool(value) and all(_role(message) for message in value)


def _of_object(value: Mapping[str, Any], depth: int) -> list[Answer]:
    below = depth + 1
    status = value.get("status_code")
    failed = (isinstance(status, int) and status != 200) or value.get("error")
    if failed:
        return [Answer(None)]
    finish = value.get("finish_reason") or value.get("stop_reason") or value.get("status")
    for name in _INSIDE:
        if name not in value or (name == "body" and value["body"] is None):
            continue
        if name == "output" and isinstance(value[name], list):
            return [_ended(_of_items(value[name], below), finish)]
        return [_ended(one, finish) for one in answers_in(value[name], depth=below)]
    raise ValueError(f"holds an object without a text: {', '.join(map(str, list(value)[:6]))}")


def _of_items(items: list[Any], depth: int) -> Answer:
    """The answer in an OpenAI response's output: the text of its messages, without reasoning."""
    said = [one for one in items if isinstance(one, Mapping) and one.get("type") != "reasoning"]
    found = [answer.text for one in said for answer in answers_in(one, depth=depth)]
    return Answer("".join(text for text in found if text) if any(found) else None)


def _ended(answer: Answer, finish: Any) -> Answer:
    if not isinstance(finish, str):
        return answer
    if finish in FAILED:
        return Answer(None, finish)
    return Answer(answer.text, ENDS.get(finish, answer.finish))


def _role(message: Any) -> str:
    if not isinstance(message, Mapping):
        return ""
    role = message.get("role", message.get("from"))
    return role if isinstance(role, str) and message.keys() & {"content", "value"} else ""


def _said_last(messages: list[Mapping[str, Any]], roles: frozenset[str]) -> str | None:
    """The last message of one of ``roles``; an answer counts only if it is the final message."""
    if roles is ASSISTANT and _role(messages[-1]) not in ASSISTANT:
        return None
    for message in reversed(messages):
        if _role(message) in roles:
            content = message.get("content", message.get("value"))
            return answers_in(content)[0].text
    return None


def _is_part(part: Any) -> bool:
    """Whether this is one part of a multi-part message: ``{"type": "text", "text": ...}``."""
    return isinstance(part, Mapping) and isinstance(part.get("type"), str) and not _role(part)


def _joined(parts: list[Mapping[str, Any]]) -> str:
    return "".join(text for part in parts if isinstance(text := part.get("text"), str))

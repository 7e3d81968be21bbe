"""Parsing of a server's replies, which are untrusted input."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ..core.errors import InputError

REMEDIES = {
    401: "set the environment variable {env} to the server's key",
    403: "set the environment variable {env} to the server's key",
    404: "check base_url (most end in /v1) and the model's name",
    429: "lower --engine-args concurrency",
}
_SHORTER = "lower max_gen_toks (distill: --max-tokens) or serve a longer context"
TOO_LONG = (
    *("context length", "context size", "context window", "maximum model length"),
    *("prompt is too long", "input is too long", "max_model_len"),
)
"""Phrases by which servers say that prompt and answer don't fit into the model's context."""
CURES = {
    **dict.fromkeys(TOO_LONG, _SHORTER),
    "prompt must be a string": "leave out --engine-args tokenizer",
    "extra inputs are not permitted": "add --engine-args strict=yes",
    "unexpected field": "add --engine-args strict=yes",
    "unsupported parameter": "add --engine-args strict=yes",
    "unrecognized request argument": "add --engine-args strict=yes",
    "unknown field": "add --engine-args strict=yes",
    "max_tokens": _SHORTER,
    "max_completion_tokens": _SHORTER,
    "loading": "wait until the server has loaded the model, then start the same command again",
}
"""Remedy for each phrase that a server's message may contain; the first one found counts."""


class Unanswered(InputError):
    """One request that failed for good; others may still be answered.

    ``is_reply``: the server is up and replied to this request, but without an answer.
    ``too_long``: it refused because prompt and answer exceed the context.
    """

    def __init__(
        self, what: str, *, place: str, remedy: str, is_reply: bool = False, too_long: bool = False
    ) -> None:
        super().__init__(what, place=place, remedy=remedy)
        self.is_reply, self.too_long = is_reply, too_long


def remedy_of(status: int, body: bytes) -> str:
    """Return the remedy for a refusal; ``{env}`` marks the key's environment variable."""
    said = _said(body)
    cure = next((cure for part, cure in CURES.items() if part in said), "see the server's log")
    return REMEDIES.get(status, cure)


def is_too_long(body: bytes) -> bool:
    """Whether a refusal says that prompt and answer don't fit into the context."""
    said = _said(body)
    return any(part in said for part in TOO_LONG)


def _said(body: bytes) -> str:
    return body[:10_000].decode(errors="replace").casefold()


def malformed(what: str, url: str) -> Unanswered:
    """Return the error for a reply in the wrong form."""
    remedy = "check that base_url points to an OpenAI-compatible server"
    return Unanswered(f"sent a malformed reply: {what}", place=url, remedy=remedy)


def pause_asked(asked: str) -> float:
    """Return the seconds that a Retry-After header (seconds or a date) asks for; else 0."""
    if asked.isascii() and asked.isdigit() and len(asked) < 6:
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    now = datetime.now(UTC if until.tzinfo else None)
    return max(0.0, (until - now).total_seconds())


def json_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; empty if the body isn't one."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def error_message(answer: dict[str, Any]) -> str:
    """Return the message in an error's body, in OpenAI's or FastAPI's form; else empty."""
    error = answer.get("error", answer)
    told = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return told if isinstance(told, str) else ""


def one_line(text: str) -> str:
    """Join a text to one line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:10_000]).split())

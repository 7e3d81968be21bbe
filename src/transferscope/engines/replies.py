"""What a server's replies say, read as somebody else's input."""

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
CURES = {
    "context length": "lower max_gen_toks (distill: --max-tokens) or serve a longer context",
    "context size": "lower max_gen_toks (distill: --max-tokens) or serve a longer context",
    "prompt must be a string": "leave out --engine-args tokenizer",
    "extra inputs are not permitted": "add --engine-args strict=yes",
    "unexpected field": "add --engine-args strict=yes",
    "unsupported parameter": "add --engine-args strict=yes",
}
"""What helps where a server's message holds this."""


class Unanswered(InputError):
    """One request that failed for good; others may be answered.

    ``is_reply``: the server is there and replied to this request, only with no answer.
    """

    def __init__(self, what: str, *, place: str, remedy: str, is_reply: bool = False) -> None:
        super().__init__(what, place=place, remedy=remedy)
        self.is_reply = is_reply


def remedy_of(status: int, body: bytes) -> str:
    """What helps against a refusal; ``{env}`` stands for the key's environment variable."""
    said = body[:10_000].decode(errors="replace").casefold()
    cure = next((cure for part, cure in CURES.items() if part in said), "see the server's log")
    return REMEDIES.get(status, cure)


def malformed(what: str, url: str) -> Unanswered:
    """An answer of the wrong shape."""
    remedy = "check that base_url is an OpenAI-compatible server"
    return Unanswered(f"answered in another form than asked for: {what}", place=url, remedy=remedy)


def pause_asked(asked: str) -> float:
    """What a Retry-After asks for: seconds or a date."""
    if asked.isascii() and asked.isdigit() and len(asked) < 6:
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    now = datetime.now(UTC if until.tzinfo else None)
    return max(0.0, (until - now).total_seconds())


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object; empty where the body is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def error_message(answer: dict[str, Any]) -> str:
    """What an error's body says: OpenAI's form, or FastAPI's."""
    error = answer.get("error", answer)
    told = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return told if isinstance(told, str) else ""


def one_line(text: str) -> str:
    """One line without what would steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:10_000]).split())

"""Read samples of Inspect's logs: one answer each, with its score from one of the log's scorers.

- C, I, P, N count as 1, 0, 0.5, 0; other values are converted like in Inspect's ``value_to_float``.
  A value that it would count as 0 with a warning is refused.
- ``message_hash`` covers the messages that the model was given before its first own message.

>>> number("C"), number("P"), number(True), number("no"), number(0.25)
(1.0, 0.5, 1.0, 0.0, 0.25)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from ...core.artefacts import flags_of
from ...core.records import Message, Outcome, Response, message_hash
from .foreign_run import Sample
from .naming import FINISH, Place
from .values import mapping

_LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_ATTACHMENT = "attachment://"


def number(value: object) -> float | None:
    """A score's value as Inspect's ``value_to_float`` converts it; ``None`` if it can't."""
    if isinstance(value, bool | int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    known = _LETTERS.get(value, _WORDS.get(value.lower()))
    if known is not None:
        return known
    try:
        return float(value)
    except ValueError:
        return None


def graded(raw: dict[str, Any], place: Place, scorer: str) -> Sample | None:
    """The outcome and response; ``None`` without a score. Raises ValueError for invalid samples."""
    score = _score(raw, place, scorer)
    if score is None:
        return None
    id_, epoch = raw.get("id"), raw.get("epoch", 1)
    if not isinstance(id_, str | int) or type(epoch) is not int or epoch < 1:
        raise ValueError(f"invalid sample id or epoch: {id_!r}, {epoch!r}")
    output = mapping(raw.get("output"))
    attached = mapping(raw.get("attachments"))
    choices = output.get("choices")
    choice = mapping(choices[0]) if isinstance(choices, list) and choices else {}
    reply = _content(mapping(choice.get("message")).get("content", ""), attached.get)
    finish = FINISH.get(str(choice.get("stop_reason")))
    tokens = mapping(output.get("usage")).get("output_tokens")
    messages = _given(raw, attached.get)
    prompt = "\n\n".join(message["content"] for message in messages)
    flagged = flags_of(reply, finish=finish, prompt=prompt)
    outcome = Outcome(
        benchmark=place.benchmark,
        id=f"{place.prefix}{id_}",
        score=score,
        repeat=epoch - 1,
        subset=place.subset,
        chance=place.chance,
        flags=flagged.flags,
        flags_inferred=flagged.inferred,
        tokens=tokens if type(tokens) is int else None,
        finish=finish,
        message_hash=message_hash(messages),
    )
    return Sample(outcome, Response(outcome.id, outcome.repeat, prompt, reply))


def _score(raw: dict[str, Any], place: Place, scorer: str) -> float | None:
    given = mapping(raw.get("scores")).get(scorer)
    value = given.get("value") if isinstance(given, dict) else None
    if isinstance(value, dict) and value:
        value = value[next((m for m in place.metrics if m in value), next(iter(value)))]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    score = number(value)
    if score is None or not 0.0 <= score <= 1.0:
        raise ValueError(f"score {value!r} of scorer {scorer} is not within 0..1")
    return score


def _given(raw: dict[str, Any], attached: Callable[[str], Any]) -> list[Message]:
    """The messages before the model's first own one, or the sample's input if none were kept."""
    kept = raw.get("messages")
    messages = [m for m in kept if isinstance(m, dict)] if isinstance(kept, list) else []
    said = [at for at, m in enumerate(messages) if m.get("role") == "assistant"]
    # Few-shot examples also have the assistant's role, but weren't generated; old logs lack source.
    own = [at for at in said if messages[at].get("source") == "generate"] or said[-1:]
    if own:
        messages = messages[: own[0]]
    if not messages:
        given = raw.get("input")
        asked = given if isinstance(given, list) else [{"role": "user", "content": given}]
        messages = [m for m in asked if isinstance(m, dict)]
    return [
        {"role": str(m.get("role")), "content": _content(m.get("content"), attached)}
        for m in messages
    ]


def _content(content: object, attached: Callable[[str], Any]) -> str:
    """The text of a message: its text parts, and other parts as JSON, without reasoning."""
    if isinstance(content, list):
        return "\n".join(_content(part, attached) for part in content if not _reasoning(part))
    if isinstance(content, dict):
        if content.get("type") == "text":
            return _content(content.get("text"), attached)
        return json.dumps(content, sort_keys=True)
    if not isinstance(content, str):
        return ""
    found = attached(content[len(_ATTACHMENT) :]) if content.startswith(_ATTACHMENT) else None
    return found if isinstance(found, str) else content


def _reasoning(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "reasoning"

"""Readers of what the probes run on: JSONL, one object per line.

``--texts`` (hidden)::

    {"text": "Tom has 3 apples and buys 4 more."}

``--responses`` (tokens); a prompt is text, taken verbatim, or messages for the chat template::

    {"prompt": "2 + 2 =", "response": " 4"}
    {"prompt": [{"role": "user", "content": "2 + 2?"}], "response": "It is 4."}

Other fields are ignored, blank lines skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import InputError
from ..core.files import read_json_lines
from ..core.records import Message
from ..runs import Run

Prompt = str | list[Message]


class ResponseRow(NamedTuple):
    """A prompt and what was answered; a plain pair will do in its place."""

    prompt: Prompt
    response: str


def read_texts(path: Path | str) -> list[str]:
    """The ``text`` of every line. Raises :class:`InputError` naming file and line."""
    texts = []
    for place, row in _objects(path, "text"):
        text = _string(row, "text", place)
        if not text.strip():
            raise InputError("'text' is empty", place=place, remedy="remove the line")
        texts.append(text)
    return texts


def read_responses(path: Path | str) -> list[ResponseRow]:
    """``prompt`` and ``response`` of every line. Raises :class:`InputError` naming file and line.

    An empty response is kept: the probe skips and counts it.
    """
    return [
        ResponseRow(_prompt(row, place), _string(row, "response", place))
        for place, row in _objects(path, "prompt, response")
    ]


def run_responses(run: Run) -> list[ResponseRow]:
    """Prompt (as rendered for the model) and first response of every item of a run.

    Raises :class:`InputError` when the run kept no responses.
    """
    kept = [
        ResponseRow(response.prompt, response.response)
        for benchmark in run.by_benchmark
        for response in run.responses(benchmark).values()
        if response.repeat == 0
    ]
    if not kept:
        raise InputError("the run kept no responses", place=str(run.path), remedy="evaluate again")
    return kept


def _objects(path: Path | str, fields: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place ("file:line") and object of every line that is not blank; at least one."""
    return read_json_lines(Path(path), remedy=f"give one JSON object per line with {fields}")


def _string(row: dict[str, Any], name: str, place: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        what = f"{name!r} is not a string" if name in row else f"no field {name!r}"
        raise InputError(what, place=place, remedy=f"give {name!r} as a string")
    return value


def _prompt(row: dict[str, Any], place: str) -> Prompt:
    value = row.get("prompt")
    if not isinstance(value, list):
        return _string(row, "prompt", place)
    for message in value:
        if not isinstance(message, dict) or not all(
            isinstance(message.get(key), str) for key in ("role", "content")
        ):
            break
    else:
        if value:
            return value
    raise InputError(
        "'prompt' is not a list of messages",
        place=place,
        remedy='give a string or [{"role": "user", "content": "..."}]',
    )

"""Readers of what the probes run on: JSONL, one object per line.

``--texts`` (hidden)::

    {"text": "Tom has 3 apples and buys 4 more."}

``--responses`` (tokens); a prompt is text, taken verbatim, or messages for the chat template::

    {"prompt": "2 + 2 =", "response": " 4"}
    {"prompt": [{"role": "user", "content": "2 + 2?"}], "response": "It is 4."}

Other fields are ignored, blank lines skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import InputError
from ..core.records import Message

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


def _objects(path: Path | str, fields: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place ("file:line") and object of every line that is not blank; at least one."""
    remedy = f"give one JSON object per line with {fields}"
    found = False
    try:
        # Lines end at \n only: JSON strings may hold U+2028, at which str.splitlines would cut.
        with Path(path).open(encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                place = f"{path}:{number}"
                try:
                    row = json.loads(line)
                except ValueError as err:
                    raise InputError(f"not JSON: {err}", place=place, remedy=remedy) from None
                if not isinstance(row, dict):
                    raise InputError("not a JSON object", place=place, remedy=remedy)
                found = True
                yield place, row
    except OSError as err:
        raise InputError(
            f"not readable: {err.strerror}", place=str(path), remedy="name a JSONL file"
        ) from None
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", place=str(path), remedy=remedy) from None
    if not found:
        raise InputError("holds no row", place=str(path), remedy=remedy)


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

"""Readers of the probes' inputs: JSONL files, one object per line, or run folders.

``--texts`` (probe hidden) takes lines with a text. It also takes the lines of ``--responses``, from
which it uses the prompts or the responses::

    {"text": "Tom has 3 apples and buys 4 more."}

``--responses`` (probe tokens) takes lines with a prompt and a response. A prompt is text, used
verbatim, or messages for the chat template::

    {"prompt": "2 + 2 =", "response": " 4"}
    {"prompt": [{"role": "user", "content": "2 + 2?"}], "response": "It is 4."}

If ``"response_ids"``, the token ids that the model generated, decode to the response, they are used
in place of the tokenised response. With the optional fields ``"benchmark"`` and ``"group"``,
results are also given for each of these. Other fields are ignored and blank lines skipped. A run
folder can be given instead of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..core.errors import InputError
from ..core.files import read_json_lines
from ..core.labels import Labels
from ..core.records import Message
from ..runs import Run, read_run

Prompt = str | list[Message]
Part = Literal["prompt", "response"]
Render = Callable[[Sequence[Message]], str]
"""Maps a prompt's messages to the text that a model is given."""


class ResponseRow(NamedTuple):
    """A prompt and its response; a plain (prompt, response) pair works too.

    ``ids`` are the token ids that the model generated; empty if only the text is known.
    """

    prompt: Prompt
    response: str
    ids: tuple[int, ...] = ()


class Texts(NamedTuple):
    """Texts for the hidden probe with their labels; ``n_skipped`` empty ones were left out."""

    rows: list[str]
    labels: Labels
    n_skipped: int = 0


class Responses(NamedTuple):
    """Responses for the token probe with their labels."""

    rows: list[ResponseRow]
    labels: Labels


def open_texts(
    path: Path | str, *, part: Part | None = None, render: Render | None = None
) -> Texts:
    """Read texts from a JSONL file (:func:`read_texts`), or a run folder's prompts or responses.

    A run's prompts are already rendered. Its empty texts are skipped and counted.
    """
    if not Path(path).is_dir():
        return read_texts(path, part=part, render=render)
    rows, labels = run_responses(read_run(path))
    kept = [
        (str(getattr(row, part or "prompt")), name)
        for row, name in zip(rows, labels.benchmarks, strict=True)
    ]
    kept = [(text, name) for text, name in kept if text.strip()]
    named = Labels([name for _, name in kept], labels.groups)
    return Texts([text for text, _ in kept], named, n_skipped=len(rows) - len(kept))


def open_responses(path: Path | str) -> Responses:
    """Read the responses of a JSONL file or a run folder."""
    return run_responses(read_run(path)) if Path(path).is_dir() else read_responses(path)


def open_prompts(path: Path | str) -> Responses:
    """Read prompts without responses, from a JSONL file's ``prompt`` fields or a run folder."""
    if Path(path).is_dir():
        rows, labels = run_responses(read_run(path))
        return Responses([ResponseRow(row.prompt, "") for row in rows], labels)
    found, collected = [], _Labelled()
    for place, row in _objects(path, "prompt"):
        found.append(ResponseRow(_prompt(row, place), ""))
        collected.add(row, place)
    return Responses(found, collected.labels())


def read_texts(
    path: Path | str, *, part: Part | None = None, render: Render | None = None
) -> Texts:
    """Read the field ``part`` of every line; by default ``text``, else ``prompt``.

    Messages in a prompt are passed through ``render``. Empty prompts and responses are skipped and
    counted. Raises :class:`InputError` naming file and line for a missing field, an empty ``text``,
    and messages without ``render``.
    """
    texts, labels, n_skipped = [], _Labelled(), 0
    for place, row in _objects(path, "text"):
        name = part or ("text" if "text" in row or "prompt" not in row else "prompt")
        text = _rendered(row, place, render) if name == "prompt" else _string(row, name, place)
        if text.strip():
            texts.append(text)
            labels.add(row, place)
        elif name == "text":
            raise InputError("'text' is empty", place=place, remedy="remove the line")
        else:
            n_skipped += 1
    return Texts(texts, labels.labels(), n_skipped)


def read_responses(path: Path | str) -> Responses:
    """Read ``prompt`` and ``response`` of every line.

    Empty responses are kept: the probe skips and counts them. Raises :class:`InputError` naming
    file and line.
    """
    rows, labels = [], _Labelled()
    for place, row in _objects(path, "prompt, response"):
        response = _string(row, "response", place)
        rows.append(ResponseRow(_prompt(row, place), response, _ids(row, place)))
        labels.add(row, place)
    return Responses(rows, labels.labels())


def run_responses(run: Run, *, items: int | None = None) -> Responses:
    """Return the rendered prompt and first response of a run's items.

    ``items`` limits the number of items per benchmark. Raises :class:`InputError` if the run kept
    no responses.
    """
    rows: list[ResponseRow] = []
    names: list[str] = []
    for benchmark in run.by_benchmark:
        kept = [r for r in run.responses(benchmark).values() if r.repeat == 0][:items]
        rows += [ResponseRow(response.prompt, response.response) for response in kept]
        names += [benchmark] * len(kept)
    if not rows:
        raise InputError("has no responses", place=str(run.path), remedy="evaluate the model again")
    return Responses(rows, Labels(tuple(names), run.manifest.load_suite().group_of))


class _Labelled:
    """Collects the ``benchmark`` and ``group`` of rows; a benchmark belongs to one group."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._groups: dict[str, str] = {}

    def add(self, row: dict[str, Any], place: str) -> None:
        group = _string(row, "group", place) if "group" in row else ""
        name = _string(row, "benchmark", place) if "benchmark" in row else group
        if group and self._groups.setdefault(name, group) != group:
            what = f"benchmark {name!r} is in group {group!r} here and {self._groups[name]!r} above"
            raise InputError(what, place=place, remedy="give every benchmark a single group")
        self._names.append(name)

    def labels(self) -> Labels:
        return Labels(tuple(self._names) if any(self._names) else (), self._groups)


def _objects(path: Path | str, fields: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) for every non-blank line, with place "file:line"; at least one."""
    return read_json_lines(Path(path), remedy=f"give one JSON object per line with {fields}")


def _string(row: dict[str, Any], name: str, place: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        what = f"{name!r} is not a string" if name in row else f"no field {name!r}"
        raise InputError(what, place=place, remedy=f"give {name!r} as a string")
    return value


def _ids(row: dict[str, Any], place: str) -> tuple[int, ...]:
    value = row.get("response_ids", [])
    if not isinstance(value, list) or not all(type(i) is int and 0 <= i < 1 << 31 for i in value):
        what = "'response_ids' is not a list of token ids"
        remedy = "remove the field: the response's text is enough"
        raise InputError(what, place=place, remedy=remedy)
    return tuple(value)


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


def _rendered(row: dict[str, Any], place: str, render: Render | None) -> str:
    prompt = _prompt(row, place)
    if isinstance(prompt, str):
        return prompt
    if render is None:
        what = "'prompt' holds messages, which can't be rendered here"
        raise InputError(what, place=place, remedy="give the prompt as a string")
    return render(prompt)

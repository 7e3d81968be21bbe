"""Reads a document from a file, or reports its first fault in one line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import is_pydantic_dataclass

from ..core.errors import InputError
from ..core.files import json_value, read_text
from ..core.shown import name
from ..core.typed_record import derived_names
from .migrations import UNNUMBERED, VERSION

T = TypeVar("T")
MISSING = ("missing", "missing_argument")
SHOWN = 5
"""Number of path components that are shown of a field's place."""


def read_document(kind: type[T], path: Path, *, remedy: str) -> T:
    """Read the document of type ``kind`` from the file.

    ``remedy`` tells the user what to do if the file can't be used. Raises :class:`InputError` as
    :func:`validated` does, and if the file can't be read or is not JSON.
    """
    value = json_value(read_text(path, remedy=remedy), str(path), remedy)
    return validated(kind, value, place=str(path), remedy=remedy)


def validated(kind: type[T], value: Any, *, place: str, remedy: str) -> T:
    """Convert ``value``, parsed from JSON, to a document of type ``kind``.

    Raises :class:`InputError` with ``place`` and the first field that is missing, unknown or of the
    wrong type, for a number that is not finite, and for a version that can't be read.
    """
    if _has_version(kind):
        value = _of_this_version(kind, value, place=place, remedy=remedy)
    if (at := next(_not_finite(value), None)) is not None:
        raise InputError(f"{_field(at)} is not a finite number", place=place, remedy=remedy)
    try:
        # Strict, and read as JSON, so that arrays become tuples but strings do not become numbers.
        text = json.dumps(_stored(kind, value))
        found: T = TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as err:
        faults = err.errors(include_url=False, include_input=False)
        first = min(faults, key=lambda fault: fault["type"] in MISSING)  # missing ones last
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InputError(f"{fault_of(first)}{more}", place=place, remedy=remedy) from None
    return found


def _has_version(kind: Any) -> bool:
    return is_pydantic_dataclass(kind) and "schema" in _hints(kind)


def _of_this_version(kind: type, value: Any, *, place: str, remedy: str) -> Any:
    if not isinstance(value, dict):
        raise InputError("not a JSON object", place=place, remedy=remedy)
    if "schema" not in value:
        if kind.__name__ in UNNUMBERED:
            return UNNUMBERED[kind.__name__](value)
        what = "has no schema version: an older transferscope or another program wrote it"
        raise InputError(what, place=place, remedy=remedy)
    given = value["schema"]
    if given != VERSION or isinstance(given, bool):
        what = f"has schema version {name(repr(given))}; this transferscope reads version {VERSION}"
        raise InputError(what, place=place, remedy=remedy)
    return value


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _stored(kind: Any, value: Any) -> Any:
    """``value`` without derived fields, which the model computes itself and does not accept."""
    kind = next((part for part in _kinds(kind) if _fits(part, value)), None)
    if isinstance(value, list) and kind is not None:
        inner = get_args(kind)[0]
        return [_stored(inner, each) for each in value]
    if not isinstance(value, dict) or kind is None:
        return value
    if is_pydantic_dataclass(kind):
        hints, derived = _hints(kind), derived_names(kind)
        return {
            key: _stored(hints.get(key), each) for key, each in value.items() if key not in derived
        }
    inner = get_args(kind)[1]
    return {key: _stored(inner, each) for key, each in value.items()}


def _kinds(kind: Any) -> Iterator[Any]:
    """The members of a union, without their annotations."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _kinds(get_args(kind)[0])
    elif origin in (Union, UnionType):
        for member in get_args(kind):
            yield from _kinds(member)
    else:
        yield kind


def _fits(kind: Any, value: Any) -> bool:
    if isinstance(value, list):
        return get_origin(kind) is tuple
    return isinstance(value, dict) and (is_pydantic_dataclass(kind) or get_origin(kind) is Mapping)


def _not_finite(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of NaN and infinity, which our own JSON never contains."""
    if isinstance(value, float) and not math.isfinite(value):
        yield at
    elif isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in pairs:
            yield from _not_finite(each, (*at, key))


def fault_of(error: Any, *, inside: str = "") -> str:
    """Describe one of pydantic's errors: which field, and what is wrong with it.

    ``inside`` is the field that contains the value which pydantic validated.
    """
    field, kind = _field((inside, *error["loc"]) if inside else error["loc"]), error["type"]
    if kind in MISSING:
        return f"{field} is missing"
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown {field}"
    said = error["msg"].removeprefix("Value error, ")
    return f"{field}: {said[:1].lower()}{said[1:]}"


def _field(place: tuple[Any, ...]) -> str:
    """``field 'layers[1].cka'``, with names made safe to show."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{name(part)}" for part in place]
    shown = "".join(parts[:SHOWN]) + ("…" if len(parts) > SHOWN else "")
    return f"field {shown.lstrip('.')!r}" if shown else "the document"

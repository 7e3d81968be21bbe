"""Frozen records that define their own JSON: the record is what is written, and reading checks it.

:func:`record` makes a frozen pydantic dataclass. The JSON object has the same fields under the same
names. ``derived`` properties are written as well, and recomputed when a file is read. JSON has
neither NaN nor infinity: a field that may be NaN has the type :data:`Known` or :data:`Bounds` and
is null in JSON. A field of type :data:`Absent` is omitted if it is empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar, dataclass_transform

from pydantic import AfterValidator, ConfigDict, Field, PlainSerializer, computed_field
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import to_jsonable_python

Interval = tuple[float, float]
UNKNOWN: Interval = (math.nan, math.nan)
T = TypeVar("T")


def _null_for_nan(value: float) -> float | None:
    return None if math.isnan(value) else value


def _null_for_unknown(ci: Interval) -> Interval | None:
    return None if math.isnan(ci[0]) else ci


if TYPE_CHECKING:
    Known: TypeAlias = float
    Bounds: TypeAlias = Interval
else:
    # A number in memory, so that readers need no case for None; NaN is null in JSON.
    Known = Annotated[
        float | None,
        AfterValidator(lambda value: math.nan if value is None else value),
        PlainSerializer(_null_for_nan, return_type=float | None),
    ]
    Bounds = Annotated[
        Interval | None,
        AfterValidator(lambda ci: UNKNOWN if ci is None else ci),
        PlainSerializer(_null_for_unknown, return_type=Interval | None),
    ]

Absent = Annotated[T, Field(exclude_if=lambda value: not value)]
"""A field that is omitted from the JSON if it is ``None``, 0 or empty."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(*, derived: tuple[str, ...] = (), shows: bool = True) -> Callable[[type[T]], type[T]]:
    """Decorator: a frozen dataclass whose fields are validated and form its JSON object.

    ``derived`` names properties that are written to the JSON as well. Unknown fields are rejected.
    ``shows``: its ``repr`` lists all fields; otherwise the base class defines it.
    """

    def made(cls: type[T]) -> type[T]:
        for name in derived:
            setattr(cls, name, computed_field(vars(cls)[name]))
        config = ConfigDict(extra="forbid")
        found: type[T] = pydantic_dataclass(frozen=True, repr=shows, config=config)(  # type: ignore[assignment]
            cls
        )
        return found

    return made


def plain(value: Any) -> Any:
    """Convert records, and tuples and mappings of them, to what :func:`json.dumps` accepts."""
    return to_jsonable_python(value)


class Document:
    """A record that a command prints or writes to a file as a whole."""

    def to_json(self) -> dict[str, Any]:
        """The JSON object that the command prints with ``--json``."""
        document: dict[str, Any] = plain(self)
        return document


def derived_names(cls: type) -> Mapping[str, Any]:
    """The properties in a record's JSON in addition to its fields."""
    found: Mapping[str, Any] = cls.__pydantic_decorators__.computed_fields  # type: ignore[attr-defined]
    return found

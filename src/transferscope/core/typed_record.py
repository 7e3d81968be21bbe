"""Frozen records that are their own JSON: what is written is the record, what is read is checked.

:func:`record` makes a frozen pydantic dataclass. Its fields are those of the JSON object, under the
same names; ``derived`` properties are written beside them, and computed anew where a file is read.
JSON has neither NaN nor infinity: a field that may be NaN is of type :data:`Known` or
:data:`Bounds`, which are null there. A field of type :data:`Absent` is left out where it is empty.
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
    # In memory a number, so that readers need no case for None; in JSON null for NaN.
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
"""A field that is left out of the JSON where it is ``None``, 0 or empty."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(*, derived: tuple[str, ...] = (), shows: bool = True) -> Callable[[type[T]], type[T]]:
    """Decorator: a frozen dataclass whose fields are validated and make its JSON object.

    ``derived`` names properties that are written to the JSON, too. A field of an unknown name is
    refused. ``shows``: its ``repr`` has all fields; else it is what a base class says.
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
    """Records, and tuples and mappings of them, as what :func:`json.dumps` takes."""
    return to_jsonable_python(value)


class Document:
    """A record that a command prints or a file holds as a whole."""

    def to_json(self) -> dict[str, Any]:
        """The JSON object, as the command prints it with ``--json``."""
        document: dict[str, Any] = plain(self)
        return document


def derived_names(cls: type) -> Mapping[str, Any]:
    """The properties that a record's JSON has beside its fields."""
    found: Mapping[str, Any] = cls.__pydantic_decorators__.computed_fields  # type: ignore[attr-defined]
    return found

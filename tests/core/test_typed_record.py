"""Records: validated, frozen, and their own JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, field, replace

import pytest
from pydantic import TypeAdapter, ValidationError

from transferscope.core.typed_record import (
    UNKNOWN,
    Absent,
    Bounds,
    Document,
    Known,
    derived_names,
    plain,
    record,
)


@record(derived=("double",))
class Part:
    """A number that may be unknown."""

    n: int
    p: Known = math.nan
    ci: Bounds = UNKNOWN

    @property
    def double(self) -> int:
        """Twice ``n``."""
        return 2 * self.n


@record()
class Whole(Part, Document):
    """What a command prints."""

    why: Absent[str | None] = None
    parts: Absent[Mapping[str, Part]] = field(default_factory=dict)


def test_what_is_unknown_is_nan_here_and_null_in_json() -> None:
    assert plain(Part(1)) == {"n": 1, "p": None, "ci": None, "double": 2}
    assert plain(Part(1, 0.5, (-1.0, 2.0)))["ci"] == [-1.0, 2.0]
    read = TypeAdapter(Part).validate_json('{"n": 3, "p": null, "ci": null}', strict=True)
    assert math.isnan(read.p)
    assert all(map(math.isnan, read.ci))
    assert read.double == 6


def test_what_is_empty_is_left_out_and_parts_are_written() -> None:
    assert Whole(1).to_json() == {"n": 1, "p": None, "ci": None, "double": 2}
    whole = Whole(1, 0.25, why="few", parts={"a": Part(2)})
    document = whole.to_json()
    assert (document["why"], document["parts"]["a"]["double"]) == ("few", 4)
    assert list(derived_names(Whole)) == ["double"]


def test_records_are_frozen_and_refuse_other_types_and_names() -> None:
    with pytest.raises(FrozenInstanceError):
        Part(1).n = 2  # type: ignore[misc]
    for wrong in ({"n": "x"}, {"n": 1, "m": 2}, {}):
        with pytest.raises(ValidationError):
            Part(**wrong)
    assert replace(Part(1), n=5).double == 10

"""The gate's policy: what is guarded, and by how much it may drop.

on_inconclusive = "fail"        # or "warn": exit 0 if the verdict is INCONCLUSIVE
min_items = 100                 # with fewer, nothing passes and only an exact test shows a drop
max_artefact_rate = 0.2         # share of the tuned model's answers, 0..1
unmapped = "inconclusive"       # or "ignore": effect of benchmarks that are in no group
allow_fewer_items = ["gsm8k"]   # judge the shared items if the tuned run has fewer
[guards.non]                    # a group, a benchmark, or "retention" (all other groups)
margin = 2.0                    # allowed drop in points
[guards.gsm8k]
tier = "supporting"
margin = 3.0
relative = 0.1                  # and at most this share (0..1) of the base's score
[min_ti]
other = 20.0                    # percent; the interval's lower bound must not be below
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from ..core.errors import InputError
from ..core.files import parse_toml, read_text
from ..core.invalid import reason
from ..core.nearest import did_you_mean, nearest
from ..documents.gate_result import Tier

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

_PLAIN = {
    "model_type": "should be a table with a margin",
    "dict_type": "should be a table",
    "tuple_type": "should be an array",
    "missing": "is missing",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be {le:g} or less",
}
"""Messages in TOML's terms for pydantic's error types."""


class GuardPolicy(BaseModel):
    """One guarded quantity.

    A ``critical`` guard must be shown to hold. A ``supporting`` guard must not be shown to have
    dropped. An ``advisory`` guard is only reported. ``margin`` is in points; with ``relative`` (a
    share of the base's score) the smaller of the two applies, so that a low base score can't be
    lost entirely.
    """

    model_config = _STRICT
    margin: float = Field(gt=0.0, lt=100.0)
    tier: Tier = "critical"
    relative: float | None = Field(default=None, gt=0.0, le=1.0)

    def margin_at(self, base: float) -> float:
        """The margin in points for a base score in percent."""
        return self.margin if self.relative is None else min(self.margin, self.relative * base)


class Policy(BaseModel):
    """The policy file. ``min_items`` counts the paired items of one guarded quantity.

    ``unmapped``: the effect of a benchmark that both runs have but that is in no group. If the
    tuned run has fewer items of a benchmark than the base, the benchmark is judged only if
    ``allow_fewer_items`` lists it.
    """

    model_config = _STRICT
    guards: dict[str, GuardPolicy] = Field(min_length=1)
    on_inconclusive: Literal["fail", "warn"] = "fail"
    min_items: int = Field(default=100, ge=1)
    max_artefact_rate: float | None = Field(default=None, ge=0.0, le=1.0)
    unmapped: Literal["inconclusive", "ignore"] = "inconclusive"
    # A TOML array is a list.
    allow_fewer_items: Annotated[tuple[str, ...], Field(strict=False)] = ()
    min_ti: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(default_factory=dict)
    _file: str = PrivateAttr(default="")

    def place(self, table: str) -> str:
        """The place of a table for error messages: ``policy.toml [guards.non]``."""
        return f"{self._file} [{table}]".lstrip()


def parse_policy(text: str, *, place: str) -> Policy:
    """Policy from TOML text. Raises :class:`InputError` naming ``place`` and the key.

    An unknown key is reported first, with the nearest known key: a missing key is usually one that
    was misspelt.
    """
    try:
        policy = Policy.model_validate(parse_toml(text, place=place))
    except ValidationError as err:
        found = err.errors()
        unknown = [one for one in found if one["type"] == "extra_forbidden"]
        raise (_unknown_key if unknown else _wrong_value)((unknown or found)[0], place) from None
    policy._file = place
    return policy


def _unknown_key(error: Any, place: str) -> InputError:
    *table, key = map(str, error["loc"])
    known, others = GuardPolicy.model_fields, Policy.model_fields
    if not table:
        known, others = others, known
    remedy = did_you_mean(key, known)
    elsewhere = nearest(key, others, n=1) if not nearest(key, known, n=1) else []
    if key in others or elsewhere:
        # In TOML, keys below a table's header belong to that table.
        where_to = "above the first [table]" if table else "into a [guards.NAME] table"
        remedy = f"move it {where_to}"
        if key not in others:
            remedy = f"did you mean {elsewhere[0]!r}? {remedy}"
    where = f"{place} [{'.'.join(table)}]" if table else place
    return InputError(f"unknown key {key!r}", place=where, remedy=remedy)


def _wrong_value(error: Any, place: str) -> InputError:
    where = ".".join(str(part) for part in error["loc"])
    plain = _PLAIN.get(error["type"], "")
    what = plain.format(**error.get("ctx", {})) or reason(error)
    return InputError(what, place=f"{place} [{where}]", remedy="see docs/gate.md for an example")


def load_policy(path: Path) -> Policy:
    """Policy from a file. Raises :class:`InputError` if it is missing or malformed."""
    return parse_policy(read_text(path, remedy="name a TOML file with a policy"), place=str(path))

"""A suite: benchmarks, their groups, and the source group. Suites are data, not code.

Suites are TOML files; those shipped with the package are in ``core/suites/``::

    name = "mini"
    source = "math"
    scale = "unit"
    [groups]
    math = ["word_problems", "chains"]
    [benchmarks.word_problems]
    pack = "mini"
    metric = "accuracy"
    chance = 0.0
    repeats = 1
"""

from __future__ import annotations

import os
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .errors import InputError
from .files import parse_toml, read_text
from .invalid import reason
from .nearest import nearest
from .plugins import plugins
from .records import digest

BUILT_IN = ("mini", "paper", "authors", "fixed", "paper-lite", "real")


class Benchmark(BaseModel):
    """One benchmark of a suite: its task pack, its metric and the score of guessing (0..1).

    ``chance`` is 0 for free-form answers, ``None`` if unknown. ``items`` limits the number of items
    that the suite asks (``None``: all that the pack has).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    pack: str
    metric: str = "accuracy"
    chance: float | None = Field(default=None, ge=0.0, lt=1.0)
    repeats: int = Field(default=1, ge=1, strict=True)
    items: int | None = Field(default=None, ge=1, strict=True, exclude_if=lambda n: n is None)


class Suite(BaseModel):
    """Benchmarks in groups. Only the published suite has ``sigma`` (points, by group)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    source: str
    scale: Literal["unit", "published"] = "unit"
    groups: dict[str, tuple[str, ...]]
    benchmarks: dict[str, Benchmark]
    sigma: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Suite:
        members = [b for group in self.groups.values() for b in group]
        if twice := sorted({b for b in members if members.count(b) > 1}):
            raise ValueError(f"in more than one group: {', '.join(twice)}")
        if empty := sorted(g for g, names in self.groups.items() if not names):
            raise ValueError(f"groups without benchmarks: {', '.join(empty)}")
        if loose := sorted(set(members) ^ set(self.benchmarks)):
            raise ValueError(f"not in both [groups] and [benchmarks]: {', '.join(loose)}")
        if self.scale == "published" and set(self.sigma or {}) != set(self.groups):
            raise ValueError("scale 'published' needs a [sigma] for every group")
        if self.scale != "published" and self.sigma is not None:
            raise ValueError("[sigma] only applies to scale 'published'")
        return self

    @cached_property
    def group_of(self) -> dict[str, str]:
        """Map each benchmark to its group."""
        return {b: group for group, names in self.groups.items() for b in names}

    @cached_property
    def hash(self) -> str:
        """Hash of the suite's content."""
        return digest(self.model_dump(mode="json"))

    @property
    def targets(self) -> tuple[str, ...]:
        """All groups except the source, in the suite's order."""
        return tuple(g for g in self.groups if g != self.source)


def parse_suite(text: str, *, place: str) -> Suite:
    """Parse a suite from TOML. Raises :class:`InputError` naming ``place`` and the wrong key."""
    try:
        suite = Suite.model_validate(parse_toml(text, place=place))
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            reason(first),
            place=f"{place} [{where}]" if where else place,
            remedy="compare with a suite that ships with the package: mini.toml, paper.toml",
        ) from None
    # Not validated by the model: a suite of imported results may have no source group at all.
    if suite.source not in suite.groups:
        what = f"source group {suite.source!r} is not among the groups"
        raise InputError(what, place=f"{place} [source]", remedy="use a name from [groups]")
    return suite


def load_suite(name: str | Path) -> Suite:
    """Load a built-in suite by name, a suite file by path, or a plugin's suite by name.

    Raises :class:`InputError` for an unknown name, a missing file or a malformed suite.
    """
    if str(name) in BUILT_IN:
        resource = files("transferscope.core") / "suites" / f"{name}.toml"
        return parse_suite(resource.read_text(encoding="utf-8"), place=f"suite {name}")
    path = Path(name)
    if not path.is_file() and str(name) in (outside := plugins("suites")):
        path = Path(outside[str(name)])
    if path.is_dir() or not os.path.lexists(path):  # the reader refuses anything else, say a pipe
        known = ", ".join([*BUILT_IN, *outside])
        near = nearest(str(name), [*BUILT_IN, *outside], n=1)
        ask = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(
            f"no suite {str(name)!r}",
            remedy=f"{ask}use one of {known}, or the path of a .toml file",
        )
    suite = parse_suite(read_text(path), place=str(path))
    if suite.scale == "published" and not is_paper(suite):
        raise InputError(
            "scale 'published' is defined for exactly the paper's groups and benchmarks",
            place=f"{path} [scale]",
            remedy="remove scale and [sigma]",
        )
    return suite


def is_paper(suite: Suite) -> bool:
    """Whether groups, members, source and sigmas are the paper's, which define its scale."""
    paper = load_suite("paper")

    def members(of: Suite) -> dict[str, set[str]]:
        return {group: set(names) for group, names in of.groups.items()}

    same = (suite.source, suite.sigma) == (paper.source, paper.sigma)
    return same and members(suite) == members(paper)

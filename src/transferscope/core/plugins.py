"""What other distributions add, by entry points: ``transferscope.graders`` and so on.

::

    [project.entry-points."transferscope.graders"]
    mine = "my_package.grading:grade"

What ships with the package goes first: a plugin can add a name, not take one over.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal

from .shown import sentence

Kind = Literal["importers", "suites", "graders", "arms", "probes", "benchmarks"]


@cache
def plugins(kind: Kind) -> Mapping[str, Any]:
    """Name to object of every plugin of a kind; one that can't be loaded is a line on stderr."""
    found: dict[str, Any] = {}
    for point in entry_points(group=f"transferscope.{kind}"):
        try:
            found[point.name] = point.load()
        except Exception as err:  # somebody else's code may raise anything
            why = " ".join(f"{type(err).__name__}: {err}".split())[:200]
            line = f"plugin {point.name!r} of {kind} ({point.value}) is left out: {why}"
            print(sentence(f"transferscope: {line}"), file=sys.stderr)
    return found

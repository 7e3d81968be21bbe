"""Objects that other packages add through entry points such as ``transferscope.graders``.

::

    [project.entry-points."transferscope.graders"]
    mine = "my_package.grading:grade"

Built-in names take precedence: a plugin can add a name but not replace one.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal

from .shown import sentence

Kind = Literal["importers", "suites", "graders", "arms", "probes", "benchmarks"]


class PluginWarning(UserWarning):
    """A plugin could not be loaded. The command line prints one line on stderr."""


@cache
def plugins(kind: Kind) -> Mapping[str, Any]:
    """All plugins of a kind, by name. Issues a :class:`PluginWarning` for each that fails to load.

    The result is cached, so each failure is reported once per process.
    """
    found: dict[str, Any] = {}
    for point in entry_points(group=f"transferscope.{kind}"):
        try:
            found[point.name] = point.load()
        except Exception as err:  # third-party code may raise anything
            why = " ".join(f"{type(err).__name__}: {err}".split())[:200]
            line = f"plugin {point.name!r} of {kind} ({point.value}) is left out: {why}"
            warnings.warn(sentence(line), PluginWarning, stacklevel=2)
    return found

"""Benchmark packs: folders of lm-eval tasks that are found with ``include_path``.

::

    manager = TaskManager(
        include_path=str(PACKS["mini"]), include_defaults=False, metadata={"n": 40, "seed": 0}
    )
    simple_evaluate(model, tasks=[task_name("mini", "chains")], task_manager=manager, ...)
"""

from __future__ import annotations

from pathlib import Path

PACKS: dict[str, Path] = {name: Path(__file__).parent / name for name in ("mini", "paper")}
"""Pack name to its folder of YAML files."""


def task_name(pack: str, benchmark: str) -> str:
    """The lm-eval name of a benchmark: packs must not collide with lm-eval's own tasks."""
    return f"{pack}_{benchmark}"

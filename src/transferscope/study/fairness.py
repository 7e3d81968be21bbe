"""Reports differences between a study's arms that a controlled comparison must not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..train import ArmConfig
from .study_config import Cell, StudyConfig

SHARED: tuple[tuple[str, Callable[[ArmConfig], Any]], ...] = (
    ("the number of queries seen", lambda arm: arm.queries),
    ("the number of queries per step", lambda arm: arm.queries_per_step),
    ("their queries", lambda arm: arm.queries_from),
    ("lora_rank", lambda arm: arm.lora_rank),
)
SHARED_BY_SAMPLERS: tuple[tuple[str, Callable[[ArmConfig], Any]], ...] = (
    ("max_tokens of their own samples", lambda arm: arm.max_tokens),
    ("the temperature of their own samples", lambda arm: arm.temperature),
    ("refresh_every", lambda arm: arm.refresh_every),
)
"""Settings that an arm trained on a teacher's responses does not use."""


def unequal(config: StudyConfig) -> list[str]:
    """Return a note for every difference between trained arms and for every start from an arm.

    Learning rates and rollouts may differ, because each arm chooses its own. The number of seeds
    may differ too, as long as one arm's seeds are a subset of the other's: runs with the same seed
    see the same queries.
    """
    cells = [cell for cell in config.cells() if cell.config is not None]
    arms = {cell.table: cell.config for cell in cells if cell.config is not None}
    own = {name: arm for name, arm in arms.items() if arm.recipe.sampler == "policy"}
    said = [
        _differ(what, values)
        for among, settings in ((arms, SHARED), (own, SHARED_BY_SAMPLERS))
        for what, of in settings
        if len(set((values := {name: of(arm) for name, arm in among.items()}).values())) > 1
    ]
    seeds = {name: _seeds(name, cells) for name in arms}
    most = max(seeds.values(), key=len, default=frozenset())
    if not all(some <= most for some in seeds.values()):
        listed = {name: ", ".join(map(str, sorted(some))) for name, some in seeds.items()}
        said.append(_differ("the seeds, which determine their queries", listed, between="; "))
    starts = {cell.table: cell.start for cell in cells if cell.start is not None}
    return [*said, *(_later(name, start) for name, start in starts.items())]


def _seeds(table: str, cells: list[Cell]) -> frozenset[int]:
    return frozenset(cell.config.seed for cell in cells if cell.config and cell.table == table)


def _differ(what: str, values: dict[str, Any], *, between: str = ", ") -> str:
    listed = between.join(f"{name} {value}" for name, value in values.items())
    return (
        f"The arms differ in {what}: {listed}. "
        "They are therefore not compared under equal conditions."
    )


def _later(name: str, start: Cell) -> str:
    """Return the note that an arm with this ``start`` has more training than its own."""
    if start.config is None:
        behind = "a checkpoint whose training data is unknown"
    else:
        count, before = start.config.queries, start.start
        while before is not None and before.config is not None:
            count, before = count + before.config.queries, before.start
        behind = f"which was trained on {count} queries before"
    return (
        f"{name} starts from {start.table}, {behind}. "
        "It is therefore not compared with arms that start from the base under equal conditions."
    )

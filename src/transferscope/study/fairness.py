"""What the arms of a study don't share although a controlled comparison needs it, in words."""

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
"""Settings that an arm on a teacher's responses doesn't use."""


def unequal(config: StudyConfig) -> list[str]:
    """A sentence for everything that differs between the trained arms, and for every later start.

    Learning rates and rollouts may differ: they are each arm's own choice. So may the number of
    seeds, as long as one arm's are among the other's: runs of one seed see the same queries.
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
        said.append(_differ("the seed, which decides their queries", listed, between="; "))
    starts = {cell.table: cell.start for cell in cells if cell.start is not None}
    return [*said, *(_later(name, start) for name, start in starts.items())]


def _seeds(table: str, cells: list[Cell]) -> frozenset[int]:
    return frozenset(cell.config.seed for cell in cells if cell.config and cell.table == table)


def _differ(what: str, values: dict[str, Any], *, between: str = ", ") -> str:
    listed = between.join(f"{name} {value}" for name, value in values.items())
    return (
        f"The arms differ in {what}: {listed}. "
        "Contrasts between them are not under equal conditions."
    )


def _later(name: str, start: Cell) -> str:
    """An arm that goes on from ``start`` has more behind it than its own training."""
    if start.config is None:
        behind = "a checkpoint: what that has seen is not known"
    else:
        count, before = start.config.queries, start.start
        while before is not None and before.config is not None:
            count, before = count + before.config.queries, before.start
        behind = f"so training on {count} queries came before its own"
    return (
        f"{name} starts from {start.table}, {behind}. "
        "Contrasts with arms that start from the base are not under equal conditions."
    )

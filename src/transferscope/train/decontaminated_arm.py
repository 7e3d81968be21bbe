"""Removes the queries that an arm must not or can't learn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..core.errors import InputError
from ..core.files import make_folder
from .arm_config import PROCEDURAL, ArmConfig
from .arm_folder import DECONTAMINATED, STARTED, is_complete, refuse_foreign
from .decontaminate import Decontaminated, decontaminate
from .query_sources import queries_of, read_queries, require_enough, unanswered, write_queries


def decontaminate_arm(
    config: ArmConfig, out: Path, prompts: Sequence[str]
) -> tuple[ArmConfig, Decontaminated]:
    """The arm without queries that overlap with the evaluation's ``prompts``, and what was found.

    Queries for which the teacher's file has no usable response are removed, too. Where any are
    removed, the arm reads the others from a file in ``out``, so that another evaluation makes it
    another arm. Raises :class:`InputError` as :func:`.arm.run_arm` does for the folder, as
    ``read_queries`` and ``decontaminate`` do, and where too few queries are left.
    """
    refuse_foreign(out)
    source = config.queries_from
    if source == PROCEDURAL:
        return config, decontaminate(queries_of(config), prompts, source=source)
    queries = read_queries(source)
    found = decontaminate(queries, prompts, source=source, unanswered=unanswered(queries, [config]))
    require_enough(config, len(found.queries), place=source, left_out=found.left_out)
    if not found.left_out:
        return config, found
    make_folder(out)
    kept = out / DECONTAMINATED
    if kept.is_file() and (is_complete(out) or (out / STARTED).is_file()):
        if read_queries(kept) != list(found.queries):  # the arm may be training on them
            what = "its queries, or the responses to them, have changed since it was begun"
            raise InputError(what, place=str(out), remedy="restore them, or name another --out")
    else:
        write_queries(kept, found.queries)
    return config.model_copy(update={"queries_from": str(out / DECONTAMINATED)}), found

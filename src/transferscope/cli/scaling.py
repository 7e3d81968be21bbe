"""Evaluation in shares: the command that joins shards of eval."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..core.shown import sentence
from .outputs import check_outputs
from .shared import Data, Mapping_, app, say


@app.command
def merge(
    out: Path,
    shards: Annotated[tuple[Path, ...], Parameter(negative=())],
    /,
    *,
    data: Data = None,
    include_path: Path | None = None,
    mapping: Mapping_ = None,
) -> None:
    """Join all shards that eval --shard wrote into one run folder, as if there had been none.

    Parameters
    ----------
    out
        Run folder to write.
    shards
        Run folders of shards 1/n to n/n, in any order.
    include_path
        Folder with your own YAML tasks for lm-eval, as for eval.
    """
    from ..core.taxonomy import load_taxonomy
    from ..evaluate.lm_eval_loader import LmEvalTasks
    from ..evaluate.merge_shards import merge_shards
    from ..report.failures import failures_said
    from ..runs import read_run

    check_outputs({"OUT": out}, [*shards, data, include_path, mapping], resumes=True)
    tasks = None
    if include_path is not None or mapping is not None:
        tasks = LmEvalTasks(include_path, load_taxonomy(mapping))
    merge_shards(out, shards, data=data, lm_eval=tasks)
    for line in failures_said(read_run(out)):
        say(line)
    say(f"run folder: {sentence(out)}")

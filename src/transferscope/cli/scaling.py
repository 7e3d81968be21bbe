"""Evaluation of several models, on several machines, or in shares that are merged later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..core.errors import InputError
from ..core.files import check_folder
from ..core.shown import sentence
from .outputs import check_outputs
from .probe_inputs import refuse
from .shared import Data, Mapping_, app, say

if TYPE_CHECKING:
    from ..core.suite import Suite
    from ..evaluate.cohort_file import CohortModel
    from ..evaluate.worker_needs import Cluster

RayAddress = Annotated[
    str | None,
    Parameter(
        help="Evaluate on a Ray cluster: HOST:PORT, ray://HOST:PORT, auto, or local for one on "
        "this machine. Models and data must be at the same paths on every machine."
    ),
]


def asked_cluster(
    ray: str | None, *, shard: str | None, shards: int | None, gpus: int | None, cpus: int | None
) -> Cluster | None:
    """The cluster that the options describe. Raises :class:`InputError` for those that exclude."""
    given = {"--shards": shards, "--gpus-per-worker": gpus, "--cpus-per-worker": cpus}
    if ray is None:
        refuse(given, without="--ray")
        return None
    if shard is not None:
        what = "--shard and --ray exclude each other"
        raise InputError(what, remedy="leave one out; --shards N sets the number of parts on Ray")
    from ..evaluate.worker_needs import Cluster

    return Cluster(ray, shards, gpus, cpus)


def asked_models(
    model: str, *, base: str | None, called: str | None, out: Path
) -> list[tuple[CohortModel, Path]]:
    """The models to evaluate with their run folders: one, or those of a file."""
    from ..evaluate.cohort_file import CohortModel, is_cohort, read_cohort

    if not is_cohort(model):
        return [(CohortModel(model, base, out.name, called), out)]
    for option, given in (("--base", base), ("--name", called)):
        if given is not None:
            remedy = "give every model its own in a .toml file"
            raise InputError(f"{option} can't apply to a file of models", remedy=remedy)
    found = [(each, out / each.name) for each in read_cohort(Path(model))]
    for _, folder in found:
        check_outputs({"--out": folder}, [model], resumes=True)
        check_folder(folder)
    return found


def evaluate_all(
    models: Sequence[tuple[CohortModel, Path]],
    suite: Suite,
    cluster: Cluster | None,
    how: Mapping[str, Any],
) -> None:
    """Evaluate one model after the other here, or all of them on a cluster; name the folders."""
    from ..evaluate import evaluate_model
    from ..report.failures import failures_said
    from ..report.progress import progress
    from ..runs import read_run

    with progress() as tick:
        if cluster is None:
            for each, out in models:
                own: dict[str, Any] = {"base": each.base, "name": each.called}
                evaluate_model(each.model, suite, out, tick=tick, say=say, **own, **how)
        else:
            from ..evaluate.many_machines import evaluate_on_cluster

            asked = {name: value for name, value in how.items() if name != "shard"}
            evaluate_on_cluster(models, suite, cluster, tick=tick, **asked)
    for _, out in models:
        for line in failures_said(read_run(out)):
            say(line)
        say(f"run folder: {out}")


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

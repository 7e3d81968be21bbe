"""Commands that write launch files for large training engines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from ..core.files import check_folder
from .outputs import check_outputs
from .shared import Data, Int, Suite, decontaminate_queries, export_app, say, say_unfinished

Model = Annotated[str, Parameter(help="Hub id or folder of the base model.")]
Queries = Annotated[
    str, Parameter(help='JSONL with "prompt" and "gold", or hub:OWNER/NAME (?level=3-5 for MATH).')
]
Out = Annotated[Path, Parameter(help="Folder for the launch files.")]
Nodes = Annotated[Int, Parameter(validator=Number(gte=1), help="Number of machines.")]
Gpus = Annotated[Int, Parameter(validator=Number(gte=1), help="GPUs per machine.")]


@export_app.command
def verl(
    model: Model,
    *,
    queries: Queries,
    out: Out,
    nodes: Nodes = 1,
    gpus: Gpus = 8,
    suite: Suite = "mini",
    data: Data = None,
) -> None:
    """Write files for on-policy RL with verl in the paper's setting: run.sh, data, our grader."""
    from ..train.export import export_verl

    check_folder(out)
    check_outputs({"--out": out}, [model, suite, data])
    asked = decontaminate_queries(queries, suite, data)
    _say(export_verl(asked, out, model=model, nodes=nodes, gpus=gpus))


@export_app.command
def llamafactory(
    model: Model,
    *,
    queries: Queries,
    teacher: Path,
    out: Out,
    template: str = "qwen3",
    nodes: Nodes = 1,
    gpus: Gpus = 8,
    suite: Suite = "mini",
    data: Data = None,
) -> None:
    """Write files for off-policy SFT with LLaMA-Factory in the paper's setting: sft.yaml, data.

    Parameters
    ----------
    teacher
        Responses written by `distill`; only those graded correct are used.
    template
        Name of the model's chat template in LLaMA-Factory.
    """
    from ..train.export import export_llamafactory

    check_folder(out)
    check_outputs({"--out": out}, [model, suite, data])
    asked = decontaminate_queries(queries, suite, data)
    say_unfinished(teacher)
    options = {"nodes": nodes, "gpus": gpus}
    _say(export_llamafactory(asked, teacher, out, model=model, template=template, **options))


@export_app.command
def accelerate(*, out: Out, nodes: Nodes = 1, gpus: Gpus = 8, main_ip: str | None = None) -> None:
    """Write accelerate configurations for `transferscope train` on several GPUs.

    One each for DDP, FSDP2 and ZeRO-3.

    Parameters
    ----------
    main_ip
        Address of the first machine if there are several.
    """
    from ..train.export import export_accelerate

    check_folder(out)
    check_outputs({"--out": out})
    _say(export_accelerate(out, nodes=nodes, gpus=gpus, main_ip=main_ip))


def _say(written: list[Path]) -> None:
    for path in written:
        say(f"wrote {path}")

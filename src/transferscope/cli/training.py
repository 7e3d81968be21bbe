"""Commands that train an arm or sample its teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from ..core.shown import sentence
from .outputs import check_outputs
from .shared import (
    Arithmetic,
    Data,
    Dtype,
    EngineArgs,
    EngineName,
    Float,
    Int,
    Json,
    ModelName,
    Seed,
    Suite,
    app,
    asked_by,
    decontaminate_queries,
    print_json,
    say,
    say_decontaminated,
    say_unfinished,
)

TOO_LONG_SHOWN = 5
"""Number of queries that a message names."""


@app.command
def train(
    arm: str,
    *,
    out: Path,
    config: Path | None = None,
    model: ModelName | None = None,
    steps: Int | None = None,
    learning_rate: Float | None = None,
    lora_rank: Int | None = None,
    queries: str | None = None,
    teacher: str | None = None,
    dtype: Arithmetic | None = None,
    suite: Suite = "mini",
    data: Data = None,
    seed: Seed | None = None,
) -> None:
    """Train one arm. A rerun resumes where it stopped.

    Parameters
    ----------
    arm
        off-policy-sft, on-policy-sft, off-policy-rl, on-policy-rl-no-kl, on-policy-rl,
        random-reward or classic-sft (docs/science.md section 6).
    out
        Folder for the tuned model and its log.
    config
        TOML file with settings of the arm (docs/clusters.md); command-line options override it.
    model
        Known name, model or adapter folder, or hub id (default: smollm2-135m).
    steps
        Optimizer steps (default: as in the demo).
    learning_rate
        Learning rate (default: as in the demo).
    lora_rank
        Rank of LoRA adapters; 0, the default, trains all weights.
    queries
        JSONL with "prompt" and "gold", hub:OWNER/NAME, or mini:BENCHMARK (default: built in).
    teacher
        Responses written by `distill`, for off-policy arms (default: built in).
    dtype
        Precision of the arithmetic; weights are kept in float32. auto, the default: bfloat16 if
        the hardware supports it, else float32.
    seed
        Random seed (default: 0).
    """
    from ..report.progress import progress
    from ..train import arm_config, decontaminate_arm, need_trl, read_settings, train_arm
    from ..train.arm_config import PRECISIONS, PROCEDURAL

    inputs = [config, model, _file(queries), teacher, suite, data]
    check_outputs({"--out": out}, inputs, resumes=True)
    given: dict[str, Any] = {"model": model, "steps": steps, "learning_rate": learning_rate}
    given |= {"seed": seed, "lora_rank": lora_rank, "queries_from": queries, "teacher": teacher}
    given["precision"] = None if dtype is None else PRECISIONS[dtype]
    from_file = {} if config is None else read_settings(config)
    chosen = arm_config(
        from_file | {"arm": arm} | {k: v for k, v in given.items() if v is not None},
        place="options" if config is None else f"options and {config}",
    )
    need_trl()
    if chosen.teacher != PROCEDURAL and Path(chosen.teacher).is_file():
        say_unfinished(Path(chosen.teacher))
    source = chosen.queries_from
    chosen, found = decontaminate_arm(chosen, out, asked_by(suite, data))
    say_decontaminated(found, source, suite)
    with progress() as tick:
        train_arm(chosen, out, tick=tick)
    say(f"tuned model: {out}")


@app.command(name="distill")
def distill_command(
    teacher: ModelName,
    *,
    queries: str,
    out: Path,
    count: Annotated[Int | None, Parameter(validator=Number(gte=1))] = None,
    samples: Annotated[Int, Parameter(validator=Number(gte=1))] = 4,
    max_tokens: Annotated[Int, Parameter(validator=Number(gte=1))] = 512,
    temperature: Annotated[Float, Parameter(validator=Number(gte=0))] = 0.7,
    engine: EngineName = "hf",
    engine_args: EngineArgs = (),
    dtype: Dtype = "auto",
    suite: Suite = "mini",
    data: Data = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Sample a teacher's responses to training queries. A rerun resumes where it stopped.

    Every response is graded and kept. SFT arms train on the correct ones, RL arms on all of them
    (settings queries_from and teacher).

    Parameters
    ----------
    queries
        JSONL with "prompt" and "gold", hub:OWNER/NAME, mini:BENCHMARK (?level=3-5 for MATH).
    out
        JSONL file for the responses.
    count
        Use only the first queries of the source (default: all).
    samples
        Responses per query.
    max_tokens
        Maximum length of a response in tokens.
    temperature
        Sampling temperature.
    seed
        Random seed of sampling.
    """
    from dataclasses import asdict

    from ..evaluate import engine_options
    from ..evaluate.backends import backend
    from ..report.progress import progress
    from ..train.distill import check_out, distill

    check_outputs({"--out": out}, [teacher, suite, data])
    check_out(out, queries)
    chosen = backend(engine, engine_options(engine_args), dtype=dtype)
    chosen.check(teacher)
    asked = decontaminate_queries(queries, suite, data)[:count]
    with progress() as tick:
        found = distill(
            chosen.open(teacher),
            asked,
            out,
            samples=samples,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            tick=tick,
            say=say,
        )
    if found.too_long:
        names = ", ".join(found.too_long[:TOO_LONG_SHOWN])
        more = len(found.too_long) - TOO_LONG_SHOWN
        names += f" and {more} more" if more > 0 else ""
        say(
            f"{len(found.too_long)} queries are too long for the teacher's context and are left "
            f"out ({names}); lower --max-tokens or use a teacher with a longer context"
        )
    if found.failed:
        what = f"{found.failed} queries got no answer and are left out"
        say(f"{what}; run the same command to retry them")
    if as_json:
        print_json(asdict(found))
        return
    print(f"{found.responses} responses to {found.queries} queries in {sentence(out)}")
    print(f"{found.correct} correct; {found.solved} queries have a correct one")
    if found.unfinished:
        print(f"{found.unfinished} unfinished, which no arm trains on; raise --max-tokens")


def _file(queries: str | None) -> str | None:
    """The file named by a source of queries, if any."""
    return None if queries is None else queries.partition("?")[0]

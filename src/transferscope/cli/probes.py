"""Commands that measure shifts inside models: hidden states, token distributions, weights."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from ..core.errors import InputError, MissingExtra
from ..core.shown import sentence
from .outputs import check_outputs
from .probe_inputs import need_torch, prefix_and_writer, refuse, renderer, suite_texts
from .shared import Int, Json, ModelName, console, print_json, probe_app, say

if TYPE_CHECKING:
    from ..core.hidden_shift import HiddenShift
    from ..core.token_shift import TokenShift
    from ..probe.jobs import Split

Dtype = Annotated[
    Literal["float32", "auto", "bfloat16", "float16"],
    Parameter(
        help="Precision of the weights. auto: bfloat16 if the hardware supports it, else float32 "
        "(docs/probes.md explains what rounding does to the PCA shift)."
    ),
]
DeviceMap = Annotated[
    str | None, Parameter(help='"auto" spreads a model over all devices (default: one device).')
]
Out = Annotated[Path | None, Parameter(help="Folder for the report and the measurements.")]
ShardOption = Annotated[
    str | None,
    Parameter(
        help="i/n: measure only shard i of n. A run without --shard merges the shards in --out."
    ),
]
RayOption = Annotated[
    Int | None, Parameter(validator=Number(gte=1, lte=9999), help="Number of shards to run on Ray.")
]
GpusPerShard = Annotated[
    Int | None,
    Parameter(
        validator=Number(gte=0), help="GPUs per Ray task (default: 1 if a GPU is available)."
    ),
]
BatchTokens = Annotated[Int, Parameter(validator=Number(gte=1), help="Tokens per batch.")]


@probe_app.command
def hidden(
    base: ModelName,
    tuned: ModelName,
    *,
    texts: Path | None = None,
    suite: str | None = None,
    limit: Annotated[Int | None, Parameter(validator=Number(gte=1))] = None,
    data: Path | None = None,
    part: Literal["prompt", "response"] | None = None,
    pooling: Literal["mean", "last", "authors"] = "mean",
    max_tokens: Annotated[Int | None, Parameter(validator=Number(gte=1))] = None,
    dtype: Dtype = "float32",
    device_map: DeviceMap = None,
    batch_tokens: BatchTokens = 2048,
    out: Out = None,
    shard: ShardOption = None,
    ray: RayOption = None,
    gpus_per_shard: GpusPerShard = None,
    as_json: Json = False,
) -> None:
    """Measure how far hidden states moved: PCA shift, CKA and relative L2 by layer and group.

    Parameters
    ----------
    texts
        Run folder, or JSONL with "text", or "prompt" and "response", on every line ("benchmark" and
        "group" are optional).
    suite
        Use the prompts of this suite instead of --texts, as an evaluation sends them to the base.
    limit
        Prompts per benchmark of the suite (default: 20).
    data
        Folder with the data files of the suite's real benchmarks.
    part
        Part of a run folder, or of lines with "prompt" and "response", to use (default: prompt).
    pooling
        Mean over the tokens of a text, its last token, or the procedure of the authors' code.
    max_tokens
        Truncate texts to this length. Without it, a text beyond the model's context is refused.
    """
    from ..probe.texts import open_texts
    from ..report.progress import progress

    check_outputs({"--out": out}, [base, tuned, texts, suite, data])
    if (texts is None) == (suite is None):
        raise InputError("no texts to measure on", remedy="give either --texts or --suite")
    if suite is not None and part == "response":
        raise InputError("a suite has no responses", remedy="give --texts RUN, or --part prompt")
    if texts is not None:
        refuse({"--limit": limit, "--data": data}, without="--suite")
        rows = open_texts(texts, part=part, render=renderer(base))
    need_torch()
    from ..probe.jobs import probe_hidden

    split = _split(out, shard, ray, gpus_per_shard)
    if suite is not None:
        rows = suite_texts(base, suite, limit=limit or 20, data=data)
    options: dict[str, Any] = {"pooling": pooling, "dtype": dtype, "device_map": device_map}
    if max_tokens is not None:
        options["max_tokens"] = max_tokens
    with progress() as tick:
        shift = probe_hidden(
            base, tuned, rows, split, tick=tick, batch_tokens=batch_tokens, **options
        )
    if shift is None:
        _shard_done(split, as_json)
        return
    if out is not None:
        from ..report.probe_pages import write_hidden

        _say_written(write_hidden(out, shift, base=base, tuned=tuned))
    _show_shift(shift, as_json)


@probe_app.command
def tokens(
    base: ModelName,
    tuned: ModelName,
    *,
    responses: Path | None = None,
    prompts: Path | None = None,
    prefix: Literal["tuned", "base", "shared"] | None = None,
    max_tokens: Annotated[Int | None, Parameter(validator=Number(gte=1))] = None,
    sequential: Annotated[bool, Parameter(negative=())] = False,
    dtype: Dtype = "float32",
    device_map: DeviceMap = None,
    batch_tokens: BatchTokens = 2048,
    out: Out = None,
    shard: ShardOption = None,
    ray: RayOption = None,
    gpus_per_shard: GpusPerShard = None,
    as_json: Json = False,
) -> None:
    """Measure how far next-token distributions moved: KL both ways, JS, log-ratio, rank shift.

    Parameters
    ----------
    responses
        Run folder, or JSONL with "prompt" and "response" on every line ("benchmark" and "group" are
        optional).
    prompts
        Generate the responses first: JSONL with "prompt", or a run folder. The model that --prefix
        names answers all prompts in this process; --ray and --shard split only the measuring.
    prefix
        Which model wrote the responses. Default: the model of a run folder, shared for a file, and
        tuned with --prompts.
    max_tokens
        Maximum length of an answer to --prompts (default: 256).
    sequential
        Hold one model in memory at a time; the base's states are kept on disk meanwhile.
    """
    from ..probe.texts import open_prompts, open_responses
    from ..report.progress import progress

    check_outputs({"--out": out}, [base, tuned, responses, prompts])
    if (responses is None) == (prompts is None):
        raise InputError(
            "no responses to measure on", remedy="give either --responses or --prompts"
        )
    if prompts is not None and prefix == "shared":
        raise InputError(
            "prefix 'shared' has no model that could answer --prompts",
            remedy="give --prefix tuned or base, or --responses",
        )
    if responses is not None:
        refuse({"--max-tokens": max_tokens}, without="--prompts")
    split = _split(out, shard, ray, gpus_per_shard)
    rows = open_responses(responses) if responses is not None else open_prompts(prompts or "")
    need_torch()
    from ..probe.jobs import probe_tokens

    context, writer = prefix_and_writer(base, tuned, responses=responses, prefix=prefix)
    options: dict[str, Any] = {"dtype": dtype, "device_map": device_map}
    with progress() as tick:
        if prompts is not None:
            from ..probe.generated import generate_responses, kept_responses

            answer = generate_responses if out is None else partial(kept_responses, out)
            model = str(writer)
            rows = answer(model, rows, max_tokens=max_tokens or 256, tick=tick, **options)
        found = probe_tokens(
            base,
            tuned,
            rows,
            split,
            prefix=context,
            sequential=sequential,
            batch_tokens=batch_tokens,
            tick=tick,
            **options,
        )
    if found is None:
        _shard_done(split, as_json)
        return
    positions, shift = found[0], replace(found[1], writer=writer)
    if out is not None:
        from ..probe.position_table import write_positions
        from ..probe.tokens import token_names
        from ..report.probe_pages import write_tokens

        table = out / "positions.parquet"
        write_positions(table, positions, rows.labels, token_names(base))
        written = write_tokens(out, shift, base=base, tuned=tuned)
        _say_written([table, *written])
        if shift.shifted_tokens and out / "words.png" not in written:
            say(str(MissingExtra("figures", needed_for="drawing words.png")))
    _show_shift(replace(shift, passages=()), as_json)


@probe_app.command
def weights(base: ModelName, tuned: ModelName, *, as_json: Json = False) -> None:
    """Measure how much of the weights changed: share, relative norm, stable rank by layer and kind.

    Weights are read from safetensors one matrix at a time; no model is built.
    """
    from ..report.progress import progress

    need_torch()
    from ..probe.weights import weights_shift

    with progress() as tick:
        shift = weights_shift(base, tuned, tick=tick)
    if as_json:
        print_json(shift.to_json())
        return
    from ..report.weight_table import print_weights

    print_weights(shift, console())


@probe_app.command
def run(name: str, base: str, tuned: str, *, as_json: Json = False) -> None:
    """Run a probe that another package adds (entry-point group transferscope.probes).

    Parameters
    ----------
    name
        Name of the probe.
    base
        Name, folder or hub id of the base model, passed on unchanged.
    tuned
        Name, folder or hub id of the tuned model, passed on unchanged.
    """
    from ..core.plugins import plugins

    known = plugins("probes")
    if name not in known:
        remedy = f"use one of {', '.join(known)}" if known else "install a package that adds it"
        raise InputError(f"no probe {name!r}", remedy=remedy)
    found = known[name](base, tuned)
    if as_json:
        print_json(found)
        return
    for key, value in found.items():
        if not isinstance(value, dict | list):
            print(sentence(f"{key}: {value}"))


def _split(out: Path | None, shard: str | None, ray: int | None, gpus: int | None) -> Split:
    need_torch()
    from ..core.shard import Shard
    from ..probe.jobs import Split

    return Split(out, None if shard is None else Shard.parse(shard), ray, gpus)


def _shard_done(split: Split, as_json: bool) -> None:
    shard = split.shard
    if shard is None or split.out is None:
        raise AssertionError("only a shard leaves nothing to show")
    say(f"shard {shard.number} of {shard.of} is in {split.out}")
    say(f"{split.left()}; then run the command without --shard to merge them")
    if as_json:
        print_json({"shard": shard.number, "of": shard.of, "missing": split.missing()})


def _say_written(paths: list[Path]) -> None:
    for path in paths:
        say(f"wrote {path}")


def _show_shift(shift: HiddenShift | TokenShift, as_json: bool) -> None:
    if as_json:
        print_json(shift.to_json())
        return
    from ..report.terminal import print_shift

    print_shift(shift, console())

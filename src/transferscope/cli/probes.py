"""Commands that look inside models."""

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
from .probe_inputs import need_torch, refuse, renderer, suite_texts, whose
from .shared import Int, Json, ModelName, console, print_json, probe_app, say

if TYPE_CHECKING:
    from ..core.hidden_shift import HiddenShift
    from ..core.token_shift import TokenShift
    from ..probe.jobs import Split

Dtype = Annotated[
    Literal["float32", "auto", "bfloat16", "float16"],
    Parameter(
        help="Of the weights while measuring; auto: bfloat16 where the hardware multiplies it, "
        "else float32 (docs/probes.md: what rounding does to the PCA shift)."
    ),
]
DeviceMap = Annotated[
    str | None, Parameter(help='"auto" spreads a model over all devices; default: one.')
]
Out = Annotated[Path | None, Parameter(help="Folder for the report and all that was measured.")]
ShardOption = Annotated[
    str | None, Parameter(help="i/n: do only this part; without it, --out puts all n together.")
]
RayOption = Annotated[
    Int | None, Parameter(validator=Number(gte=1, lte=9999), help="Measure in so many over Ray.")
]
GpusPerShard = Annotated[
    Int | None, Parameter(validator=Number(gte=0), help="Of a Ray task; default: one, if any.")
]
BatchTokens = Annotated[Int, Parameter(validator=Number(gte=1), help="Tokens in a batch.")]


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
    """PCA shift, CKA and relative shift of the hidden states, per layer and group.

    Parameters
    ----------
    texts
        JSONL with "text", or with "prompt" and "response", on every line ("benchmark", "group"
        optional), or a run folder.
    suite
        In place of texts: the prompts of a suite, as an evaluation gives them to the base.
    limit
        Prompts per benchmark of the suite; default: 20.
    data
        Folder of the files that the suite's real benchmarks are read from.
    part
        What to take of a run folder, or of lines with "prompt" and "response"; default: prompt.
    pooling
        Mean over a text's tokens, its last token, or the authors' procedure.
    max_tokens
        Cut texts here; without it, one that is longer than the model reads is refused.
    """
    from ..probe.texts import open_texts
    from ..report.progress import progress

    check_outputs({"--out": out}, [base, tuned, texts, suite, data])
    if (texts is None) == (suite is None):
        raise InputError("the probe reads texts", remedy="give either --texts or --suite")
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
    """KL both ways, JS, log-ratio and rank shift of the next-token distributions.

    Parameters
    ----------
    responses
        JSONL with "prompt" and "response" on every line ("benchmark", "group" optional), or a run
        folder.
    prompts
        In place of responses: JSONL with "prompt", or a run folder; the prefix's model answers
        first, all prompts in this process: --ray and --shard split only the measuring.
    prefix
        Whose responses these are; default: what a run's manifest says, of a file shared, with
        --prompts tuned.
    max_tokens
        Of an answer to --prompts; default: 256.
    sequential
        Never hold both models in memory: the base's states wait on the disk.
    """
    from ..probe.texts import open_prompts, open_responses
    from ..report.progress import progress

    check_outputs({"--out": out}, [base, tuned, responses, prompts])
    if (responses is None) == (prompts is None):
        raise InputError(
            "the probe walks along responses", remedy="give either --responses or --prompts"
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

    walked, writer = whose(base, tuned, responses=responses, prefix=prefix)
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
            prefix=walked,
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
    """Changed share (also as stored in bf16), relative norm and stable rank, by layer and kind.

    Weights are read one matrix at a time from safetensors; no model is built.
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
    """A probe that another package adds (entry points of the group transferscope.probes).

    Parameters
    ----------
    name
        What the package calls it.
    base
        Name, folder or hub id of the base, handed on as it is.
    tuned
        Of the tuned model.
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
    from ..probe.jobs import Split
    from ..probe.shards import Shard

    return Split(out, None if shard is None else Shard.parse(shard), ray, gpus)


def _shard_done(split: Split, as_json: bool) -> None:
    shard = split.shard
    if shard is None or split.out is None:
        raise AssertionError("only a shard leaves nothing to show")
    say(f"shard {shard.number} of {shard.of} is in {split.out}")
    say(f"{split.left()}; then run the command without --shard")
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

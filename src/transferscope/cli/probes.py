"""Commands that look inside models."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from ..core.errors import MissingExtra
from .shared import Json, ModelName, console, print_json, probe_app


@probe_app.command
def hidden(
    base: ModelName,
    tuned: ModelName,
    *,
    texts: Path,
    pooling: Literal["mean", "last", "authors"] = "mean",
    as_json: Json = False,
) -> None:
    """PCA shift, CKA and relative shift of the hidden states, per layer.

    Parameters
    ----------
    texts
        JSONL with a field "text" on every line.
    pooling
        Mean over a text's tokens, its last token, or the authors' procedure.
    """
    from ..probe.texts import read_texts
    from ..report.progress import progress

    rows = read_texts(texts)
    _need_torch()
    from ..probe.hidden import hidden_shift

    with progress() as tick:
        shift = hidden_shift(base, tuned, rows, pooling=pooling, tick=tick)
    _show_shift(shift.to_json(), as_json)


@probe_app.command
def tokens(
    base: ModelName,
    tuned: ModelName,
    *,
    responses: Path,
    prefix: Literal["tuned", "base", "shared"] = "shared",
    sequential: bool = False,
    as_json: Json = False,
) -> None:
    """KL both ways, JS, log-ratio and rank shift of the next-token distributions.

    Parameters
    ----------
    responses
        JSONL with "prompt" and "response" on every line, or a run folder.
    prefix
        Whose responses these are.
    sequential
        Never hold both models in memory: the base's states wait on the disk.
    """
    from ..probe.texts import read_responses, run_responses
    from ..report.progress import progress
    from ..runs import read_run

    rows = run_responses(read_run(responses)) if responses.is_dir() else read_responses(responses)
    _need_torch()
    from ..probe.tokens import token_shift

    with progress() as tick:
        shift = token_shift(base, tuned, rows, prefix=prefix, sequential=sequential, tick=tick)
    _show_shift(shift.to_json(), as_json)


@probe_app.command
def weights(base: ModelName, tuned: ModelName, *, as_json: Json = False) -> None:
    """Changed share (also as stored in bf16), relative norm and stable rank, by layer and kind.

    Weights are read one matrix at a time from safetensors; no model is built.
    """
    from ..report.progress import progress

    _need_torch()
    from ..probe.weights import weights_shift

    with progress() as tick:
        shift = weights_shift(base, tuned, tick=tick)
    if as_json:
        print_json(shift.to_json())
        return
    from ..report.weights import print_weights

    print_weights(shift, console())


def _need_torch() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None or find_spec("transformers") is None:
        raise MissingExtra("probe", needed_for="probing models")


def _show_shift(document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    from ..report.terminal import print_shift

    print_shift(document, console())

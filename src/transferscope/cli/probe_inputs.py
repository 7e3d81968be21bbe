"""Inputs of the probe commands, and a check for options that do not apply to them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerBase

    from ..core.records import Message
    from ..probe.texts import Render, Texts
    from ..probe.tokens import Prefix


def refuse(given: Mapping[str, Any], *, without: str) -> None:
    """Raise :class:`InputError` for a given option that only applies with ``without``."""
    for option, value in given.items():
        if value is not None:
            raise InputError(
                f"{option} only applies with {without}",
                remedy=f"remove it, or add {without}",
            )


def renderer(model: str) -> Render:
    """Render messages with the model's chat template; the tokenizer is loaded on first use."""

    @cache
    def tokenizer() -> PreTrainedTokenizerBase:
        need_torch()
        from ..models import load_tokenizer

        return load_tokenizer(model)

    def render(messages: Sequence[Message]) -> str:
        from ..engines.rendering import rendered

        return rendered(tokenizer(), messages)

    return render


def prefix_and_writer(
    base: str, tuned: str, *, responses: Path | None, prefix: Prefix | None
) -> tuple[Prefix, str | None]:
    """The prefix, and the name of the model that wrote the ``responses`` if it is known.

    ``responses=None`` means that the model named by the prefix answers prompts.
    """
    if responses is None:
        return ("base", base) if prefix == "base" else ("tuned", tuned)
    from ..probe.response_source import prefix_of, writer_of

    writer = writer_of(responses)
    name = None if writer is None else writer.name
    return prefix_of(writer, base, tuned, said=prefix), name


def suite_texts(model: str, name: str, *, limit: int, data: Path | None) -> Texts:
    """Up to ``limit`` prompts of each benchmark of a suite, as ``model`` would receive them."""
    from ..core.files import scratch_folder
    from ..core.suite import load_suite
    from ..evaluate.suite_prompts import write_prompts
    from ..probe.texts import open_texts
    from ..report.progress import progress

    suite = load_suite(name)
    with scratch_folder() as scratch, progress() as tick:
        run = scratch / "run"
        return open_texts(write_prompts(model, suite, run, n=limit, data=data, tick=tick))


def need_torch() -> None:
    """Raise :class:`MissingExtra` if models can't be run here."""
    from importlib.util import find_spec

    if find_spec("torch") is None or find_spec("transformers") is None:
        raise MissingExtra("probe", needed_for="probing models")

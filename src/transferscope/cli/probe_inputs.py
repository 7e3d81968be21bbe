"""What the probe commands read, and the options that say nothing about it."""

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
    """Raise :class:`InputError` for an option that was given and means nothing ``without``."""
    for option, value in given.items():
        if value is not None:
            raise InputError(
                f"{option} says nothing without {without}",
                remedy=f"leave it out, or give {without}",
            )


def renderer(model: str) -> Render:
    """Messages to text by the model's chat template; its tokenizer is loaded for the first."""

    @cache
    def tokenizer() -> PreTrainedTokenizerBase:
        need_torch()
        from ..models import load_tokenizer

        return load_tokenizer(model)

    def render(messages: Sequence[Message]) -> str:
        from ..engines.rendering import rendered

        return rendered(tokenizer(), messages)

    return render


def whose(
    base: str, tuned: str, *, responses: Path | None, prefix: Prefix | None
) -> tuple[Prefix, str | None]:
    """The prefix, and the name of the model that wrote the ``responses``, where that is known.

    ``None`` for responses stands for prompts, which the model of the prefix answers.
    """
    if responses is None:
        return ("base", base) if prefix == "base" else ("tuned", tuned)
    from ..probe.response_source import prefix_of, writer_of

    writer = writer_of(responses)
    name = None if writer is None else writer.name
    return prefix_of(writer, base, tuned, said=prefix), name


def suite_texts(model: str, name: str, *, limit: int, data: Path | None) -> Texts:
    """At most ``limit`` prompts of every benchmark of a suite, as ``model`` would be given them."""
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
    """Raises :class:`MissingExtra` where models can't be run."""
    from importlib.util import find_spec

    if find_spec("torch") is None or find_spec("transformers") is None:
        raise MissingExtra("probe", needed_for="probing models")

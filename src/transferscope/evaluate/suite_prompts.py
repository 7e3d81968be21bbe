"""A suite's prompts without asking a model: no weights are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..core.records import Message, ModelRef, Tick, no_tick
from ..core.suite import Suite
from ..engines import FakeEngine
from ..engines.rendering import rendered
from ..models import load_tokenizer
from .run import evaluate, prepare


class _Unanswered(FakeEngine):
    """Renders by a model's tokenizer and answers nothing."""

    def __init__(self, model: str) -> None:
        super().__init__({}, name=model)
        self._tokenizer = load_tokenizer(model)

    def render(self, messages: Sequence[Message]) -> str:
        return rendered(self._tokenizer, messages)


def suite_prompts(
    suite: Suite, *, n: int | None = None, seed: int = 0, data: str | Path | None = None
) -> list[str]:
    """What ``suite`` asks, before any chat template: the prompts of all its items.

    ``n`` items a benchmark (``None``: all that the pack has). Raises as
    :func:`~transferscope.evaluate.evaluate` does for a pack, a task or a file.
    """
    jobs = prepare(suite, n=n, seed=seed, data=data)
    return [text for job in jobs for text in job.texts()]


def write_prompts(
    model: str,
    suite: Suite,
    out: Path,
    *,
    n: int | None = None,
    seed: int = 0,
    data: Path | None = None,
    tick: Tick = no_tick,
) -> Path:
    """A run folder of ``suite`` whose answers are all empty; its prompts are those of a run.

    Raises as :func:`~transferscope.evaluate.evaluate` does.
    """
    ref, engine = ModelRef(model), _Unanswered(model)
    return evaluate(engine, suite, out, model_ref=ref, n=n, seed=seed, data=data, tick=tick)

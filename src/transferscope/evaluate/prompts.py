"""A suite's prompts as a model would be given them, without asking it: no weights are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..core.records import Message, ModelRef, Tick, no_tick
from ..core.suite import Suite
from ..engines import FakeEngine
from ..engines.rendering import rendered
from ..models import load_tokenizer
from .run import evaluate


class _Unanswered(FakeEngine):
    """Renders by a model's tokenizer and answers nothing."""

    def __init__(self, model: str) -> None:
        super().__init__({}, name=model)
        self._tokenizer = load_tokenizer(model)

    def render(self, messages: Sequence[Message]) -> str:
        return rendered(self._tokenizer, messages)


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

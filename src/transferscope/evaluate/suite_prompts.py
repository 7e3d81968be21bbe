"""Get the prompts of a suite without loading or asking a model."""

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
    """Renders prompts with a model's tokenizer and gives empty answers."""

    def __init__(self, model: str) -> None:
        super().__init__({}, name=model)
        self._tokenizer = load_tokenizer(model)

    def render(self, messages: Sequence[Message]) -> str:
        return rendered(self._tokenizer, messages)


def suite_prompts(
    suite: Suite, *, n: int | None = None, seed: int = 0, data: str | Path | None = None
) -> list[str]:
    """The prompts of all items of ``suite``, before any chat template.

    ``n`` is the number of items per benchmark (``None``: all that the pack has). Raises the same
    errors as :func:`~transferscope.evaluate.evaluate` for a pack, a task or a file.
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
    """Write a run folder of ``suite`` with the prompts of a real run and only empty answers.

    Raises the same errors as :func:`~transferscope.evaluate.evaluate`.
    """
    ref, engine = ModelRef(model), _Unanswered(model)
    return evaluate(engine, suite, out, model_ref=ref, n=n, seed=seed, data=data, tick=tick)

"""A suite's prompts without asking a model: no weights are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..core.records import Message, ModelRef, Tick, no_tick
from ..core.suite import Suite
from ..engines import FakeEngine
from ..engines.rendering import rendered
from ..models import load_tokenizer
from ..tasks import PACKS, task_name
from .run import decodings, evaluate, need_lm_eval, task_managers


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
    need_lm_eval()
    from .quiet import quiet_lm_eval

    decodings(suite, n=n, seed=seed, data=data)  # raises for what is missing
    found: list[str] = []
    with quiet_lm_eval():
        managers = task_managers(suite, PACKS, n=n, seed=seed, data=data)
        for name, benchmark in suite.benchmarks.items():
            loaded = managers[benchmark.pack].load([task_name(benchmark.pack, name)])
            (task,) = loaded["tasks"].values()
            found += [str(task.doc_to_text(doc)) for doc in task.eval_docs]
    return found


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

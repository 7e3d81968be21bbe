"""A server that fails three requests in ten, in a dozen ways: every item has one outcome."""

import os
import time
from pathlib import Path

import pytest

from transferscope.core.records import Decoding, Generation, ModelRef, NoAnswer
from transferscope.core.suite import Suite
from transferscope.engines import OpenAIEngine, ServerOptions, calls
from transferscope.evaluate import evaluate
from transferscope.runs import read_run
from transferscope.tasks import Benchmark, Item

from .chaos import FAULTS, chaos

REQUESTS = int(os.environ.get("CHAOS_REQUESTS", "600"))
"""`make serve-tests` sends 5,000."""


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "BACKOFF", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def suite(items: int) -> Suite:
    own = {"pack": "mine", "metric": "accuracy", "chance": 0.0, "items": items}
    settings = {"name": "mine", "source": "math", "scale": "unit"}
    groups = {"math": ["echo"]}
    return Suite.model_validate({**settings, "groups": groups, "benchmarks": {"echo": own}})


def echo(asked: list[str]) -> Benchmark:
    """A reply is right if it is to this very prompt."""
    items = [Item(prompt, prompt, gold=f"to {prompt}") for prompt in asked]
    return Benchmark(
        about="replies that name their prompt",
        items=lambda n, *, seed, data: items[:n],
        grade=lambda item, reply: float(reply == item.gold),
        decoding=Decoding(max_tokens=16),
    )


def test_every_item_ends_as_exactly_one_outcome(tmp_path: Path) -> None:
    asked = [f"item {at}" for at in range(REQUESTS)]
    with chaos(seed=7) as server:
        engine = OpenAIEngine("m", ServerOptions(server.base_url, concurrency=64, timeout=1.0))
        packs = {"mine": {"echo": echo(asked)}}
        ref, own = ModelRef("m"), suite(REQUESTS)
        run = read_run(evaluate(engine, own, tmp_path / "run", model_ref=ref, packs=packs))
        outcomes, failures = run.by_benchmark["echo"], run.failed.get("echo", ())
        assert sorted([*(o.id for o in outcomes), *(f.id for f in failures)]) == sorted(asked)
        # An answer is never another item's, and a fault never scores.
        assert {outcome.score for outcome in outcomes} == {1.0}
        assert all(failure.why for failure in failures)
        assert len(failures) < 0.02 * REQUESTS
        assert set(server.faults) == set(FAULTS)
        assert server.faults.total() == pytest.approx(0.3 * server.asked.total(), rel=0.2)
        # The same command asks the failed ones again, and only those.
        before = server.asked.copy()
        server.rate = 0.0
        again = read_run(evaluate(engine, own, tmp_path / "run", model_ref=ref, packs=packs))
        left = set(server.asked - before) - {"List a dozen words, any you like."}
        assert left == {failure.id for failure in failures}
        assert len(again.by_benchmark["echo"]) == REQUESTS
        assert not again.failed


def test_a_cancel_returns_at_once_in_the_middle() -> None:
    with chaos(seed=1) as server:
        engine = OpenAIEngine("m", ServerOptions(server.base_url, concurrency=32, timeout=30.0))
        prompts = [engine.render([{"role": "user", "content": f"item {at}"}]) for at in range(400)]
        answers = engine.generate_each(prompts, Decoding(), nth=[0] * len(prompts))
        for _ in range(50):
            _, found = next(answers)
            assert isinstance(found, Generation | NoAnswer)
        begun = time.monotonic()
        answers.close()
        assert time.monotonic() - begun < 1.5

"""Twins and pooled measures of a run, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from transferscope.core.records import Decoding, ModelRef
from transferscope.core.suite import Suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import evaluate
from transferscope.runs import read_run
from transferscope.tasks import Benchmark, Item

CAPITALS = Benchmark(
    about="capitals",
    items=lambda n, *, seed, data: [
        Item("fr", "France?", gold="Paris", weight=3.0),
        Item("it", "Italy?", gold="Rome"),
    ],
    grade=lambda item, reply: float(reply == item.gold),
    decoding=Decoding(max_tokens=8),
    twins={"lenient": lambda item, reply: float((item.gold or "") in reply)},
    pooled={
        "all_right": lambda replies: float(all(i.gold == reply for i, reply in replies)),
        "answers": lambda replies: len(replies) / 10,
    },
)


def metrics(benchmark: Benchmark, out: Path, *, repeats: int = 1) -> dict[str, float]:
    suite = Suite.model_validate(
        {
            "name": "s",
            "source": "g",
            "groups": {"g": ("capitals",)},
            "benchmarks": {"capitals": {"pack": "mine", "chance": 0.0, "repeats": repeats}},
        }
    )
    engine = FakeEngine(lambda prompt: "It is Paris" if "France" in prompt else "Rome")
    packs = {"mine": {"capitals": benchmark}}
    run = evaluate(engine, suite, out, model_ref=ModelRef("fake"), packs=packs)
    return dict(read_run(run).manifest.metrics.get("capitals", {}))


def test_twins_are_weighted_and_pooled_measures_see_all_replies(tmp_path: Path) -> None:
    found = metrics(CAPITALS, tmp_path / "run")
    assert list(found) == ["score", "lenient", "all_right", "answers"]
    assert found == pytest.approx({"score": 0.25, "lenient": 1.0, "all_right": 0, "answers": 0.2})


def test_each_repeat_is_a_reply(tmp_path: Path) -> None:
    assert metrics(CAPITALS, tmp_path / "run", repeats=3)["answers"] == pytest.approx(0.6)


def test_a_benchmark_without_either_records_nothing(tmp_path: Path) -> None:
    plain = Benchmark(
        about="capitals", items=CAPITALS.items, grade=CAPITALS.grade, decoding=CAPITALS.decoding
    )
    assert metrics(plain, tmp_path / "run") == {}

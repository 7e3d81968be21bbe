"""Twins and pooled measures of a run, worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from transferscope.core.records import Decoding, ModelRef
from transferscope.core.suite import Benchmark as SuiteBenchmark
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


def test_nothing_is_measured_where_every_request_failed(tmp_path: Path) -> None:
    """The twins of a benchmark without any answer have no score."""

    class Mute(FakeEngine):
        def unfit(self, prompts: Any, answer: int) -> dict[int, str]:
            return {at: "too long" for at, prompt in enumerate(prompts) if "mute" in prompt}

    def items(word: str) -> Any:
        return lambda n, *, seed, data: [Item("1", f"{word}: 1 + 1?", gold="2")]

    pack = {
        name: Benchmark(
            about=name,
            items=items(name),
            grade=lambda item, reply: 1.0,
            decoding=Decoding(max_tokens=8),
            twins={"other": lambda item, reply: 0.0},
        )
        for name in ("loud", "mute")
    }
    suite = Suite(
        name="t",
        source="g",
        groups={"g": ("loud", "mute")},
        benchmarks={name: SuiteBenchmark(pack="p") for name in pack},
    )
    out = evaluate(
        Mute(lambda _: "2"), suite, tmp_path / "run", model_ref=ModelRef("m"), packs={"p": pack}
    )
    run = read_run(out)
    assert run.manifest.metrics == {"loud": {"score": 1.0, "other": 0.0}}
    assert len(run.failed["mute"]) == 1

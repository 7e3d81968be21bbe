"""The demo's items follow from how fast the machine is."""

import json
from pathlib import Path

import pytest

from transferscope.study import demo_study, pace, paced, plan_study, shipped_adapters
from transferscope.study.pace import fitted

DEMO = demo_study(shipped_adapters())
# 12 benchmarks of one repeat, three models: 36 answers an item at 0.17 s; 60 texts at 0.25 s for
# each of 3 probes of two models, and 0.2 minutes for the report.
MINUTES_PER_ITEM = 36 * 0.17 / 60
OTHER = 6 * 60 * 0.25 / 60 + 0.2


def test_the_plan_is_what_these_numbers_say() -> None:
    assert plan_study(DEMO, Path("none")).minutes_left == pytest.approx(
        60 * MINUTES_PER_ITEM + OTHER
    )
    slow = plan_study(DEMO, Path("none"), pace=3.0)
    assert slow.minutes_left == pytest.approx(3 * (60 * MINUTES_PER_ITEM + OTHER))
    assert slow.lines()[0].endswith("minutes as measured on this machine")


def test_a_machine_that_is_fast_enough_takes_all_items() -> None:
    found = fitted(DEMO, Path("none"), 1.0)  # 7.8 minutes
    assert (found.config, found.note) == (DEMO, "")


def test_a_slower_one_takes_as_many_as_fit_and_says_so() -> None:
    found = fitted(DEMO, Path("none"), 2.0)
    fits = int((9.0 / 2 - OTHER) / MINUTES_PER_ITEM)  # 27
    assert found.config.items == fits == 27
    assert found.note.startswith("This machine takes 2.0 times as long as the reference")
    assert "within 10 minutes, the demo uses 27 instead of 60 items" in found.note
    assert fitted(DEMO, Path("none"), 100.0).config.items == 10


def test_the_faster_of_two_times_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    class Engine:
        def render(self, messages: object) -> str:
            return "asked"

        def generate(self, prompts: list[str], decoding: object) -> None:
            asked.append(len(prompts))

    asked: list[int] = []
    clock = iter([10.0, 18.0, 20.0, 21.6])  # 8 s beside a neighbour's work, then 1.6
    monkeypatch.setattr(pace, "open_engine", lambda model, dtype: Engine())
    monkeypatch.setattr(pace.time, "perf_counter", lambda: next(clock))
    assert pace.pace_of("tiny", "float32") == pytest.approx(0.5)
    assert asked == [2, 24, 24]


def test_a_demo_that_was_begun_keeps_its_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "pace_of", lambda model, dtype: 1.0)
    assert paced(DEMO, tmp_path, dtype="auto").config.items == 60
    begun = DEMO.model_copy(update={"items": 27})
    (tmp_path / "study.json").write_text(json.dumps({"config": begun.model_dump(mode="json")}))
    found = paced(DEMO, tmp_path, dtype="auto")
    assert (found.config.items, found.note) == (27, "")

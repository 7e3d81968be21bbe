"""The check of balanced places: bounds by hand, simulated false alarms, the authors' GPQA."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from transferscope.core.suite import load_suite
from transferscope.tasks import Item, letter_balance, validate
from transferscope.tasks.letter_balance import guessing, imbalance
from transferscope.tasks.paper import PRESETS

from .test_lettered_choices import csv_file, gpqa_rows, head_rows

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bench"
GPQA, ACP, HEAD = "GPQA-Diamond", "ACPBench", "HeadQA"


def letters(golds: str, options: int = 4) -> list[Item]:
    choices = tuple("ABCDE"[:options])
    return [Item(str(at), "?", gold=gold, choices=choices) for at, gold in enumerate(golds)]


def test_the_bound_by_hand() -> None:
    """All of n at one of 4 places: 0.25^n must be below 0.001 / 8, which holds from n = 7 on."""
    assert 0.25**6 > 0.001 / 8 > 0.25**7
    assert imbalance(letters("C" * 6)) is None
    assert imbalance(letters("C" * 7)) == (
        "right answers are not balanced over the places of the options: A 0, B 0, C 7, D 0; "
        "always choosing C scores 100 %, but in a random order 25 % (false alarms: 1 in 1,000)"
    )
    assert imbalance(letters("ABCD" * 50)) is None


def test_a_letter_that_is_never_right_is_told() -> None:
    """None of 40 at D: 0.75^40 = 1e-5 is below 0.001 / 8; the other letters are within bounds."""
    assert "D 0; always" in (imbalance(letters("ABC" * 13 + "A")) or "")
    assert imbalance(letters("ABC" * 8)) is None  # 0.75^24 = 0.001


def test_numbers_of_options_may_differ() -> None:
    """E exists in the second half only: 1/5 of 50 there is even, and so is 0 of the first 50."""
    items = [*letters("ABCD" * 12 + "AB"), *letters("ABCDE" * 10, 5)]
    assert imbalance(items) is None
    assert guessing(items) == pytest.approx((50 / 4 + 50 / 5) / 100)
    assert imbalance([*letters("ABCD" * 12 + "AB"), *letters("E" * 50, 5)]) is not None


def test_false_alarms_are_as_rare_as_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a stated 5 %, at most 34 of 400 random orders (99.9 % point of Binomial(400, 0.05))."""
    monkeypatch.setattr(letter_balance, "FALSE_ALARM", 0.05)
    rng = random.Random(0)
    draws = ("".join(rng.choices("ABCD", k=198)) for _ in range(400))
    alarms = sum(imbalance(letters(golds)) is not None for golds in draws)
    assert 2 <= alarms <= 34


def test_named_options_are_no_places() -> None:
    items = [Item(str(at), "?", gold="no", choices=("yes", "no")) for at in range(50)]
    assert imbalance(items) is None
    places = [Item(str(at), "?", gold=f"b{at}", choices=(f"a{at}", f"b{at}")) for at in range(50)]
    assert "always choosing B scores 100 %" in (imbalance(places) or "")
    assert imbalance([]) is None
    assert guessing([*items, Item("free", "?", gold="x")]) is None


def test_the_authors_gpqa_fails_and_ours_passes(tmp_path: Path) -> None:
    csv_file(tmp_path / "gpqa_diamond.csv", gpqa_rows())
    chance = load_suite("fixed").benchmarks[GPQA].chance
    told = {}
    for name in ("paper", "authors", "fixed"):
        benchmark = PRESETS[name][GPQA]
        items = benchmark.items(None, seed=0, data=tmp_path)
        told[name] = validate(benchmark, items, chance=chance)
    assert {name: found.passed for name, found in told.items()} == {
        "paper": True,
        "fixed": True,
        "authors": False,
    }
    assert told["authors"].faults == (
        "right answers are not balanced over the places of the options: A 0, B 0, C 0, D 198; "
        "always choosing D scores 100 %, but in a random order 25 % (false alarms: 1 in 1,000)",
    )
    assert (told["authors"].constant, told["authors"].guess) == (1.0, 0.25)
    assert told["fixed"].constant == pytest.approx(0.25, abs=0.1)


def test_a_chance_level_that_guessing_does_not_reach_is_told(tmp_path: Path) -> None:
    rows = head_rows(40, options=5)
    (tmp_path / "headqa.jsonl").write_text("\n".join(map(json.dumps, rows)))
    benchmark = PRESETS["fixed"][HEAD]
    items = benchmark.items(None, seed=0, data=tmp_path)
    assert validate(benchmark, items).passed
    assert validate(benchmark, items, chance=0.25).faults == (
        "a random option scores 20.0 %, but the suite's chance level is 25.0 %",
    )


@pytest.mark.skipif(not DATA.is_dir(), reason="the real items are not here")
@pytest.mark.parametrize("preset", ["paper", "authors", "fixed"])
@pytest.mark.parametrize(("benchmark", "count"), [(ACP, 301), (HEAD, 294)])
def test_every_real_item_is_valid(preset: str, benchmark: str, count: int) -> None:
    if preset == "authors":
        pytest.importorskip("lm_eval")
        count = {ACP: 280, HEAD: 294}[benchmark]
    pack = PRESETS[preset][benchmark]
    items = pack.items(None, seed=0, data=DATA)
    told = validate(pack, items, chance=load_suite(preset).benchmarks[benchmark].chance)
    assert told.passed, told.faults
    assert (told.items, told.golds, told.guess) == (count, count, 0.25)
    assert told.wrong >= 3 * count - 10
    assert told.constant == pytest.approx(0.25, abs=0.06)

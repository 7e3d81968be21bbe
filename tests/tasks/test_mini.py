"""The mini suite without a model: golds, changed golds, seeds, ids, and a run of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from transferscope.core.records import ModelRef
from transferscope.core.suite import load_suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import evaluate
from transferscope.runs import read_run
from transferscope.tasks import validate
from transferscope.tasks.mini import (
    BENCHMARKS,
    EVALUATION_SEED,
    HELD_OUT,
    TRAINING_SEED,
    grade,
    items,
    training_items,
)
from transferscope.tasks.mini.drafts import Draft, stream

N = 50
CHOICES = {"fractions", "ordering", "planning", "supported", "temporal"}
every = pytest.mark.parametrize("benchmark", sorted(BENCHMARKS))


@every
def test_own_gold_and_example_are_right_and_silence_is_wrong(benchmark: str) -> None:
    for item in items(benchmark, N):
        assert grade(benchmark, item.draft, item.draft.gold) == 1.0, item
        assert grade(benchmark, item.draft, item.draft.example) == 1.0, item
        assert grade(benchmark, item.draft, "") == 0.0, item


@every
def test_ids_and_prompts_are_unique_and_stable(benchmark: str) -> None:
    drawn = items(benchmark, HELD_OUT)
    assert [item.id for item in drawn] == [f"0-{index}" for index in range(HELD_OUT)]
    assert len({item.draft.prompt for item in drawn}) == HELD_OUT
    assert items(benchmark, 7) == drawn[:7]
    assert items(benchmark, 20, seed=1) != items(benchmark, 20)


@every
def test_training_seeds_hold_no_evaluation_item(benchmark: str) -> None:
    held_out = {item.draft.prompt for item in items(benchmark, HELD_OUT)}
    trained = training_items(benchmark, HELD_OUT)
    assert not held_out & {item.draft.prompt for item in trained}
    assert not {i.id for i in trained} & {i.id for i in items(benchmark, HELD_OUT)}


def test_seed_ranges_do_not_overlap() -> None:
    assert EVALUATION_SEED < TRAINING_SEED
    with pytest.raises(ValueError, match="evaluation seeds"):
        items("chains", 1, seed=TRAINING_SEED)
    with pytest.raises(ValueError, match="training seeds"):
        training_items("chains", 1, seed=0)


def test_a_small_space_repeats_itself_only_when_exhausted() -> None:
    drawn = stream(lambda rng: [Draft(str(rng.randint(1, 3)), "x")], 5, seed=0)
    assert {item.draft.prompt for item in drawn[:3]} == {"1", "2", "3"}
    assert len({item.id for item in drawn}) == 5
    with pytest.raises(ValueError, match="nothing to draw"):
        stream(lambda _: [Draft("a", "x")], 1, seed=0, without={"a"})


@every
def test_choices_are_distinct_and_match_the_chance_level(benchmark: str) -> None:
    chance = load_suite("mini").benchmarks[benchmark].chance
    for item in items(benchmark, N):
        options = item.draft.choices
        assert bool(options) == (benchmark in CHOICES)
        assert chance == pytest.approx(1 / len(options) if options else 0.0)
        assert len(set(options)) == len(options)
        assert not options or item.draft.gold in options


@every
def test_gold_positions_are_spread(benchmark: str) -> None:
    if benchmark in CHOICES:
        places = {i.draft.choices.index(i.draft.gold) for i in items(benchmark, N)}
        assert places == set(range(len(items(benchmark, 1)[0].draft.choices)))


def test_questions_on_one_passage_share_a_cluster() -> None:
    clusters: dict[str, set[str]] = {}
    for item in items("dialogue_reading", 40):
        clusters.setdefault(item.cluster, set()).add(item.draft.prompt.split("\n")[0])
    assert len(clusters) == 10
    assert all(len(passages) == 1 for passages in clusters.values())


def test_the_suite_names_every_benchmark() -> None:
    suite = load_suite("mini")
    assert set(suite.benchmarks) == set(BENCHMARKS)
    assert [len(names) for names in suite.groups.values()] == [4, 4, 4]
    assert suite.source == "math"


def test_a_sequence_may_be_repeated_before_it_goes_on() -> None:
    draft = items("sequences", 1)[0].draft
    assert grade("sequences", draft, f"{draft.check}, {draft.gold}, and so on") == 1.0
    assert grade("sequences", draft, draft.check) == 0.0


@pytest.mark.parametrize(("knows", "score"), [(True, 1.0), (False, 0.0)])
def test_an_engine_that_knows_the_golds_scores_everything(
    tmp_path: Path, knows: bool, score: float
) -> None:
    asked = {name: items(name, 4, seed=3) for name in BENCHMARKS}
    golds = {
        f"user: {item.draft.prompt}\nassistant:": item.draft.gold
        for found in asked.values()
        for item in found
    }
    engine = FakeEngine(
        golds if knows else {}, lambda prompt, option: float((option == golds[prompt]) == knows)
    )
    out = evaluate(
        engine, load_suite("mini"), tmp_path / "run", model_ref=ModelRef("m"), n=4, seed=3
    )
    run = read_run(out)
    for name in BENCHMARKS:
        found = run.by_benchmark[name]
        assert [(o.id, o.score) for o in found] == [(f"3-{at}", score) for at in range(4)]
    limits = {name: run.manifest.decoding[name].get("max_tokens") for name in BENCHMARKS}
    assert {limits[name] for name in CHOICES} == {None}
    assert limits["chains"] == 96  # room to finish a reasoned answer, no more
    assert (limits["dialogue_reading"], limits["sequences"]) == (48, 32)


@every
def test_its_own_check_passes_and_finds_what_is_broken(benchmark: str) -> None:
    own = BENCHMARKS[benchmark]
    found = validate(own, own.items(20, seed=0, data=None))
    assert found.passed, found.faults
    assert (found.items, found.golds) == (20, 20)
    assert found.wrong >= 20
    generous = replace(own, grade=lambda item, reply: 1.0)
    told = validate(generous, own.items(20, seed=0, data=None))
    assert told.n_faults == found.wrong

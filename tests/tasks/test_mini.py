"""The mini suite without a model: golds, mutated golds, seeds, ids, and lm-eval's view of it."""

from __future__ import annotations

import pytest

from transferscope.core.suite import load_suite
from transferscope.tasks import PACKS, task_name
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
from transferscope.tasks.mini.hooks import dataset, process_results

N = 50
CHOICES = {"fractions", "ordering", "planning", "supported", "temporal"}
every = pytest.mark.parametrize("benchmark", sorted(BENCHMARKS))


def _mutated(benchmark: str, draft: Draft) -> list[str]:
    """Replies that look like the gold and are wrong."""
    if draft.choices:
        return [option for option in draft.choices if option != draft.gold]
    if benchmark == "dialogue_reading":
        return [draft.rivals[0], f"{draft.gold} or {draft.rivals[1]}", "", f"x{draft.gold}x"]
    if benchmark == "instructions":
        broken = {
            "keywords": "I think of nothing.",
            "twice": "Nothing is said here.",
            "bullets": draft.gold + "\n* And a third.",
            "title": draft.gold.replace("<<", "").replace(">>", ""),
            "quoted": draft.gold.strip('"'),
            "short": draft.gold + " and so on" * 5,
        }
        return [broken[draft.subset], ""]
    return [str(int(draft.gold) + 1), f"The answer is {int(draft.gold) + 10}.", "", "no idea"]


@every
def test_own_gold_is_right_and_mutated_golds_are_wrong(benchmark: str) -> None:
    for item in items(benchmark, N):
        assert grade(benchmark, item.draft, item.draft.gold) == 1.0, item
        assert grade(benchmark, item.draft, item.draft.example) == 1.0, item
        for reply in _mutated(benchmark, item.draft):
            assert grade(benchmark, item.draft, reply) == 0.0, (item, reply)


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


def test_the_suite_names_every_benchmark_and_a_yaml_exists_for_each() -> None:
    suite = load_suite("mini")
    assert set(suite.benchmarks) == set(BENCHMARKS)
    assert {path.stem for path in PACKS["mini"].glob("*.yaml")} == set(BENCHMARKS)
    assert [len(names) for names in suite.groups.values()] == [4, 4, 4]
    assert suite.source == "math"


def test_a_sequence_may_be_repeated_before_it_goes_on() -> None:
    draft = items("sequences", 1)[0].draft
    assert grade("sequences", draft, f"{draft.check}, {draft.gold}, and so on") == 1.0
    assert grade("sequences", draft, draft.check) == 0.0


def test_the_hooks_grade_rows_of_their_own_data_set() -> None:
    row = dataset(benchmark="planning", n=3, seed=2, version=1.0)["test"][2]
    assert row["id"] == "2-2"
    right = row["choices"].index(row["gold"])
    answers = [(-1.0 if index == right else -2.0, False) for index in range(3)]
    assert process_results(row, answers) == {"score": 1.0}
    assert process_results(row, answers[1:] + answers[:1])["score"] == 0.0


def test_task_names_carry_their_pack() -> None:
    assert task_name("mini", "chains") == "mini_chains"

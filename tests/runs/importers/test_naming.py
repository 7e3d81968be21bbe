"""Where tasks go: labels of subsets, clashes, metrics that can't be compared."""

import pytest

from transferscope.core.taxonomy import load_taxonomy, parse_taxonomy
from transferscope.runs.importers.naming import (
    lower_is_better,
    not_comparable,
    place_of,
    places_of,
    taken_of,
)


@pytest.mark.parametrize("task", ["boolq", "BoolQ", "bool-q", "BoolQ_0shot", "hf/boolq"])
def test_another_spelling_is_the_same_name(task):
    place = place_of(task, load_taxonomy())
    assert (place.benchmark, place.subset, place.prefix) == ("boolq", "", "")
    assert (place.chance, place.mapped, place.lower_is_better) == (0.5, True, False)


@pytest.mark.parametrize(
    "task",
    [
        "mmlu_anatomy",
        "leaderboard|mmlu:anatomy|5|0",
        "lukaemon_mmlu_anatomy",
        "mmlu:subject=anatomy,method=multiple_choice_joint,model=m",
    ],
)
def test_a_part_has_one_label_in_every_harness(task):
    place = place_of(task, load_taxonomy())
    assert (place.benchmark, place.subset, place.prefix) == (
        "mmlu",
        "mmlu_anatomy",
        "mmlu_anatomy/",
    )
    assert place.family


def test_tasks_that_would_share_a_label_are_told_apart_by_their_names():
    found = places_of(["gsm8k", "gsm8k_5shot", "GSM8K_0shot", "mystery"], load_taxonomy())
    labels = {task: (place.benchmark, place.subset) for task, place in found.items()}
    assert labels == {
        "gsm8k": ("gsm8k", ""),
        "gsm8k_5shot": ("gsm8k", "gsm8k_5shot"),
        "GSM8K_0shot": ("gsm8k", "GSM8K_0shot"),
        "mystery": ("mystery", ""),
    }


def test_an_unmapped_task_has_no_known_chance():
    place = place_of("my eval/2", load_taxonomy())
    assert (place.benchmark, place.chance, place.mapped) == ("my_eval_2", None, False)


def test_the_entry_says_the_direction():
    mine = parse_taxonomy(
        '[tasks.lies]\ngroup = "non"\nmetrics = ["rate"]\nlower_is_better = true\n', place="t"
    )
    assert place_of("Lies", mine).lower_is_better
    assert (
        not_comparable("rate") == "not comparable: lower is better for rate, but higher for a score"
    )


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        ("word_perplexity", True),
        ("byte_perplexity,none", True),
        ("bits_per_byte", True),
        ("bits_per_character", True),
        ("perplexity", True),
        ("brier_score", True),
        ("wer", True),
        ("ter", True),
        ("toxicity", True),
        ("attack_success_rate", True),
        ("acc", False),
        ("exact_match,strict-match", False),
        ("pass@1", False),
        ("rouge1_acc", False),
        ("winrate", False),
        ("chrf", False),
        ("character_accuracy", False),
        ("filter", False),
    ],
)
def test_metrics_where_lower_is_better(metric, lower):
    assert lower_is_better(metric) is lower


@pytest.mark.parametrize(
    ("task", "lower"),
    [
        ("our wiki: word perplexity", True),
        ("house/bits_per_byte", True),
        ("corpus-bits-per-character", True),
        ("mybench_ppl", False),  # OpenCompass: how it is asked
        ("perplexity_questions", False),
    ],
)
def test_unmapped_names_that_are_a_metrics(task, lower):
    place = place_of(task, load_taxonomy())
    assert (place.mapped, place.lower_is_better) == (False, lower)
    found = taken_of(place, file="f", n=3)
    assert found.left_out == (not_comparable(task) if lower else "")

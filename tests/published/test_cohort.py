"""The paper's cohort comes back from its own tables, and what doesn't is named."""

import pytest

from transferscope.core.suite import load_suite
from transferscope.published import published_models, read_table, recompute

DISAGREE = {
    ("General-Reasoner-Qwen3-14B (SFT)", "other"): 55.9,
    ("General-Reasoner-Qwen3-14B (SFT)", "non"): -105.1,
    ("General-Reasoner-Qwen3-14B (RL)", "other"): 125.0,
    ("General-Reasoner-Qwen3-14B (RL)", "non"): 0.3,
    ("Llama3.1-8B-SimpleRL", "other"): 168.0,
    ("DAPO-Qwen-32B", "non"): -44.3,
    ("OpenThinker3-7B", "non"): -68.9,
}


def test_sigma_pooled_over_the_cohort() -> None:
    expected = {"math": 16.122, "other": 18.431, "non": 20.462}
    assert recompute().sigma == pytest.approx(expected, abs=0.001)
    assert load_suite("paper").sigma == expected


def test_29_of_36_values_come_back_and_the_seven_are_named() -> None:
    cohort = recompute()
    verdicts = {
        (model.name, group): agrees
        for model, result in cohort.rows
        for group, agrees in cohort.agrees(model, result).items()
    }
    assert len(verdicts) == 36
    assert {key for key, agrees in verdicts.items() if not agrees} == set(DISAGREE)
    ti = {(m.name, g): v for m, result in cohort.rows for g, v in result.ti.items()}
    for key, value in DISAGREE.items():
        assert ti[key] == pytest.approx(value, abs=0.05)


def test_json_has_the_contracted_fields() -> None:
    document = recompute().to_json()
    assert set(document) == {"sigma", "models"}
    assert len(document["models"]) == 18
    wanted = {"model", "base", "method", "size", "di", "ti", "published_ti", "agrees"}
    for row in document["models"]:
        assert wanted <= set(row)
        assert set(row["ti"]) == {"other", "non"}
        assert set(row["di"]) == {"math", "other", "non"}


def test_tables_are_complete() -> None:
    assert len(published_models()) == 18
    assert len(read_table("scores")) == 360
    assert {row["method"] for row in read_table("models")} == {"SFT", "RL"}

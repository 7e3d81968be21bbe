"""MC-TACO: candidates judged in writing or by log-likelihood, and measures of whole questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from transferscope.tasks import Item, validate
from transferscope.tasks.paper.mctaco_candidates import PRESETS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bench"
ROWS = [
    {"sentence": "He ate.", "question": "How long?", "answer": "an hour", "label": "yes"},
    {"sentence": "He ate.", "question": "How long?", "answer": "a year", "label": "no"},
    {"sentence": "He ate.", "question": "How long?", "answer": "half an hour", "label": "yes"},
    {"sentence": "He ate.", "question": "How often?", "answer": "daily", "label": "yes"},
    {"sentence": "He ate.", "question": "When?", "answer": "in 3000 BC", "label": "no"},
]


def items(preset: str, folder: Path, rows: list[dict[str, Any]]) -> list[Item]:
    (folder / "mctaco.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = PRESETS[preset].items(None, seed=0, data=folder)
    return sorted(found, key=lambda item: item.id)


def test_a_written_answer_is_read(tmp_path: Path) -> None:
    benchmark, (first, second, *_) = PRESETS["fixed"], items("fixed", tmp_path, ROWS)
    assert first.text == (
        "He ate.\n\nQuestion: How long?\nProposed answer: an hour\n"
        "Is the proposed answer plausible? Answer yes or no."
    )
    assert benchmark.grade(first, "Yes, an hour is plausible.") == 1.0
    assert benchmark.grade(second, "<think>yes?</think>No.") == 1.0
    assert benchmark.grade(second, "It depends.") == 0.0
    assert benchmark.decoding is not None


def test_questions_are_measured_as_a_whole(tmp_path: Path) -> None:
    """ "yes" everywhere: one of three questions is all right.

    F1 is 2 * 2 / (3 + 2) for the first question, 1 for the second and 0 for the third, which has
    nothing plausible.
    """
    found, pooled = items("fixed", tmp_path, ROWS), PRESETS["fixed"].pooled
    constant = [(item, "yes") for item in found]
    assert pooled["exact_match"](constant) == pytest.approx(1 / 3)
    assert pooled["f1"](constant) == pytest.approx((0.8 + 1 + 0) / 3)
    golds = [(item, item.gold or "") for item in found]
    assert (pooled["exact_match"](golds), pooled["f1"](golds)) == (1.0, 1.0)
    unsure = [(item, "I'm not sure.") for item in found]
    assert pooled["exact_match"](unsure) == 0.0


def test_the_likelier_word_follows_lm_evals_prompt(tmp_path: Path) -> None:
    (first, *_) = items("authors", tmp_path, ROWS)
    assert first.text == "He ate.\nQuestion: How long?\nAnswer: an hour\nPlausible:"
    assert (first.choices, PRESETS["authors"].decoding) == (("no", "yes"), None)
    assert (PRESETS["authors"].grade(first, "yes"), PRESETS["authors"].grade(first, "no")) == (1, 0)


def test_the_prompt_is_that_of_the_installed_lm_eval(tmp_path: Path) -> None:
    lm_eval = pytest.importorskip("lm_eval")
    task = Path(lm_eval.__file__).parent / "tasks" / "mc_taco" / "default.yaml"
    said = task.read_text()
    layout = r'"{{sentence}}\nQuestion: {{question}}\nAnswer: {{answer}}\nPlausible:"'
    assert layout in said
    assert 'doc_to_choice: ["no", "yes"]' in said


def test_labels_of_the_hub_are_numbers(tmp_path: Path) -> None:
    numbered = [{**row, "label": int(row["label"] == "yes")} for row in ROWS]
    assert items("fixed", tmp_path, numbered) == items("fixed", tmp_path, ROWS)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real items are not here")
def test_every_candidate_on_disk() -> None:
    for preset in ("paper", "authors", "fixed"):
        found = PRESETS[preset].items(None, seed=0, data=DATA)
        told = validate(PRESETS[preset], found)
        assert (told.items, told.golds, len({item.cluster for item in found})) == (2189, 2189, 300)
        assert told.passed, told.faults
        assert told.constant == pytest.approx(1414 / 2189)

"""HaluEval: which text is judged, the strata, and two readings of the same replies."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.tasks import Item, validate
from transferscope.tasks.paper.halueval import PRESETS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bench"


def written(folder: Path, rows: int = 40) -> Path:
    folder.mkdir(exist_ok=True)
    parts: dict[str, list[dict[str, Any]]] = {
        "qa": [
            {
                "knowledge": f"Town {n} is on river {n}.",
                "question": f"Where is town {n}?",
                "right_answer": f"On river {n}.",
                "hallucinated_answer": f"On hill {n}.",
            }
            for n in range(rows)
        ],
        "dialogue": [
            {
                "knowledge": f"Song {n} is by Ann.",
                "dialogue_history": f"[Human]: Who sings song {n}?",
                "right_response": "Ann does.",
                "hallucinated_response": "Bo does.",
            }
            for n in range(rows)
        ],
        "summarization": [
            {
                "document": f"Shop {n} opens at nine and closes at ten.",
                "right_summary": "It is open for an hour.",
                "hallucinated_summary": "It is open all day.",
            }
            for n in range(rows)
        ],
    }
    for name, lines in parts.items():
        (folder / f"halueval_{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def items(preset: str, folder: Path, n: int | None = None, *, seed: int = 0) -> list[Item]:
    return list(PRESETS[preset].items(n, seed=seed, data=folder))


@pytest.mark.parametrize("preset", ["paper", "authors", "fixed"])
def test_the_text_that_is_judged_has_the_label(preset: str, tmp_path: Path) -> None:
    found = items(preset, written(tmp_path))
    assert len(found) == 120
    for item in found:
        made_up = any(text in item.text for text in ("On hill", "Bo does", "open all day"))
        true = any(text in item.text for text in ("On river", "Ann does", "open for an hour"))
        assert made_up != true
        assert item.gold == ("Yes" if made_up else "No")
    assert validate(PRESETS[preset], found).passed


def test_the_choice_depends_on_the_row_alone(tmp_path: Path) -> None:
    """Not on the seed, nor on the other rows: a smaller file asks the same about its rows."""
    whole = {item.id: item.text for item in items("fixed", written(tmp_path / "a"), seed=1)}
    part = {item.id: item.text for item in items("fixed", written(tmp_path / "b", rows=7), seed=2)}
    assert len(part) == 21
    assert part.items() <= whole.items()
    assert len(set(whole.values())) == 120


def test_a_constant_answer_scores_half_in_the_strata(tmp_path: Path) -> None:
    found = items("fixed", written(tmp_path))
    weight = sum(item.weight for item in found)
    for reply in ("Yes", "No"):
        scores = [item.weight * PRESETS["fixed"].grade(item, reply) for item in found]
        assert sum(scores) / weight == pytest.approx(0.5)
    by_part: Counter[str] = Counter()
    for item in found:
        by_part[item.subset.partition("-")[0]] += round(1e6 * item.weight)
    assert max(by_part.values()) - min(by_part.values()) < 100
    drawn = items("fixed", tmp_path, 12)
    assert set(Counter(item.subset for item in drawn).values()) == {2}


def test_parts_count_the_same_in_the_paper_preset(tmp_path: Path) -> None:
    found = items("paper", written(tmp_path))
    assert Counter(item.subset for item in found) == {"qa": 40, "dialogue": 40, "summarization": 40}


def test_samples_of_the_hub_are_judged_as_chosen_there(tmp_path: Path) -> None:
    folder = written(tmp_path)
    sample = {"knowledge": "K.", "question": "Q?", "answer": "It is so.", "hallucination": "yes"}
    same = [sample, sample, {**sample, "hallucination": "no", "answer": "It is not."}]
    (folder / "halueval_qa.jsonl").write_text("\n".join(map(json.dumps, same)))
    found = [item for item in items("paper", folder) if item.subset == "qa"]
    assert sorted((item.gold, "It is so." in item.text) for item in found) == [
        ("No", False),
        ("Yes", True),
    ]


@pytest.mark.parametrize(
    ("reply", "careful", "released"),
    [
        ("No", 1.0, 1.0),
        ("no.", 1.0, 0.0),
        ("The answer is:\nNo", 1.0, 0.0),
        ("No, Yesterday was fine.", 1.0, 0.0),
        ("<think>\nYes?</think>No", 1.0, 0.0),
        ("No hallucinations here.", 1.0, 1.0),
        ("Not sure.", 0.0, 1.0),
        ("Nolan directed it.", 0.0, 1.0),
        ("Yes", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_two_readings_of_a_reply(reply: str, careful: float, released: float) -> None:
    item = Item("i", "p", gold="No", choices=("Yes", "No"))
    assert PRESETS["fixed"].grade(item, reply) == careful
    assert PRESETS["fixed"].twins["released"](item, reply) == released
    assert PRESETS["authors"].grade(item, reply) == released


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "t"}, "none of the fields 'question', 'dialogue_history', 'document'"),
        ({"question": "q"}, "no text in 'knowledge'"),
        ({"question": "q", "knowledge": "k", "right_answer": "r"}, "'hallucinated_answer'"),
        (
            {"question": "q", "knowledge": "k", "answer": "a", "hallucination": "perhaps"},
            "'hallucination' is neither yes nor no",
        ),
    ],
)
def test_malformed_rows_are_named(tmp_path: Path, row: dict[str, str], message: str) -> None:
    folder = written(tmp_path)
    (folder / "halueval_qa.jsonl").write_text(json.dumps(row))
    with pytest.raises(InputError, match=message):
        items("fixed", folder)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real items are not here")
@pytest.mark.parametrize("preset", ["paper", "authors", "fixed"])
def test_every_item_on_disk(preset: str) -> None:
    found = items(preset, DATA)
    told = validate(PRESETS[preset], found)
    assert (told.items, told.golds) == (900, 900)
    assert told.passed, told.faults
    golds = Counter((item.subset.partition("-")[0], item.gold) for item in found)
    assert all(130 < count < 170 for count in golds.values()), golds

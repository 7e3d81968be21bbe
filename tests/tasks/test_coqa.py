"""CoQA: every turn of a story, the forms of its files, and lm-eval's last turn."""

from __future__ import annotations

import json
import string
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.tasks import Item, validate
from transferscope.tasks.paper.coqa import PRESETS, answered

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bench"
STORY = "Ann had a red hat. Bo took it."
QUESTIONS = ["Who had a hat?", "What colour was it?", "Who took it?"]
ANSWERS = ["Ann", "red", "Bo"]
MORE = {"0": ["Ann had", "dark red", "Bo"], "1": ["Ann", "red", "he"], "2": ["Ann", "red", "she"]}


def turns(texts: list[str]) -> list[dict[str, Any]]:
    return [{"input_text": text, "turn_id": at} for at, text in enumerate(texts, start=1)]


RELEASED = {
    "version": "1.0",
    "data": [
        {
            "id": "s1",
            "story": STORY,
            "questions": turns(QUESTIONS),
            "answers": turns(ANSWERS),
            "additional_answers": {name: turns(texts) for name, texts in MORE.items()},
        }
    ],
}
HUB = {
    "id": "s1",
    "story": STORY,
    "questions": {"input_text": QUESTIONS, "turn_id": [1, 2, 3]},
    "answers": {"input_text": ANSWERS, "turn_id": [1, 2, 3]},
    "additional_answers": {name: {"input_text": texts} for name, texts in MORE.items()},
}


def words(text: str) -> list[str]:
    plain = "".join(c for c in text.lower() if c not in string.punctuation)
    return [word for word in plain.split() if word not in ("a", "an", "the")]


def squad_f1(gold: str, said: str) -> float:
    common = sum((Counter(words(gold)) & Counter(words(said))).values())
    if not words(gold) or not words(said):
        return float(words(gold) == words(said))
    precision, recall = common / len(words(said)), common / len(words(gold))
    return 2 * precision * recall / (precision + recall) if common else 0.0


def items(preset: str, folder: Path, content: Any, *, name: str = "coqa.json") -> list[Item]:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content))
    return list(PRESETS[preset].items(None, seed=0, data=folder))


def test_every_turn_follows_the_earlier_ones(tmp_path: Path) -> None:
    first, second, third = items("fixed", tmp_path, RELEASED)
    assert [item.id for item in (first, second, third)] == ["coqa-s1-1", "coqa-s1-2", "coqa-s1-3"]
    assert {item.cluster for item in (first, second, third)} == {"coqa-s1"}
    assert first.text.endswith(f"{STORY}\n\nQ: Who had a hat?\nA:")
    assert third.text.endswith(
        f"{STORY}\n\nQ: Who had a hat?\nA: Ann\nQ: What colour was it?\nA: red\nQ: Who took it?\nA:"
    )
    assert second.data == ("What colour was it?", ("red", "dark red", "red", "red"))


def test_the_files_of_the_release_and_of_the_hub_are_the_same(tmp_path: Path) -> None:
    released = items("fixed", tmp_path / "a", RELEASED)
    assert items("fixed", tmp_path / "b", [HUB]) == released
    plain = {"id": "s1", "story": STORY, "questions": QUESTIONS, "answers": ANSWERS}
    alone = items("fixed", tmp_path / "c", plain, name="coqa.jsonl")
    assert [item.text for item in alone] == [item.text for item in released]
    assert alone[1].data == ("What colour was it?", ("red",))


def test_references_are_left_out_in_turn(tmp_path: Path) -> None:
    benchmark = PRESETS["fixed"]
    first, second, third = items("fixed", tmp_path, RELEASED)
    assert benchmark.grade(second, "red") == 1.0
    # "dark red" against three "red" is 2/3 once it is left out itself
    assert benchmark.grade(second, "dark red") == pytest.approx((3 + 2 / 3) / 4)
    assert benchmark.twins["best_reference"](second, "dark red") == 1.0
    assert benchmark.twins["exact_match"](second, "a red thing") == 0.0
    assert benchmark.grade(second, "a red thing") == pytest.approx(2 / 3)
    assert (first.gold, second.gold, third.gold) == ("Ann", "red", "Bo")
    assert validate(benchmark, [first, second, third]).passed


def test_references_that_all_differ_have_no_gold(tmp_path: Path) -> None:
    row = {**HUB, "additional_answers": {"0": {"input_text": ["Bo", "blue", "Ann"]}}}
    found = items("fixed", tmp_path, [row])
    assert [item.gold for item in found] == [None, None, None]
    assert PRESETS["fixed"].grade(found[0], "Ann") == 0.5
    assert validate(PRESETS["fixed"], found).passed


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("red", "red"),
        (" red\n\nThe story says so.", "red"),
        ("A: red", "red"),
        ("Answer: red", "red"),
        ("Q: What colour was it?\n\nA: red", "red"),
        ("What colour was it?\nred", "red"),
        ("<think>A: blue</think>\nA: red<|im_end|>", "red"),
        ("A red one", "A red one"),
        ("", ""),
    ],
)
def test_what_is_read_of_a_reply(reply: str, kept: str) -> None:
    item = Item("i", "p", data=("What colour was it?", ("red",)))
    assert answered(item, reply) == kept


def test_twins_read_the_same_replies_otherwise() -> None:
    item, twins = Item("i", "p", data=("What colour was it?", ("red",))), PRESETS["fixed"].twins
    repeated = "Q: What colour was it?\nA: red"
    assert PRESETS["fixed"].grade(item, repeated) == 1.0
    assert twins["released"](item, repeated) == 0.0
    assert twins["whole_reply"](item, "red\nblue") == pytest.approx(2 / 3)
    assert twins["released"](item, "<think>Blue?</think>red\nblue") == 1.0


def test_the_last_turn_is_that_of_lm_eval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers 5 no longer has the module of SQuAD's measures that lm-eval's task imports."""
    pytest.importorskip("lm_eval")
    squad: Any = ModuleType("squad_metrics")
    squad.compute_exact = lambda gold, said: int(words(gold) == words(said))
    squad.compute_f1 = squad_f1
    metrics: Any = ModuleType("metrics")
    metrics.squad_metrics = squad
    monkeypatch.setitem(sys.modules, "transformers.data.metrics", metrics)
    monkeypatch.setitem(sys.modules, "transformers.data.metrics.squad_metrics", squad)
    from lm_eval.tasks.coqa.utils import compute_scores, doc_to_target, doc_to_text

    (item,) = items("authors", tmp_path, RELEASED)
    assert item.text == doc_to_text(HUB)
    assert list(item.data[1]) == doc_to_target(HUB) == ["Bo", "he", "she"]
    for reply in ("Bo", "he", "Bo did", "nobody", "", "the Bo.\nhe"):
        line = reply.strip().split("\n")[0]
        theirs = compute_scores(doc_to_target(HUB), line)
        assert PRESETS["authors"].grade(item, reply) == pytest.approx(theirs["f1"]), reply
        exact = PRESETS["authors"].twins["exact_match"]
        assert exact(item, reply) == pytest.approx(theirs["em"]), reply


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**HUB, "questions": "Who?"}, "no list in 'questions'"),
        ({**HUB, "answers": [1, 2]}, "'answers' doesn't list texts"),
        ({**HUB, "additional_answers": ["Bo"]}, "'additional_answers' is not an object"),
        ({**HUB, "additional_answers": {"0": ["Bo"]}}, "'0' of 'additional_answers' differs"),
        ({**HUB, "answers": []}, "differs|no answered question"),
    ],
)
def test_malformed_rows_are_named(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        items("fixed", tmp_path, [row])


def test_n_counts_stories(tmp_path: Path) -> None:
    (tmp_path / "coqa.json").write_text(json.dumps([{**HUB, "id": str(n)} for n in range(5)]))
    found = PRESETS["fixed"].items(2, seed=0, data=tmp_path)
    assert len({item.cluster for item in found}) == 2
    assert len(found) == 6


@pytest.mark.skipif(not DATA.is_dir(), reason="the real items are not here")
def test_every_story_on_disk() -> None:
    for preset, count in (("paper", 4522), ("authors", 300)):
        found = PRESETS[preset].items(None, seed=0, data=DATA)
        told = validate(PRESETS[preset], found)
        assert (len(found), told.golds) == (count, count)
        assert told.passed, told.faults

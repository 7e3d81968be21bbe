"""The mended checkers of IFEval beside the published ones, by replies worked out by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval")

from transferscope.grade.ifeval import DIFFERENT, Instruction, strict
from transferscope.grade.ifeval_mended import CAPITALS, END, FIRST_WORD, LETTERS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def verdicts(reply: str, id_: str, **arguments: Any) -> tuple[bool, bool]:
    """(published, mended)."""
    asked = [Instruction(id_, arguments)]
    (published,) = strict("p", reply, asked, as_published=True)
    (mended,) = strict("p", reply, asked)
    return published, mended


@pytest.mark.parametrize(
    ("reply", "nth", "both"),
    [
        ("One.\n\nTwo.\n\nThree.", 2, (True, True)),
        ("One.\n\nTwo.\n\nThree.", 1, (False, False)),
        # a blank paragraph counts in the search for the n-th, not in the number of paragraphs
        ("One.\n\n \n\nTwo.\n\nThree.", 2, (False, True)),
        ("One.\n\n\n\nTwo.\n\nThree.", 2, (False, True)),
        ("Nil.\n\n\n\nTwo.\n\nThree.", 3, (True, False)),
        ("One.\n\nTwo.\n\nThree.\n\n\n\nFour.", 2, (False, False)),
    ],
)
def test_the_nth_paragraph_is_one_with_text(reply: str, nth: int, both: tuple[bool, bool]) -> None:
    arguments = {"num_paragraphs": 3, "nth_paragraph": nth, "first_word": "two"}
    assert verdicts(reply, FIRST_WORD, **arguments) == both


def test_a_blank_first_paragraph_is_none() -> None:
    """The strict reading strips it for both; it used to shift the published count."""
    arguments = {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "one"}
    assert verdicts(" \n\nOne.\n\nTwo.", FIRST_WORD, **arguments) == (True, True)


def test_a_sign_is_counted_as_asked() -> None:
    arguments = {"let_frequency": 4, "let_relation": "at least"}
    assert verdicts("#a #b #c #d", LETTERS, letter="#", **arguments)[1]
    assert not verdicts("aeiou " * 9, LETTERS, letter="#", **arguments)[1]
    assert verdicts("aaaa", LETTERS, letter="a", **arguments) == (True, True)


def test_capitals_are_read_as_english_in_lower_case() -> None:
    english = "THE ROAD IS LONG AND THE RIVER IS WIDE, BUT WE WALK ON TOGETHER."
    assert verdicts(english, CAPITALS) == (True, True)
    assert verdicts(english.capitalize(), CAPITALS) == (False, False)
    german = "DER WEG IST LANG, UND DER FLUSS IST BREIT, ABER WIR GEHEN WEITER."
    assert verdicts(german, CAPITALS) == (False, False)
    assert verdicts("42", CAPITALS) == (False, False)
    assert verdicts("MY DOG RUNS IN THE GARDEN.", CAPITALS) == (False, True)


def test_an_end_phrase_may_be_emphasised() -> None:
    assert verdicts("So. **That is all.**", END, end_phrase="That is all.") == (False, True)


@pytest.mark.skipif(not (DATA / "responses").is_dir(), reason="the saved answers are not here")
def test_verdicts_that_differ_on_real_answers() -> None:
    """3 of 832 verdicts on GPT-4's answers: one letter, two of capitals (one up, one down)."""
    asked = {}
    for line in (DATA / "bench" / "ifeval_input_data.jsonl").read_text().splitlines():
        row = json.loads(line)
        given = zip(row["instruction_id_list"], row["kwargs"], strict=True)
        asked[row["prompt"]] = [Instruction(*pair) for pair in given]
    found: Counter[tuple[str, bool]] = Counter()
    for line in (DATA / "responses" / "ifeval_gpt4.jsonl").read_text().splitlines():
        row = json.loads(line)
        instructions = [i for i in asked.get(row["prompt"], []) if i.id in DIFFERENT]
        mended = strict(row["prompt"], row["response"], instructions)
        published = strict(row["prompt"], row["response"], instructions, as_published=True)
        rows = zip(instructions, mended, published, strict=True)
        found.update((i.id, up) for i, up, before in rows if up != before)
    assert found == {(LETTERS, True): 1, (CAPITALS, True): 1, (CAPITALS, False): 1}

"""The IFEval wrapper by hand-worked replies."""

from __future__ import annotations

import random
import sys

import pytest

pytest.importorskip("lm_eval")

from transferscope.grade import ifeval
from transferscope.grade.ifeval import Instruction, loose, strict

NO_COMMA = Instruction("punctuation:no_comma", {})
QUOTED = Instruction("startend:quotation", {"num_words": None})
TWO = Instruction("keywords:existence", {"keywords": ["warm", "road"]})


def test_each_instruction_is_judged_by_itself() -> None:
    reply = '"A warm road, quiet."'
    assert strict("Write.", reply, [NO_COMMA, QUOTED, TWO]) == (False, True, True)


def test_loose_forgives_a_line_of_chatter_and_asterisks() -> None:
    reply = 'Sure, here you are:\n"A warm road"'
    assert strict("Write.", reply, [NO_COMMA, QUOTED]) == (False, False)
    assert loose("Write.", reply, [NO_COMMA, QUOTED]) == (True, True)
    assert loose("Write.", '**"A warm road"**', [QUOTED]) == (True,)


def test_an_empty_reply_follows_nothing() -> None:
    assert strict("Write.", " \n", [NO_COMMA]) == (False,)
    assert loose("Write.", "", [NO_COMMA]) == (False,)


def test_language_detection_repeats_itself() -> None:
    lower = Instruction("change_case:english_lowercase", {})
    reply = "the road is warm and the river is quiet in the morning"
    assert {strict("Write.", reply, [lower]) for _ in range(5)} == {(True,)}


def test_repeat_prompt_reads_the_prompt_from_its_arguments() -> None:
    repeat = Instruction("combination:repeat_prompt", {"prompt_to_repeat": "Say hi"})
    assert strict("Say hi", "Say hi\nhi", [repeat]) == (True,)
    assert strict("Say hi", "hi", [repeat]) == (False,)


def test_an_unknown_instruction_is_an_error() -> None:
    with pytest.raises(KeyError):
        strict("Write.", "hi", [Instruction("no:such", {})])


def letters(character: str, times: int, relation: str = "at least") -> list[Instruction]:
    arguments = {"letter": character, "let_frequency": times, "let_relation": relation}
    return [Instruction("keywords:letter_frequency", arguments)]


def test_the_character_that_was_asked_for_is_counted() -> None:
    reply = "Sun! Rain! #one #two"
    assert strict("p", reply, letters("!", 2)) == (True,)
    assert strict("p", reply, letters("!", 3)) == (False,)
    assert strict("p", reply, letters("#", 2)) == (True,)
    assert strict("p", reply, letters("#", 2, "less than")) == (False,)
    assert strict("p", "aeiou " * 20, letters("!", 1)) == (False,)
    assert loose("p", "Sure!\nSun! Rain!", letters("!", 3, "less than")) == (True,)
    assert strict("p", "", letters("!", 3, "less than")) == (False,)


def test_letters_are_counted_by_the_checkers_whatever_their_case() -> None:
    assert strict("p", "Banana", letters("A", 3)) == (True,)
    assert strict("p", "Banana", letters("a", 4)) == (False,)
    assert strict("p", "Éclair, été", letters("é", 3)) == (True,)


def test_what_an_instruction_leaves_out_is_drawn_repeatably() -> None:
    asked = [Instruction("keywords:letter_frequency", {"letter": "#"})]
    verdicts = set()
    for seed in range(20):
        random.seed(seed)
        before = random.getstate()
        verdicts.add(strict("p", "aeiou" * 3, asked))
        assert random.getstate() == before
    assert len(verdicts) == 1


@pytest.mark.parametrize(
    "wrapped",
    [
        "<think>Well, a comma. Or two, three.</think>{}",
        "<think>\nCommas, commas\n</think>\n\n{}",
        "commas, and more</think>{}",
        "{}<|im_end|>",
        "{}<|eot_id|>\n",
        "\n\n{}",
    ],
)
def test_thoughts_and_marks_are_not_graded(wrapped: str) -> None:
    # IFEval counts paragraphs by blank lines: one in front must not shift the first
    first = {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "rivers"}
    asked = [
        NO_COMMA,
        Instruction("startend:end_checker", {"end_phrase": "That is all."}),
        Instruction("length_constraints:number_words", {"num_words": 9, "relation": "less than"}),
        Instruction("length_constraints:nth_paragraph_first_word", first),
        Instruction("startend:quotation", {}),
    ]
    reply = wrapped.format("Rivers run downhill.\n\nThat is all.")
    assert strict("p", reply, asked) == (True, True, True, True, False)
    assert loose("p", reply, asked)[:4] == (True, True, True, True)


def test_an_end_phrase_may_be_bold() -> None:
    asked = [Instruction("startend:end_checker", {"end_phrase": "That is all."})]
    assert strict("p", "Rivers run. **That is all.**", asked) == (True,)
    assert strict("p", "Rivers run. **That is all.** Bye", asked) == (False,)


def test_thinking_alone_follows_nothing() -> None:
    assert strict("p", "<think>no commas here", [NO_COMMA]) == (False,)


def test_the_checkers_come_with_their_data_and_in_silence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their import asks the network for punkt_tab, and prints, where it is not in reach already."""
    nltk = pytest.importorskip("nltk")
    asked: list[str] = []
    monkeypatch.setattr(nltk, "download", asked.append)
    monkeypatch.setattr(nltk.data, "path", [])
    for module in [name for name in sys.modules if name.startswith("lm_eval.tasks.ifeval")]:
        monkeypatch.delitem(sys.modules, module)
    assert "punctuation:no_comma" in ifeval._checkers.__wrapped__()
    assert (asked, capsys.readouterr().out) == ([], "")

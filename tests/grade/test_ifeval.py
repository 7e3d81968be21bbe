"""The IFEval wrapper by hand-worked replies."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("lm_eval")

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


def test_random_letters_of_the_checkers_are_repeatable() -> None:
    # "!" is no letter to the checker: it draws one, whatever the caller's generator stands at
    arguments = {"letter": "!", "let_frequency": 1, "let_relation": "at least"}
    asked = [Instruction("keywords:letter_frequency", arguments)]
    verdicts = set()
    for seed in range(20):
        random.seed(seed)
        before = random.getstate()
        verdicts.add(strict("p", "aeiou", asked))
        assert random.getstate() == before
    assert len(verdicts) == 1

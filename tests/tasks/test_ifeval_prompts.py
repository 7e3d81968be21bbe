"""IFEval's graders side by side on the same replies."""

from __future__ import annotations

import pytest

pytest.importorskip("lm_eval")

from transferscope.grade.ifeval import Instruction
from transferscope.tasks import Item
from transferscope.tasks.paper.ifeval_prompts import PRESETS

CAPITALS = Instruction("change_case:english_capital", {})
NO_COMMA = Instruction("punctuation:no_comma", {})
SHOUT = Item("a", "Shout without commas.", weight=2.0, data=(CAPITALS, NO_COMMA))
CALM = Item("b", "No commas.", data=(NO_COMMA,))


def test_the_published_checker_is_a_twin_of_the_mended_one() -> None:
    reply, fixed = "MY DOG RUNS IN THE GARDEN.", PRESETS["fixed"]
    assert fixed.grade(SHOUT, reply) == 1.0
    assert fixed.twins["published"](SHOUT, reply) == 0.5
    for preset in ("paper", "authors"):
        assert PRESETS[preset].grade(SHOUT, reply) == 0.5


def test_loose_readings_forgive_a_line_of_chatter() -> None:
    reply, twins = "Sure, here:\nMY DOG RUNS IN THE GARDEN.", PRESETS["fixed"].twins
    assert PRESETS["fixed"].grade(SHOUT, reply) == 0.0
    assert twins["loose"](SHOUT, reply) == 1.0
    assert twins["loose_published"](SHOUT, reply) == 0.5


def test_prompts_count_the_same_whatever_they_ask() -> None:
    pooled = PRESETS["fixed"].pooled["prompt_strict"]
    assert pooled([(SHOUT, "my dog runs"), (CALM, "fine")]) == 0.5
    assert pooled([(SHOUT, "MY DOG RUNS IN THE GARDEN."), (CALM, "fine")]) == 1.0


@pytest.mark.parametrize("preset", ["paper", "authors", "fixed", "short"])
def test_reasoning_is_removed(preset: str) -> None:
    assert PRESETS[preset].grade(CALM, "<think>one, two</think>three") == 1.0

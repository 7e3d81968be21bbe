"""Replies made plain, and the letters that stand alone in them."""

import pytest

from transferscope.grade.choice_text import MOST, mentions, unwrapped


@pytest.mark.parametrize(
    ("reply", "plain", "boxes"),
    [
        (r"So $\boxed{\text{C}}$.", "So C.", ["C"]),
        ("**B**, not 'A'", "(B), not (A)", []),
        ("Ｂ 🅒", "B (C)", []),
        ("<think>A</think>(B)", "(B)", []),
        ("Question: A?\nB\nQuestion: next\nC", "Question: A?\nB", []),
        ("<answer>B</answer>", "answer: B", []),
        ("B'dir", "B", []),
    ],
)
def test_unwrapped(reply: str, plain: str, boxes: list[str]) -> None:
    assert unwrapped(reply) == (plain, boxes)


def test_letters_of_words_and_names_do_not_stand_alone() -> None:
    assert mentions("B-52, D.C., I'm, R&D, A/B") == []
    found = [(m.letter, m.marked, m.lower) for m in mentions("(A) or b, x = 3")]
    assert found == [("A", True, False), ("B", False, True)]


def test_of_many_letters_the_ends_are_kept() -> None:
    found = mentions("A " * 500 + "B " * 500)
    assert len(found) == MOST
    assert {m.letter for m in found[: MOST // 2]} == {"A"}
    assert {m.letter for m in found[MOST // 2 :]} == {"B"}

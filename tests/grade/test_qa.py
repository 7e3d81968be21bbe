"""EM and F1 by hand, after CoQA's definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.grade.qa import against, exact_match, f1, leave_one_out, normalised


def test_case_articles_punctuation_and_blanks_do_not_count() -> None:
    assert normalised("  The  Cat's   hat, an apple. ") == "cats hat apple"
    assert exact_match("the White House.", "White house") == 1.0
    assert exact_match("theatre", "atre") == 0.0  # an article inside a word stays


def test_f1_is_over_bags_of_words() -> None:
    # shared: red, red; precision 2/3, recall 2/2
    assert f1("red red ball", "red red") == pytest.approx(0.8)
    assert f1("blue", "red") == 0.0
    assert f1("the", "a") == 1.0
    assert f1("the", "red") == 0.0


def test_any_reference_is_right() -> None:
    assert against("yes", ["yes", "no", "maybe"], exact_match) == 1.0
    assert against("red ball", ["blue", "red"], f1) == pytest.approx(2 / 3)
    assert against("yes", ["no"], exact_match) == 0.0
    with pytest.raises(ValueError, match="no reference"):
        against("yes", [], exact_match)


def test_each_reference_is_left_out_once() -> None:
    golds = ["red", "red", "dark red"]
    # without either "red" the other is left; without "dark red" both are
    assert leave_one_out("red", golds, exact_match) == 1.0
    assert leave_one_out("dark red", golds, exact_match) == pytest.approx(2 / 3)
    # F1 against "red" is 2/3: (1 + 1 + 2/3) / 3
    assert leave_one_out("dark red", golds, f1) == pytest.approx(8 / 9)
    assert leave_one_out("blue", golds, f1) == 0.0
    assert leave_one_out("red", ["red"], f1) == 1.0
    with pytest.raises(ValueError, match="no reference"):
        leave_one_out("red", [], f1)


@given(st.text(max_size=20), st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_leaving_one_out_costs_at_most_one_reference(answer: str, golds: list[str]) -> None:
    best, left = against(answer, golds, f1), leave_one_out(answer, golds, f1)
    assert (1 - 1 / len(golds)) * best - 1e-9 <= left <= best + 1e-9


def test_thoughts_do_not_count() -> None:
    assert exact_match("<think>A dog? Or a cat.</think>The cat<|im_end|>", "cat") == 1.0
    assert f1("<think>the cat", "cat") == 0.0


@given(st.text(max_size=40), st.text(max_size=40))
def test_f1_is_symmetric_bounded_and_at_least_em(first: str, second: str) -> None:
    assert f1(first, second) == f1(second, first)
    assert exact_match(first, second) <= f1(first, second) <= 1.0

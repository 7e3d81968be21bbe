"""The released matchers, beside lm-eval's own and with their faults."""

from __future__ import annotations

import importlib

import pytest

from transferscope.tasks.paper.released_maths import evalchemy_matches, lm_eval_matches

ANSWERS = (
    *("3", "0.5", ".5", "1/2", "\\frac{1}{2}", "\\frac12", "\\frac1{2}", "\\dfrac{1}{2}", "x/2"),
    *("\\sqrt3", "\\sqrt{3}", "2\\sqrt3", "k = 3", "abc=3", "90^\\circ", "90^{\\circ}", "90"),
    *("\\$5", "5", "50\\%", "50", "\\left( 1, 2 \\right)", "(1,2)", "(1, 2)", "", "-\\frac{1}{2}"),
    *(
        "5 \\text{ cm}",
        "5\\text{ cm}\\text{ or}",
        "\\text{ cm}",
        "10,\\!000",
        "10000",
        "\\frac",
        "{.5}",
    ),
    *(
        "\\frac\\frac12",
        "\\frac{a}{b}\\frac1",
        "\\sqrt",
        "1\n2",
        "12",
        "a=b=c",
        "x=.5",
        "3.0",
        "033",
    ),
)


@pytest.mark.parametrize("one", ANSWERS)
def test_evalchemy_matches_as_lm_eval_does(one: str) -> None:
    """evalchemy imports lm-eval's functions, so those of the installed lm-eval decide."""
    theirs = pytest.importorskip("lm_eval.tasks.hendrycks_math.utils")
    for other in ANSWERS:
        expected = theirs.is_equiv(other, one)
        assert evalchemy_matches(f"So \\boxed{{{one}}}.", other) == expected, (one, other)


@pytest.mark.parametrize(
    ("reply", "gold", "evalchemy", "lm_eval"),
    [
        ("\\boxed{3}", "3", True, True),
        ("first \\boxed{2}, then \\boxed{3}", "3", True, True),
        ("The answer is 3.", "3", False, False),
        ("\\boxed{033}", "33", False, True),  # leading zeros
        ("\\boxed{3.00}", "3", False, True),
        ("\\boxed{0}", "0", True, True),
        ("\\boxed{}", "0", False, True),  # a fault: both are empty without zeros
        ("\\boxed{0.25}", "\\frac{1}{4}", False, False),
        ("\\boxed{2, 1}", "1, 2", False, False),
        ("\\boxed{2n}", "$2n$", False, False),  # dollar signs of the gold stay
        ("\\boxed{$2n$}", "$2n$", True, True),
        ("\\boxed 7$ and more", "7", True, True),
        ("\\fbox{7}", "7", False, True),
        ("\\boxed{\\fbox{7}}", "\\fbox{7}", True, False),  # the lm-eval task ends with an error
        ("\\boxed{7", "7", False, False),
        ("\\boxed{x = 7}", "7", True, True),
        ("x" * 10, "x" * 10, False, False),
    ],
)
def test_by_hand(reply: str, gold: str, evalchemy: bool, lm_eval: bool) -> None:
    assert evalchemy_matches(reply, gold) is evalchemy
    assert lm_eval_matches(reply, gold) is lm_eval


def test_a_box_is_found_as_lm_eval_does() -> None:
    utils = pytest.importorskip("lm_eval.tasks.hendrycks_math.utils")
    for reply in ("\\boxed{7}", "a \\boxed{7} b \\boxed{{8}}", "\\boxed{7", "\\boxed 7$ x", "none"):
        try:
            expected = utils.remove_boxed(utils.last_boxed_only_string(reply))
        except (AssertionError, TypeError):
            expected = ""
        assert evalchemy_matches(reply, expected), reply
        assert not evalchemy_matches(reply, f"{expected}9"), reply


def test_lm_eval_is_the_independent_implementation() -> None:
    """The comparison above is worth nothing if both were one module."""
    theirs = pytest.importorskip("lm_eval.tasks.hendrycks_math.utils")
    ours = importlib.import_module("transferscope.tasks.paper.released_maths")
    assert theirs.__file__ != ours.__file__

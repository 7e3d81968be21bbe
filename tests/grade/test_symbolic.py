"""When math-verify is asked, and what it is given."""

import sys

import pytest

from transferscope.grade.symbolic import MAX_CHARS, latex_of, same_by_algebra

pytest.importorskip("math_verify")


def test_algebra_is_asked_only_where_it_can_be_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert same_by_algebra(r"\int_0^1 x dx", r"\frac{1}{2}")
    monkeypatch.setitem(sys.modules, "math_verify", None)
    assert not same_by_algebra("5+", "5")  # not asked
    assert not same_by_algebra(r"\int_0^1 x dx «cm»", "1")


@pytest.mark.parametrize(
    ("answer", "gold"),
    [("0.5", "1/2"), ("«ab»", "ab"), ("x=2", "y=2"), ("\\int 5°", "\\int 5"), ("1,2,…", "\\sum k")],
)
def test_what_it_would_mistake_is_not_asked(
    answer: str, gold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "math_verify", None)
    assert not same_by_algebra(answer, gold)
    assert not same_by_algebra("\\int x" + " + x" * MAX_CHARS, "1")


def test_sums_and_integrals_are_its_part() -> None:
    assert same_by_algebra("\\sum_{k=1}^{3} k", "6")
    assert not same_by_algebra("\\sum_{k=1}^{3} k", "7")


def test_canonical_signs_become_latex_again() -> None:
    assert latex_of("x≤2∨x∈⦃1⦄") == r"x\le 2\text{ or }x\in \{1\}"

"""Units, money, percent: converted where that is exact, else different."""

from fractions import Fraction

import pytest

from transferscope.grade.amounts import measured, same_amount
from transferscope.grade.notation import canonical
from transferscope.grade.numbers import amount
from transferscope.grade.units import ratio, unit_of


def equal(mine: str, theirs: str) -> bool:
    return amount(canonical(mine)) == amount(canonical(theirs)) is not None


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("«km»", "«m»", Fraction(1000)),
        ("«km»/«h»", "«m»/«s»", Fraction(5, 18)),
        ("«miles per hour»", "«mph»", Fraction(1)),
        ("«cm»^2", "«square meters»", Fraction(1, 10_000)),
        ("«cubic feet»", "«ft»^3", Fraction(1)),
        ("«foot»", "«inches»", Fraction(12)),
        ("«red apples»", "«apple»", Fraction(1)),
        ("«square units»", "«cm»^2", Fraction(1)),
        ("«apples»", "«pears»", None),
        ("«cm»", "«cm»^2", None),
        ("«kg»", "«cm»", None),
        ("«V»", "«A»", None),
    ],
)
def test_ratio_of_units(one: str, other: str, factor: Fraction | None) -> None:
    first, second = unit_of(one), unit_of(other)
    assert first is not None
    assert second is not None
    assert ratio(first, second) == factor


def test_measured_parts() -> None:
    found = measured(canonical(r"12.5\text{ cm}^2"))
    assert found is not None
    assert found.value == "12.5"
    assert found.unit == unit_of("«cm»^2")
    assert measured(canonical("50%")).percent
    assert measured(canonical("$18")).unit == unit_of("$")
    assert measured(canonical("2 hours and 30 minutes")).value == r"\frac{5}{2}"
    assert measured(canonical(r"\text{the area is } 5 \text{ or so } x")) is None


@pytest.mark.parametrize(
    ("mine", "theirs", "verdict"),
    [
        ("5 km", "5 m", False),
        ("5 km", "5", True),
        ("50%", "0.5", True),
        ("50%", "50", True),
        ("50%", "5", False),
        ("$5", "€5", False),
        ("5", "6", None),
        (r"\sin 30°", "0.5", None),
    ],
)
def test_same_amount(mine: str, theirs: str, verdict: bool | None) -> None:
    def same(a: str, b: str) -> bool:
        if a.startswith("\\frac{50}"):
            return b == "0.5"
        return a == b

    assert same_amount(canonical(mine), canonical(theirs), same) is verdict

"""Numbers with units: equal where the amounts are, open where no unit is named."""

from fractions import Fraction

import pytest

from transferscope.grade.latex import cleaned
from transferscope.grade.quantities import equal, parted, quantity
from transferscope.grade.units import unit


def read(text: str):  # type: ignore[no-untyped-def]
    return quantity(cleaned(text))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1 m", "100 cm", True),
        ("1 km", "100 cm", False),
        ("36 km/h", r"10\,\text{m/s}", True),
        ("5 square meters", r"5\text{ m}^2", True),
        (r"5\text{ m}^2", "5 m", False),
        ("5 m", "5", True),
        ("50%", "0.5", True),
        ("50%", "50", True),
        ("50%", "5", False),
        ("$2", "200 cents", True),
        ("$2", "€2", False),
        ("$1.5 million", "1500000", True),
        ("three apples", "3", True),
        ("3 apples", "3 pears", False),
        ("3 red apples", "3 apples", True),
        ("90°", "90 degrees", True),
        ("20°C", "20°F", False),
    ],
)
def test_equal(one: str, other: str, same: bool) -> None:
    mine, theirs = read(one), read(other)
    assert mine is not None
    assert theirs is not None
    assert equal(mine, theirs) is equal(theirs, mine) is same


@pytest.mark.parametrize("text", ["2x", "2 x", "5m", r"5\pi", "2xy", "km", "12 and a half", ""])
def test_what_may_be_a_variable_is_no_unit(text: str) -> None:
    assert read(text) is None


def test_units_by_hand() -> None:
    speed = unit("km/h")
    assert speed is not None
    assert speed.scale == Fraction(5, 18)
    assert speed.powers == (("m", 1), ("s", -1))
    assert unit("m/s^{2}").powers == (("m", 1), ("s", -2))  # type: ignore[union-attr]
    assert unit("square units").open  # type: ignore[union-attr]
    assert parted(r"5\pi cm")[0] == r"5\pi"
    assert parted(r"5\pi") == (r"5\pi", None)

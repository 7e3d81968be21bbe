"""Formulas as trees: precedence, names, and what is refused."""

from fractions import Fraction

import pytest

from transferscope.grade.syntax import MAX_TOKENS, Node, Unreadable, imaginary, parse, symbols

X = Node("symbol", name="x")
TWO, THREE = (Node("number", value=Fraction(n)) for n in (2, 3))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("-x^2", Node("-", (Node("^", (X, TWO)),))),
        ("2x^3", Node("*", (TWO, Node("^", (X, THREE))))),
        ("sin 2x", Node("sin", (Node("*", (TWO, X)),))),
        ("\\sqrt[3]{x}", Node("root", (X, THREE))),
        ("3!", Node("factorial", (THREE,))),
        ("|x|", Node("abs", (X,))),
        ("log_2 x", Node("log", (X, TWO))),
        ("sin^{-1} x", Node("arcsin", (X,))),
        ("\\binom{3}{2}", Node("binom", (THREE, TWO))),
    ],
)
def test_trees(text: str, tree: Node) -> None:
    assert parse(text) == tree


def test_a_number_before_a_proper_fraction_is_added_and_before_another_multiplied() -> None:
    assert parse("2\\frac{2}{3}").kind == "+"
    assert parse("2\\frac{3}{2}").kind == "*"
    assert parse("2\\frac{x}{3}").kind == "*"


def test_names_and_constants() -> None:
    assert symbols(parse("x_1 + \\theta + π + e")) == {"x_1", "\\theta"}
    assert symbols(parse("x_{12}")) == {"x_12"}
    assert imaginary(parse("3 + 2i"))
    assert not imaginary(parse("3 + 2x"))


@pytest.mark.parametrize("text", ["", "2 3", "(1", "1)", "x^", r"\int x", "«cm»", "1..2", "|x"])
def test_what_is_no_formula(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


def test_deep_and_long_formulas_are_refused() -> None:
    for text in ("(" * 200 + "1" + ")" * 200, "x" * (MAX_TOKENS + 10), "9" * 2000, "-" * 300 + "1"):
        with pytest.raises(Unreadable):
            parse(text)

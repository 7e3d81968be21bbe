"""One notation: what means the same is written the same, and words are no variables."""

import pytest

from transferscope.grade.notation import canonical, plain_signs, squeezed


@pytest.mark.parametrize(
    ("written", "same"),
    [
        (r"\dfrac{1}{2}", r"\frac{1}{2}"),
        (r"\left( 1 , 2 \right)", "(1 , 2)"),
        (r"$5$", "5"),
        (r"\(x\)", "x"),
        ("**5.**", "5"),
        (r"\text{13}", "13"),
        (r"\mathbf{v}", "v"),
        (r"1\,234", "1234"),
        (r"1{,}234", "1,234"),
        (r"11,\! 111", "11,111"),
        ("90^{\\circ}", "90°"),
        ("x²", "x^{2}"),
        ("½", r"\frac{1}{2}"),
        ("−3", "-3"),
        ("x ≥ 3", r"x \geq 3"),
        (r"\\frac{1}{2}", r"\frac{1}{2}"),
        (r"12^{\text{th}}", "12"),
    ],
)
def test_the_same_written_twice(written: str, same: str) -> None:
    assert squeezed(canonical(written)) == squeezed(canonical(same))


def test_words_are_marked_and_products_of_letters_are_not() -> None:
    assert canonical(r"5\text{ cm}^2") == "5«cm»^2" or canonical(r"5\text{ cm}^2") == "5 «cm»^2"
    assert canonical("5 m/s") == "5 «m»/«s»"
    assert canonical("xy") == "xy"
    assert canonical("apples") == "«apples»"
    assert canonical("2x") == "2x"


def test_blanks_between_digits_are_kept() -> None:
    assert squeezed("3 1/2") != squeezed("31/2")


def test_digits_of_other_scripts() -> None:
    assert plain_signs("１２３ ٤٥ ६") == "123 45 6"
    assert plain_signs("cm²") == "cm^{2}"
    assert plain_signs("plain") == "plain"

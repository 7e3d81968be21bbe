"""Claims: how strongly a reply says which letter, and where."""

import pytest

from transferscope.grade.choice_claims import Reply


def claims(text: str) -> list[tuple[str | None, bool]]:
    return [(c.letter, c.strong) for c in Reply(text, 4, bare_i=False).claims()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The answer is B.", [("B", True)]),
        ("B is correct.", [("B", False)]),
        ("The answer is A or B.", [(None, True)]),
        ("The answer is not A but B.", [("B", True)]),
        ("If the answer is A, so be it.", []),
        ("Vitamin C is correct.", []),
        ("A matter of taste.", []),
        ("So\nC\n", [("C", True)]),
    ],
)
def test_claims(text: str, found: list[tuple[str | None, bool]]) -> None:
    assert claims(text) == found


def test_judged_one_by_one_the_right_one_is_claimed_strongly() -> None:
    assert claims("A. Incorrect. B. Incorrect. C. Correct.")[-1] == ("C", True)
    assert (None, True) in claims("A is correct. B is correct. C is wrong.")
    # what is called the answer goes before
    assert claims("The answer is D. A is wrong. B is right.")[0] == ("D", True)
    assert ("B", True) not in claims("The answer is D. A is wrong. B is right.")


def test_the_only_one_named() -> None:
    def only(text: str) -> str | None:
        return Reply(text, 4, bare_i=False).only_named()

    assert only("It has to do with option C") == "C"
    assert only("option C, or option D") is None
    assert only("not option C") is None

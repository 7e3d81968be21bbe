"""Letters in their sentences: meant, denied, supposed, joined, or part of a name."""

import pytest

from transferscope.grade.choice_letters import Letters


def read(text: str) -> Letters:
    return Letters(text, 4, bare_i=False)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("vitamin C is it", True), ("Hepatitis B", True), ("维生素C是", True), ("Plan B", True),
        ("Immunoglobulin A is it", True), ("so. Interferon B is it", True), ("Option B", False),
        ("Clearly B", False), ("Therefore C", False), ("Figure B", False), ("the letter B", False),
        ("Vitamin (C)", False), ("is B", False), ("Wrong\nB", False),
    ],
)  # fmt: skip
def test_letters_of_names(text: str, named: bool) -> None:
    letters = read(text)
    assert [letters.named(mention) for mention in letters.all] == [named]


@pytest.mark.parametrize(
    ("text", "denied"),
    [("not B", True), ("B is wrong", True), ("eliminate A and B", True), ("B is right", False)],
)
def test_denied(text: str, denied: bool) -> None:
    letters = read(text)
    assert letters.denied(letters.all[-1]) is denied


def test_asked_supposed_and_joined_letters() -> None:
    assert not read("Is it B?").own(read("Is it B?").all[0])
    assert not read("if it is B").own(read("if it is B").all[0])
    either = read("B or C")
    assert either.joined(either.all[0])
    clause = read("B, A is the mass")
    assert not clause.joined(clause.all[0])
    assert not read("E").within(read("E").all[0])  # four options


def test_a_list_of_the_options_is_an_echo() -> None:
    assert read("A. red\nB. blue\nC. green").echo()
    assert not read("A. red\nC. green").echo()

"""What the patterns around a letter take for a word."""

import pytest

from transferscope.grade import choice_patterns as patterns


def test_words_stand_alone_and_joined_ones_anywhere() -> None:
    word = patterns.re.compile(patterns.alone("is|ist", "是"))
    assert [found[0] for found in word.finditer("this is gist, ist 就是B")] == ["is", "ist", "是"]


@pytest.mark.parametrize(
    "behind",
    [
        " is correct",
        " is the only one that fits.",
        " fits",
        " remains",
        " it is.",
        ": correct",
        "是正确的",
    ],
)
def test_right(behind: str) -> None:
    assert patterns.IS_RIGHT.match(behind)
    assert not patterns.IS_WRONG.match(behind)


@pytest.mark.parametrize("behind", [" is wrong", " isn't so", " ist falsch", " est faux", "错误"])
def test_wrong(behind: str) -> None:
    assert patterns.IS_WRONG.match(behind)


@pytest.mark.parametrize("behind", [" is the only one that fails.", " is a metal", " cat"])
def test_neither(behind: str) -> None:
    assert not patterns.IS_RIGHT.match(behind)


def test_what_a_sentence_begins_with_is_a_name_unless_it_is_a_word_for_options() -> None:
    assert patterns.NAMED.search("take vitamin ")
    assert not patterns.NAMED.search("take option ")
    assert patterns.NO_NAME.fullmatch("clearly")
    assert patterns.NO_NAME.fullmatch("option")
    assert not patterns.NO_NAME.fullmatch("immunoglobulin")

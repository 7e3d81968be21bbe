import pytest

from transferscope.probe.token_kinds import LOGICAL_WORDS, token_kind


@pytest.mark.parametrize(
    "token",
    [
        "therefore",
        " So",
        "WAIT\n",
        "\tif ",
        "",
        " ",
        "\n\n",
        "...",
        " **",
        "$\\",
        "_",
        "→",
        "(",
        "。",
    ],
)
def test_steering_words_and_marks_are_logical(token):
    assert token_kind(token) == "logical"


@pytest.mark.parametrize(
    "token",
    ["apples", " so-called", "sofa", "th", "so,", "if then", "7", " 42.", "²", "é", "事", "x="],
)
def test_what_names_the_matter_is_content(token):
    assert token_kind(token) == "content"


def test_listed_words_are_found_however_they_are_written():
    assert len(LOGICAL_WORDS) > 100
    for word in LOGICAL_WORDS:
        assert {token_kind(f" {word}"), token_kind(word.upper())} == {"logical"}, word
        assert token_kind(f"{word}x1") == "content", word

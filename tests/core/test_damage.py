"""What a damaged file is, by its text alone."""

import json

import pytest

from transferscope.core.damage import damage_of


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("\ufeff \r\n", "is empty"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "Git LFS"),
        ("../../.git/annex/objects/Zk/q1/SHA256E-s12--4d7a.json/x", "git-annex pointer"),
        ("/annex/objects/SHA256E-s12--4d7a.json\n", "git-annex pointer"),
        ("\n<!DOCTYPE html><html></html>", "web page"),
        ("\0\0\0\0", "only null characters"),
        ('<<<<<<< HEAD\n{"a": 1}\n', "merge conflict"),
    ],
)
def test_what_stands_in_the_place_of_a_file(text, what):
    assert what in damage_of(text).what


WHOLE = '{"name": "a \\"b\\" \\u00e9", "n": [1, -2.5, 1e-7, true, false, null], "in": {"x": ""}}'


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
def test_a_file_cut_anywhere_is_called_cut(cut):
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(WHOLE[:cut])
    assert "cut off in the middle" in damage_of(WHOLE[:cut], at=caught.value.pos).what


@pytest.mark.parametrize("text", ["{oops", '{"a": b}', '{"a": 1}{', '{"a": "x" "y"}', "plain text"])
def test_what_is_merely_wrong_is_not_called_cut(text):
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    assert damage_of(text, at=caught.value.pos) is None

"""Foreign text: what is shown, cut, spelled out and escaped."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.report.escaping import (
    markdown_cell,
    markdown_line,
    minus,
    name,
    script_json,
    token,
    visible,
)

ANY = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\tc", "a\nb\tc"),
        ("\x00", "⟨U+0000⟩"),
        ("\x1b[31m", "⟨U+001B⟩[31m"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\ud800", "⟨U+D800⟩"),
        ("naïve 数学 👩‍🔬", "naïve 数学 👩‍🔬"),
    ],
)
def test_hidden_characters_are_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_cut_keeps_both_ends() -> None:
    cut = visible("b" + "x" * 98 + "e", 20)
    assert cut.startswith("b" + "x" * 13 + "\n")
    assert cut.endswith("\n" + "x" * 5 + "e")
    assert "80 of 100" in cut


@given(ANY)
def test_visible_text_can_be_written_as_utf8(text: str) -> None:
    assert visible(text).encode().decode() == visible(text)
    assert "\n" not in name(text)
    assert len(name(text)) <= 80


@given(ANY)
def test_script_json_round_trips_without_markup(text: str) -> None:
    safe = script_json({"k": text})
    assert not set("<>&\u2028\u2029") & set(safe)
    assert json.loads(safe) == {"k": text}


def test_script_json_escapes_and_drops_what_json_lacks() -> None:
    assert script_json("</script>&\u2028") == '"\\u003c/script\\u003e\\u0026\\u2028"'
    assert script_json([math.nan, math.inf, 1.5]) == "[null,null,1.5]"


def test_markdown_cell_stays_in_its_cell() -> None:
    assert markdown_cell("a|b") == "a\\|b"
    assert markdown_cell("a\nb`c`") == "a b\\`c\\`"
    assert markdown_cell("<img onerror=x>") == "&lt;img onerror=x&gt;"
    assert markdown_cell("[x](http://e.org)") == "\\[x\\](http:\u2060//e.org)"
    assert markdown_cell("\\|") == "\\\\\\|"
    assert markdown_cell("@team") == "@\u2060team"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see www.example.com", "see www\u2060.example.com"),
        ("WWW.example.com", "WWW\u2060.example.com"),
        ("(www.a.org)", "(www\u2060.a.org)"),
        ("https://e.org ftp://e.org", "https:\u2060//e.org ftp:\u2060//e.org"),
        ("mailto:a@b.c", "mailto\u2060:a@\u2060b.c"),
        ("acme/repo#12", "acme/repo\\#\u206012"),
        ("GH-12", "GH-\u206012"),
    ],
)
def test_nothing_becomes_a_link_or_a_mention(text: str, shown: str) -> None:
    """GitHub links bare addresses and issues, and tells those that are mentioned."""
    assert markdown_cell(text) == shown
    assert markdown_line(text) == shown


def test_a_sentence_in_markdown_is_whole() -> None:
    text = "word " * 300 + "|"
    assert markdown_line(text) == "word " * 300 + "\\|"
    assert markdown_line("a\x1b[2Jb") == "a⟨U+001B⟩\\[2Jb"


def test_tokens_draw_their_white_space() -> None:
    assert token(" Okay\n") == "␣Okay⏎"
    assert token("") == "(empty)"


def test_one_minus_sign_in_an_output() -> None:
    said = "the bound -8.1 lies below -4 (-3.0 points) on gpt-4-32k, 2026-11-28, a -b"
    assert minus(said) == (
        "the bound −8.1 lies below −4 (−3.0 points) on gpt-4-32k, 2026-11-28, a -b"
    )

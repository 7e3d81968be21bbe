"""Names and sentences from somebody else's file, made safe to show."""

import unicodedata

import pytest

from transferscope.core.errors import InputError
from transferscope.core.shown import NAME_LIMIT, listed, name, sentence, visible

ESCAPE = "a\x1b[31mEVIL\x1b]0;title\x07\nb"


def test_escape_codes_are_spelled_out_and_lines_joined():
    assert name(ESCAPE) == "a⟨U+001B⟩[31mEVIL⟨U+001B⟩]0;title⟨U+0007⟩ b"
    assert sentence(f"task {ESCAPE}") == "task a⟨U+001B⟩[31mEVIL⟨U+001B⟩]0;title⟨U+0007⟩ b"


@pytest.mark.parametrize("show", [name, sentence])
def test_nothing_that_hides_or_turns_text_is_left(show):
    """C0, C1, bidi, zero width, tags, surrogates: by Unicode's own categories."""
    every = [chr(code) for code in range(0x110000)]
    odd = [c for c in every if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    # Marks in Arabic, Syriac, Egyptian and such are drawn.
    drawn = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
    left = []
    for char in odd:
        shown = show(f"a{char}b")
        if char in shown and char not in drawn:
            left.append(char)
    assert [hex(ord(c)) for c in left if not 0x110BD <= ord(c) <= 0x1343F] == []


def test_names_are_at_most_80_long():
    assert NAME_LIMIT == 80
    assert name("x" * 80) == "x" * 80
    assert name("x" * 81) == "x" * 79 + "…"
    assert len(name("two words " * 500)) == 80
    assert len(name("\x1b" * 500)) == 80


def test_words_of_a_sentence_are_cut_and_paths_are_not():
    path = "/".join(["/folder"] * 40)
    assert sentence(f"{path}: no {'y' * 300}") == f"{path}: no {'y' * 79}…"
    assert len(sentence("word " * 5_000)) == 2_000


def test_what_joins_letters_stays_in_an_answer_and_goes_from_a_name():
    assert visible("می‌خواهم") == "می‌خواهم"
    assert name("می‌خواهم") == "می⟨U+200C⟩خواهم"


def test_an_error_is_one_safe_line():
    error = InputError(f"no column {ESCAPE}", place=f"a\n\x1b[2J{'z' * 90}:3", remedy="x\x9bmend\r")
    said = str(error)
    assert said.startswith(f"a ⟨U+001B⟩[2J{'z' * 64}")
    assert said.endswith("; x⟨U+009B⟩mend")
    assert "no column a⟨U+001B⟩[31mEVIL" in said
    assert said.isprintable()
    assert len(str(InputError("w " * 5_000, place="p", remedy="r " * 5_000))) < 1_300


def test_names_are_listed_up_to_a_number():
    assert listed(["a"], 3) == "a"
    assert listed(["a", "b"], 3) == "a and b"
    assert listed(["a", "b", "c\x1b", "d", "e"], 3) == "a, b, c⟨U+001B⟩ and 2 more"

"""What notebooks and rich show of documents; names in them are hostile."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from transferscope.documents.comparison import Comparison
from transferscope.documents.short_table import ROWS_SHOWN, short_table

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES

EVIL = "a|b\n<script>alert(1)</script> [x](javascript:1) `c` \x1b[31m"


def test_every_name_is_text_in_a_cell() -> None:
    text = short_table(EVIL, ("model", EVIL), [(EVIL, "1.0")])
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert html.count("<tr>") == 2
    assert html.count("<td") == 2
    assert "<script" not in html
    assert "<a " not in html
    assert "<code" not in html
    assert "\x1b" not in text


def test_long_tables_say_what_is_left_out() -> None:
    text = short_table("t", ("m",), [(str(n),) for n in range(ROWS_SHOWN + 3)])
    assert text.endswith("and 3 more")
    assert len(text.splitlines()) == ROWS_SHOWN + 6


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("comparison", ["2 tuned from base on suite law", "loses", "-40.0 (", "gains"]),
        ("gate", ["REGRESSED: loses", "chat against base", "2.0", "-40.0"]),
        ("ranking", ["2 tuned from base, best first", "gains", "+47.5", "open"]),
    ],
)
def test_documents_show_themselves(name: str, said: list[str], tmp_path: Path) -> None:
    found = CASES[name](tmp_path)
    shown = found._repr_markdown_().replace("\\", "")
    for text in said:
        assert text in shown
    assert len(repr(found).splitlines()) == 1


def test_what_is_not_compared_is_said(tmp_path: Path) -> None:
    found: Comparison = CASES["comparison-of-scores"](tmp_path)
    (result,) = found.tuned
    bare = replace(found, tuned=(replace(result, plane={}, retention=None),))
    assert bare._repr_markdown_().count("not compared") == 3

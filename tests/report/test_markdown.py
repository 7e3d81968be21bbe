"""The pull-request comment."""

from __future__ import annotations

import re
from dataclasses import replace

import sample

from transferscope.report import render_markdown


def tables(text: str) -> list[list[str]]:
    """Blocks of table lines."""
    blocks: list[list[str]] = []
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if lines and all(line.startswith("| ") for line in lines):
            blocks.append(lines)
    return blocks


def cells(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line)) - 1


def test_verdict_plane_index_benchmarks_differences() -> None:
    text = render_markdown(sample.sample())
    assert text.index("Not like for like") < text.index("Better on math")
    assert text.index("Better on math") < text.index("### Gain and retention")
    assert text.index("### Gain and retention") < text.index("### mini-TI")
    assert text.index("### mini-TI") < text.index("<details>")
    plane, index, first, second = tables(text)
    assert "| math (source) | +20.6 | 12.0 to 29.3 | gain established |" in plane[2]
    assert "33 % (95 % interval −32 to 78)" in index[2]
    assert "undefined: the gain on the source group math is not established" in index[4]
    assert len(first) == len(second) == 2 + 12
    assert first[2].startswith("| word\\_problems | 30.0 | 52.5 | +22.5 | 4.8 to 40.2 |")


def test_hostile_names_stay_in_their_cells() -> None:
    report = sample.bare()
    one = report.comparison.tuned[0]
    evil = "a|b\n`c` <script>alert(1)</script> [x](http://e.org)\n| @all"
    rows = tuple(replace(row, benchmark=evil) for row in one.benchmarks)
    bad = replace(one, model=evil, benchmarks=rows, not_compared={evil: evil})
    comparison = replace(report.comparison, tuned=(bad,), base=evil, differences=(evil,))
    text = render_markdown(replace(report, comparison=comparison, title=evil))
    assert "<script>" not in text
    assert "](http://" not in text.replace("\\]", "")
    assert "@all" not in text
    for block in tables(text):
        assert {cells(line) for line in block} == {cells(block[0])}
    assert len(tables(text)) == 3


def test_it_fits_a_comment() -> None:
    report = sample.sample()
    many = tuple(report.comparison.tuned) * 25
    comparison = replace(report.comparison, tuned=many)
    text = render_markdown(replace(report, comparison=comparison))
    assert len(text) < 65_536
    assert re.search(r"\d+ more per-benchmark tables do not fit here", text)
    assert len(render_markdown(report)) < 10_000
    crowd = replace(report.comparison, tuned=many * 10)
    text = render_markdown(replace(report, comparison=crowd))
    assert len(text) < 65_536
    assert text.endswith("Truncated; see the HTML report.\n")


def test_bare() -> None:
    text = render_markdown(sample.bare())
    assert "Not like for like" not in text
    assert "does not mean that nothing was lost" in text

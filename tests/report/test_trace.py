"""The words of a trace count the looks; a file without joint bounds is shown as it was."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from transferscope.report.trace import print_trace, trace_grid, trace_verdicts, write_trace


def row(step: int, lowest: float, **other: Any) -> dict[str, Any]:
    return {
        "step": step,
        "gain": {"math": 4.0, "non": -3.0},
        "ci": {"math": [1.0, 7.0], "non": [-5.0, -1.0]},
        "retention": -3.0,
        "retention_ci": [-5.0, -1.0],
        "kl": None,
        "look": step // 100,
        "looks": 3,
        "bound": {"math": [-2.0, 11.0], "non": [-8.0, 2.0]},
        "retention_bound": [-8.0, 2.0],
        "lowest": {"non": lowest},
    } | other


ROWS = [row(100, 2.0), row(200, -0.2), row(300, -1.26)]


def printed(rows: list[dict[str, Any]], capsys) -> str:
    print_trace(rows, Console(width=80))
    return capsys.readouterr().out


def test_the_intervals_are_the_joint_ones_and_say_so(capsys) -> None:
    assert trace_grid(ROWS).rows[0][:4] == (
        "100",
        "+4.0 (\u22122 to 11)",
        "\u22123.0 (\u22128 to 2)",
        "\u22123.0 (\u22128 to 2)",
    )
    out = printed(ROWS, capsys)
    assert "Change from the base over the steps (95 % intervals that hold over 3 looks)" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_loss_is_established_by_the_joint_bound_only() -> None:
    # The intervals of the single looks lie below 0 at all three.
    assert trace_verdicts(ROWS[:1]) == ["non-reasoning: no loss established over 1 look"]
    assert trace_verdicts(ROWS) == [
        "non-reasoning: loss established over 3 looks (first shown at step 200): at one or more of "
        "them the true change was below \u22121.3 points"
    ]


def test_the_page_counts_the_looks(tmp_path: Path) -> None:
    comparison: Any = SimpleNamespace(base="b")
    page = write_trace(tmp_path, comparison, ROWS).read_text()
    assert "Non-reasoning: loss established over 3 looks" in page
    assert "The same questions were asked at 3 looks" in page


def test_rows_without_joint_bounds_show_those_of_each_step(capsys) -> None:
    new = ("look", "looks", "bound", "retention_bound", "lowest")
    old = [{name: value for name, value in one.items() if name not in new} for one in ROWS]
    for rows in (old, [*old[:2], ROWS[2]]):
        assert trace_grid(rows).rows[0][2] == "\u22123.0 (\u22125 to \u22121)"
        assert trace_verdicts(rows) == []
        assert "(95 % intervals)" in printed(rows, capsys)

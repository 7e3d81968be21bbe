from __future__ import annotations

import io

from rich.console import Console

from transferscope.report.fitted_table import Column, fitted_table

NAMES = ["a-benchmark-with-a-long-name", "short"]


def shown(width: int) -> list[str]:
    columns = [
        Column("benchmark", list(NAMES), folds=True),
        Column("change", ["+1.0", "−2.0"]),
        Column("n", ["120", "120"], spare=2),
        Column("MDE", ["14.3", "9.5"], spare=1),
        Column("chance", ["25.0", "0.0"], spare=2),
    ]
    out = io.StringIO()
    Console(file=out, width=width).print(fitted_table("t", columns, width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    return lines


def test_everything_is_shown_where_there_is_room() -> None:
    lines = shown(60)
    assert lines[1].split() == ["benchmark", "change", "n", "MDE", "chance"]
    assert lines[3].split() == [NAMES[0], "+1.0", "120", "14.3", "25.0"]


def test_columns_give_way_by_rank_and_names_keep_their_room() -> None:
    # 16 for the name, 6 and 4 for two numbers, 2 between columns
    lines = shown(30)
    assert lines[1].split() == ["benchmark", "change", "MDE"]
    assert lines[3].startswith("a-benchmark-with")
    lines = shown(29)
    assert lines[1].split() == ["benchmark", "change"]


def test_numbers_are_whole_even_where_nothing_fits() -> None:
    assert any("+1.0" in line for line in shown(14))

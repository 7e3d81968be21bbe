"""Terminal tables: 80 columns, whole numbers, names that are no markup."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import cohort
import pytest
import sample
from rich.cells import cell_len
from rich.console import Console

from transferscope.core.scoretable import cohort_index, parse_table
from transferscope.core.table_index import TableIndex
from transferscope.published import cohort_checks, recompute
from transferscope.report import terminal, words


def shown(print_it: Callable[[Any, Console], None], value: Any) -> str:
    out = io.StringIO()
    print_it(value, Console(file=out, width=80, force_terminal=False))
    text = out.getvalue()
    for line in text.splitlines():
        assert cell_len(line) <= 80, line
    assert "…" not in text
    return text


def test_comparison() -> None:
    comparison = sample.comparison()
    text = shown(terminal.print_comparison, comparison)
    assert text.index("Not like for like") < text.index("Better on math")
    for result in comparison.tuned:
        for row in result.benchmarks:
            line = next(
                line
                for line in text.splitlines()
                if line.startswith(row.benchmark) and words.interval(row.ci) in line
            )
            values = [row.base, row.tuned, row.mde]
            for value in [*map(words.number, values), words.signed(row.delta), str(row.n)]:
                assert value in line.split()
    assert "mini-TI" in text
    assert "undefined for smollm2-135m-off-policy-sft" in text
    assert "flagged answers, base → tuned: looped 0 → " in text


def test_wide_numbers_and_long_names_still_fit() -> None:
    comparison = sample.comparison()
    long_name = "organisation/a-very-long-model-name-that-nobody-can-remember-v2.5-[bold]x[bold]"
    one = comparison.tuned[0]
    rows = tuple(
        replace(
            row,
            benchmark="a_benchmark_name_that_is_too_long_for_any_table",
            base=100.0,
            tuned=100.0,
            delta=-100.0,
            ci=(-100.0, -100.0),
            mde=140.0,
            n=123456,
            p_holm=0.0001,
        )
        for row in one.benchmarks
    )
    assert one.index is not None
    index = replace(
        one.index, model=long_name, ti={"other": -1234.5, "non": 1.0}, ci={"other": (-9e3, 9e3)}
    )
    wide = replace(one, model=long_name, benchmarks=rows, index=index)
    text = shown(terminal.print_comparison, replace(comparison, tuned=(wide, wide)))
    assert "[bold]" in text.replace("\n", "")
    line = next(line for line in text.splitlines() if "123456" in line)
    for value in ("100.0", "−100.0", "−100.0 to −100.0", "<0.001", "loss"):
        assert value in line
    assert "140.0" not in line  # the column of MDE gives way, so that names keep their room
    assert "−9000.0 to 9000.0" in text
    assert "−1234.5" in text


def lines_at(width: int, comparison: Any, print_it: Any = terminal.print_comparison) -> list[str]:
    out = io.StringIO()
    print_it(comparison, Console(file=out, width=width, force_terminal=False))
    lines = out.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    return lines


@pytest.mark.parametrize("models", [1, 3, 24])
def test_names_and_numbers_are_whole_at_60_columns(models: int) -> None:
    comparison = cohort.comparison(models)
    text = "\n".join(lines_at(60, comparison))
    assert "…" not in text
    if models == 24:
        return
    for row in comparison.tuned[0].benchmarks:
        line = next(line for line in text.splitlines() if line.startswith(f"{row.benchmark} "))
        assert words.signed(row.delta) in line
        assert words.interval(row.ci) in line
    assert "/data/checkpoints" not in text


def test_24_models_take_a_line_each() -> None:
    comparison = cohort.comparison(24)
    for width in (60, 80, 120):
        lines = lines_at(width, comparison)
        assert len(lines) < 24 + 30
        for result in comparison.tuned:
            short = result.model.rpartition("llama-3.2-1b-")[2]
            (line,) = [line for line in lines if line.startswith(f"{short} ")]
            assert words.signed(result.retention.gain) in line
            if width == 120:
                assert words.interval(result.retention.ci) in line
        assert "transferscope compare BASE MODEL" in " ".join(" ".join(lines).split())
    kept = [t.retention.gain for t in comparison.tuned]
    best = comparison.tuned[kept.index(max(kept))].model.rpartition("llama-3.2-1b-")[2]
    told = lines_at(80, comparison, terminal.print_verdict)
    assert told[3].startswith(f"{best} ")  # after the title, the heads and their rule


def test_verdict_fits_a_screen() -> None:
    text = shown(terminal.print_verdict, sample.comparison())
    assert len(text.splitlines()) <= 30
    assert "mini-TI other reasoning and non-reasoning are undefined: the gain on" in text


def test_control_characters_do_not_reach_the_terminal() -> None:
    comparison = sample.comparison()
    evil = replace(comparison.tuned[0], model="x\x1b[31m\x07", not_compared={"\x1b]0;": "\x9b"})
    text = shown(terminal.print_comparison, replace(comparison, tuned=(evil,)))
    assert not {"\x1b", "\x07", "\x9b"} & set(text)


def test_published() -> None:
    text = shown(partial(terminal.print_published, recompute()), cohort_checks())
    assert "sigma: math 16.122, other 18.431, non 20.462" in text
    assert "29 of 36" in text
    line = next(line for line in text.splitlines() if line.startswith("Llama3.1-8B-SimpleRL"))
    assert line.split() == ["Llama3.1-8B-SimpleRL", "168.0", "72.6", "*", "7.4", "7.0"]
    assert sum(line.count("*") for line in text.partition("sigma:")[0].splitlines()) == 7


@pytest.mark.parametrize("tuned", [90, 40])
def test_index(tuned: int) -> None:
    rows = ["model,base,group,benchmark,score"]
    for model, base, scores in [("b", "", (50, 50)), ("t", "b", (tuned, 60))]:
        rows += [f"{model},{base},math,m,{scores[0]}", f"{model},{base},other,o,{scores[1]}"]
    table = parse_table("\n".join(rows), place="test")
    text = shown(terminal.print_index, TableIndex(table, cohort_index(table)))
    assert ("50.0" in text) == (tuned == 90)
    assert ("undefined for t: no gain on the source group math" in text) == (tuned == 40)


def test_rows_without_n_are_named() -> None:
    rows = ["model,base,group,benchmark,score,n"]
    for model, base, count in [("b", "", "80"), ("t", "b", "")]:
        rows += [f"{model},{base},math,m,50,{count}", f"{model},{base},other,o,50,80"]
    table = parse_table("\n".join(rows), place="test")
    text = shown(terminal.print_index, TableIndex(table, cohort_index(table)))
    assert "no intervals: n is missing for t on m" in " ".join(text.split())


def test_shift() -> None:
    hidden = shown(terminal.print_shift, sample.hidden(2.0))
    assert "d_layerwise" in hidden
    assert len([line for line in hidden.splitlines() if line.strip()]) >= 31 + 4
    tokens = shown(terminal.print_shift, sample.tokens(1.0))
    assert "␣Okay" in tokens
    assert "shared" in tokens


def test_rich_and_notebooks_show_a_comparison_as_a_table() -> None:
    comparison = sample.comparison()
    out = io.StringIO()
    Console(file=out, width=80).print(comparison)
    assert max(map(len, out.getvalue().splitlines())) <= 80
    assert "2 tuned from smollm2-135m on suite mini" in out.getvalue()
    gain = f"{comparison.tuned[0].plane['math'].gain:+.1f}"
    assert gain in " ".join(out.getvalue().split())
    assert len(repr(comparison)) < 100

"""Rows of one's own models beside the paper's Table 5."""

import json
import subprocess
import sys
from math import sqrt
from pathlib import Path

import pytest

from transferscope.compare import compare_runs
from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef, Outcome
from transferscope.core.suite import Suite, load_suite
from transferscope.published import cohort_checks, recompute
from transferscope.report.own_rows import own_grid, own_notes, own_rows
from transferscope.report.published import render_published
from transferscope.runs import Manifest, RunWriter, read_run
from transferscope.runs.writer import claimed

PAPER = load_suite("paper")
N = 60


def written(folder: Path, name: str, right: dict[str, int], suite: Suite = PAPER) -> Path:
    """A run in which the first ``right[benchmark]`` of N items are solved."""
    ref = ModelRef(name, base=None if name == "base" else "base")
    manifest = Manifest(
        model=ref, suite=suite.model_dump(mode="json"), suite_hash=suite.hash, limit=N
    )
    with claimed(folder), RunWriter.open(folder, manifest) as writer:
        for benchmark, solved in right.items():
            rows = [Outcome(benchmark, str(i), float(i < solved)) for i in range(N)]
            writer.write_benchmark(benchmark, rows)
    return folder


def scores(gains: dict[str, int], *, without: str = "") -> dict[str, int]:
    return {
        benchmark: 20 + gains[group]
        for benchmark, group in PAPER.group_of.items()
        if benchmark != without
    }


NONE = dict.fromkeys(PAPER.groups, 0)
LOST = {"math": 24, "other": 6, "non": -6}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    written(folder / "base", "base", scores(NONE))
    written(folder / "tuned", "tuned <b>", scores(LOST))
    written(folder / "part", "part", scores(LOST, without="GPQA-Diamond"))
    return folder


def test_a_row_by_hand(runs: Path) -> None:
    base, tuned = read_run(runs / "base"), read_run(runs / "tuned")
    (row,) = own_rows(compare_runs(base, [tuned], replicates=1000))
    # Every benchmark of a group has the same change and weight, so DI is the root of change/sigma:
    # 24 of 60 items are 40 points, 6 are 10.
    sigma = PAPER.sigma or {}
    math = sqrt(40.0 / sigma["math"])
    assert row.gain == pytest.approx(40.0)
    assert row.ti["other"] == pytest.approx(100.0 * sqrt(10.0 / sigma["other"]) / math)
    assert row.ti["non"] == pytest.approx(-100.0 * sqrt(10.0 / sigma["non"]) / math)
    assert row.missing == ()
    bounds = row.ci["other"]
    assert bounds is not None
    assert bounds[0] < (row.ti["other"] or 0.0) < bounds[1]
    assert own_notes([row]) == []


def test_a_missing_benchmark_keeps_the_scale_and_is_named(runs: Path) -> None:
    base, part = read_run(runs / "base"), read_run(runs / "part")
    comparison = compare_runs(base, [part], replicates=1000)
    assert comparison.scale == "unit"
    (row,) = own_rows(comparison)
    sigma = PAPER.sigma or {}
    whole = 100.0 * sqrt(10.0 / sigma["other"]) / sqrt(40.0 / sigma["math"])
    assert row.ti["other"] == pytest.approx(whole)
    assert row.missing == ("GPQA-Diamond",)
    (note,) = own_notes([row])
    assert "Without GPQA-Diamond" in note
    assert own_grid([row]).rows[0][2] == "11 of 12"


def test_an_undefined_index_is_said(runs: Path, tmp_path: Path) -> None:
    still = read_run(written(tmp_path / "still", "still", scores(NONE)))
    (row,) = own_rows(compare_runs(read_run(runs / "base"), [still], replicates=1000))
    assert row.ti == {"other": None, "non": None}
    assert own_grid([row]).rows[0][-1] == "undefined"
    (note,) = own_notes([row])
    assert note.startswith("still: TI other reasoning and non-reasoning are undefined: ")


def test_another_suite_has_no_row(tmp_path: Path) -> None:
    suite = load_suite("mini")
    solved = dict.fromkeys(suite.benchmarks, 20)
    base = read_run(written(tmp_path / "base", "base", solved, suite))
    tuned = read_run(written(tmp_path / "tuned", "tuned", solved, suite))
    with pytest.raises(InputError, match="suite mini: is not on the paper's benchmarks"):
        own_rows(compare_runs(base, [tuned], replicates=1000))


def test_the_page_escapes_the_models_name(runs: Path) -> None:
    base, tuned = read_run(runs / "base"), read_run(runs / "tuned")
    rows = own_rows(compare_runs(base, [tuned], replicates=1000))
    page = render_published(recompute(), cohort_checks(), rows)
    assert "Your models beside them" in page
    assert "tuned &lt;b&gt;" in page
    assert "Your models beside them" not in render_published(recompute(), cohort_checks())


def test_the_command(runs: Path) -> None:
    command = [sys.executable, "-m", "transferscope", "published"]
    ran = subprocess.run(
        [*command, runs / "base", runs / "tuned", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    (row,) = json.loads(ran.stdout)["own"]
    assert (row["model"], row["base"]) == ("tuned <b>", "base")
    shown = subprocess.run(
        [*command, runs / "base", runs / "tuned"], capture_output=True, text=True, check=True
    )
    assert "12 of 12" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    part = subprocess.run(
        [*command, runs / "base", runs / "part"], capture_output=True, text=True, check=True
    )
    assert "Without GPQA-Diamond" in part.stdout
    assert max(map(len, part.stdout.splitlines())) <= 80
    alone = subprocess.run([*command, runs / "base"], capture_output=True, text=True, check=False)
    assert alone.returncode == 2
    assert "transferscope published BASE TUNED..." in alone.stderr

"""pass@k of two runs: by hand, its intervals, and where it is shown."""

import json
from pathlib import Path

import numpy as np
import pytest

from transferscope.compare import compare_runs
from transferscope.core.records import ModelRef, Outcome
from transferscope.core.suite import load_suite
from transferscope.documents.comparison import Comparison
from transferscope.documents.read_document import read_document
from transferscope.report import ReportInput, render_html
from transferscope.report.pass_rate_rows import narrowing, pass_rate_grid
from transferscope.runs import Manifest, Run, RunWriter, read_run
from transferscope.runs.writer import claimed

SAMPLES, N = 8, 120
MINI = load_suite("mini")


def run_of(folder: Path, name: str, right: np.ndarray, *, single: bool = False) -> Run:
    """A run whose item i has ``right[i]`` right ones among 8 answers to ``chains``."""
    suite = MINI.model_dump(mode="json")
    manifest = Manifest(model=ModelRef(name), suite=suite, suite_hash=MINI.hash, limit=N)
    with claimed(folder), RunWriter.open(folder, manifest) as writer:
        rows = [
            Outcome("chains", str(item), float(repeat < count), repeat=repeat)
            for item, count in enumerate(right)
            for repeat in range(1 if single else SAMPLES)
        ]
        writer.write_benchmark("chains", rows)
        writer.write_benchmark("ordering", [Outcome("ordering", str(i), 1.0) for i in range(N)])
    return read_run(folder)


@pytest.fixture
def base(tmp_path: Path) -> Run:
    return run_of(tmp_path / "base", "base", np.full(N, 2))


def test_a_tuned_model_that_sharpens_and_narrows(base: Run, tmp_path: Path) -> None:
    """Half of the items are always right, the others never: pass@1 doubles, coverage halves."""
    tuned = run_of(tmp_path / "tuned", "tuned", np.where(np.arange(N) % 2, SAMPLES, 0))
    (result,) = compare_runs(base, [tuned], replicates=2000).tuned
    first, *_, last = result.pass_rates
    assert [rate.k for rate in result.pass_rates] == [1, 2, 4, 8]
    assert (first.base, first.tuned) == (25.0, 50.0)
    assert (last.base, last.tuned) == (100.0, 50.0)
    assert (last.base_all, last.tuned_all) == (0.0, 50.0)
    assert last.coverage == 0.5
    assert first.ci[0] > 0 > last.ci[1]
    assert 0.4 < last.coverage_ci[0] < 0.5 < last.coverage_ci[1] < 0.6
    (said,) = narrowing(result)
    assert said.endswith("a loss of coverage is established, beside a gain at pass@1")


def test_equal_models_are_not_told_apart(base: Run, tmp_path: Path) -> None:
    twin = run_of(tmp_path / "twin", "twin", np.full(N, 2))
    (result,) = compare_runs(base, [twin], replicates=1000).tuned
    assert all(rate.delta == 0.0 and rate.p == 1.0 for rate in result.pass_rates)
    assert all(rate.coverage == 1.0 for rate in result.pass_rates)
    (said,) = narrowing(result)
    assert said.endswith("neither a loss nor a gain of coverage is shown")


def test_coverage_of_a_base_without_success_is_undefined(tmp_path: Path) -> None:
    never = run_of(tmp_path / "never", "never", np.zeros(N, dtype=int))
    some = run_of(tmp_path / "some", "some", np.full(N, 1))
    (result,) = compare_runs(never, [some], replicates=500).tuned
    assert {rate.coverage for rate in result.pass_rates} == {None}
    assert pass_rate_grid(result).rows[0][5] == "undefined"


def test_one_answer_an_item_has_no_pass_rates(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, name, np.full(N, 1), single=True) for name in ("base", "tuned")]
    comparison = compare_runs(runs[0], runs[1:], replicates=500)
    assert comparison.tuned[0].pass_rates == ()
    assert "pass_rates" not in comparison.to_json()["tuned"][0]
    page = render_html(ReportInput(title="t", comparison=comparison))
    assert 'id="sampled"' not in page


def test_the_document_and_the_page_have_them(base: Run, tmp_path: Path) -> None:
    tuned = run_of(tmp_path / "tuned", "tuned", np.full(N, 3))
    comparison = compare_runs(base, [tuned], replicates=500)
    (tmp_path / "comparison.json").write_text(json.dumps(comparison.to_json()))
    read = read_document(Comparison, tmp_path / "comparison.json", remedy="")
    assert read.tuned[0].pass_rates == comparison.tuned[0].pass_rates
    page = render_html(ReportInput(title="t", comparison=comparison))
    assert 'id="sampled"' in page
    assert "coverage" in page

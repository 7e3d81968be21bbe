"""Samples that don't make the score beside them: found at import, said first everywhere."""

import json
from contextlib import ExitStack

import pytest

from transferscope.compare import compare_runs, gate
from transferscope.compare.policy import parse_policy
from transferscope.compare.rank import rank
from transferscope.report import ReportInput, render_html, render_markdown
from transferscope.report.verdict import headline
from transferscope.runs import read_run
from transferscope.runs.importers import import_results, open_run
from transferscope.runs.importers.lmeval_claims import Claim, contradicted

from .test_lmeval_files import document

SAID = "20 samples, not 40; mean 50.00 %, not 75.00 %"


@pytest.mark.parametrize(
    ("claim", "counts", "mean", "said"),
    [
        (Claim("a", 20, 0.5), (20, 20), 0.5, None),
        (Claim("a", 20, 0.5), (20, 20), 0.55, "mean 55.00 %, not 50.00 %"),
        (Claim("a", 40, 0.5), (20, 20), 0.5, "20 samples, not 40"),
        (Claim("a", 19, 0.5), (20, 19), 0.5, None),  # one of them without the metric
        (Claim("a", None, None), (20, 20), 0.5, None),
        (Claim("a", 300, 0.6133), (300, 300), 184 / 300, None),  # rounded
        (Claim("a", 300, 0.6133), (300, 300), 185 / 300, "mean 61.67 %, not 61.33 %"),
        (Claim("a", 40, 0.5), (0, 0), None, "0 samples, not 40"),
    ],
)
def test_what_contradicts_a_claim(claim, counts, mean, said):
    assert contradicted(claim, counts, mean) == said


@pytest.fixture
def runs(put_results):
    base = put_results("base", document("boolq", 0.5, n=20, model="acme/base"), [1] * 10 + [0] * 10)
    tuned = put_results(
        "tuned", document("boolq", 0.75, n=40, model="acme/tuned"), [1] * 10 + [0] * 10
    )
    said = []
    with ExitStack() as stack:
        say = lambda path, note: said.append(f"{path}: {note}")  # noqa: E731
        yield [open_run(path, stack, say=say) for path in (base, tuned)], said


def test_it_is_kept_with_the_run_and_told_first_by_the_import(put_results, tmp_path):
    path = put_results("m", document("boolq", 0.75, n=40), [1] * 10 + [0] * 10)
    done = import_results(path, tmp_path / "run")
    told = f"the samples contradict the reported results ({SAID}); the samples are used"
    assert done.notes[0] == f"boolq: {told}"
    assert read_run(tmp_path / "run").manifest.contradictions == {"boolq": SAID}
    assert import_results(path, tmp_path / "run").notes[-1].startswith("already in")
    assert read_run(tmp_path / "run").manifest.contradictions == {"boolq": SAID}


def test_a_comparison_says_it_before_all_else(runs):
    (base, tuned), said = runs
    assert said[0].endswith("the samples are used")
    comparison = compare_runs(base, [tuned], replicates=300)
    (result,) = comparison.tuned
    first = f"Samples contradict the reported results: boolq (tuned: {SAID})."
    assert headline(result, comparison.source).startswith(first)
    assert comparison.differences[0].startswith("acme/tuned: boolq: the samples contradict")
    assert dict(result.contradictions) == {"boolq": f"tuned: {SAID}"}
    report = ReportInput(title="t", comparison=comparison)
    assert "Samples contradict the reported results" in render_html(report)
    assert "**: Samples contradict the reported results" in render_markdown(report)
    assert rank(base, [tuned], replicates=300).differences[0] == comparison.differences[0]


@pytest.mark.parametrize("more", ["", 'unmapped = "ignore"\n'])
def test_a_gate_passes_nothing_that_contradicts_itself(runs, more):
    (base, tuned), _ = runs
    policy = parse_policy(f"{more}min_items = 10\n[guards.boolq]\nmargin = 50\n", place="p")
    assert gate.gate(base, base, policy, replicates=300).verdict == "PASS"
    found = gate.gate(base, tuned, policy, replicates=300)
    assert (found.verdict, found.exit_code) == ("INCONCLUSIVE", 3)
    assert found.reasons[0].startswith("boolq: the samples contradict the reported results")


def test_an_aggregation_that_is_no_mean_is_not_checked(put_results, tmp_path):
    raw = document("boolq", 0.75, n=2)
    raw["configs"]["boolq"]["metric_list"] = [{"metric": "acc", "aggregation": "median"}]
    done = import_results(put_results("m", raw, [1, 0]), tmp_path / "run")
    assert not any("contradict" in note for note in done.notes)
    raw["configs"]["boolq"]["metric_list"][0]["aggregation"] = "mean"
    done = import_results(put_results("m", raw, [1, 0]), tmp_path / "again")
    assert "mean 50.00 %, not 75.00 %" in done.notes[0]
    assert json.loads((tmp_path / "again" / "run.json").read_text())["contradictions"]

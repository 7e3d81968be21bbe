"""Samples that don't make the score beside them: every format's reach comparison and gate."""

import json
from contextlib import ExitStack
from dataclasses import replace

import pytest

from transferscope.compare import compare_runs, gate
from transferscope.compare.policy import parse_policy
from transferscope.core.records import ModelRef
from transferscope.runs import read_run
from transferscope.runs.importers import import_results, open_run
from transferscope.runs.importers.contradictions import contradiction, of_benchmark
from transferscope.runs.importers.explain import explain

from . import test_evalscope, test_inspect_log, test_opencompass, test_qwenmath
from .foreign import FIXTURES, laid


def evalscope(out):
    report = laid("evalscope", out) / test_evalscope.RUN / "reports" / "tiny" / "gsm8k.json"
    report.write_text(report.read_text().replace('"score": 0.5', '"score": 0.9'))


def helm(out):
    stats = laid("helm", out) / "gsm" / "stats.json"
    stats.write_text(stats.read_text().replace('"mean": 0.3333333333333333', '"mean": 0.9'))


def opencompass(out):
    details = [{"example_abbr": f"x_{at}", "is_correct": [at == 0]} for at in range(2)]
    laid("opencompass", out)
    test_opencompass.result(out, "gsm8k_a58960", {"accuracy": 90.0, "details": details})


def qwenmath(out):
    rows = [test_qwenmath.row(0, [True]), test_qwenmath.row(1, [False])]
    test_qwenmath.write(out / "tiny" / "gsm8k", rows, acc=90.0, n=2)


def inspect(out):
    def lie(log):
        log["eval"]["task"] = "gsm8k"
        log["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.9

    out.mkdir()
    test_inspect_log.rewritten(out / "log.json", lie)


def eee(out):
    laid("eee/lm_eval", out)
    for file in out.rglob("*"):
        if file.is_file():
            file.write_text(file.read_text().replace("toy_fruit", "gsm8k"))
    (aggregate,) = (file for file in out.rglob("*.json"))
    raw = json.loads(aggregate.read_text())
    raw["evaluation_results"][0]["score_details"]["score"] = 0.9
    aggregate.write_text(json.dumps(raw))


def test_count_and_mean_within_what_rounding_does():
    assert contradiction(counts=(4,), mean=0.5, said_n=4, said=0.5004) is None
    assert contradiction(counts=(4,), mean=0.5, said_n=None, said=None) is None
    assert contradiction(counts=(4, 5), mean=0.5, said_n=5, said=0.5) is None
    assert contradiction(counts=(4,), mean=0.5, said_n=5, said=0.5) == "4 samples, not 5"
    assert contradiction(counts=(4,), mean=0.5, said_n=4, said=0.51) == "mean 50.00 %, not 51.00 %"
    assert contradiction(mean=None, said=0.51) is None


def test_several_tasks_of_a_benchmark_are_named():
    assert of_benchmark([("a", None)]) is None
    assert of_benchmark([("a", "x")]) == "x"
    assert of_benchmark([("a", "x"), ("b", None), ("c", "y")]) == "a: x (and 1 more of its tasks)"


def test_an_explanation_says_it_first(tmp_path):
    evalscope(tmp_path / "out")
    assert explain(tmp_path / "out").notes[0].startswith("gsm8k: the samples contradict")


@pytest.mark.parametrize("log", ["0.3.160/graded.eval", "0.3.160/sums.eval", "0.3.285/graded.json"])
def test_errors_and_missing_scores_are_no_contradiction(tmp_path, log):
    import_results(FIXTURES / "inspect" / log, tmp_path / "run")
    assert read_run(tmp_path / "run").manifest.contradictions == {}


@pytest.mark.parametrize("lie", [eee, evalscope, helm, inspect, opencompass, qwenmath])
def test_every_format_tells_comparison_and_gate_first(tmp_path, lie):
    lie(tmp_path / "out")
    done = import_results(tmp_path / "out", tmp_path / "run")
    wrong = read_run(tmp_path / "run").manifest.contradictions
    assert wrong["gsm8k"].endswith("%, not 90.00 %")
    told = f"gsm8k: the samples contradict the reported results ({wrong['gsm8k']})"
    assert done.notes[0].startswith(told)
    with ExitStack() as stack:
        base, tuned = (open_run(tmp_path / name, stack) for name in ("run", "out"))
    base = replace(base, manifest=replace(base.manifest, model=ModelRef("base")))
    comparison = compare_runs(base, [tuned], replicates=300)
    assert f"(base: {wrong['gsm8k']}; tuned: {wrong['gsm8k']})" in comparison.differences[0]
    policy = parse_policy("min_items = 1\n[guards.gsm8k]\nmargin = 50\n", place="p")
    found = gate.gate(base, tuned, policy, replicates=300)
    assert (found.verdict, found.exit_code) == ("INCONCLUSIVE", 3)
    assert found.reasons[0].startswith("gsm8k: the samples contradict the reported results")

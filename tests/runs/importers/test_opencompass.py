"""Fixtures: OpenCompass 0.5.4's own writers; older details by the schema of 0.2."""

import gzip
import json
import shutil
from contextlib import ExitStack

import pytest

from transferscope.compare import compare_runs
from transferscope.core.errors import InputError
from transferscope.core.taxonomy import load_taxonomy
from transferscope.runs.importers import find_importer, open_run

from .foreign import laid, read

RUN = "20261128_080000"


@pytest.fixture
def out(tmp_path):
    return laid("opencompass", tmp_path / "out")


def result(out, name, raw):
    (out / RUN / "results" / "tiny" / f"{name}.json").write_text(json.dumps(raw))


@pytest.mark.parametrize("below", ["", RUN, f"{RUN}/results", f"{RUN}/results/tiny"])
def test_results_with_details_are_items(out, below):
    results, samples = read(out / below)
    assert (results.model.name, results.provenance) == ("tiny", "imported:opencompass")
    outcomes = {name: [s.outcome for s in found] for name, found in samples.items()}
    assert [o.score for o in outcomes["gsm8k"]] == [1.0, 0.0]
    assert sum(o.score for o in outcomes["mmlu"]) == 4.0
    assert [o.subset for o in outcomes["mmlu"]] == ["mmlu_anatomy"] * 2 + ["mmlu_virology"] * 4
    assert samples["gsm8k"][1].response.response == "It is 7"
    assert samples["gsm8k"][1].response.prompt == "3+3?"
    # the prompt holds the model's template: it may differ where the same was asked
    assert all(o.message_hash is None and o.rendered_hash for o in outcomes["gsm8k"])
    # without --dump-eval-details: the score, of as many items as there are predictions
    assert [(r.benchmark, r.score, r.n) for r in results.scores] == [("hellaswag", 0.75, 4)]


def test_replicas_of_a_data_set_are_repeats(out):
    _, samples = read(out)
    found = {(s.outcome.id[-1], s.outcome.repeat): s.outcome.score for s in samples["aime24"]}
    assert found == {("0", 0): 1.0, ("0", 1): 0.0, ("1", 0): 0.0, ("1", 1): 1.0}
    texts = {(s.response.id[-1], s.response.repeat): s.response.response for s in samples["aime24"]}
    assert texts == {("0", 0): "1", ("0", 1): "5", ("1", 0): "2", ("1", 1): "3"}


def test_runs_of_one_data_set_are_repeats_of_its_items(out):
    for run, right in ((0, [True, False]), (1, [True, True])):
        details = [{"example_abbr": f"x_{at}", "correct": [one]} for at, one in enumerate(right)]
        result(out, f"aime2025-run{run}", {"accuracy": 50.0 * sum(right), "details": details})
    _, samples = read(out)
    found = {(s.outcome.id, s.outcome.repeat): s.outcome.score for s in samples["aime25"]}
    assert sorted(found.values()) == [0.0, 1.0, 1.0, 1.0]
    assert {key[1] for key in found} == {0, 1}
    assert len({key[0] for key in found}) == 2


def test_predictions_that_were_not_evaluated_are_named(out):
    folder = out / RUN / "predictions" / "tiny"
    for name in ("drop", "piqa_0", "tmp_boolq"):
        (folder / f"{name}.json").write_text("{}")
    notes = read(out)[0].notes
    stopped = "left out, it was not evaluated: the run was stopped"
    assert {f"{name}: {stopped}" for name in ("drop", "piqa", "boolq")} < set(notes)
    assert len([note for note in notes if note.endswith(stopped)]) == 3


def test_a_summary_is_scores(out):
    for path in (out / RUN / "summary", next((out / RUN / "summary").iterdir())):
        results, samples = read(path)
        assert (results.model.name, samples) == ("tiny", {})
        rows = {(r.benchmark, r.subset): r.score for r in results.scores}
        assert rows == {
            ("gsm8k", ""): 0.5,
            ("mmlu", "mmlu_anatomy"): 0.5,
            ("mmlu", "mmlu_virology"): 0.75,
            ("bbh", ""): 0.3125,  # its parts are not in the summary
        }
        assert (
            "mmlu: left out, it is a mean of data sets that are read individually" in results.notes
        )
        assert "math: left out, it was not evaluated, or it failed" in results.notes


def test_two_runs_pair(out):
    with ExitStack() as stack:
        base = open_run(out, stack)
        for kind in ("results", "predictions"):
            (out / RUN / kind / "tiny").rename(out / RUN / kind / "tuned")
        (compared,) = compare_runs(base, [open_run(out, stack)], replicates=200).tuned
    tests = {b.benchmark: (b.test != "unpaired", b.n) for b in compared.benchmarks}
    assert tests == {
        "gsm8k": (True, 2), "mmlu": (True, 6), "aime24": (True, 2), "hellaswag": (False, 4),
    }  # fmt: skip


@pytest.mark.parametrize("as_list", [True, False])
def test_details_of_older_versions(out, as_list):
    rows = [
        {"pred": "4", "answer": "4", "correct": True},
        {"pred": "7", "answer": "6", "correct": False},
    ]
    details = rows if as_list else {"type": "GEN"} | {str(at): row for at, row in enumerate(rows)}
    result(out, "gsm8k_a58960", {"accuracy": 50.0, "details": details})
    _, samples = read(out)
    assert [(s.outcome.id, s.outcome.score) for s in samples["gsm8k"]] == [("0", 1.0), ("1", 0.0)]


def test_predictions_in_parts(out):
    folder = out / RUN / "predictions" / "tiny"
    whole = json.loads((folder / "gsm8k_a58960.json").read_text())
    (folder / "gsm8k_a58960.json").unlink()
    for part in "01":
        (folder / f"gsm8k_a58960_{part}.json").write_text(json.dumps({"0": whole[part]}))
    _, samples = read(out)
    assert [s.response.response for s in samples["gsm8k"]] == ["It is 4.", "It is 7"]


def test_contradictions_failures_and_metrics(out):
    details = [
        {"example_abbr": "x_0", "is_correct": [True]},
        {"example_abbr": "x_1", "is_correct": [False]},
    ]
    result(out, "gsm8k_a58960", {"accuracy": 90.0, "details": details})
    result(out, "hellaswag", {"error": "predictions and references have different length"})
    result(out, "drop", {"score": 61.0, "accuracy": 50.0, "details": details})
    results, samples = read(out)
    assert results.contradictions == {"gsm8k": "mean 50.00 %, not 90.00 %"}
    taken = {one.task: one for one in results.taken}
    assert taken["hellaswag"].left_out.startswith("it failed: predictions and references")
    assert taken["drop"].metric == "accuracy"  # what the correct answers are the items of
    assert len(samples["drop"]) == 2


def test_gzipped(out):
    for path in [*out.rglob("*.json"), *out.rglob("*.csv")]:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert [s.outcome.score for s in read(out)[1]["gsm8k"]] == [1.0, 0.0]
    assert len(read(out / RUN / "summary")[0].scores) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dataset,version,metric,mode,tiny\n", "contains only a header"),
        ("dataset,version,metric,mode,tiny\ngsm8k,-,-,-,-\n", 'contains no score, only "-"'),
        (
            "dataset,version,metric,mode,a,b\ngsm8k,1,accuracy,gen,1,2\n",
            r"results of 2 models \(a and b\); name one of them: .*\.csv::a",
        ),
        ("dataset,version,metric,mode,tiny\ngsm8k,1,accuracy,gen\n", "4 cells under 5 columns"),
        ("dataset,version,metric,mode,tiny\ngsm8k,1,accuracy,gen,x\n", "'x' is not a score"),
    ],
)
def test_summaries_that_cant_be_read(tmp_path, text, said):
    (tmp_path / "summary_1.csv").write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        find_importer(tmp_path / "summary_1.csv")[1].read(
            tmp_path / "summary_1.csv", load_taxonomy()
        )
    assert "summary_1.csv" in str(caught.value)


def test_two_models_and_a_cut_file_are_named(out):
    shutil.copytree(out / RUN / "results" / "tiny", out / RUN / "results" / "big")
    with pytest.raises(
        InputError, match=r"results of 2 models \(big and tiny\); name one of them: .*out::big"
    ):
        read(out)
    (out / RUN / "results" / "tiny" / "gsm8k_a58960.json").write_text('{"accuracy": 50.0, "det')
    with pytest.raises(InputError, match=r"gsm8k_a58960.json: .*is cut off"):
        read(out / RUN / "results" / "tiny")

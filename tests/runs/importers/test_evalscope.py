"""Fixtures: EvalScope 1.14.1's own writers; old layouts by the schemas of 1.0.0 and 0.17.1."""

import gzip
import json
import shutil
from contextlib import ExitStack

import pytest

from transferscope.compare import compare_runs
from transferscope.core.errors import InputError
from transferscope.runs.importers import find_importer, import_results, open_run

from .foreign import edit, laid, read

RUN = "20261128_080000"


@pytest.fixture
def out(tmp_path):
    return laid("evalscope", tmp_path / "out")


@pytest.mark.parametrize("below", ["", RUN, f"{RUN}/reports", f"{RUN}/reports/tiny"])
def test_reports_with_reviews_are_items(out, below):
    results, samples = read(out / below)
    assert (results.model.name, results.notes) == ("tiny", ())
    outcomes = {name: [s.outcome for s in found] for name, found in samples.items()}
    assert {name: [o.score for o in found] for name, found in outcomes.items()} == {
        "arc_easy": [1.0],
        "arc_challenge": [0.0],
        "gsm8k": [1.0, 0.0],
        "mmlu": [1.0, 0.0, 1.0, 1.0, 1.0, 0.0],
    }
    assert [o.subset for o in outcomes["mmlu"]] == ["anatomy"] * 2 + ["virology"] * 4
    cut = samples["gsm8k"][1]
    assert (cut.outcome.finish, cut.outcome.flags) == ("length", ("truncated",))  # predictions/
    assert (cut.response.prompt, cut.response.response) == ("3+3?", "It is 7")


def test_reports_alone_are_scores_by_subset(out):
    shutil.rmtree(out / RUN / "reviews")
    results, samples = read(out)
    assert samples == {}
    rows = {(r.benchmark, r.subset): (r.score, r.n) for r in results.scores}
    assert rows[("mmlu", "anatomy")] == (0.5, 2)
    assert rows[("mmlu", "virology")] == (0.75, 4)
    assert rows[("gsm8k", "")] == (0.5, 2)


def test_one_report_or_one_file_of_reviews(out):
    assert set(read(out / RUN / "reports" / "tiny" / "gsm8k.json")[1]) == {"gsm8k"}
    results, samples = read(out / RUN / "reviews" / "tiny" / "mmlu_anatomy.jsonl")
    assert results.model.name == "tiny"
    assert [s.outcome.score for s in samples["mmlu"]] == [1.0, 0.0]


def test_two_runs_pair(out):
    with ExitStack() as stack:
        base = open_run(out, stack)
        for report in (out / RUN / "reports" / "tiny").iterdir():
            edit(report, lambda raw: raw.update(model_name="tuned"))
        (result,) = compare_runs(base, [open_run(out, stack)], replicates=200).tuned
    assert {(b.benchmark, b.n) for b in result.benchmarks} == {
        ("gsm8k", 2), ("mmlu", 6), ("arc_easy", 1), ("arc_challenge", 1),
    }  # fmt: skip


def test_repeats_are_of_one_item_whatever_their_order(out):
    file = out / RUN / "reviews" / "tiny" / "gsm8k_main.jsonl"
    row = json.loads(file.read_text().splitlines()[0])
    rows = []
    for index, right in ((3, 1.0), (0, 0.0), (2, 1.0), (1, 1.0)):  # written as threads end
        score = {"value": {"acc": right}, "prediction": "x"}
        of = {"sample_id": index, "group_id": index // 2, "generation_index": index % 2}
        rows.append(row | {"index": index, "sample_score": {"score": score} | of})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, samples = read(file)
    found = {(s.outcome.id, s.outcome.repeat): s.outcome.score for s in samples["gsm8k"]}
    assert found == {("0", 0): 0.0, ("0", 1): 1.0, ("1", 0): 1.0, ("1", 1): 1.0}


def test_answers_without_a_score_are_left_out_and_counted(out):
    file = out / RUN / "reviews" / "tiny" / "mmlu_virology.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[0]["sample_score"]["score"] |= {"value": {}, "status": "judge_error"}
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    results, samples = read(out)
    assert len(samples["mmlu"]) == 5
    assert "mmlu/virology: 1 of 4 answers left out, they have no score" in results.notes
    wrong = "mmlu/virology: 3 samples, not 4; mean 66.67 %, not 75.00 %"
    assert results.contradictions == {"mmlu": wrong}


def test_a_contradiction_is_said_first(out):
    def lie(raw):
        raw["metrics"][0]["categories"][0]["subsets"][0]["score"] = 0.9

    edit(out / RUN / "reports" / "tiny" / "gsm8k.json", lie)
    assert read(out)[0].contradictions == {"gsm8k": "mean 50.00 %, not 90.00 %"}


def test_what_is_better_when_lower_and_what_all_failed(out):
    def lower(raw):
        raw["metrics"][0]["semantics"]["direction"] = "lower_is_better"

    def failed(raw):
        raw["metrics"] = []
        raw["execution_summary"] = {"requested": 6, "succeeded": 0, "errored": 6}

    edit(out / RUN / "reports" / "tiny" / "gsm8k.json", lower)
    edit(out / RUN / "reports" / "tiny" / "mmlu.json", failed)
    results, samples = read(out)
    assert set(samples) == {"arc_easy", "arc_challenge"}
    reasons = {taken.task: taken.left_out for taken in results.taken if taken.left_out}
    assert reasons["gsm8k"].startswith("not comparable: lower is better for accuracy")
    assert reasons["mmlu"] == "all 6 answers ended in an error"


def test_the_newest_run_is_read_and_said(out):
    newer = shutil.copytree(out / RUN, out / "20261129_080000")
    edit(newer / "reports" / "tiny" / "gsm8k.json", lambda raw: raw.update(model_name="tiny"))
    notes = read(out)[0].notes
    assert (
        sum("read from" in note and "20261129" in note.split("not from")[0] for note in notes) == 3
    )


def old_report():
    subsets = [{"name": "main", "score": 0.5, "num": 2}]
    metric = {"name": "AverageAccuracy", "num": 2, "score": 0.5, "macro_score": 0.5,
              "categories": [{"name": ["default"], "num": 2, "subsets": subsets}]}  # fmt: skip
    return {"name": "tiny@gsm8k", "dataset_name": "gsm8k", "dataset_pretty_name": "GSM8K",
            "dataset_description": "x" * 9000, "model_name": "tiny", "score": 0.5,
            "metrics": [metric], "analysis": "N/A"}  # fmt: skip


def old_review(at, right):
    review = {"gold": "4", "pred": "4", "result": right}
    choice = {"index": 0, "message": {"content": "four", "role": "assistant"}, "review": review}
    return {"model_spec": {}, "index": at, "raw_input": {"question": "2+2?"}, "choices": [choice],
            "reviewed": True}  # fmt: skip


def test_the_layout_before_1_0(tmp_path):
    for name in ("reports", "reviews"):
        (tmp_path / name / "tiny").mkdir(parents=True)
    (tmp_path / "reports/tiny/gsm8k.json").write_text(json.dumps(old_report()))
    rows = [old_review(0, True), old_review(1, 0.0)]
    reviews = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "reviews/tiny/gsm8k_main.jsonl.gz").write_bytes(gzip.compress(reviews.encode()))
    results, samples = read(tmp_path)
    assert results.notes == ()
    assert [(s.outcome.id, s.outcome.score) for s in samples["gsm8k"]] == [("0", 1.0), ("1", 0.0)]
    assert samples["gsm8k"][0].response.response == "four"


def test_what_is_cut_or_two_models_is_named(out, tmp_path):
    report = out / RUN / "reports" / "tiny" / "gsm8k.json"
    whole = report.read_text()
    report.write_text(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"gsm8k.json: .*is cut off"):
        read(out)
    report.write_text(whole.replace('"model_name": "tiny"', '"model_name": "big"'))
    with pytest.raises(InputError, match=r"results of 2 models .*; name one of them: .*out::"):
        read(out)
    report.write_text(whole)
    reviews = out / RUN / "reviews" / "tiny" / "gsm8k_main.jsonl"
    reviews.write_text(reviews.read_text()[:-40])
    with pytest.raises(InputError, match=r"gsm8k_main.jsonl:2: .*is cut off"):
        read(out)


def test_reviews_without_a_report_and_empty_reports_are_named(out):
    (out / RUN / "reports" / "tiny" / "mmlu.json").unlink()
    (out / RUN / "reports" / "tiny" / "arc.json").write_text("")
    results, samples = read(out)
    assert set(samples) == {"gsm8k"}
    stopped = "left out, it has no report: the run was stopped or still runs"
    assert f"mmlu_anatomy.jsonl: {stopped}" in results.notes
    assert any(note.endswith("arc.json: left out, it is empty") for note in results.notes)


def test_import_finds_it(out, tmp_path):
    assert find_importer(out)[0] == "evalscope"
    assert import_results(out, tmp_path / "run").format == "evalscope"

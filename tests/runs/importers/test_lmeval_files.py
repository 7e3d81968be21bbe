"""lm-eval's results in several files: put together, each task from its newest."""

import gzip
import json
import os

import pytest

from transferscope.core.errors import InputError
from transferscope.core.taxonomy import load_taxonomy
from transferscope.runs.importers import find_importer, import_results
from transferscope.runs.importers.lmeval import accepts, read


def document(task, score, *, n=100, model="acme/m", **more):
    """One task as lm-eval 0.4.9 writes it."""
    return {
        "results": {task: {"alias": task, "acc,none": score, "acc_stderr,none": 0.01}},
        "group_subtasks": {task: []},
        "configs": {task: {"task": task, "output_type": "multiple_choice"}},
        "versions": {task: 1.0},
        "n-shot": {task: 0},
        "higher_is_better": {task: {"acc": True}},
        "n-samples": {task: {"original": n, "effective": n}},
        "config": {"model": "hf", "model_args": f"pretrained={model}", "limit": None},
        "lm_eval_version": "0.4.9",
        **more,
    }


@pytest.fixture
def put(tmp_path):
    def written(name, raw, *, packed=False):
        file = tmp_path / "out" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = raw if isinstance(raw, str) else json.dumps(raw)
        file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return file

    return written


def results(folder):
    return read(folder, load_taxonomy())


def scores(found):
    return {row.benchmark: row.score for row in found.scores}


DAYS = [f"2026-01-0{day}T00-00-00.000000" for day in (1, 2, 3)]
LAYOUTS = {
    "one folder": "acme__m/results_{date}.json",
    "a folder a task": "{task}/acme__m/results_{date}.json",
    "a folder a model": "acme__m/{task}/results_{date}.json",
    "a file a task": "{task}.json",
    "a dated file a task": "{task}_{date}.json",
    "packed": "{task}.json.gz",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_call_per_task_makes_one_run(put, tmp_path, layout):
    for task, score, date in zip(
        ("boolq", "arc_challenge", "gsm8k"), (0.8, 0.5, 0.4), DAYS, strict=True
    ):
        name = LAYOUTS[layout].format(task=task, date=date)
        put(name, document(task, score), packed=layout == "packed")
    assert find_importer(tmp_path / "out")[0] == "lm-eval"
    found = results(tmp_path / "out")
    assert scores(found) == {"boolq": 0.8, "arc_challenge": 0.5, "gsm8k": 0.4}
    assert found.model.name == "acme/m"
    assert not any("left out" in note for note in found.notes)


def test_a_task_measured_twice_is_taken_from_its_newest_file(put, tmp_path):
    """The date in the name decides, not the order of names or times of change."""
    newer = put(f"b/results_{DAYS[2]}.json", document("boolq", 0.7))
    both = document("boolq", 0.9)
    both["results"]["gsm8k"] = {"acc,none": 0.3}
    put(f"c/results_{DAYS[0]}.json", both)
    put(f"a/results_{DAYS[1]}.json", document("boolq", 0.8))
    os.utime(newer, (1, 1))
    found = results(tmp_path / "out")
    assert scores(found) == {"boolq": 0.7, "gsm8k": 0.3}
    assert [note for note in found.notes if "older" in note] == [
        f"older results left out: results_{day}.json (boolq); name the file to import it"
        for day in DAYS[:2]
    ]
    assert {t.task: t.file.split("/")[-2] for t in found.taken} == {"boolq": "b", "gsm8k": "c"}


def test_a_copy_is_no_second_measurement(put, tmp_path):
    put("boolq.json", document("boolq", 0.7))
    put("boolq.json.gz", document("boolq", 0.7), packed=True)
    found = results(tmp_path / "out")
    assert scores(found) == {"boolq": 0.7}
    assert not any("older" in note for note in found.notes)


def test_without_dates_the_time_of_change_decides_and_that_is_said(put, tmp_path):
    for name, score, time in (("x.json", 0.9, 2_000), ("y.json", 0.7, 1_000)):
        os.utime(put(name, document("boolq", score)), (time, time))
    found = results(tmp_path / "out")
    assert scores(found) == {"boolq": 0.9}
    assert "y.json (boolq) (older by its time of change; it has no date)" in found.notes[0]


def test_settings_that_differ_are_kept_by_benchmark(put, tmp_path):
    put("a.json", document("boolq", 0.7, chat_template_sha="abc", date=2e9))
    put("b.json", document("gsm8k", 0.7, date=1e9))
    found = results(tmp_path / "out")
    assert found.template is None
    assert found.decoding["boolq"]["run's template"] == "abc"
    assert found.decoding["gsm8k"]["run's template"] is None
    assert found.seed == 0


def test_samples_of_every_date_are_found(put, tmp_path):
    for task, date, score in (("boolq", DAYS[0], 1.0), ("gsm8k", DAYS[1], 0.0)):
        put(f"results_{date}.json", document(task, score, n=1))
        row = {"doc_id": 0, "acc": score, "filter": "none", "resps": [["yes"]]}
        put(f"samples_{task}_{date}.jsonl.gz", json.dumps(row) + "\n", packed=True)
    found = results(tmp_path / "out")
    assert {n: [s.outcome.score for s in one()] for n, one in found.samples.items()} == {
        "boolq": [1.0],
        "gsm8k": [0.0],
    }


def test_samples_before_0_4_3_are_named_by_the_models_arguments(put, tmp_path):
    raw = document("boolq", 0.5, n=2)
    raw["config"]["model_args"] = "pretrained=acme/m,dtype=float"
    put("results.json", raw)
    rows = [{"doc_id": at, "acc": float(at), "arguments": [["Q", " yes"]]} for at in (0, 1)]
    put("pretrained__acme__m,dtype__float_boolq.jsonl", json.dumps(rows, indent=2))
    found = results(tmp_path / "out")
    assert [s.outcome.score for s in found.samples["boolq"]()] == [0.0, 1.0]


def test_samples_inside_the_results(put, tmp_path):
    rows = [{"doc_id": at, "acc": float(at > 0), "doc_hash": f"d{at}"} for at in range(4)]
    raw = document("boolq", 0.75, n=4, samples={"boolq": rows})
    raw["config"]["model_args"] = None
    for name in ("base", "tuned"):
        found = results(put(f"{name}.json", raw))
        assert found.model.name == name  # lm-eval knows its backend only
        assert [s.outcome.score for s in found.samples["boolq"]()] == [0.0, 1.0, 1.0, 1.0]
    raw["samples"]["boolq"][2] = "oops"
    file = put("base.json", raw)
    with pytest.raises(InputError, match=r"base\.json \(sample 2\): not a JSON object"):
        list(results(file).samples["boolq"]())


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({"model": "acme/a"}, {"model": "acme/b"}, r"2 models \(acme/a, acme/b\); name one of"),
        (
            {"config": {"model_args": "pretrained=m", "model_sha": "abc"}},
            {"config": {"model_args": "pretrained=m", "model_sha": "def"}},
            r"2 models \(m at abc, m at def\)",
        ),
        (
            {"config": {"model_args": "pretrained=m,revision=step1"}},
            {"config": {"model_args": "pretrained=m,revision=step2"}},
            r"2 models \(m at step1, m at step2\)",
        ),
    ],
)
def test_several_models_are_refused(put, tmp_path, one, other, said):
    put("boolq.json", document("boolq", 0.5, **one))
    put("gsm8k.json", document("gsm8k", 0.5, **other))
    with pytest.raises(InputError, match=said):
        results(tmp_path / "out")


def test_what_is_not_told_is_no_other_model(put, tmp_path):
    put("boolq.json", document("boolq", 0.5))
    told = {"model_args": "pretrained=acme/m", "model_sha": "abc"}
    put("gsm8k.json", document("gsm8k", 0.5, config=told))
    assert results(tmp_path / "out").model.fingerprint == "abc"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("results_x.json", "", "results_x.json: is empty"),
        ("results_x.json", "version https://git-lfs.github.com/spec/v1\n", "run: git lfs pull"),
        (
            "gsm8k.json",
            '{"results": {"gsm8k": {"acc,none": 0.',
            "in the middle of a value; copy or download",
        ),
        (
            "gsm8k.json",
            '{"results": {}, "configs": {}}',
            "its results have no task: the evaluation",
        ),
    ],
)
def test_a_damaged_file_among_others_is_named(put, tmp_path, name, content, said):
    put("boolq.json", document("boolq", 0.5))
    put(name, content)
    assert accepts(tmp_path / "out")
    with pytest.raises(InputError, match=said):
        results(tmp_path / "out")


def test_a_file_of_another_name_that_is_empty_is_noted(put, tmp_path):
    put("boolq.json", document("boolq", 0.5))
    put("gsm8k.json", "")
    assert "gsm8k.json: left out, it is empty" in results(tmp_path / "out").notes


def test_samples_without_results_were_cancelled(put, tmp_path):
    put(f"acme__m/samples_boolq_{DAYS[0]}.jsonl", "{}\n")
    assert accepts(tmp_path / "out")
    with pytest.raises(InputError, match=r"but no results_\*\.json: cancelled, or not"):
        results(tmp_path / "out")


@pytest.mark.parametrize("metric", ["bits_per_byte", "word_perplexity", "ter", "brier_score"])
@pytest.mark.parametrize("marked", [None, False, True])
def test_lower_is_better_whatever_the_file_says(put, metric, marked):
    raw = document("house", 0.5)
    raw["results"]["house"] = {f"{metric},none": 0.6}
    raw["higher_is_better"] = {"house": {} if marked is None else {metric: marked}}
    found = results(put("house.json", raw))
    assert found.scores == ()
    assert f"house: left out, not comparable: lower is better for {metric}" in found.notes[0]
    assert found.taken[0].lower_is_better


@pytest.mark.parametrize("value", ["N/A", float("nan"), None])
def test_a_task_whose_answers_all_failed_is_named(put, value):
    raw = document("boolq", 0.5)
    raw["results"]["boolq"] = {"acc,none": value, "acc_stderr,none": "N/A"}
    found = results(put("boolq.json", raw))
    assert found.scores == ()
    assert found.notes[0] == (
        "boolq: left out, it has no number for a score: it was cancelled, or every answer failed"
    )


def test_samples_that_all_failed_are_named(put, tmp_path):
    put(f"results_{DAYS[0]}.json", document("boolq", 0.5))
    put(f"samples_boolq_{DAYS[0]}.jsonl", '{"doc_id": 0, "filter": "none", "acc": null}\n')
    with pytest.raises(InputError, match="no sample has a score: the run was cancelled"):
        import_results(tmp_path / "out", tmp_path / "run")


@pytest.mark.parametrize(
    "raw",
    [
        {"date": "2026-01-01", "hash": "x", "eval": {}},  # evalplus
        {"config_general": {}, "results": {"all": {"acc": 0.5}}},  # lighteval
        {"results": [{"score": 1}], "config": {}},
    ],
)
def test_other_harnesses_files_are_left_to_them(put, tmp_path, raw):
    file = put("results_x.json", raw)
    assert not accepts(file)
    assert not accepts(tmp_path / "out")


def test_keys_in_another_order(put, tmp_path):
    put("boolq.json", json.dumps(document("boolq", 0.5), sort_keys=True))
    assert accepts(tmp_path / "out")
    assert scores(results(tmp_path / "out")) == {"boolq": 0.5}

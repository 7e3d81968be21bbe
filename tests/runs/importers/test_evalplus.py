"""Files as evalplus 0.3.1's ``evaluate.py`` writes them, and those before 0.3."""

import gzip
import json

import pytest

from transferscope.core.errors import InputError
from transferscope.core.taxonomy import load_taxonomy
from transferscope.runs.importers.evalplus import IMPORTER

from .foreign import read


def sample(task, base, plus):
    return {"task_id": task, "solution": f"def f(): return {base!r}", "base_status": base,
            "plus_status": plus, "base_fail_tests": [], "plus_fail_tests": []}  # fmt: skip


HUMANEVAL = {
    "HumanEval/0": [sample("HumanEval/0", "pass", "pass"), sample("HumanEval/0", "pass", "fail")],
    "HumanEval/1": [
        sample("HumanEval/1", "timeout", "pass"),
        sample("HumanEval/1", "fail", "fail"),
    ],
}


def write(path, problems):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"date": "2026-11-28 08:00", "hash": "fe58", "eval": problems}))
    return path


def test_base_and_plus_are_two_benchmarks_and_samples_repeats(tmp_path):
    write(tmp_path / "humaneval" / "acme--tiny_vllm_temp_0.0_eval_results.json", HUMANEVAL)
    mbpp = {"Mbpp/2": [sample("Mbpp/2", "pass", None)]}
    write(tmp_path / "mbpp" / "acme--tiny_vllm_temp_0.0_eval_results.json", mbpp)
    results, samples = read(tmp_path)
    assert (results.model.name, results.provenance) == ("acme/tiny", "imported:evalplus")
    scores = {
        name: [(s.outcome.id, s.outcome.repeat, s.outcome.score) for s in found]
        for name, found in samples.items()
    }
    first, second = "HumanEval/0", "HumanEval/1"
    assert scores == {
        "humaneval": [(first, 0, 1.0), (first, 1, 1.0), (second, 0, 0.0), (second, 1, 0.0)],
        # the extra tests count where the base tests pass too
        "humaneval_plus": [(first, 0, 1.0), (first, 1, 0.0), (second, 0, 0.0), (second, 1, 0.0)],
        "mbpp": [("Mbpp/2", 0, 1.0)],
    }
    assert results.notes == ("mbpp_plus: left out, only the base tests were run",)
    assert samples["humaneval"][0].response.response == "def f(): return 'pass'"


def test_files_before_0_3_and_gzipped(tmp_path):
    old = {"HumanEval/0": {"nfiles": 1, "base": [["success", [1]]], "plus": [["fail", [0]]]}}
    file = write(tmp_path / "tiny_temp_0.0" / "eval_results.json", old)
    packed = file.with_name("eval_results.json.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    results, samples = read(packed)
    assert results.model.name == "tiny_temp_0.0"
    assert [s.outcome.score for s in samples["humaneval"]] == [1.0]
    assert [s.outcome.score for s in samples["humaneval_plus"]] == [0.0]


def test_all_out_of_time_is_no_score(tmp_path):
    slow = {"HumanEval/0": [sample("HumanEval/0", "timeout", "timeout")], "HumanEval/1": []}
    results, samples = read(write(tmp_path / "x_eval_results.json", slow))
    assert samples == {}
    assert "humaneval: left out, all 1 answers timed out" in results.notes
    assert "HumanEval: 1 of 2 problems left out, they have no answer" in results.notes


@pytest.mark.parametrize(
    ("problems", "said"),
    [
        ({}, "contains no problem"),
        ({"EvoEval/1": []}, "contains problems of EvoEval, not of HumanEval or Mbpp"),
        ({"Mbpp/1": [], "HumanEval/1": []}, "problems of HumanEval, Mbpp, not"),
    ],
)
def test_what_is_refused(tmp_path, problems, said):
    file = write(tmp_path / "x_eval_results.json", problems)
    with pytest.raises(InputError, match=said):
        IMPORTER.read(file, load_taxonomy())
    file.write_text(file.read_text()[:40])
    with pytest.raises(InputError, match="is cut off"):
        IMPORTER.read(file, load_taxonomy())

"""Foreign results in memory are what an import writes and a run folder gives back."""

import json
from dataclasses import replace

import pytest

from transferscope.core.errors import InputError
from transferscope.runs import read_run
from transferscope.runs.importers import import_results, open_run, put_together

from ...fuzz.mutants import write
from ...fuzz.test_inputs import SOURCES


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_it_is_the_run_that_an_import_writes(name, tmp_path):
    path = write(SOURCES[name], tmp_path / "in")
    said = []
    here = open_run(path, say=lambda _, note: said.append(note))
    done = import_results(path, tmp_path / "run")
    there = read_run(done.path)
    assert here.by_benchmark == there.by_benchmark
    assert here.scores == there.scores
    for benchmark in there.by_benchmark:
        assert here.responses(benchmark) == there.responses(benchmark)
        assert here.keeps_answers(benchmark) == there.keeps_answers(benchmark)
    counts = [
        {b: entry["n"] for b, entry in run.manifest.complete.items()} for run in (here, there)
    ]
    assert counts[0] == counts[1]
    assert replace(here.manifest, complete={}) == replace(there.manifest, complete={})
    assert tuple(said) == done.notes


def rows(tmp_path, name, *found):
    path = tmp_path / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


def answer(id_, **more):
    return {"model": "m", "benchmark": "gsm8k", "id": id_, "score": 1.0, **more}


def test_an_answer_twice_is_refused(tmp_path):
    path = rows(tmp_path, "twice", answer("a"), answer("a"))
    with pytest.raises(InputError, match=r"twice\.jsonl \(gsm8k\): duplicate answer") as caught:
        open_run(path)
    with pytest.raises(InputError) as also:
        import_results(path, tmp_path / "run")
    assert str(caught.value) == str(also.value)


def test_parts_of_one_model_become_one_run(tmp_path):
    one = rows(tmp_path, "one", answer("a", response="It is 4."))
    other = rows(tmp_path, "other", answer("b", benchmark="mmlu", response="B"))
    said = []
    (run,) = put_together(
        [open_run(one), open_run(other)], say=lambda path, note: said.append((path, note))
    )
    assert said == [(other, f"put together with {one}, of the same model m")]
    assert {name: [o.id for o in found] for name, found in run.by_benchmark.items()} == {
        "gsm8k": ["a"],
        "mmlu": ["b"],
    }
    assert run.responses("mmlu")["b", 0].response == "B"
    assert set(run.manifest.suite["benchmarks"]) == {"gsm8k", "mmlu"}
    assert run.manifest.status == "complete"


def test_runs_that_share_a_benchmark_stay_apart(tmp_path):
    paths = [rows(tmp_path, name, answer(name)) for name in ("one", "other")]
    runs = [open_run(path) for path in paths]
    assert put_together(runs) == runs

"""Files as QwenLM/Qwen2.5-Math's ``evaluation/math_eval.py`` (commit ab5097e) writes them."""

import gzip
import json

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import Response

from .foreign import read

NAME = "test_qwen25-math-cot_-1_seed0_t0.6_s0_e-1"


def row(at, scores):
    return {
        "idx": at,
        "question": f"{at}+1?",
        "gt_cot": "...",
        "gt": str(at + 1),
        "solution": "...",
        "answer": str(at + 1),
        "code": [f"\\boxed{{{k}}}" for k in range(len(scores))],
        "pred": ["1"] * len(scores),
        "report": [None] * len(scores),
        "score": scores,
    }


def write(folder, rows, acc=None, n=None):
    folder.mkdir(parents=True, exist_ok=True)
    if rows is not None:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{NAME}.jsonl").write_text(text)
    if acc is not None:
        metrics = {
            "num_samples": n,
            "num_scores": 2 * n,
            "timeout_samples": 0,
            "empty_samples": 0,
            "acc": acc,
            "time_use_in_second": 1.0,
            "time_use_in_minite": "0:01",
        }
        (folder / f"{NAME}_qwen25-math-cot_metrics.json").write_text(json.dumps(metrics))
    return folder


def test_outputs_are_items_with_repeats_and_metrics_alone_are_scores(tmp_path):
    out = tmp_path / "Tiny-Math" / "math_eval"
    write(out / "gsm8k", [row(0, [True, False]), row(1, [False, False])], acc=50.0, n=2)
    write(out / "math", None, acc=62.5, n=8)
    results, samples = read(tmp_path)
    assert (results.model.name, results.provenance) == ("Tiny-Math", "imported:qwen-math")
    assert results.notes == ("scores without answers, compared unpaired: hendrycks_math",)
    found = [(s.outcome.id, s.outcome.repeat, s.outcome.score) for s in samples["gsm8k"]]
    assert found == [("0", 0, 1.0), ("0", 1, 0.0), ("1", 0, 0.0), ("1", 1, 0.0)]
    assert samples["gsm8k"][1].response == Response("0", 1, "0+1?", "\\boxed{1}")
    assert [(r.benchmark, r.score, r.n) for r in results.scores] == [("hendrycks_math", 0.625, 8)]
    assert results.decoding["gsm8k"] == {"prompt_type": "qwen25-math-cot", "temperature": 0.6}
    assert (results.seed, results.limit) == (0, None)


def test_metrics_that_contradict_the_outputs_are_said_first(tmp_path):
    folder = write(tmp_path / "m" / "aime24", [row(0, [True]), row(1, [False])], acc=33.3, n=3)
    wrong = "2 samples, not 3; mean 50.00 %, not 33.30 %"
    assert read(folder)[0].contradictions == {"aime24": wrong}
    write(folder, [row(0, [True]), row(1, [False])], acc=90.0, n=2)
    assert read(folder)[0].contradictions == {"aime24": "mean 50.00 %, not 90.00 %"}


def test_outputs_that_nobody_scored_and_gzip(tmp_path):
    folder = write(tmp_path / "m" / "aime24", [row(0, []), row(1, [])])
    results, samples = read(folder)
    assert samples == {}
    assert "aime24: left out, none of its 2 answers has a score" in results.notes
    file = folder / f"{NAME}.jsonl"
    content = (json.dumps(row(0, [True])) + "\n").encode()
    file.with_name(f"{NAME}.jsonl.gz").write_bytes(gzip.compress(content))
    file.unlink()
    assert [s.outcome.score for s in read(folder)[1]["aime24"]] == [1.0]


def test_what_is_cut_or_there_twice_is_named(tmp_path):
    folder = write(tmp_path / "m" / "gsm8k", [row(0, [True]), row(1, [True])])
    file = folder / f"{NAME}.jsonl"
    other = folder / f"{NAME.replace('seed0', 'seed1')}.jsonl"
    other.write_text(file.read_text())
    with pytest.raises(InputError, match="duplicate result for gsm8k; keep one of them"):
        read(tmp_path)
    other.unlink()
    file.write_text(file.read_text()[:-20])
    with pytest.raises(InputError, match=r":2: .*is cut off"):
        read(tmp_path)

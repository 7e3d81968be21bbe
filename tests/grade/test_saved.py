"""Saved answers of other programs: what is graded and audited, and what is said of it."""

import gzip
import json
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.grade.audit import audit
from transferscope.grade.saved import Saved
from transferscope.grade.score import score


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_llama_factorys_predictions(tmp_path):
    rows = [
        {"prompt": "<|user|>2+2?", "predict": "The answer is 4.", "label": "4"},
        {"prompt": "<|user|>3+3?", "predict": "5", "label": "6"},
    ]
    found = score("math", written(tmp_path / "generated_predictions.jsonl", rows))
    assert found.metrics == {"accuracy": 0.5}
    assert found.label_agreement is None
    assert found.notes == (
        "read response = predict, gold = label; if that is wrong, use --field NAME=COLUMN",
    )


def test_a_batch_without_its_failed_requests(tmp_path):
    def line(name, text, why="stop", status=200, error=None):
        choice = {"index": 0, "message": {"role": "assistant", "content": text}}
        body = {"choices": [choice | {"finish_reason": why}]}
        response = None if error else {"status_code": status, "body": body}
        return {"id": "batch", "custom_id": name, "response": response, "error": error}

    rows = [
        line("a", "4."),
        line("b", "It is", "length"),
        line("c", None),
        line("d", "part", "content_filter"),
        line("e", "x", status=500),
        line("f", "", error={"code": "server_error"}),
    ]
    found = audit(written(tmp_path / "batch.jsonl", rows))
    assert [(row.id, row.flags) for row in found.rows] == [("a", ()), ("b", ("truncated",))]
    assert found.notes[-1] == "4 requests have no answer (failed or empty): left out"
    with pytest.raises(InputError, match="every request failed"):
        audit(written(tmp_path / "batch.jsonl", rows[2:]))


def test_a_list_of_responses_is_repeats(tmp_path):
    rows = [{"id": "a", "output": ["4", "5"], "target": "4"}, {"id": "b", "output": ["6"]}]
    saved = list(Saved(written(tmp_path / "r.jsonl", rows)))
    assert [(s.id, s.item, s.repeat, s.response) for s in saved] == [
        ("a", "a", 0, "4"),
        ("a#1", "a", 1, "5"),
        ("b", "b", 0, "6"),
    ]
    found = score("math", tmp_path / "r.jsonl")
    assert (found.n, found.metrics, found.unmatched) == (3, {"accuracy": 0.5}, ("b",))


@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.csv.gz", "a.jsonl.gz"])
def test_arrays_tables_and_packed_files(tmp_path, name):
    rows = [
        {"question": "2+2?", "prediction": "4", "answer": "so\n#### 4"},
        {"question": "3+3?", "prediction": "5", "answer": "#### 6"},
    ]
    text = json.dumps(rows) if name == "a.json" else "\n".join(map(json.dumps, rows))
    if ".csv" in name:
        text = 'question,prediction,answer\n2+2?,4,"so\n#### 4"\n3+3?,5,#### 6\n4+4?,8,\n'
    content = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found = score("math", tmp_path / name)
    assert found.metrics == {"accuracy": 0.5}
    assert found.unmatched == (("2",) if ".csv" in name else ())


def test_fields_are_named_and_wrong_names_are_said(tmp_path):
    path = written(tmp_path / "r.jsonl", [{"a": "4", "b": "4", "response": "none"}])
    assert score("math", path, columns={"response": "a", "gold": "b"}).metrics == {"accuracy": 1.0}
    with pytest.raises(
        InputError, match=r"r\.jsonl:1: no field 'c', only a, b, response; .*--field"
    ):
        score("math", path, columns={"response": "c"})
    # In a file with our own names a label is a verdict: nobody's text is taken for one.
    path = written(tmp_path / "r.jsonl", [{"prompt": "q", "response": "4", "label": "4"}])
    with pytest.raises(InputError, match="the gold: --field gold=label"):
        score("math", path)
    assert score("math", path, columns={"gold": "label"}).metrics == {"accuracy": 1.0}


def test_what_is_no_answers_is_named(tmp_path):
    (tmp_path / "trainer_state.json").write_text('{"log_history": [], "global_step": 1}')
    with pytest.raises(InputError, match=r"the Trainer's loss log.*transferscope eval"):
        audit(tmp_path / "trainer_state.json")


def test_graded_answers_are_written_for_compare(tmp_path):
    rows = [
        {"prompt": [{"role": "user", "content": "2+2?"}], "completion": ["4", "5"], "gold": "4"},
        {"prompt": [{"role": "user", "content": "2+2?"}], "completion": "4", "gold": "4"},
        {"prompt": "x", "completion": "no gold"},
    ]
    path, out = written(tmp_path / "r.jsonl", rows), tmp_path / "graded.jsonl"
    score("math", path, out=out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(line["repeat"], line["score"], line["response"]) for line in lines] == [
        (0, 1, "4"),
        (1, 0, "5"),
        (2, 1, "4"),
    ]
    assert len({line["id"] for line in lines}) == 1
    assert lines[0]["prompt"] == "2+2?"
    with pytest.raises(
        InputError, match="is one of the input files and would be overwritten; name another"
    ):
        score("math", path, out=path)


def test_one_of_several_models_is_graded_by_its_name(tmp_path):
    rows = [
        {"id": n, "model": f"org/{model}", "output": str(n + wrong), "gold": str(n)}
        for n in range(4)
        for model, wrong in (("base", n < 1), ("tuned", n < 3))
    ]
    path = written(tmp_path / "r.jsonl", rows)
    for model, accuracy in (("org/base", 0.75), ("tuned", 0.25)):
        found = score("math", Path(f"{path}::{model}"))
        assert (found.n, found.metrics) == (4, {"accuracy": accuracy})
    with pytest.raises(InputError, match=r"no model 'tunde', .*did you mean .*r\.jsonl::org/tuned"):
        audit(Path(f"{path}::tunde"))
    with pytest.raises(
        InputError, match=r"id '0' is not unique.*select one of several models: FILE::MODEL"
    ):
        audit(path)

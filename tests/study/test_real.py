"""A study on real benchmarks: their files come with the command, not with the study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from transferscope.cli import main
from transferscope.core.errors import InputError
from transferscope.runs import read_run
from transferscope.study import check_study, load_study
from transferscope.train.query_sources import read_queries

ASKED = "A train of nine wagons leaves the town at noon. How many wagons has it?"
BENCHMARKS: dict[str, list[dict[str, Any]]] = {
    "gsm8k": [
        {"question": ASKED, "answer": "#### 9"},
        {"question": "Nine less two?", "answer": "9 - 2 = 7\n#### 7"},
    ],
    "headqa": [
        {
            "qtext": "Which is a bird?",
            "ra": "2",
            "answers": [{"aid": 1, "atext": "Cod"}, {"aid": 2, "atext": "Wren"}],
        }
    ],
    "coqa": [{"story": "Ann had a red hat.", "questions": ["Who?"], "answers": ["Ann"]}],
    "ifeval": [
        {
            "key": 7,
            "prompt": "Say something without commas.",
            "instruction_id_list": ["punctuation:no_comma"],
            "kwargs": [{}],
        }
    ],
    "mctaco": [
        {"sentence": "He ate.", "question": "How long?", "answer": "an hour", "label": "yes"},
        {"sentence": "He ate.", "question": "How long?", "answer": "a year", "label": "no"},
    ],
}
QUERIES = [{"id": "asked", "prompt": ASKED, "gold": "9"}] + [
    {"id": f"q{n}", "prompt": f"How much is {n} and {n}, say?", "gold": str(2 * n)} for n in (1, 2)
]
ANSWERS = [{"prompt": row["prompt"], "response": "It is 2."} for row in QUERIES]
LEFT_OUT = "1 overlap with the evaluation and 1 have no teacher response to train on"


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def file(tmp_path: Path, tiny_model: Path) -> Path:
    (tmp_path / "data").mkdir()
    for name, rows in BENCHMARKS.items():
        written(tmp_path / "data" / f"{name}.jsonl", rows)
    queries = written(tmp_path / "q.jsonl", QUERIES)
    teacher = written(tmp_path / "t.jsonl", ANSWERS)
    path = tmp_path / "s.toml"
    path.write_text(
        f"""
name = "s"
base = "{tiny_model}"
suite = "real"
items = 2
[arms.on-policy-sft]
queries_from = "{queries}"
steps = 1
queries_per_step = 1
rollouts = 2
max_tokens = 4
[arms.off-policy-sft]
queries_from = "{queries}"
teacher = "{teacher}"
steps = 1
queries_per_step = 1
rollouts = 2
[probe]
items = 1
"""
    )
    return path


def test_a_study_reads_real_benchmarks_and_trains_on_none_of_their_questions(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(file.parent)
    out = file.parent / "out"
    main(["study", str(file), "--data", "data", "--out", str(out)])
    (row,) = json.loads((out / "overlap.json").read_text())["sources"]
    assert (row["removed"], row["ids"], row["unanswered_ids"]) == (1, ["asked"], ["q2"])
    assert LEFT_OUT in capsys.readouterr().err
    assert LEFT_OUT in (out / "report.md").read_text()
    page = (out / "report.html").read_text()
    assert LEFT_OUT.replace("'", "&#39;") in page
    for arm in ("on-policy-sft", "off-policy-sft"):
        config = json.loads((out / "arms" / arm / "arm.json").read_text())["config"]
        assert [query.id for query in read_queries(config["queries_from"])] == ["q1"]
    evaluated = read_run(out / "runs" / "on-policy-sft").by_benchmark
    assert set(evaluated) == {"GSM8K", "HeadQA", "CoQA", "IFEval", "MC-TACO"}
    assert "data" not in json.loads((out / "study.json").read_text())["config"]


def test_a_folder_that_is_missing_is_told_before_the_first_stage(file: Path) -> None:
    config, out = load_study(file), file.parent / "out"
    with pytest.raises(InputError, match=r"data files are missing: .*gsm8k\.parquet"):
        check_study(config, out)
    with pytest.raises(InputError, match=r"data files are missing: .*gsm8k\.parquet"):
        check_study(config, out, data=file.parent)
    check_study(config, out, data=file.parent / "data")

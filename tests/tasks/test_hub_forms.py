"""Rows in the form of the hub's files, with made-up content, are read by every benchmark."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")

import pyarrow
from pyarrow import parquet

from transferscope.tasks.paper import PRESETS
from transferscope.tasks.paper.data_sources import SOURCES

TURNS = {"input_text": ["red", "a hat"], "turn_id": [1, 2], "span_text": ["red", "a red hat"]}
ROWS: dict[str, list[dict[str, Any]]] = {
    "math500.jsonl": [
        {"problem": "1+1?", "solution": "2", "answer": "2", "subject": "Algebra", "level": 1}
        | {"unique_id": "test/algebra/1.json"}
    ],
    "aime24.parquet": [
        {"id": 60, "problem": "1+1?", "solution": "2", "answer": "2", "year": "2024"}
    ],
    "aime25.jsonl": [{"problem": "1+1?", "answer": "2", "id": "0"}],
    "olympiadbench.parquet": [
        {"id": 1, "question": "1+1?", "solution": ["2"], "final_answer": ["2"], "context": None}
        | {"is_multiple_answer": False, "unit": None, "answer_type": "Numerical", "error": None}
        | {"image_1": None, "modality": "Text-only", "subfield": "Algebra", "language": "English"}
    ],
    "gpqa_diamond.csv": [
        {"Question": "1+1?", "Correct Answer": "2", "Incorrect Answer 1": "3"}
        | {"Incorrect Answer 2": "4", "Incorrect Answer 3": "5", "Record ID": "rec1"}
    ],
    "acpbench.jsonl": [
        {"id": -7, "group": "progression_mcq", "context": "One ball.", "answer": "A"}
        | {"question": "How many? A. one B. two", "query": "How many?"}
        | {"choices": {"text": ["one", "two"], "label": ["A", "B"]}}
    ],
    "headqa_en.jsonl": [
        {"name": "Exam", "year": "2013", "category": "biology", "qid": 1, "qtext": "A bird?"}
        | {"ra": 2, "image": image}
        | {"answers": [{"aid": 1, "atext": "Cod"}, {"aid": 2, "atext": "Wren"}]}
        for image in (None, True)
    ],
    "coqa.parquet": [
        {"id": "s1", "story": "Ann had a red hat.", "answers": TURNS, "source": "mine"}
        | {"questions": {"input_text": ["Which colour?", "What?"], "turn_id": [1, 2]}}
        | {"additional_answers": {"0": TURNS, "1": TURNS, "2": TURNS}}
    ],
    "ifeval.jsonl": [
        {"key": 1, "prompt": "No commas.", "instruction_id_list": ["punctuation:no_comma"]}
        | {"kwargs": [{"num_words": None, "relation": None}]}
    ],
    "halueval_qa.parquet": [
        {"knowledge": "Two.", "question": "1+1?", "right_answer": "2", "hallucinated_answer": "3"}
    ],
    "halueval_dialogue.parquet": [
        {"knowledge": "Two.", "dialogue_history": "[Human]: 1+1?", "right_response": "2"}
        | {"hallucinated_response": "3"}
    ],
    "halueval_summarization.parquet": [
        {"document": "Two.", "right_summary": "2", "hallucinated_summary": "3"}
    ],
    "mctaco.parquet": [
        {"sentence": "He ate.", "question": "How long?", "answer": "an hour", "label": 1}
        | {"category": 0},
        {"sentence": "He ate.", "question": "How long?", "answer": "a year", "label": 0}
        | {"category": 0},
    ],
    "gsm8k.parquet": [{"question": "1+1?", "answer": "#### 2"}],
}
"""By file name in the data folder; LiveCodeBench's form has tests of its own."""
COUNTS = {"CoQA": {"paper": 2, "authors": 1, "fixed": 2}, "MC-TACO": 2, "HaluEval": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, rows in ROWS.items():
        path = tmp_path / name
        if path.suffix == ".parquet":
            parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        elif path.suffix == ".csv":
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_every_form_is_here() -> None:
    assert {s.target for s in SOURCES if s.benchmark != "LiveCodeBench-v2"} == set(ROWS)


@pytest.mark.parametrize("pack", ["paper", "authors", "fixed"])
@pytest.mark.parametrize("name", sorted({s.benchmark for s in SOURCES} - {"LiveCodeBench-v2"}))
def test_the_hubs_rows_are_read(pack: str, name: str, folder: Path) -> None:
    if (pack, name) == ("authors", "ACPBench"):
        pytest.importorskip("lm_eval")
    items = PRESETS[pack][name].items(None, seed=0, data=folder)
    expected = COUNTS.get(name, 1)
    assert len(items) == (expected[pack] if isinstance(expected, dict) else expected)

from __future__ import annotations

import json
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.grade.audit import audit


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def test_counts_rows_and_what_is_not_measured(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "prompt": "p", "response": "4", "finish": "length"},
        {"id": "b", "prompt": "p", "response": " "},
        {"prompt": "p", "response": "It is 4."},
    ]
    document = audit(written(tmp_path / "r.jsonl", rows)).to_json()
    assert document == {
        "n": 3,
        "flags": {"truncated": 1, "empty": 1},
        "rows": [
            {"id": "a", "flags": ["truncated"], "inferred": []},
            {"id": "b", "flags": ["empty"], "inferred": ["empty"]},
            {"id": "2", "flags": [], "inferred": []},
        ],
        "not_measured": ["style_opening", "script_change"],
        "unmatched": [],
    }


def test_against_the_base_by_id(tmp_path: Path) -> None:
    tuned = [{"id": f"{n}", "response": f"Okay, let me think: {n}."} for n in range(30)]
    tuned[3] = {"id": "3", "response": "答案是四因为二加二等于四没有别的"}
    base = [{"id": f"{n}", "response": f"The answer here is {n}."} for n in reversed(range(31))]
    found = audit(written(tmp_path / "t.jsonl", tuned), written(tmp_path / "b.jsonl", base))
    assert found.counts == {"style_opening": 29, "script_change": 1}
    assert found.rows[3].flags == ("script_change",)
    assert found.rows[0].inferred == ("style_opening",)
    assert (found.not_measured, found.unmatched) == ((), ("30",))


def test_a_constant_answer_needs_no_base(tmp_path: Path) -> None:
    rows = [{"id": str(n), "response": "No." if n else "yes"} for n in range(20)]
    found = audit(written(tmp_path / "r.jsonl", rows))
    assert found.counts == {"constant_answer": 19}
    assert (found.rows[0].flags, found.rows[1].inferred) == ((), ("constant_answer",))


def test_a_constant_answer_is_the_one_behind_the_thinking(tmp_path: Path) -> None:
    said = "<think>\nNo, I would not say so. Let me see.\n</think>\n\n{}"
    rows = [{"id": str(n), "response": said.format("Yes." if n else "No.")} for n in range(20)]
    assert audit(written(tmp_path / "r.jsonl", rows)).counts == {"constant_answer": 19}
    for n, row in enumerate(rows):  # the thinking is the same in all, the answers are not
        row["response"] = said.format(f"Answer {n}")
    assert audit(written(tmp_path / "r.jsonl", rows)).counts == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"response": 4}', "r.jsonl:1: 'response' is not text"),
        ("{}", "r.jsonl:1: no field 'response'"),
        ('{"id": [], "response": ""}', "'id' is neither text nor a whole number"),
        (
            '{"id": 1, "response": ""}\n{"id": "1", "response": ""}',
            "r.jsonl:2: id '1' is not unique",
        ),
        ('{"response": "", "label": "yes"}', "'label' is neither true nor false"),
        ("", "is empty"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(line)
    with pytest.raises(InputError) as caught:
        audit(path)
    assert message in str(caught.value)

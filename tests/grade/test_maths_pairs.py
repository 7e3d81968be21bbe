"""Answers with the right verdict beside them, of every kind that responses come in."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from transferscope.grade.maths import is_correct

PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parent / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
]
CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "math" / "pairs.jsonl"
KINDS = sorted({row["id"].rpartition("-")[0] for row in PAIRS})


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_gets_its_verdict(kind: str) -> None:
    pytest.importorskip("math_verify")
    rows = [row for row in PAIRS if row["id"].rpartition("-")[0] == kind]
    wrong = [
        (row["response"], row["gold"])
        for row in rows
        if is_correct(row["response"], row["gold"]) is not row["label"]
    ]
    assert wrong == []


def test_the_pairs_hold_both_verdicts() -> None:
    labels = defaultdict(set)
    for row in PAIRS:
        labels[row["id"].rpartition("-")[0]].add(row["label"])
    assert len(PAIRS) >= 600
    assert all(found == {True, False} for found in labels.values())


@pytest.mark.skipif(not CASES.is_file(), reason="the labelled cases lie beside the checkout only")
def test_cases_that_others_labelled() -> None:
    pytest.importorskip("math_verify")
    rows = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    given = [(row["label"], is_correct(row["response"], row["gold"])) for row in rows]
    right = [said for label, said in given if label]
    wrong = [said for label, said in given if not label]
    assert sum(wrong) <= 0.01 * len(wrong)
    assert right.count(False) <= 0.06 * len(right)

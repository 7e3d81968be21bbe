"""The corrections' proofs, and that each is of a real problem."""

from __future__ import annotations

import json
from math import atan, isclose, isqrt, pi, sin, sqrt
from pathlib import Path

import pytest

from transferscope.core.records import digest
from transferscope.tasks.paper import PRESETS
from transferscope.tasks.paper.answer_corrections import (
    CORRECTIONS,
    UNANSWERABLE,
    answerable,
    corrected,
)

BENCH = Path(__file__).resolve().parents[3] / "shared" / "data" / "bench"


def test_an_unknown_problem_is_left_as_it_is() -> None:
    assert answerable("What is 1 + 1?")
    assert corrected("What is 1 + 1?", ("2", "II")) == ("2", "II")


def test_every_correction_has_a_reason_and_is_not_left_out() -> None:
    assert all(found.right and found.why for found in CORRECTIONS.values())
    assert all(UNANSWERABLE.values())
    assert not CORRECTIONS.keys() & UNANSWERABLE.keys()


def test_the_additional_roots_solve_the_equation() -> None:
    """The proof of MATH-500's correction: sin(arctan x + arccot(1/x)) = 1/3 with both ranges."""
    for root in (3 + 2 * sqrt(2), 3 - 2 * sqrt(2)):
        assert isclose(sin(atan(root) + pi / 2 - atan(1 / root)), 1 / 3)  # range (0, pi)
        assert isclose(sin(atan(root) + atan(root)), 1 / 3)  # range (-pi/2, pi/2)
        assert isclose(sin(atan(-root) + pi / 2 - atan(-1 / root)), 1 / 3)
        assert isclose(sin(atan(-root) + atan(-root)), -1 / 3)


def test_the_corrected_sequence_and_cube() -> None:
    """Two more proofs: only m = 2 and m = 10 give squares, and 6 * 6^(2/3) = 1 + n."""

    def squares(m: int) -> bool:
        terms = [1, 1, 4]
        while len(terms) < 30:
            terms.append(m * (terms[-1] + terms[-2]) - terms[-3])
            if terms[-1] < 0 or isqrt(terms[-1]) ** 2 != terms[-1]:
                return False
        return True

    assert [m for m in range(1, 5000) if squares(m)] == [2, 10]
    edge = 6 ** (1 / 3)
    n = 6 * 36 ** (1 / 3) - 1
    assert isclose(6 * edge**2, (8 + 8 * n) / 8)


@pytest.mark.skipif(not BENCH.is_dir(), reason="the real items are not here")
def test_every_correction_is_of_a_real_problem() -> None:
    texts = [json.loads(row)["problem"] for row in _lines("math500.jsonl")]
    texts += [json.loads(row)["question"] for row in _lines("olympiadbench_oe_to_maths_en.jsonl")]
    assert CORRECTIONS.keys() | UNANSWERABLE.keys() <= {digest(text.strip()) for text in texts}
    used = {
        item.data.right
        for name in ("MATH-500", "OlympiadBench")
        for item in PRESETS["fixed"][name].items(None, seed=0, data=BENCH)
    }
    assert {correction.right for correction in CORRECTIONS.values()} <= used


def _lines(name: str) -> list[str]:
    return (BENCH / name).read_text(encoding="utf-8").splitlines()

from __future__ import annotations

import random

import pytest

from transferscope.core.errors import InputError
from transferscope.grade.maths import is_correct
from transferscope.train import Query, make_queries
from transferscope.train.teacher import OPENING, accepted, worked


def test_every_solution_is_correct_and_in_style() -> None:
    for query in make_queries(200, seed=0):
        for response in accepted(query, 8, rng=random.Random(query.id)):
            assert is_correct(response, query.gold)
            assert response.startswith(OPENING)
            assert response.count(". ") >= 4


def test_solution_by_hand() -> None:
    query = Query("q", "product", "What is 3 times 2?", "6", 3, 2, "*")
    response = worked(query, random.Random(0))
    assert "2, 4, 6" in response
    assert response.endswith("the answer is 6.")


def test_wrong_and_repeated_responses_are_dropped() -> None:
    query = make_queries(1, seed=0)[0]
    wrong = str(int(query.gold) + 1)
    script = iter([wrong, query.gold, query.gold, wrong, f"It is {query.gold}."])
    kept = accepted(query, 2, rng=random.Random(0), teacher=lambda *_: next(script))
    assert kept == [query.gold, f"It is {query.gold}."]


def test_a_teacher_that_never_succeeds() -> None:
    query = make_queries(1, seed=0)[0]
    with pytest.raises(InputError, match="gave 0 different correct responses, but 2 are needed"):
        accepted(query, 2, rng=random.Random(0), teacher=lambda *_: "no idea")

from __future__ import annotations

import re

import pytest

from transferscope.train import make_queries
from transferscope.train.queries import FORMAT, HIGHEST, KINDS, LOWEST


def recomputed(prompt: str) -> int:
    """The answer, worked out from the words of the prompt alone."""
    a, b = (int(number) for number in re.findall(r"\d+", prompt))
    if "gives away" in prompt:
        return a - b
    if any(word in prompt for word in ("times", " x ", "Multiply", "boxes with")):
        return a * b
    return a + b


def test_seeded_and_unique() -> None:
    queries = make_queries(300, seed=3)
    assert queries == make_queries(300, seed=3)
    assert queries[:40] == make_queries(40, seed=3)
    assert queries != make_queries(300, seed=4)
    assert len({query.prompt for query in queries}) == len({query.id for query in queries}) == 300


def test_gold_is_right_and_operands_are_one_digit() -> None:
    for query in make_queries(300, seed=0):
        assert int(query.gold) == recomputed(query.prompt) >= 0
        numbers = [int(number) for number in re.findall(r"\d+", query.prompt)]
        assert all(LOWEST <= number <= HIGHEST == 9 for number in numbers)
        assert query.prompt.endswith(FORMAT)


def test_kinds_come_in_rotation() -> None:
    assert [query.kind for query in make_queries(6, seed=0)] == [*KINDS, *KINDS]


def test_excluded_prompts_do_not_come() -> None:
    first = {query.prompt for query in make_queries(200, seed=0)}
    held_out = {query.prompt for query in make_queries(200, seed=1, exclude=first)}
    assert len(held_out) == 200
    assert not first & held_out


def test_more_than_there_are() -> None:
    with pytest.raises(ValueError, match="fewer than 2000 different"):
        make_queries(2000, seed=0)

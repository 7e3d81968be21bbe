"""A benchmark's answers as columns: worked out by hand."""

import pytest

from transferscope.core.records import Outcome
from transferscope.runs.benchmark_answers import BenchmarkAnswers


def answer(id_, score, **more):
    return Outcome("sums", id_, score, **more)


def test_columns_are_sorted_by_id_and_repeat():
    found = BenchmarkAnswers.of(
        [
            answer("b", 1.0, repeat=1, subset="two"),
            answer("c", 0.0, cluster="s", subset="one"),
            answer("a", 1.0, cluster="s", subset="one"),
            answer("b", 0.0, subset="two"),
        ]
    )
    assert found.ids == ("a", "b", "c")
    assert found.keys == [("a", 0), ("b", 0), ("b", 1), ("c", 0)]
    assert list(found.scores) == [1.0, 0.5, 0.0]
    assert list(found.clusters) == [0, 1, 0]
    assert found.subsets[1] == ("one", "two")
    assert list(found.subsets[0]) == [0, 1, 0]
    assert found.repeats == 2
    assert found.binary


def test_flags_are_united_over_repeats():
    found = BenchmarkAnswers.of(
        [
            answer("a", 0.0, flags=("truncated",)),
            answer("a", 0.0, repeat=1, flags=("looped", "truncated")),
            answer("b", 0.5),
        ]
    )
    assert found.flags == (("looped", "truncated"), ())
    assert not found.binary
    assert BenchmarkAnswers.of([answer("a", 0.0), answer("b", 0.0)]).flags == ((), ())


def test_weights_and_chance_are_those_of_the_first_repeat():
    heads = [answer("a", 1.0, chance=0.5, weight=3.0), answer("b", 1.0, chance=0.25)]
    later = answer("a", 1.0, repeat=1, chance=0.9, weight=9.0)
    found = BenchmarkAnswers.of([*heads, later])
    assert list(found.weights) == [3.0, 1.0]
    assert found.chance == pytest.approx(0.4375)  # (3 * 0.5 + 0.25) / 4
    assert BenchmarkAnswers.of([*heads, answer("c", 1.0)]).chance is None


def test_parts_by_item_and_by_key():
    found = BenchmarkAnswers.of([answer(i, 1.0, repeat=r) for i in "abc" for r in range(2)])
    assert found.on(frozenset("abcd")) is found
    assert found.on(frozenset("ab")).keys == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert found.at({("a", 1), ("c", 0)}).keys == [("a", 1), ("c", 0)]

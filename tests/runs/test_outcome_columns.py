"""Outcomes in columns are the outcomes that were put in, and items are their means and unions."""

import pickle

import numpy as np
import pytest

from transferscope.core.records import Outcome
from transferscope.runs.outcome_columns import Constant, OutcomeColumns, columns_of

MIXED = (
    Outcome("sums", "b", 0.0, 1, flags=("looped",), tokens=7, message_hash="h"),
    Outcome("sums", "a", 1.0, 0, "s", "story", 2.0, 0.25, ("empty", "cut"), ("cut",), 5, "stop"),
    Outcome("sums", "b", 0.5, 0, flags=("cut", "looped"), message_hash="h", rendered_hash="r"),
)


def test_every_outcome_comes_back():
    columns = OutcomeColumns(MIXED)
    assert tuple(columns) == MIXED
    assert (columns[0], columns[-1], columns[1:]) == (MIXED[0], MIXED[2], MIXED[1:])
    assert (columns == list(MIXED), columns == MIXED[:2], columns == 3) == (True, False, False)
    with pytest.raises(IndexError):
        columns[3]
    assert type(columns[0].score) is float  # JSON and repr know no numpy


def test_values_that_are_all_alike_are_kept_once():
    columns = OutcomeColumns([Outcome("sums", str(at), at % 2) for at in range(5_000)])
    for name in ("repeat", "subset", "weight", "flags", "finish", "message_hash"):
        assert isinstance(columns.column(name), Constant)
    # id and score are left: two numbers of 8 bytes an outcome, beside the texts of the ids
    assert columns.column("score").nbytes == 40_000
    assert list(columns.column("repeat")) == [0] * 5_000


def test_two_runs_share_their_ids_and_hashes():
    one, other = (
        OutcomeColumns([pickle.loads(pickle.dumps(outcome)) for outcome in MIXED]) for _ in range(2)
    )
    for name in ("id", "message_hash"):
        for mine, theirs in zip(one.column(name), other.column(name), strict=True):
            assert mine is theirs


def test_items_are_means_over_repeats_and_unions_of_flags():
    columns = OutcomeColumns(MIXED)
    assert columns.by_key.tolist() == [1, 2, 0]
    items = columns.items
    assert items.ids == ("a", "b")
    assert items.scores.tolist() == [1.0, 0.25]
    assert items.counts.tolist() == [1, 2]
    assert items.flags == (("cut", "empty"), ("cut", "looped"))
    assert items.weights.tolist() == [2.0, 1.0]
    assert items.subset_names == ("s", "")
    assert items.chance is None  # that of b is unknown
    some = columns.items_at(np.array([1, 0]))
    assert (some.ids, some.scores.tolist()) == (("a", "b"), [1.0, 0.0])


def test_what_shares_a_story_shares_a_cluster_and_nothing_else_does():
    rows = [
        Outcome("sums", id_, 1.0, cluster=story)
        for id_, story in zip("abcd", ("x", "", "x", "a"), strict=True)
    ]
    assert OutcomeColumns(rows).items.clusters.tolist() == [0, 1, 0, 2]


def test_a_key_twice_is_seen():
    assert OutcomeColumns(MIXED).unique
    assert not OutcomeColumns([*MIXED, MIXED[0]]).unique
    assert not OutcomeColumns([Outcome("sums", "a", 1.0), Outcome("sums", "a", 0.0)]).unique


def test_benchmarks_are_in_the_order_of_their_first_outcomes():
    rows = [Outcome(name, id_, 1.0) for name, id_ in (("b", "1"), ("a", "1"), ("b", "2"))]
    grouped = columns_of(rows)
    assert list(grouped) == ["b", "a"]
    assert [outcome.id for outcome in grouped["b"]] == ["1", "2"]

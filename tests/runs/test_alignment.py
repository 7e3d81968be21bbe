"""Answers of two runs are matched by id and repeat, whatever their order."""

import random
from dataclasses import fields

import numpy as np
import pytest

from transferscope.core.records import Outcome
from transferscope.runs.alignment import Sides, align
from transferscope.runs.outcome_columns import OutcomeColumns


def rows(seed, ids, repeats=2):
    draw = random.Random(seed)
    return [
        Outcome(
            "sums",
            id_,
            draw.choice((0.0, 0.5, 1.0)),
            repeat,
            cluster=f"c{int(id_) // 3}",
            flags=tuple(draw.sample(("a", "b", "c"), draw.randint(0, 2))),
            message_hash=f"m{id_}",
        )
        for id_ in ids
        for repeat in range(repeats)
    ]


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_order_of_the_lines_makes_no_difference(repeats):
    ids = [f"{at:03}" for at in range(40)]
    base, tuned = rows(0, ids, repeats), rows(1, ids, repeats)
    same = Sides(OutcomeColumns(base), OutcomeColumns(tuned), set())
    shuffled = random.Random(2).sample(tuned, len(tuned))
    other = Sides(OutcomeColumns(base), OutcomeColumns(shuffled), set())
    assert (same.alike, other.alike) == (True, False)
    one, two = align("sums", same), align("sums", other)
    for field in fields(one):
        mine, theirs = getattr(one, field.name), getattr(two, field.name)
        assert np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
    # by hand: means over an item's repeats
    expected = [np.mean([o.score for o in tuned if o.id == id_]) for id_ in ids]
    assert one.tuned_scores.tolist() == pytest.approx(expected)
    assert one.repeats == repeats


def test_what_one_run_lacks_and_what_is_left_out():
    base = OutcomeColumns(rows(0, ["1", "2", "3"]))
    tuned = OutcomeColumns(rows(1, ["4", "3", "2"]))
    sides = Sides(base, tuned, {"3"})
    assert [base[at].key[1:] for at in sides.base_rows] == [("2", 0), ("2", 1)]
    assert [tuned[at].key[1:] for at in sides.tuned_rows] == [("2", 0), ("2", 1)]
    assert (sides.base_items, sides.tuned_items, sides.shared) == (2, 2, 1)
    assert (sides.asked, sides.tuned_answers) == (2, 4)


def test_fields_that_differ():
    base = [Outcome("sums", "1", 1.0, message_hash="a"), Outcome("sums", "2", 1.0)]
    tuned = [
        Outcome("sums", "1", 1.0, message_hash="b", weight=2.0),
        Outcome("sums", "2", 1.0, message_hash="b", weight=2.0),
    ]
    sides = Sides(OutcomeColumns(base), OutcomeColumns(tuned), set())
    assert sides.differ("message_hash", known=True).tolist() == [True, False]
    assert sides.differ("message_hash").tolist() == [True, True]
    assert sides.unknown("message_hash").tolist() == [False, True]
    assert sides.differ("weight").tolist() == [True, True]
    assert sides.differ("subset").tolist() == [False, False]

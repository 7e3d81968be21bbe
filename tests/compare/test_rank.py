"""Order, front and contrasts of runs whose numbers can be worked out by hand."""

import json
import math
from collections.abc import Callable

import pytest

from transferscope.compare.cohort_rank import placed
from transferscope.compare.rank import kept_groups, pareto, rank
from transferscope.core.typed_record import plain
from transferscope.documents.comparison import PlanePoint
from transferscope.published import published_models, recompute
from transferscope.runs import Run

WriteRun = Callable[..., Run]

BASE = {"cases": [0] * 60 + [1] * 40, "statutes": [0] * 50 + [1] * 50, "chat": [1] * 320 + [0] * 80}


def changed(won: int, lost: int) -> dict[str, list[int]]:
    """``won`` more cases and statutes, ``lost`` fewer chats."""
    return {
        "cases": [1] * won + BASE["cases"][won:],
        "statutes": [1] * won + BASE["statutes"][won:],
        "chat": [0] * (4 * lost) + BASE["chat"][4 * lost :],
    }


def test_what_was_kept_comes_before_the_gain(write_run: WriteRun) -> None:
    base = write_run("base", BASE)
    tuned = [
        write_run("greedy", changed(40, 40)),
        write_run("modest", changed(10, 0)),
        write_run("unsure", changed(20, 1)),
    ]
    ranking = rank(base, tuned, replicates=2000)
    assert [(row.model, row.kept) for row in ranking.order] == [
        ("modest", "kept"),
        ("unsure", "open"),
        ("greedy", "lost"),
    ]
    assert [row.pareto for row in ranking.order] == [True, True, True]
    assert [row.worst for row in ranking.order] == ["rest"] * 3
    first, second = ranking.contrasts
    assert (first.first, first.second) == ("modest", "unsure")
    assert first.gain is not None
    assert first.retention is not None
    assert first.gain.gain == pytest.approx(-10.0)
    assert first.retention.gain == pytest.approx(1.0)
    assert second.gain is not None
    assert second.gain.ci[0] < -20.0 < second.gain.ci[1] < 0
    document = json.loads(json.dumps(ranking.to_json(), allow_nan=False))
    assert document["order"][0]["gain"] == pytest.approx(10.0)
    assert document["order"][0]["retention"] == 0.0
    assert document["router"]["score"] == pytest.approx(100 * (0.85 + 0.8) / 2)
    assert document["contrasts"][0]["retention"]["change"] == pytest.approx(1.0)


def test_a_larger_allowed_loss_lets_more_through(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), [write_run("unsure", changed(20, 1))]
    assert rank(base, tuned, allowed_loss=2.0, replicates=500).order[0].kept == "open"
    ranking = rank(base, tuned, allowed_loss=5.0, replicates=500)
    assert ranking.order[0].kept == "kept"
    assert ranking.contrasts == ()


def test_kept_needs_every_group_and_a_bound() -> None:
    plane = {
        "law": PlanePoint(1, (0, 2)),
        "a": PlanePoint(0, (-1.9, 1)),
        "b": PlanePoint(-1, (-3, 1)),
    }
    assert kept_groups(plane, "law", 3.0) == ("kept", "b")
    assert kept_groups(plane, "law", 2.0) == ("open", "b")
    plane["b"] = PlanePoint(-5, (-8, -2.1))
    assert kept_groups(plane, "law", 2.0) == ("lost", "b")
    plane["b"] = PlanePoint(-5, (math.nan, math.nan))
    assert kept_groups(plane, "law", 2.0) == ("open", "b")
    assert kept_groups({"law": plane["law"]}, "law", 2.0) == ("open", "")


def test_front_by_hand() -> None:
    points = [(1.0, 1.0), (2.0, 0.0), (1.0, 0.0), (2.0, 0.0)]
    assert pareto([*points, (None, None)]) == [True, True, False, True, False]


def test_places_in_the_cohort_and_contrasts_of_one_base_only() -> None:
    rows = {model.name: result for model, result in recompute().rows}
    model = published_models()[-1]
    result = rows[model.name]
    retention = (result.gain["other"] + result.gain["non"]) / 2
    place = placed(result.gain["math"], retention, f"hub/{model.base.upper()}")
    better = sum(r.gain["math"] > result.gain["math"] for r in rows.values())
    assert (place.gain, place.of) == (better + 1, 19)
    kin = {m.name for m in published_models() if m.base == model.base}
    assert {c.model for c in place.same_base} == kin
    own = next(c for c in place.same_base if c.model == model.name)
    assert own.gain == pytest.approx(0.0)
    assert own.retention == pytest.approx(0.0)
    assert placed(1.0, 0.0, "some other base").same_base == ()
    assert placed(1000.0, 1000.0, "x").gain == placed(1000.0, 1000.0, "x").retention == 1


def test_what_nobody_judged_keeps_a_model_open(write_run: WriteRun) -> None:
    both = {"chat": BASE["chat"] * 2, "cases": BASE["cases"]}
    base = write_run("base", both | {"mystery": [1] * 50})
    tuned = write_run("tuned", both | {"mystery": [0] * 50})
    (row,) = rank(base, [tuned], replicates=500).order
    assert (row.kept, row.worst, row.not_judged) == ("open", "", ("mystery",))
    (same,) = rank(write_run("b", both), [write_run("t", both)], replicates=500).order
    assert (same.kept, same.not_judged) == ("kept", ())


def test_a_run_that_shares_nothing_is_not_ranked(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", changed(10, 0))
    found = rank(base, [write_run("alien", BASE, first=5000), tuned], replicates=500)
    assert [row.model for row in found.order] == ["tuned"]
    assert found.router is not None
    assert set(found.router.single_choices) <= {"base", "tuned"}
    assert found.to_json()["differences"][0].startswith("alien: left out, no benchmark can be")


def test_what_only_the_base_has_keeps_a_model_open(write_run: WriteRun) -> None:
    both = {"chat": BASE["chat"] * 2, "cases": BASE["cases"]}
    base = write_run("base", both | {"statutes": BASE["statutes"], "mystery": [1, 0]})
    without = both | {"statutes": BASE["statutes"]}
    (row,) = rank(base, [write_run("lacks mystery", without)], replicates=500).order
    assert (row.kept, row.worst, row.missing) == ("open", "", ("mystery",))
    assert plain(row)["missing"] == ["mystery"]
    # Of the source nothing need be kept.
    (row,) = rank(base, [write_run("lacks a source", both | {"mystery": [1, 0]})]).order
    assert row.missing == ()

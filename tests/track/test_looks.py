"""What the looks at a training show together, on paired items made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from transferscope.core.sequential import Changes, joint_interval, lowest_below
from transferscope.core.suite import Suite, parse_suite
from transferscope.runs import PairedBenchmark, Pairing
from transferscope.track.looks import joint_bounds, look_of, side, too_few


def suite(*targets: str, members: int = 1) -> Suite:
    groups = ["math", *targets]
    names = {group: [f"{group}{i}" for i in range(members)] for group in groups}
    text = 'name = "s"\nsource = "math"\n[groups]\n'
    text += "".join(f"{group} = {members}\n" for group, members in names.items())
    text += "".join(f'[benchmarks.{b}]\npack = "mini"\n' for bs in names.values() for b in bs)
    return parse_suite(text, place="s.toml")


def paired(name: str, lost: int, won: int, n: int, *, story: int = 1) -> PairedBenchmark:
    base = np.array([1.0] * lost + [0.0] * (n - lost))
    tuned = np.array([0.0] * lost + [1.0] * won + [0.0] * (n - lost - won))
    return PairedBenchmark(
        benchmark=name,
        ids=tuple(map(str, range(n))),
        base_scores=base,
        tuned_scores=tuned,
        weights=np.ones(n),
        clusters=np.arange(n) // story,
        subsets=np.zeros(n, dtype=np.int64),
        subset_names=("",),
        repeats=1,
        binary=True,
        chance=0.0,
        base_flags=((),) * n,
        tuned_flags=((),) * n,
    )


def pairing(*parts: PairedBenchmark) -> Pairing:
    return Pairing({part.benchmark: part for part in parts}, {}, ())


def test_a_group_is_the_mean_of_its_benchmarks() -> None:
    given = pairing(
        paired("math0", 0, 5, 10), paired("other0", 4, 0, 10), paired("other1", 0, 1, 5)
    )
    look = look_of(given, suite("other", "non", members=2))
    assert set(look) == {"math", "other"}  # nothing of non was compared
    assert look["math"].points == pytest.approx(50.0)
    assert look["other"].points == pytest.approx((-40.0 + 20.0) / 2)


def test_a_passage_is_one_cluster() -> None:
    look = look_of(pairing(paired("other0", 4, 0, 20, story=4)), suite("other"))
    assert look["other"].clusters == 5
    assert look["other"].points == pytest.approx(-20.0)


def test_the_bounds_are_those_of_all_looks() -> None:
    chosen = suite("other", "non")
    looks = [
        look_of(
            pairing(
                paired("math0", 0, 9, 50), paired("other0", lost, 1, 50), paired("non0", 0, 0, 50)
            ),
            chosen,
        )
        for lost in (18, 20)
    ]
    found = joint_bounds(looks, chosen, planned=10)
    assert (found.look, found.planned) == (2, 10)
    now = looks[1]
    for group, bound in found.interval.items():
        assert bound == joint_interval(now[group], look=2, planned=10, level=0.025)
    assert set(found.interval) == {"math", "other", "non"}
    both = Changes.mean([now["other"], now["non"]])
    assert both.points == pytest.approx(-19.0)
    assert found.retention == joint_interval(both, look=2, planned=10, level=0.025)
    assert set(found.lowest) == {"other", "non"}
    others = [look["other"] for look in looks]
    assert found.lowest["other"] == lowest_below(others, planned=10, level=0.025) < 0
    lost = joint_bounds([None, looks[1]], chosen, planned=10)
    assert lost.look == 2
    assert lost.interval == found.interval
    assert lost.lowest["other"] > found.lowest["other"]
    with pytest.raises(ValueError, match="the last look"):
        joint_bounds([looks[0], None], chosen, planned=10)


def test_a_suite_of_the_source_alone_has_no_loss_to_show() -> None:
    chosen = suite()
    look = look_of(pairing(paired("math0", 9, 0, 10)), chosen)
    found = joint_bounds([look], chosen, planned=1)
    assert found.retention is None
    assert found.lowest == {}
    assert too_few(look, chosen, allowed=2.0, items=10) is None


def test_the_error_is_shared_by_the_groups_that_can_lose() -> None:
    assert side(suite("other")) == side(suite("other", "non")) == 0.025
    assert side(suite("other", "non", "law", "code", "chat")) == 0.01


def test_a_loss_that_the_items_cannot_show_is_said() -> None:
    chosen = suite("other", members=4)

    def told(items: int, allowed: float, story: int = 1) -> str | None:
        parts = [paired(f"other{i}", 0, 0, items, story=story) for i in range(4)]
        return too_few(look_of(pairing(*parts), chosen), chosen, allowed=allowed, items=items)

    assert told(25, 2.0) == (
        "allowed_loss is 2 points: with items=25 per benchmark the smallest loss that can stop a "
        "training is 9.9 points on other reasoning; to detect a loss of 4 points in 80 % of "
        "trainings, set items=266 or more"
    )
    assert told(265, 2.0) is not None
    assert told(266, 2.0) is None
    assert "set items=1327 or more" in str(told(25, 2.0, story=5))  # 1061 / 4 passages of five
    assert told(46, 10.0) is None
    assert told(25, 0.0) == (
        "allowed_loss is 0 points: with items=25 per benchmark the smallest loss that can stop a "
        "training is 7.1 points on other reasoning"
    )
    assert "no loss on other reasoning, however large, can stop a training" in str(told(1, 5.0))

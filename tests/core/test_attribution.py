"""The parts of a change and the clause they make."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.attribution import (
    FLAG_WORDS,
    Attribution,
    Causes,
    add_up,
    because,
    flag_words,
    flagged_answers,
    parts,
)
from transferscope.core.standing import Standing
from transferscope.core.typed_record import plain

CUT = Attribution(-22.4, -20.0, {"truncated": -20.0}, 40, 125, clean_p=0.45, standing="loss")


def test_a_loss_in_cut_answers_is_told_in_points() -> None:
    assert because(CUT) == (
        "22.4 points lost, 20.0 of them in answers that were cut off and 2.4 in clean answers; "
        "on clean answers alone no loss is established"
    )
    assert CUT.clean_points == pytest.approx(-2.4)
    assert CUT.share == pytest.approx(20.0 / 22.4)


def test_a_third_of_a_change_is_enough_and_less_is_not() -> None:
    """A clean part that is established by itself: the flagged part decides."""
    shown = replace(CUT, change=-9.0, clean_p=0.001)
    assert replace(shown, flagged=-3.0).notable
    assert not replace(shown, flagged=-2.9).notable
    assert because(replace(shown, flagged=-2.9)) == ""
    assert "on clean answers alone" not in because(replace(shown, flagged=-3.0))


def test_an_established_change_that_clean_answers_do_not_show_is_told() -> None:
    few = replace(CUT, flagged=-2.0, by_flag={"looped": -2.0}, flagged_n=3, clean_p=0.06)
    assert few.notable
    assert because(few) == (
        "22.4 points lost, 2.0 of them in answers that ran in a loop and 20.4 in clean answers; "
        "on clean answers alone no loss is established"
    )
    assert not replace(few, flagged_n=0).notable  # nothing is flagged: nothing to tell


def test_a_clean_change_the_other_way_is_no_support() -> None:
    """8 lost in cut answers, 3 gained in clean ones: p is small, but of a gain."""
    mixed = replace(CUT, change=-5.0, flagged=-8.0, clean_p=0.01)
    assert mixed.clean_established is False
    assert because(mixed) == (
        "answers that were cut off lost 8.0 points and clean answers gained 3.0 points; "
        "on clean answers alone no loss is established"
    )


def test_a_change_that_is_open_needs_a_point() -> None:
    """Nothing changed as a whole, but 10 points went one way and 10 the other."""
    hidden = Attribution(0.1, -9.9, {"empty": -9.9}, 12, 100, clean_p=0.2, standing="open")
    assert because(hidden) == (
        "answers that were empty lost 9.9 points and clean answers gained 10.0 points"
    )
    small = replace(hidden, change=-1.2, flagged=-0.9)
    assert not small.notable
    assert replace(small, flagged=-1.0).notable


def test_benchmarks_without_answers_are_the_unknown_part() -> None:
    part = replace(CUT, change=-12.0, flagged=-6.0, unknown=-4.0, clean_p=math.nan)
    assert part.clean_established is None
    assert because(part) == (
        "12.0 points lost, 6.0 of them in answers that were cut off, 2.0 in clean answers and "
        "4.0 where no answers were kept"
    )


def test_several_flags_are_named_by_their_points() -> None:
    two = replace(CUT, by_flag={"truncated": -12.0, "unclosed_think": -8.0})
    assert flag_words(two) == "were cut off or never closed their reasoning"
    rest = replace(CUT, by_flag={"truncated": -18.0, "looped": -1.0, "empty": -1.0})
    assert flag_words(rest) == "were cut off or failed in another way"
    assert flag_words(replace(CUT, by_flag={"odd": -20.0})) == "are flagged odd"
    assert set(FLAG_WORDS) >= {"extraction_failed", "role_leak", "prompt_echo", "stop_cut"}


@pytest.mark.parametrize(
    ("of_base", "said"),
    [
        (0.0, "answers that were cut off"),
        (0.19, "answers that were cut off"),
        (0.5, "answers of either model that were cut off"),
        (1.0, "answers of the base that were cut off"),
    ],
)
def test_whose_answers_they_were(of_base: float, said: str) -> None:
    assert flagged_answers(replace(CUT, of_base=of_base)) == said


def test_json_has_the_parts_and_no_nan() -> None:
    row = plain(Causes({"ifeval": CUT}, {}, replace(CUT, clean_p=math.nan)))
    assert row["benchmarks"]["ifeval"]["clean_points"] == pytest.approx(-2.4)
    assert row["benchmarks"]["ifeval"]["clean_established"] is False
    assert row["retention"]["clean_p"] is None
    assert row["groups"] == {}


@pytest.mark.parametrize(
    ("total", "summands", "shown"),
    [
        (-22.4, [-20.0, -2.4], [-22.4, -20.0, -2.4]),
        (-0.3, [-0.15, -0.15], [-0.3, -0.1, -0.2]),
        # 3.33 three times is 9.99: shown as 10.0, so one part is 3.4.
        (9.99, [3.33, 3.33, 3.33], [10.0, 3.4, 3.3, 3.3]),
        (0.0, [0.0, 0.0], [0.0, 0.0, 0.0]),
    ],
)
def test_rounded_parts_add_up(total: float, summands: list[float], shown: list[float]) -> None:
    assert add_up(total, summands) == pytest.approx(shown)


POINTS = st.floats(-100.0, 100.0)


@given(POINTS, POINTS, POINTS)
def test_rounded_parts_always_add_up(flagged: float, clean: float, unknown: float) -> None:
    total, *rest = add_up(flagged + clean + unknown, [flagged, clean, unknown])
    assert round(10 * total) == sum(round(10 * part) for part in rest)
    for shown, true in zip(rest, (flagged, clean, unknown), strict=True):
        assert abs(shown - true) < 0.16  # a half of the last digit, and one of it at most


@given(POINTS, POINTS, st.sampled_from(["loss", "gain", "open", "too few"]))
def test_the_clause_is_empty_exactly_where_there_is_nothing_to_tell(
    change: float, flagged: float, standing: Standing
) -> None:
    found = Attribution(change, flagged, {"empty": flagged}, 5, 50, 0.5, standing)
    assert bool(because(found)) == found.notable
    assert "were empty" in parts(found)

"""Costs worked out by hand, and speeds recovered from calls made with known ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.evaluate.cost_estimate import (
    Cost,
    Measured,
    Speed,
    Timed,
    Workload,
    cost_of,
    expected_length,
    speed_of,
    total_of,
)

WORK = Workload("sums", "math", 10, 10, 2, answers=20, prompt_tokens=7200, limit=100)


@given(prompt=st.floats(10, 1e5), answer=st.floats(1, 1e4))
def test_the_speed_behind_the_calls_is_found(prompt: float, answer: float) -> None:
    sizes = [(100, 32), (100, 64), (100, 128), (200, 250)]
    calls = [Timed(p, a, p / prompt + a / answer) for p, a in sizes]
    found = speed_of(calls)
    assert found is not None
    for p, a in [(1000, 0), (0, 1000), (5000, 777)]:
        assert found.seconds(p, a) == pytest.approx(p / prompt + a / answer, rel=1e-3)


def test_a_single_call_is_shared_out_at_a_fixed_ratio() -> None:
    assert speed_of([]) is None
    found = speed_of([Timed(50, 30, 2.0)])  # 50 + 4 x 30 = 170 units of 2 / 170 s
    assert found is not None
    assert found.prompt == pytest.approx(85.0)
    assert found.answer == pytest.approx(85.0 / 4)


def test_calls_that_contradict_each_other_are_shared_out_too() -> None:
    """Least squares alone would make prompts, and so scored choices, free."""
    found = speed_of([Timed(1000, 10, 1.0), Timed(10, 100, 10.0), Timed(2000, 20, 0.5)])
    assert found is not None
    assert found.prompt == pytest.approx((3010 + 4 * 130) / 11.5)
    assert found.answer == pytest.approx(found.prompt / 4)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], (100.0, True)),
        ([(16, False), (16, False), (10, True)], (100.0, True)),
        ([(16, False), (10, True)], (10.0, False)),
        ([(10, True), (20, True)], (15.0, False)),
    ],
)
def test_the_length_of_an_answer(
    seen: list[tuple[int, bool]], expected: tuple[float, bool]
) -> None:
    assert expected_length(seen, 100) == expected


def test_a_cost_by_hand() -> None:
    measured = Measured([], {"sums": [(30, True), (60, True)]})
    cost = cost_of(WORK, measured, Speed(prompt=100.0, answer=0.5))
    # 20 answers of 45 tokens; 7,200 / 100 + 900 / 0.5 seconds
    assert cost == Cost("sums", 7200, 900, False, pytest.approx(1872 / 3600))
    assert cost_of(WORK, None, None) == Cost("sums", 7200, 2000, True, None)


def test_scored_choices_have_no_answers_and_no_bound() -> None:
    scored = Workload("headqa", "other", 10, 10, 1, answers=0, prompt_tokens=3600, limit=0)
    assert cost_of(scored, None, Speed(1.0, 5.0)) == Cost("headqa", 3600, 0, False, 1.0)


def test_the_total_divides_over_gpus_and_costs_the_same() -> None:
    costs = [Cost("a", 10, 20, False, 3.0), Cost("b", 1, 2, True, 5.0)]
    total = total_of(costs, gpus=4, price_per_hour=2.5)
    assert (total.prompt_tokens, total.answer_tokens, total.bound) == (11, 22, True)
    assert (total.hours, total.hours_on_gpus, total.dollars) == (8.0, 2.0, 20.0)
    unknown = total_of([*costs, Cost("c", 1, 1, False, None)], gpus=2, price_per_hour=1.0)
    assert (unknown.hours, unknown.hours_on_gpus, unknown.dollars) == (None, None, None)

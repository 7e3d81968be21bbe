"""Items needed: by hand, by enumeration, beside evalsig's normal formula, and what is refused."""

import math

import pytest

from transferscope.compare.sample_size import items_needed, plan
from transferscope.core.errors import InputError
from transferscope.core.power import mcnemar_power


def test_by_hand() -> None:
    # all items flip one way: 6 of 6 have p = 2 / 2^6, 5 of 5 have 0.0625
    assert items_needed(100.0, 1.0) == 6
    assert plan(100.0, 1.0).to_json() == {"effect": 100.0, "discordance": 1.0, "n": 6}


@pytest.mark.parametrize(
    ("effect", "discordance"), [(2.0, 0.1), (5.0, 0.2), (0.5, 0.1), (50.0, 0.6), (1.0, 0.01)]
)
def test_power_is_eighty_per_cent(effect: float, discordance: float) -> None:
    n = items_needed(effect, discordance)
    assert 0.8 <= mcnemar_power(n, discordance, effect / 100) <= 0.82


@pytest.mark.parametrize(
    ("effect", "discordance", "theirs"), [(2.0, 0.1, 1963), (5.0, 0.2, 628), (1.0, 0.3, 23547)]
)
def test_beside_evalsig(effect: float, discordance: float, theirs: int) -> None:
    # evalsig 0.1.2, required_n(effect / 100, sqrt(discordance)), run once: the normal formula,
    # which the exact test needs up to 5 % more items than
    assert theirs < items_needed(effect, discordance) < 1.06 * theirs


@pytest.mark.parametrize("effect", [0.0, -1.0, 100.5, math.nan, math.inf])
def test_effects_that_are_no_points(effect: float) -> None:
    with pytest.raises(InputError, match=r"--effect: .*give points above 0"):
        items_needed(effect, 0.5)


@pytest.mark.parametrize("discordance", [0.0, -0.1, 20.0, math.nan])
def test_discordances_that_are_no_share(discordance: float) -> None:
    with pytest.raises(InputError, match=r"--discordance: .*give a share"):
        items_needed(2.0, discordance)


def test_an_effect_beyond_the_discordance_is_impossible() -> None:
    with pytest.raises(InputError, match=r"possible if 0.05 of the items flip.*at least 0.1"):
        items_needed(10.0, 0.05)


def test_what_nobody_has_is_called_out_of_reach() -> None:
    assert plan(0.01, 0.5).comment == (
        "out of reach: the largest benchmarks have about 15,000 items; plan a larger effect"
    )
    assert plan(1.0, 0.3).comment == ""  # 24,000 items


def test_an_effect_that_no_test_set_shows() -> None:
    for tiny in (1e-300, 5e-324):  # whose squares are 0
        with pytest.raises(InputError, match=r"--effect: .*more than 10.12 items"):
            items_needed(tiny, 0.5)
    with pytest.raises(InputError, match=r"--effect: .*more than 10.12 items"):
        items_needed(1e-6, 0.5)

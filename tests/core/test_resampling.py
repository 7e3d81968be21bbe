"""The partition into units and strata against cases worked out by hand, and its properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.resampling import SMALLEST, units_of


def strata(cluster: list[int], stratum: list[int]) -> list[int]:
    return units_of(np.array(cluster), np.array(stratum)).stratum_U.tolist()


def test_units_number_clusters_and_sum_over_them() -> None:
    units = units_of(np.array([5, 2, 5, 9]), np.zeros(4, dtype=np.int64))
    assert units.unit_N.tolist() == [1, 0, 1, 2]
    assert (units.count, units.strata) == (3, 1)
    values = np.array([[1.0, 2.0, 4.0, 8.0], [1.0, 1.0, 1.0, 0.0]])
    np.testing.assert_array_equal(units.sums(values), [[2.0, 5.0, 8.0], [1.0, 2.0, 0.0]])


def test_large_strata_stay() -> None:
    assert strata(list(range(12)), [0] * 5 + [7] * 7) == [0] * 5 + [1] * 7


def test_small_strata_are_pooled() -> None:
    # 6 items of one subject, 2 and 3 of two others: those two together
    assert strata(list(range(11)), [0] * 6 + [1] * 2 + [2] * 3) == [1] * 6 + [0] * 5
    # 57 subjects of 2 items: one stratum of 114
    assert set(strata(list(range(114)), [i // 2 for i in range(114)])) == {0}
    # the pool of one small stratum takes in the next: 2 and 5 together, 8 alone
    assert strata(list(range(15)), [0] * 8 + [1] * 2 + [2] * 5) == [1] * 8 + [0] * 7


def test_of_equal_strata_the_pool_takes_the_first() -> None:
    # 40 strata of 5 and a last one of 1: it is pooled with the first of the others
    labels = strata(list(range(201)), [i // 5 for i in range(201)])
    assert labels == [i // 5 for i in range(200)] + [0]


def test_strata_that_cut_a_cluster_are_merged() -> None:
    # stories of two questions, each of another kind: no stratum is left to keep
    assert strata([i // 2 for i in range(20)], [i % 2 for i in range(20)]) == [0] * 10
    # 0 and 1 share the story 4; 2 stands by itself
    cluster = [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    kinds = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2]
    assert strata(cluster, kinds) == [0] * 8 + [1] * 5
    # links chain: 0-1 and 1-2
    chain = [0, 0, 1, 1, 2, 3, 4, 5]
    assert strata(chain, [0, 1, 1, 2, 2, 2, 2, 2]) == [0] * 6


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), min_size=1, max_size=80),
    st.randoms(),
)
def test_every_unit_is_whole_and_every_stratum_large(
    items: list[tuple[int, int]], random: object
) -> None:
    cluster, stratum = (np.array(column) for column in zip(*items, strict=True))
    units = units_of(cluster, stratum)
    assert units.count == len(set(cluster.tolist()))
    for code in set(cluster.tolist()):
        assert len(set(units.unit_N[cluster == code].tolist())) == 1
    # items of one subset, never small enough to be pooled, are never torn into two strata
    for code in set(stratum.tolist()):
        assert len(set(units.stratum_U[units.unit_N[stratum == code]].tolist())) == 1
    sizes = np.bincount(units.stratum_U)
    assert sizes.min() >= min(SMALLEST, units.count)
    order = np.random.default_rng(0).permutation(len(cluster))
    again = units_of(cluster[order], stratum[order])
    assert sorted(np.bincount(again.stratum_U).tolist()) == sorted(sizes.tolist())


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_units_are_one_stratum(count: int) -> None:
    units = units_of(np.arange(count), np.arange(count))
    assert (units.count, units.strata) == (count, 1)

"""Shares of a job: what is written, and which units they have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.core.shard import Shard, all_shards, listed


@given(st.integers(0, 60), st.integers(1, 12))
def test_every_unit_is_in_one_shard_and_sizes_differ_by_at_most_one(n, of):
    shares = [shard.of_units(range(n)) for shard in all_shards(of)]
    assert sorted(unit for share in shares for unit in share) == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "-1/4", "1/2/3", "1.0/2", "١/٢"])
def test_anything_else_is_refused(text):
    with pytest.raises(InputError, match="is not a shard; give i/n"):
        Shard.parse(text)


def test_a_shard_is_read_as_it_is_shown():
    assert Shard.parse(" 2/8 ") == Shard(2, 8)
    assert str(Shard(2, 8)) == "2/8"
    assert listed([str(shard) for shard in all_shards(10)]).endswith("8/10 and 2 more")

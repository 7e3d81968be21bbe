"""Records refuse impossible values; hashes follow content."""

import pytest

from transferscope.core.records import Outcome, digest, message_hash


@pytest.mark.parametrize("score", [-0.1, 1.01, float("nan"), float("inf")])
def test_scores_are_within_0_and_1(score: float) -> None:
    with pytest.raises(ValueError, match="is not within"):
        Outcome("b", "1", score)


@pytest.mark.parametrize("field", ["weight", "chance"])
def test_weights_and_chances_are_numbers(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Outcome("b", "1", 1.0, **{field: float("nan")})
    with pytest.raises(ValueError, match=field):
        Outcome("b", "1", 1.0, **{field: -1.0})


def test_key_is_benchmark_id_repeat() -> None:
    assert Outcome("b", "7", 0.5, repeat=2).key == ("b", "7", 2)


def test_digest_ignores_key_order_only() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) != digest([2, 1])
    assert len(digest("x")) == 16


def test_message_hash_sees_role_and_content_only() -> None:
    hello = [{"role": "user", "content": "hello"}]
    assert message_hash(hello) == message_hash([{"content": "hello", "role": "user"}])
    assert message_hash(hello) != message_hash([{"role": "system", "content": "hello"}])

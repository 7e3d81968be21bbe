"""Scores come in the order of the replies, whether or not several are graded at once."""

import threading
import time

import pytest

from transferscope.evaluate.grading import graded
from transferscope.tasks import Benchmark, Item

REPLIES = [(Item(str(n), "?"), str(n)) for n in range(12)]


def benchmark(*, concurrent: bool) -> Benchmark:
    def slow_first(item: Item, reply: str) -> float:
        time.sleep(0.02 if int(item.id) % 3 == 0 else 0.0)
        return float(reply) / 100

    return Benchmark(
        about="numbers", items=lambda n, *, seed, data: [], grade=slow_first, concurrent=concurrent
    )


@pytest.mark.parametrize("concurrent", [False, True])
def test_the_order_is_kept(concurrent: bool) -> None:
    own = benchmark(concurrent=concurrent)
    assert list(graded(own, own.grade, REPLIES)) == [n / 100 for n in range(12)]
    assert list(graded(own, own.grade, [])) == []


def test_several_are_graded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transferscope.evaluate.grading.at_once", lambda: 3)
    three = threading.Barrier(3, timeout=10)

    def together(item: Item, reply: str) -> float:
        three.wait()
        return 1.0

    assert list(graded(benchmark(concurrent=True), together, REPLIES)) == [1.0] * 12


def test_one_at_a_time_by_default() -> None:
    threads = set()

    def where(item: Item, reply: str) -> float:
        threads.add(threading.get_ident())
        return 1.0

    list(graded(benchmark(concurrent=False), where, REPLIES))
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("concurrent", [False, True])
def test_a_failure_is_raised_at_its_reply(concurrent: bool) -> None:
    def fails(item: Item, reply: str) -> float:
        if reply == "3":
            raise ValueError("no score")
        return 1.0

    scores = graded(benchmark(concurrent=concurrent), fails, REPLIES)
    assert [next(scores) for _ in range(3)] == [1.0] * 3
    with pytest.raises(ValueError, match="no score"):
        next(scores)

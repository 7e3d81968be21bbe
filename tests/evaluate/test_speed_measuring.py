"""Measuring with a fake engine: how calls grow, when they stop, and what is recorded."""

from collections.abc import Sequence

import pytest

from transferscope.core.records import Decoding, Generation
from transferscope.engines import FakeEngine
from transferscope.evaluate import speed_measuring
from transferscope.evaluate.benchmark_job import OwnJob, Planned
from transferscope.evaluate.speed_measuring import MOST_PROMPTS, MOST_TOKENS, measured
from transferscope.evaluate.workloads import SAMPLED, roughly, workload_of
from transferscope.tasks import Benchmark, Item


def job(name: str, items: Sequence[Item], *, limit: int | None = 50, repeats: int = 1) -> OwnJob:
    decoding = None if limit is None else Decoding(max_tokens=limit)
    benchmark = Benchmark(
        about="x", items=lambda n, *, seed, data: items, grade=lambda *_: 0.0, decoding=decoding
    )
    return OwnJob(Planned(name, "g", "p", None, repeats), benchmark, tuple(items), None)


def items(n: int, prompt: str = "abcdefgh", **more: object) -> list[Item]:
    return [Item(str(i), prompt, **more) for i in range(n)]  # type: ignore[arg-type]


class Timer:
    """A clock that only an engine's work moves: a second for each token."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(speed_measuring.time, "perf_counter", lambda: self.now)

    def engine(self, length: int, calls: list[tuple[int, int]]) -> FakeEngine:
        class Clocked(FakeEngine):
            def generate(
                inner, prompts: Sequence[str], decoding: Decoding, **_: object
            ) -> list[Generation]:
                calls.append((len(prompts), decoding.max_tokens))
                tokens = min(length, decoding.max_tokens)
                self.now += tokens * len(prompts)
                finish = "length" if length > decoding.max_tokens else "stop"
                return [Generation("x", tokens, finish) for _ in prompts]

        return Clocked({})


def test_calls_double_until_the_next_might_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    timer, calls = Timer(monkeypatch), list[tuple[int, int]]()
    jobs = [job("a", items(9)), job("b", items(9)), job("c", items(9), limit=None)]
    found = measured(timer.engine(1000, calls), jobs, count=roughly, seconds=700.0)
    # After 224 s, a call of at most 2.5 x 128 s is made; after 480 s, none of 2.5 x 256 s.
    assert calls == [(2, 16), (2, 32), (2, 64), (2, 128)]
    assert [(call.answer_tokens, call.seconds) for call in found.calls] == [
        (64, 64.0),
        (128, 128.0),
        (256, 256.0),
    ]
    assert found.lengths == {"a": [(128, False)], "b": [(128, False)]}


def test_at_full_length_more_prompts_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    timer, calls = Timer(monkeypatch), list[tuple[int, int]]()
    found = measured(timer.engine(20, calls), [job("a", items(100))], count=roughly, seconds=1e9)
    assert [cap for _, cap in calls[:6]] == [16, 32, 64, 128, 256, 512]
    assert [n for n, _ in calls[5:]] == [1, 2, 4, 8, 16, 32]
    assert calls[-1] == (MOST_PROMPTS, MOST_TOKENS)
    assert found.lengths == {"a": [(20, True)] * MOST_PROMPTS}


def test_choices_alone_are_timed_on_their_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    timer, calls = Timer(monkeypatch), list[tuple[int, int]]()
    scored = [job("a", items(3), limit=None)]
    found = measured(timer.engine(5, calls), scored, count=roughly, seconds=8.5)
    assert calls == [(1, 1), (2, 1), (3, 1)]
    assert found.lengths == {}


def test_a_workload_by_hand() -> None:
    work = workload_of(job("a", items(10), repeats=3))
    assert (work.items, work.units, work.answers, work.limit) == (10, 10, 30, 50)
    assert work.prompt_tokens == 30 * 2  # 8 characters: 2 tokens
    stories = [Item(str(i), "abcd", cluster=f"s{i // 5}") for i in range(10)]
    assert workload_of(job("b", stories)).units == 2


def test_choices_are_read_after_their_prompt_and_once() -> None:
    scored = job("a", items(4, choices=("yes", "perhaps so")), limit=None, repeats=5)
    work = workload_of(scored)
    assert (work.answers, work.repeats, work.limit) == (0, 1, 0)
    assert work.prompt_tokens == 4 * (2 + 1 + 3)


def test_long_benchmarks_are_sampled() -> None:
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return 7

    work = workload_of(job("a", items(10 * SAMPLED)), count=count)
    assert work.prompt_tokens == 7 * 10 * SAMPLED
    assert len(counted) == SAMPLED

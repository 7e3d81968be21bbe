"""Measuring with a fake engine: how calls grow, when they stop, and what is recorded."""

from collections.abc import Sequence

import pytest

from transferscope.core.records import Decoding, Generation
from transferscope.engines import FakeEngine
from transferscope.evaluate import speed_measuring
from transferscope.evaluate.benchmark_job import OwnJob, Planned
from transferscope.evaluate.cost_estimate import Timed
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


def test_calls_grow_until_the_next_would_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    timer, calls = Timer(monkeypatch), list[tuple[int, int]]()
    long, short = items(9, "abcd" * 100), items(9)
    jobs = [job("long", long), job("short", short), job("scored", short, limit=None)]
    found = measured(timer.engine(1000, calls), jobs, count=roughly, seconds=160.0)
    # 1 s to warm up, then 16 s on the short benchmark's prompt, 32 s on both prompts, 64 s.
    # The next is expected to take 64 (112 + 4 x 2 x 64) / (112 + 4 x 2 x 32) = 109 s after 113 s.
    assert calls == [(1, 1), (1, 16), (2, 16), (2, 32)]
    assert found.calls == [Timed(7, 16, 16.0), Timed(112, 32, 32.0), Timed(112, 64, 64.0)]
    assert found.lengths == {"short": [(32, False)], "long": [(32, False)]}


def test_one_call_is_made_however_slow_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    timer, calls = Timer(monkeypatch), list[tuple[int, int]]()
    found = measured(timer.engine(1000, calls), [job("a", items(9))], count=roughly, seconds=0.0)
    assert calls == [(1, 1), (1, 16)]
    assert len(found.calls) == 1


def test_at_full_length_more_prompts_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    timer, calls = Timer(monkeypatch), list[tuple[int, int]]()
    found = measured(timer.engine(20, calls), [job("a", items(100))], count=roughly, seconds=1e9)
    assert [cap for _, cap in calls[:7]] == [1, 16, 32, 64, 128, 256, 512]
    assert [n for n, _ in calls[6:]] == [1, 2, 4, 8, 16, 32]
    assert calls[-1] == (MOST_PROMPTS, MOST_TOKENS)
    assert found.lengths == {"a": [(20, True)] * MOST_PROMPTS}


def test_choices_alone_are_timed_on_their_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    timer, calls = Timer(monkeypatch), list[tuple[int, int]]()
    scored = [job("a", items(3), limit=None)]
    found = measured(timer.engine(5, calls), scored, count=roughly, seconds=7.5)
    assert calls == [(1, 1), (1, 1), (2, 1), (3, 1)]
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

"""Answers come in the requests' order, are kept as they come, and are asked for once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.records import Decoding, Generation, NoAnswer
from transferscope.engines import FakeEngine, asking
from transferscope.engines.asking import Request, generated, scored
from transferscope.engines.protocol import sample_seed
from transferscope.runs.journal import journal

REQUESTS = [Request(at, (f"i{at // 2}", 0, at % 2), f"p{at // 2}") for at in range(6)]


NTH = {request.sample: request.key[2] for request in REQUESTS}
"""The repeat to which a sample's number belongs."""


class Counting(FakeEngine):
    """Says which call answered, and with which seed."""

    def __init__(self) -> None:
        super().__init__(lambda prompt: prompt.upper())
        self.calls: list[tuple[list[str], int]] = []

    def generate(self, prompts: Any, decoding: Decoding, *, tick: Any = None) -> Any:
        self.calls.append(([*prompts], decoding.seed))
        return super().generate(prompts, decoding, tick=tick)


class Streaming(FakeEngine):
    """Answers backwards; the second sample of "p1" is lost."""

    def __init__(self) -> None:
        super().__init__({})
        self.asked: list[tuple[str, int]] = []

    def generate_each(self, prompts: Any, decoding: Any, *, nth: Any) -> Any:
        for at in reversed(range(len(prompts))):
            repeat = NTH[nth[at]]
            self.asked.append((prompts[at], repeat))
            lost = (prompts[at], repeat) == ("p1", 1)
            yield at, NoAnswer("lost") if lost else Generation(f"{prompts[at]}.{repeat}")

    def loglikelihoods_each(self, pairs: Any) -> Any:
        for at in reversed(range(len(pairs))):
            yield at, NoAnswer("lost") if at == 1 else -float(at)


def test_answers_are_in_order_and_what_fails_is_in_its_place() -> None:
    done: list[int] = []
    found = generated(Streaming(), REQUESTS, Decoding(), kept=None, progress=done.append)
    texts = [a.text if isinstance(a, Generation) else a.why for a in found]
    assert texts == ["p0.0", "p0.1", "p1.0", "lost", "p2.0", "p2.1"]
    assert done == [1, 2, 3, 4, 5, 6]
    pairs = [Request(at, ("i", at, 0), "p", f"o{at}") for at in range(3)]
    nats = scored(Streaming(), pairs, kept=None, progress=done.append)
    assert nats == [0.0, NoAnswer("lost"), -2.0]


def test_what_is_done_or_kept_is_not_asked(tmp_path: Path) -> None:
    """A sample keeps its number among those of its prompt, whatever is asked beside it."""
    engine, done = Streaming(), list[int]()
    with journal(tmp_path, "b") as kept:
        first = generated(engine, REQUESTS[:3], Decoding(), kept=kept, progress=done.append)
        engine.asked.clear()
        done.clear()
        again = generated(
            engine, REQUESTS, Decoding(), kept=kept, done={("i2", 0)}, progress=done.append
        )
    assert again[:3] == first
    assert engine.asked == [("p2", 1), ("p1", 1)]
    assert again[4] == Generation("")
    assert done == [5, 6]


def test_another_request_under_the_same_key_is_asked(tmp_path: Path) -> None:
    with journal(tmp_path, "b") as kept:
        for prompt in ("old", "new", "new"):
            engine = Counting()
            (answer,) = generated(
                engine,
                [Request(0, ("i", 0, 0), prompt)],
                Decoding(),
                kept=kept,
                progress=lambda _: None,
            )
            assert answer == Generation(prompt.upper(), 1, "stop")
        assert engine.calls == []  # the third time


def test_a_sample_is_the_same_in_any_selection() -> None:
    whole = generated(Streaming(), REQUESTS, Decoding(), kept=None, progress=lambda _: None)
    moved = [replace(each, at=at) for at, each in enumerate(REQUESTS[5:2:-2])]
    found = generated(Streaming(), moved, Decoding(), kept=None, progress=lambda _: None)
    assert found == whole[5:2:-2]
    assert len(NTH) == len(REQUESTS)


def test_parts_of_a_sampling_engine_have_seeds_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "CHUNK", 4)
    first, fifth = (sample_seed(7, each.prompt, each.sample) for each in REQUESTS[::4])
    assert first != fifth
    for temperature, seeds in ((0.0, [7, 7]), (1.0, [first, fifth])):
        engine = Counting()
        decoding = Decoding(temperature=temperature, seed=7)
        generated(engine, REQUESTS, decoding, kept=None, progress=lambda _: None)
        assert [seed for _, seed in engine.calls] == seeds
        assert [len(prompts) for prompts, _ in engine.calls] == [4, 2]

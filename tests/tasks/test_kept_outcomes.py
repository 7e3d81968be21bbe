"""Outcomes are those that lm-eval gave when it still ran our own benchmarks, item by item.

``fixtures/outcomes.json`` was recorded with lm-eval 0.4.13 as the loader of YAML tasks, before the
packs became Python: scores, and hashes of whole outcomes, of responses and of all that the engine
was asked. No text of a benchmark is in it. Of the real benchmarks only GSM8K is still asked as it
was: HeadQA, CoQA, IFEval and MC-TACO follow the protocol of the paper's suite since.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.records import Decoding, Generation, ModelRef, Tick, digest, no_tick
from transferscope.core.suite import Suite, load_suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import evaluate, evaluate_model
from transferscope.runs import Run, read_run

KEPT = json.loads((Path(__file__).parent / "fixtures" / "outcomes.json").read_text())
BENCH = Path(__file__).resolve().parents[3] / "shared" / "data" / "bench"
MINI = load_suite("mini")
TWICE = Suite(
    name="t",
    source="math",
    groups={"math": ("chains", "fractions")},
    benchmarks={
        "chains": MINI.benchmarks["chains"].model_copy(update={"repeats": 2}),
        "fractions": MINI.benchmarks["fractions"],
    },
)
REAL = load_suite("real")
GSM8K = Suite(
    name="real",
    source="math",
    groups={"math": ("GSM8K",)},
    benchmarks={"GSM8K": REAL.benchmarks["GSM8K"]},
)


def drawn(*parts: str) -> int:
    return int(digest(list(parts)), 16)


def reply(prompt: str) -> str:
    """Something to grade that depends on the prompt alone; right now and then."""
    numbers = [int(n) for n in re.findall(r"\d+", prompt)] or [0]
    words = re.findall(r"[A-Za-z]+", prompt)
    at = drawn(prompt)
    first = words[at % len(words)]
    return [
        f"It is {sum(numbers)}.",
        f"The answer is {numbers[0] - numbers[-1]}.",
        f"{max(numbers)}",
        f"{numbers[-1] + numbers[-1] - numbers[max(len(numbers) - 2, 0)]}, and so on",
        f"{first}",
        prompt,
        f'"{first} <<{words[-1]}>> {first}"',
        "",
    ][at // 1000 % 8]


class Recording(FakeEngine):
    """Keeps what it is asked: a real engine that is asked the same answers the same."""

    def __init__(self) -> None:
        super().__init__(reply, lambda prompt, option: -(drawn(prompt, option) % 1000) / 100)
        self.calls: list[Any] = []

    def generate(
        self, prompts: Any, decoding: Decoding, *, tick: Tick = no_tick
    ) -> list[Generation]:
        how = [decoding.temperature, decoding.top_p, decoding.max_tokens]
        self.calls.append(["generate", [*prompts], [*how, [*decoding.stop], decoding.seed]])
        return super().generate(prompts, decoding, tick=tick)

    def loglikelihoods(self, pairs: Any, *, tick: Tick = no_tick) -> list[float]:
        self.calls.append(["loglikelihoods", [list(pair) for pair in pairs]])
        return super().loglikelihoods(pairs, tick=tick)


def rows(run: Run, benchmark: str) -> list[list[Any]]:
    said = run.responses(benchmark)
    return [
        [
            *(o.id, o.repeat, o.score, o.subset, o.cluster, o.weight, o.chance),
            *([*o.flags], [*o.flags_inferred], o.tokens, o.finish, o.message_hash),
            o.rendered_hash,
            digest([said[o.id, o.repeat].prompt, said[o.id, o.repeat].response]),
        ]
        for o in run.by_benchmark[benchmark]
    ]


@pytest.mark.parametrize(
    ("name", "suite", "n", "seed"),
    [
        ("mini", MINI, 40, 0),
        ("mini7", MINI, 11, 7),
        ("twice", TWICE, 20, 3),
        ("real", GSM8K, 40, 0),
    ],
)
def test_outcomes_are_kept(name: str, suite: Suite, n: int, seed: int, tmp_path: Path) -> None:
    if name == "real" and not BENCH.is_dir():
        pytest.skip("the real items are not here")
    pytest.importorskip("lm_eval")  # IFEval's checkers
    engine, data = Recording(), BENCH if name == "real" else None
    out = evaluate(
        engine, suite, tmp_path / "run", model_ref=ModelRef("fake"), n=n, seed=seed, data=data
    )
    run, kept = read_run(out), KEPT["recorded"][name]
    for benchmark, expected in kept["benchmarks"].items():
        found = rows(run, benchmark)
        assert [row[2] for row in found] == pytest.approx(expected["scores"], abs=1e-6), benchmark
        assert digest(found) == expected["rows"], benchmark
    assert digest(engine.calls) == kept["calls"]


def test_outcomes_of_the_embedded_model_are_kept(tmp_path: Path) -> None:
    """Four items of each mini benchmark in float32; how they were rendered is part of it.

    Responses are compared by their scores: the last bits of a sum differ between processors.
    """
    pytest.importorskip("lm_eval")
    run = read_run(evaluate_model("smollm2-135m", MINI, tmp_path / "run", n=4, dtype="float32"))
    for benchmark, expected in KEPT["embedded"]["mini"].items():
        found = rows(run, benchmark)
        assert [row[2] for row in found] == expected["scores"], benchmark
        assert digest([[row[0], row[11], row[12]] for row in found]) == expected["messages"]

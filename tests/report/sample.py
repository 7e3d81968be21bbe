"""A made-up comparison with everything a report can show: no figure in it was measured."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from transferscope.core.changes import unpaired_test
from transferscope.core.hidden_shift import HiddenShift, LayerShift
from transferscope.core.index import IndexResult
from transferscope.core.token_shift import ShiftedToken, TokenShift
from transferscope.documents.comparison import (
    Answered,
    BenchmarkChange,
    Comparison,
    FlagCounts,
    FlippedItem,
    Flips,
    PlanePoint,
    TunedResult,
)
from transferscope.report import ReportInput

GROUPS = {
    "math": ("word_problems", "chains", "equations", "fractions"),
    "other": ("program_output", "ordering", "planning", "sequences"),
    "non": ("dialogue_reading", "instructions", "supported", "temporal"),
}
BASE = dict(
    zip(
        (b for members in GROUPS.values() for b in members),
        (30.0, 42.5, 25.0, 35.0, 40.0, 37.5, 60.0, 30.0, 72.5, 45.0, 62.5, 67.5),
        strict=True,
    )
)
RL, SFT = "smollm2-135m-on-policy-rl", "smollm2-135m-off-policy-sft"
GAINS = {
    RL: (22.5, 27.5, 17.5, 15.0, 5.0, -2.5, 2.5, 7.5, 0.0, -2.5, 2.5, 0.0),
    SFT: (10.0, 12.5, -2.5, 5.0, -5.0, -7.5, 0.0, -10.0, -35.0, -25.0, -12.5, -7.5),
}
N = 40


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2.0))


def _benchmark(model: str, benchmark: str, group: str, delta: float) -> BenchmarkChange:
    base = BASE[benchmark]
    change = round(delta * N / 100)
    noise = 3
    lost, won = noise + max(0, -change), noise + max(0, change)
    se = 100.0 * math.sqrt((lost + won) / N - (change / N) ** 2) / math.sqrt(N)
    p = _two_sided(delta / se)
    right = round(base * N / 100) - lost
    flagged = 0 if model == RL else max(0, -change)
    return BenchmarkChange(
        benchmark=benchmark,
        group=group,
        n=N,
        base=base,
        tuned=base + delta,
        delta=delta,
        ci=(delta - 1.96 * se, delta + 1.96 * se),
        test="mcnemar",
        p=p,
        p_holm=min(1.0, 12 * p),
        mde=280.0 * math.sqrt((lost + won + 1) / (N + 2) / N),
        chance=50.0 if group == "non" and benchmark != "instructions" else 0.0,
        flips=Flips(lost=lost, won=won, both_right=right, both_wrong=N - right - lost - won),
        clean_delta=100.0 * (change + flagged) / (N - flagged - 2),
        clean_n=N - flagged - 2,
        artefact_points=-100.0 * flagged / N,
        clean_points=delta + 100.0 * flagged / N,
        answered=Answered(98.0, 98.0 - 100.0 * flagged / N),
        flags=FlagCounts(
            base={"truncated": 2},
            tuned={"truncated": 2 + flagged, "looped": flagged // 2} if flagged else {},
        ),
    )


def _index(model: str, gain: dict[str, float], *, linear: bool) -> IndexResult:
    name = "Fieller" if linear else "percentile"
    if model == SFT:
        why = (
            "the gain on the source group math is not established: the lower 95 % bound of its "
            "DI is -0.42"
        )
        reasons = {"other": why, "non": why}
        nothing: dict[str, Any] = {"other": None, "non": None}
        di: dict[str, float | None] = {"math": 1.9, "other": -2.2, "non": -4.1}
        return IndexResult(model, "smollm2-135m", gain, di, nothing, nothing, reasons, name)
    ci: dict[str, tuple[float, float] | None]
    ti: dict[str, float | None]
    if linear:
        ti, ci = {"other": 14.9, "non": 0.6}, {"other": (-14.2, 46.8), "non": (-27.9, 30.4)}
    else:
        ti, ci = {"other": 33.4, "non": -1.9}, {"other": (-31.7, 78.2), "non": (-62.4, 58.8)}
    di = {"math": 20.4, "other": 3.1, "non": 0.1}
    return IndexResult(model, "smollm2-135m", gain, di, ti, ci, {}, name)


def tuned_result(model: str) -> TunedResult:
    """One tuned model on all twelve benchmarks."""
    group_of = {b: g for g, members in GROUPS.items() for b in members}
    rows = tuple(
        _benchmark(model, benchmark, group_of[benchmark], delta)
        for benchmark, delta in zip(BASE, GAINS[model], strict=True)
    )
    points = {}
    for group in GROUPS:
        part = [row for row in rows if row.group == group]
        gain = sum(row.delta for row in part) / len(part)
        half = math.sqrt(sum((row.ci[1] - row.delta) ** 2 for row in part)) / len(part)
        points[group] = _point(gain, half)
    others = [points["other"], points["non"]]
    kept = sum(p.gain for p in others) / 2
    half = math.sqrt(sum((p.ci[1] - p.gain) ** 2 for p in others)) / 2
    gains = {g: p.gain for g, p in points.items()}
    return TunedResult(
        model=model,
        plane=points,
        retention=_point(kept, half),
        index=_index(model, gains, linear=False),
        index_linear=_index(model, gains, linear=True),
        benchmarks=rows,
        not_compared={},
        flipped=_flipped(model),
    )


def _point(gain: float, half: float) -> PlanePoint:
    """A change whose 95 % interval is ``half`` wide to either side."""
    error = half / 1.96
    return PlanePoint.of(gain, replace(unpaired_test(gain, error), mde=2.8 * error))


def _flipped(model: str) -> tuple[FlippedItem, ...]:
    story = (
        "Mia: Did you water the plants?\nTom: Yes, before lunch.\nMia: And the tomatoes?\n"
        "Tom: Those are dry, I ran out of water.\n\n"
        "Which plants were not watered? Answer with one word."
    )
    sums = "A baker has 7 trays with 6 rolls each and sells 15 rolls. How many are left?"
    okay = "Okay, let me think about this step by step. The plants that Mia mentions are"
    return (
        FlippedItem("word_problems", "wp-0007", "won", sums, "There are 42 rolls.", "27"),
        FlippedItem("dialogue_reading", "dr-0012", "lost", story, "Tomatoes.", f"{okay} ..."),
        FlippedItem(
            "instructions",
            "in-0003",
            "lost",
            "Name three colours. Use only lower case.",
            "red, green, blue",
            "Okay, let me think about this step by step. Red, Green and Blue",
        ),
    )


def comparison() -> Comparison:
    """Two tuned models of one base on the mini suite."""
    versions = {"transferscope": "0.1.0", "torch": "2.13.0", "lm_eval": "0.4.13"}
    run = {
        "seed": 0,
        "limit": N,
        "engine": {"name": "hf", "dtype": "bfloat16", "device": "cpu"},
        "decoding": {"temperature": 0.0, "max_tokens": 256},
        "versions": versions,
        "provenance": "evaluated",
    }
    return Comparison(
        base="smollm2-135m",
        suite="mini",
        source="math",
        groups=GROUPS,
        scale="unit",
        replicates=10_000,
        seed=0,
        tuned=(tuned_result(RL), tuned_result(SFT)),
        differences=("smollm2-135m-off-policy-sft: limit max_tokens 256 against 320",),
        provenance={
            "base": {"path": "base", "fingerprint": "9f1c2ab37d5e0042", **run},
            RL: {"path": "rl", "fingerprint": "55aa01c8e9d7b310", **run},
            SFT: {"path": "sft", "fingerprint": "e07b6c4419f2aa8d", **run},
        },
    )


def hidden(size: float) -> HiddenShift:
    """``probe hidden`` over 31 layers; ``size`` scales the shift."""
    at = np.arange(31)
    dm1 = size * (at / 30.0) ** 2 * (1 + 0.15 * np.sin(at))
    dm2 = -0.4 * size * (at / 30.0) * (1 + 0.2 * np.cos(at))
    layers = tuple(
        LayerShift(int(i), a, b, cka=1 - 0.004 * size * i / 30, rel_l2=0.01 * size * i / 30)
        for i, a, b in zip(at, dm1, dm2, strict=True)
    )
    means = (float(np.mean(dm1)), float(np.mean(dm2)))
    return HiddenShift(
        n_texts=240,
        d_paper=math.hypot(*means),
        d_paper_max=math.hypot(float(np.mean(np.abs(dm1))), float(np.mean(np.abs(dm2)))),
        d_layerwise=float(np.mean(np.hypot(dm1, dm2))),
        n_layers_averaged=len(layers),
        layers=layers,
    )


def tokens(size: float) -> TokenShift:
    """``probe tokens``."""
    entries = [
        (" Okay", "structural", 412.0),
        (" step", "structural", 96.5),
        ("\n", "structural", 12.0),
        (" therefore", "logical", 35.2),
        (" tomatoes", "content", -18.4),
    ]
    return TokenShift(
        prefix="shared",
        n_texts=96,
        n_tokens=6144,
        kl_tuned_base=0.08 * size,
        kl_base_tuned=0.11 * size,
        js=0.018 * size,
        log_ratio=-0.05 * size,
        rank_shift=-1.7 * size,
        shifted_share=0.03 * size,
        entropy_base=None,
        entropy_tuned=None,
        shifted_tokens=tuple(
            ShiftedToken(t, round(40 / (1 + i)), m * size / 5, k)
            for i, (t, k, m) in enumerate(entries)
        ),
    )


def steps(count: int, *, reward: bool) -> list[dict[str, Any]]:
    """Rows of a ``steps.jsonl``."""
    rows: list[dict[str, Any]] = []
    for step in range(1, count + 1):
        done = step / count
        row: dict[str, Any] = {
            "step": step,
            "loss": 0.02 * math.sin(step) if reward else 2.1 - 1.3 * done**0.5,
            "grad_norm": 1.4 + 0.3 * math.cos(step) - 0.5 * done,
            "seconds": 40.0,
        }
        if reward:
            row |= {"reward": 0.32 + 0.4 * done + 0.05 * math.sin(3 * step)}
            row |= {"length": 44.0 - 12.0 * done + 2 * math.cos(step)}
        rows.append(row)
    return rows


def sample() -> ReportInput:
    """The whole report."""
    return ReportInput(
        title="SmolLM2-135M: on-policy RL against off-policy SFT on the same maths",
        comparison=comparison(),
        hidden={RL: hidden(2.0), SFT: hidden(9.0)},
        tokens={RL: tokens(1.0), SFT: tokens(7.0)},
        training={RL: steps(12, reward=True), SFT: steps(20, reward=False)},
        costs={
            RL: {
                "seconds": 512.0,
                "tokens_generated": 27_648,
                "tokens_trained": 27_648,
                "flops": 2.24e13,
            },
            SFT: {
                "seconds": 300.0,
                "tokens_generated": 0,
                "tokens_trained": 38_400,
                "flops": 3.1e13,
            },
        },
        created="2026-11-23",
        notes=("Invented figures: this page shows the layout, not a result.",),
    )


def bare() -> ReportInput:
    """One tuned model, no probes, no training, nothing that differs."""
    whole = comparison()
    one = replace(whole, tuned=whole.tuned[:1], differences=())
    return ReportInput(title="One model", comparison=one)

"""Small inputs for every document, and what each command printed before documents had a version.

``python tests/documents/cases.py`` writes the snapshots anew; do so only where the numbers, not the
shape, are meant to change.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from transferscope.compare import compare_runs
from transferscope.compare.gate import gate
from transferscope.compare.policy import parse_policy
from transferscope.compare.rank import rank
from transferscope.core.hidden_shift import Features, measure_parts
from transferscope.core.labels import Labels
from transferscope.core.predictors import Observation, predictors
from transferscope.core.records import ModelRef, Outcome, Response, ScoreRow
from transferscope.core.suite import Suite
from transferscope.core.token_shift import PositionShifts, measure_tokens
from transferscope.core.typed_record import plain
from transferscope.core.weight_shift import MatrixChange, MatrixChanges, shift_of
from transferscope.runs import Manifest, Run, RunWriter, read_run
from transferscope.study.arms import arm_means
from transferscope.study.claims import judge
from transferscope.study.run_summary import Measured, Value
from transferscope.study.study_config import Thresholds

SNAPSHOTS = Path(__file__).parent / "snapshots"
SUITE = Suite.model_validate(
    {
        "name": "law",
        "source": "law",
        "groups": {"law": ["cases", "statutes"], "rest": ["chat"]},
        "benchmarks": {
            "cases": {"pack": "p"},
            "statutes": {"pack": "p", "chance": 0.25},
            "chat": {"pack": "p"},
        },
    }
)
METRICS = {"chat": {"exact_match,strict-match": 0.7, "exact_match,flexible-extract": 0.7}}
FALLEN = {"chat": {"exact_match,strict-match": 0.3, "exact_match,flexible-extract": 0.68}}
POLICY = """
min_items = 20
max_artefact_rate = 0.5
[guards.law]
margin = 3.0
[guards.retention]
margin = 2.0
tier = "advisory"
[guards.chat]
margin = 2.0
"""
LABELS = Labels(("chains",) * 3 + ("talk",) * 3 + ("",), {"chains": "math"})


def _run(
    folder: Path,
    scores: Mapping[str, Sequence[float]],
    *,
    scored: Sequence[ScoreRow] = (),
    metrics: Mapping[str, Mapping[str, float]] | None = None,
    flagged: range = range(0),
) -> Run:
    manifest = Manifest(
        ModelRef(folder.name, fingerprint="0a"),
        SUITE.model_dump(mode="json"),
        SUITE.hash,
        engine={"engine": "fake", "dtype": "float32"},
        metrics=metrics or {},
        contradictions={"cases": "0.5 in the samples, 0.6 beside them"} if metrics else {},
    )
    with RunWriter.open(folder, manifest) as writer:
        for benchmark, values in scores.items():
            rows = [
                Outcome(
                    benchmark,
                    f"{at:04}",
                    float(score),
                    cluster=f"{at // 2}" if benchmark == "cases" else "",
                    chance=None if benchmark == "extra" else SUITE.benchmarks[benchmark].chance,
                    flags=("truncated",) if at in flagged and score < 0.5 else (),
                    tokens=10 + at,
                    message_hash=f"m{at}",
                )
                for at, score in enumerate(values)
            ]
            texts = [
                Response(row.id, 0, f"question {row.id}", f"{folder.name}: {row.score}")
                for row in rows
            ]
            writer.write_benchmark(benchmark, rows, texts)
        if scored:
            writer.write_scores(scored)
    return read_run(folder)


def _runs(folder: Path) -> tuple[Run, Run, Run]:
    """A base, one model that loses on chat with cut answers, one that gains and has a score."""
    extra = {"extra": [1, 0] * 10}
    return (
        _run(
            folder / "base",
            {"cases": [1, 0] * 20, "statutes": [1, 0, 0, 0] * 10, "chat": [1] * 28 + [0] * 12}
            | extra,
            metrics=METRICS,
        ),
        _run(
            folder / "loses",
            {"cases": [1, 1, 1, 0] * 10, "statutes": [0] * 40, "chat": [1] * 12 + [0] * 28} | extra,
            metrics=FALLEN,
            flagged=range(12, 20),
        ),
        _run(
            folder / "gains",
            {
                "cases": [1] * 38 + [0] * 2,
                "statutes": [1, 1, 1, 0] * 10,
                "chat": [1] * 27 + [0] * 13,
            },
        ),
    )


def comparison(folder: Path) -> Any:
    base, *tuned = _runs(folder)
    return compare_runs(base, tuned, seed=0, replicates=1000)


def comparison_of_scores(folder: Path) -> Any:
    """No answers are kept, and one benchmark's uncertainty is unknown: its p and ci are null."""
    base, tuned = (
        _run(
            folder / name,
            {},
            scored=[
                ScoreRow("cases", score, n=200),
                ScoreRow("statutes", 0.5),
                ScoreRow("chat", 0.9 - score / 2, n=300),
            ],
        )
        for name, score in (("base", 0.3), ("tuned", 0.7))
    )
    return compare_runs(base, [tuned], replicates=1000)


def gate_result(folder: Path) -> Any:
    base, loses, gains = _runs(folder)
    policy = parse_policy(POLICY, place="policy.toml")
    return gate(base, loses, policy, previous=gains, replicates=1000)


def ranking(folder: Path) -> Any:
    base, *tuned = _runs(folder)
    return rank(base, tuned, replicates=1000)


def hidden_shift(_: Path) -> Any:
    rng = np.random.default_rng(0)
    base_LND = rng.normal(size=(3, 7, 5)).astype(np.float32)
    base_LND[0] = 1.0  # the same for all texts: no axis
    tuned_LND = base_LND + rng.normal(size=base_LND.shape).astype(np.float32)
    return measure_parts(Features(np.arange(7), base_LND, tuned_LND), LABELS)


def hidden_shift_without_axes(_: Path) -> Any:
    same_LND = np.ones((2, 4, 3), np.float32)
    return measure_parts(Features(np.arange(4), same_LND, same_LND + 1), Labels())


def token_shift(_: Path, *, infinite: bool = False) -> Any:
    rng = np.random.default_rng(1)
    text_N = np.repeat(np.arange(7), 10)
    n = len(text_N)
    floats = {
        f"{key}_N": rng.uniform(0, 0.6, n)
        for key in ("kl_tuned_base", "kl_base_tuned", "js", "entropy_base", "entropy_tuned")
    }
    floats["log_ratio_N"] = rng.normal(size=n)
    if infinite:
        floats["kl_tuned_base_N"][3] = np.inf
        floats["log_ratio_N"][3:5] = np.inf, -np.inf
    positions = PositionShifts(
        text_N=text_N,
        token_N=rng.integers(0, 4, n),
        rank_base_N=rng.integers(1, 9, n),
        rank_tuned_N=rng.integers(1, 9, n),
        lost_mass_N=rng.uniform(0, 0.1, n) if infinite else np.zeros(n),
        **floats,
    )
    return measure_tokens(
        positions,
        prefix="base",
        decode=[" a", " so", "<b>", "\n"].__getitem__,
        kind=lambda text: "logical" if text == " so" else "content",
        labels=LABELS,
        n_skipped=2,
    )


def token_shift_infinite(folder: Path) -> Any:
    return token_shift(folder, infinite=True)


def weight_shift(_: Path) -> Any:
    rows = (
        MatrixChange("model.layers.0.q_proj.weight", 16, 8, 4, 0.5, 4.0, 1.5),
        MatrixChange("model.layers.1.q_proj.weight", 16, 0, 0, 0.0, 4.0, None),
        MatrixChange("model.norm.weight", 4, 1, 1, 0.1, 0.0, None),
    )
    lacking = {"only_base": ("lm_head.weight",), "resized": ("embed_tokens.weight",)}
    return shift_of(MatrixChanges(rows, **lacking))


def _measured() -> list[Measured]:
    shifts = {"on-policy-rl": 1.0, "off-policy-sft": 4.0}
    gains = {"on-policy-rl": (5.0, -0.5), "off-policy-sft": (3.0, -6.0), "random-reward": (0.1, 0)}
    return [
        Measured(
            table=recipe,
            recipe=recipe,
            seed=seed,
            learning_rate=float("nan") if recipe == "random-reward" else 1e-5,
            step=None,
            source="math",
            gain={"math": Value(gain + seed, 0.5), "non": Value(kept - 0.1 * seed, 0.5)},
            retention=Value(kept - 0.1 * seed, 0.5),
            ti={"non": "no gain" if recipe == "random-reward" else Value(20.0 + seed, 9.0)},
            shift={"d_layerwise": size, "kl": size / 10 + seed / 100},
            seconds=10.0 + seed,
        )
        for recipe, (gain, kept) in gains.items()
        for seed in range(3 if recipe != "random-reward" else 1)
        for size in [shifts.get(recipe, 2.0)]
    ]


def claims(_: Path) -> Any:
    return judge(_measured(), Thresholds())


def arms(_: Path) -> Any:
    return arm_means(_measured())


def drop_predictors(_: Path) -> Any:
    rows = [
        Observation(f"run{at % 6}", float(at), {"KL": at * 0.1 + (at % 3), "flat": 1.0})
        for at in range(12)
    ]
    return predictors([*rows, Observation("run9", 1.0, {"rare": 2.0})])


def run_manifest(folder: Path) -> Any:
    return _runs(folder)[1].manifest


CASES: dict[str, Callable[[Path], Any]] = {
    "comparison": comparison,
    "comparison-of-scores": comparison_of_scores,
    "gate": gate_result,
    "ranking": ranking,
    "hidden-shift": hidden_shift,
    "hidden-shift-without-axes": hidden_shift_without_axes,
    "token-shift": token_shift,
    "token-shift-infinite": token_shift_infinite,
    "weight-shift": weight_shift,
    "claims": claims,
    "arms": arms,
    "predictors": drop_predictors,
    "run-manifest": run_manifest,
}


if __name__ == "__main__":
    for name, case in CASES.items():
        with TemporaryDirectory() as scratch:
            document = plain(case(Path(scratch)))
        text = json.dumps(document, indent=1, allow_nan=False, sort_keys=True)
        (SNAPSHOTS / f"{name}.json").write_text(text + "\n")
        print(f"wrote {name}", file=sys.stderr)

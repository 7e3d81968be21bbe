"""Comparisons of 1, 3 and 24 made-up models, through real run folders and the real analysis."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from transferscope.compare import compare_runs
from transferscope.core.records import ModelRef, Outcome, Response
from transferscope.core.suite import Suite
from transferscope.documents.comparison import Comparison
from transferscope.runs import Manifest, Run, RunWriter, read_run

GROUPS = {
    "math": ["gsm8k", "math500", "olympiad"],
    "other": ["livecodebench", "gpqa_diamond", "headqa"],
    "non": ["coqa", "ifeval", "halueval"],
}
SUITE = Suite.model_validate(
    {
        "name": "made-up",
        "source": "math",
        "groups": GROUPS,
        "benchmarks": {b: {"pack": "p"} for members in GROUPS.values() for b in members},
    }
)
METHODS = ("on-policy-rl", "off-policy-sft", "grpo-kl-0.01", "dpo", "distilled", "lora-r16")
ITEMS = 120


@cache
def comparison(models: int) -> Comparison:
    """A base and ``models`` tuned models; every third one forgets, the names are folders' paths."""
    with TemporaryDirectory() as folder:
        at = Path(folder)
        base = _run(at / "base", "/data/checkpoints/llama-3.2-1b-base", 0.0, 0.0, seed=0)
        tuned = [
            _run(
                at / str(k),
                f"/data/checkpoints/2026-11/llama-3.2-1b-{METHODS[k % 6]}-seed{k // 6}",
                gain=0.26 - 0.03 * (k % 5),
                kept=(0.04, -0.22, -0.01)[k % 3] - 0.002 * k,
                seed=k + 1,
            )
            for k in range(models)
        ]
        return compare_runs(base, tuned, replicates=400)


def _run(folder: Path, name: str, gain: float, kept: float, *, seed: int) -> Run:
    difficulty = np.random.default_rng(7)
    rng = np.random.default_rng(seed)
    version = {"torch": "2.13.0", "transferscope": "0.1.0", "transformers": f"5.{seed % 3}.0"}
    manifest = Manifest(
        ModelRef(name, fingerprint=f"{seed:016x}"),
        SUITE.model_dump(mode="json"),
        SUITE.hash,
        limit=None,
        versions=version,
    )
    with RunWriter.open(folder, manifest) as writer:
        for group, members in GROUPS.items():
            for benchmark in members:
                easy = difficulty.uniform(0.25, 0.65, ITEMS)
                up = gain if group == "math" else kept
                right = (easy + up * rng.uniform(0.5, 1.5)) > difficulty.uniform(0, 1, ITEMS)
                cut = (rng.uniform(0, 1, ITEMS) < -kept / 2) & ~right
                rows = [
                    Outcome(
                        benchmark,
                        f"{item:04}",
                        float(good),
                        message_hash=f"m{item}",
                        flags=("truncated",) if lost else (),
                    )
                    for item, (good, lost) in enumerate(zip(right, cut, strict=True))
                ]
                texts = [
                    Response(
                        row.id, 0, f"Question {row.id} of {benchmark}?", f"{name}: {row.score}"
                    )
                    for row in rows
                ]
                writer.write_benchmark(benchmark, rows, texts)
    return read_run(folder)

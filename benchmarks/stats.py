"""Paired bootstrap: 20 tuned models x 12 benchmarks x 500 items, 10,000 replicates.

Beside two others on the same data: a numpy loop over replicates, and pure Python over items (run
at a smaller number of replicates and extrapolated: its time is proportional to them). Prints one
JSON object; ratios are times over ours, measured in this run.

    .venv/bin/python benchmarks/stats.py
"""

import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from transferscope.core.stats import ItemScores, bootstrap_means

TUNED, BENCHMARKS, ITEMS, REPLICATES = 20, 12, 500, 10_000
LOOP_REPLICATES, PYTHON_REPLICATES = 500, 4


def data() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (1 + TUNED, ITEMS)
    return [(rng.random(shape) < 0.5).astype(float) for _ in range(BENCHMARKS)]


def ours() -> float:
    items = [ItemScores.plain(scores) for scores in data()]
    rng = np.random.default_rng(1)
    start = time.perf_counter()
    means = bootstrap_means(items, rng, replicates=REPLICATES)
    assert means.shape == (REPLICATES, 1 + TUNED, BENCHMARKS)
    return time.perf_counter() - start


def numpy_loop() -> float:
    scores = data()
    rng = np.random.default_rng(1)
    start = time.perf_counter()
    for _ in range(LOOP_REPLICATES):
        for rows in scores:
            rows[:, rng.integers(0, ITEMS, ITEMS)].mean(axis=1)
    return (time.perf_counter() - start) * REPLICATES / LOOP_REPLICATES


def pure_python() -> float:
    scores = [rows.tolist() for rows in data()]
    draw = random.Random(1)
    start = time.perf_counter()
    for _ in range(PYTHON_REPLICATES):
        for rows in scores:
            picked = draw.choices(range(ITEMS), k=ITEMS)
            for row in rows:
                total = 0.0
                for item in picked:
                    total += row[item]
                total / ITEMS
    return (time.perf_counter() - start) * REPLICATES / PYTHON_REPLICATES


def peak_mb(name: str) -> float:
    """Peak memory of one way, alone in a fresh process."""
    done = subprocess.run([sys.executable, __file__, name], capture_output=True, check=True)
    return float(done.stdout)


def main() -> None:
    if len(sys.argv) > 1:
        {"ours": ours, "numpy_loop": numpy_loop, "pure_python": pure_python}[sys.argv[1]]()
        status = Path("/proc/self/status").read_text()  # ru_maxrss would count the parent's peak
        print(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024)
        return
    seconds = min(ours() for _ in range(3))
    loop, pure = numpy_loop(), pure_python()
    result = {
        "size": {"tuned": TUNED, "benchmarks": BENCHMARKS, "items": ITEMS},
        "replicates": REPLICATES,
        "ours": {"seconds": round(seconds, 3), "peak_mb": round(peak_mb("ours"))},
        "numpy_loop": {
            "seconds_extrapolated": round(loop, 2),
            "from_replicates": LOOP_REPLICATES,
            "peak_mb": round(peak_mb("numpy_loop")),
            "ratio": round(loop / seconds, 1),
        },
        "pure_python": {
            "seconds_extrapolated": round(pure, 1),
            "from_replicates": PYTHON_REPLICATES,
            "peak_mb": round(peak_mb("pure_python")),
            "ratio": round(pure / seconds, 1),
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""How often the router's interval holds the truth, and how often "would gain" is said for nothing.

Models answer simulated benchmarks; the product's own router is fitted to each data set. The truth
is the mean of its estimates over the data sets of a design, which for equal models is 0. Prints
one JSON object, rates in percent.

    OMP_NUM_THREADS=1 nice -n 10 .venv/bin/python benchmarks/router.py
"""

import json
import time

import numpy as np

from transferscope.compare.router import route
from transferscope.core.stats import ItemScores

SETS = 1_000
DESIGNS = [
    # models, benchmarks, items, items a story, points by which each model leads where it is best
    (3, 8, 100, 1, 0),
    (2, 4, 30, 1, 0),
    (2, 8, 100, 1, 0),
    (5, 12, 60, 1, 0),
    (3, 12, 200, 1, 0),
    (3, 8, 100, 5, 0),
    (3, 8, 100, 1, 15),
    (5, 12, 60, 1, 20),
    (3, 8, 200, 5, 30),
]


def benchmark(
    rng: np.random.Generator, models: int, items: int, *, story: int, best: int, lead: float
) -> ItemScores:
    right_KN = np.tile(np.repeat(rng.beta(2.0, 2.0, items // story), story), (models, 1))
    right_KN[best] = np.minimum(right_KN[best] + lead, 1.0)
    alone = rng.random((models, items))
    together = np.repeat(rng.random((models, items // story)), story, axis=1)
    u = np.where(rng.random((models, items)) < (0.7 if story > 1 else 0.0), together, alone)
    at = np.arange(items)
    return ItemScores((u < right_KN).astype(float), np.ones(items), at // story, np.zeros_like(at))


def design(rng: np.random.Generator, where: tuple[int, int, int, int, int]) -> dict[str, float]:
    models, benchmarks, items, story, lead = where
    names = [f"model {k}" for k in range(models)]
    group_of = {f"benchmark {b}": f"group {b % 3}" for b in range(benchmarks)}
    gains, lows, highs = np.empty((3, SETS))
    for at in range(SETS):
        data = {
            name: benchmark(rng, models, items, story=story, best=b % models, lead=lead / 100)
            for b, name in enumerate(group_of)
        }
        router = route(names, data, group_of, seed=int(rng.integers(1 << 31)))
        assert router is not None
        gains[at], (lows[at], highs[at]) = router.gain, router.ci
    truth = float(gains.mean()) if lead else 0.0
    return {
        "models": models,
        "benchmarks": benchmarks,
        "items": items,
        "story": story,
        "lead": lead,
        "gain": round(float(gains.mean()), 2),
        "standard_error": round(float(gains.std(ddof=1)), 2),
        "claimed": round(float((highs - lows).mean() / 2 / 1.96), 2),
        "coverage": round(100 * float(((lows <= truth) & (truth <= highs)).mean()), 1),
        "would_gain": round(100 * float((lows > 0).mean()), 1),
        "would_lose": round(100 * float((highs < 0).mean()), 1),
    }


def main() -> None:
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    rows = [design(rng, where) for where in DESIGNS]
    seconds = round(time.perf_counter() - start)
    print(json.dumps({"data_sets": SETS, "designs": rows, "seconds": seconds}))


if __name__ == "__main__":
    main()

"""Two equal arms compared at a matched gain: how often one is said to keep more.

Prints one JSON object.

    nice -n 10 .venv/bin/python benchmarks/matched_gain.py > matched.json

Both arms have the same trade-off, retention = -0.2 gain - bend * gain^2 / 20, and the same noise:
runs differ by 2 points, items add 1.2 to every gain and retention. The points of a seed are either
separate runs at several learning rates or checkpoints of one run. ``confirmed`` and
``contradicted`` are the shares (percent) of studies whose 95 % interval over runs lies above or
below 0; each should be 2.5. ``bias`` is the mean difference in points. ``line`` reads retention as
the product does (``study/matched_gain``). ``frontier`` is what it did before: it read the best
points, at one gain for all seeds.
"""

import json
import sys
from itertools import pairwise, product

import numpy as np

from transferscope.core.over_runs import over_runs
from transferscope.study.matched_gain import retention_at

STUDIES, GAIN, RUNS_APART, ITEM_ERROR = 4000, 20.0, 2.0, 1.2
Points = list[tuple[float, float]]


def points_of(rng: np.random.Generator, count: int, *, bend: float, checkpoints: bool) -> Points:
    """One seed's points; checkpoints of one run share its deviation, in proportion to its step."""
    runs = 1 if checkpoints else count
    if checkpoints:
        progress = np.linspace(1.0 / count, 1.0, count)
    else:
        progress = np.linspace(0.5, 1.3, count) if count > 1 else np.ones(1)
    gain = GAIN * progress * np.exp(rng.normal(0.0, 0.15, runs))
    kept = -0.2 * gain - bend * gain**2 / 20.0 + rng.normal(0.0, RUNS_APART, runs) * progress
    seen = [values + rng.normal(0.0, ITEM_ERROR, count) for values in (gain, kept)]
    return list(zip(np.maximum(seen[0], 0.1).tolist(), seen[1].tolist(), strict=True))


def on_frontier(points: Points, gain: float) -> float:
    """Retention on the line through the points that no other beats in gain and retention."""
    best: Points = []
    for at, kept in sorted([(0.0, 0.0), *points], key=lambda p: (-p[0], -p[1])):
        if not best or kept > best[-1][1]:
            best.append((at, kept))
    edge = best[::-1]
    if gain <= edge[0][0]:
        return edge[0][1]
    for (left, before), (right, after) in pairwise(edge):
        if gain <= right:
            return before + (after - before) * (gain - left) / (right - left)
    raise ValueError(gain)


def study(
    rng: np.random.Generator, counts: tuple[int, int], seeds: int, *, bend: float, checkpoints: bool
) -> dict[str, tuple[float, bool, bool]]:
    """Mean difference of one study, and whether its interval lies above or below 0."""
    arms = [
        [points_of(rng, count, bend=bend, checkpoints=checkpoints) for _ in range(seeds)]
        for count in counts
    ]
    reach = [[max(gain for gain, _ in points) for points in arm] for arm in arms]
    least = min(min(row) for row in reach)
    values: dict[str, list[float]] = {"line": [], "frontier": []}
    for seed in range(seeds):
        one, other = arms[0][seed], arms[1][seed]
        at = min(reach[0][seed], reach[1][seed])
        kept = [retention_at(points, at) or 0.0 for points in (one, other)]
        values["line"].append(kept[0] - kept[1])
        values["frontier"].append(on_frontier(one, least) - on_frontier(other, least))
    found = {}
    for name, differences in values.items():
        # The item error is part of every run's value here, so nothing is added for it.
        low, high = over_runs(differences, [0.0] * seeds).ci or (-np.inf, np.inf)
        found[name] = float(np.mean(differences)), low > 0, high < 0
    return found


def main() -> None:
    """Simulate all designs."""
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else STUDIES
    rows = []
    designs = product((False, True), (0.0, 0.3), (3, 6), ((1, 1), (6, 1), (6, 3), (6, 6)))
    for at, (checkpoints, bend, seeds, counts) in enumerate(designs):
        rng = np.random.default_rng([2025, at])
        found = [
            study(rng, counts, seeds, bend=bend, checkpoints=checkpoints) for _ in range(studies)
        ]
        row: dict[str, object] = {
            "points": "checkpoints" if checkpoints else "rates",
            "bend": bend,
            "seeds": seeds,
            "counts": counts,
        }
        for name in ("line", "frontier"):
            bias, above, below = np.array([one[name] for one in found], dtype=float).mean(axis=0)
            row[name] = {
                "bias": round(float(bias), 2),
                "confirmed": round(100.0 * float(above), 1),
                "contradicted": round(100.0 * float(below), 1),
            }
        rows.append(row)
        print(f"{at + 1} of 32", file=sys.stderr)
    worst = {
        name: max(max(r[name]["confirmed"], r[name]["contradicted"]) for r in rows)  # type: ignore[index]
        for name in ("line", "frontier")
    }
    print(json.dumps({"studies": studies, "worst": worst, "designs": rows}, indent=1))


if __name__ == "__main__":
    main()

"""Looks at a training run: how often a harmless one is stopped, and a harmful one is not.

Prints one JSON object.

    OMP_NUM_THREADS=1 nice -n 10 .venv/bin/python benchmarks/repeated_looks.py > looks.json

At every look the same items are answered by another model, in two target groups of four benchmarks.
An item's answer is drawn anew at a look with probability ``redrawn``, otherwise it persists, so
looks depend on each other as those of a training do. Besides the change itself, ``flips`` of the
items change for no reason, half of them for the better.

``harmless``: the true change is 0 or just minus the allowance at every look. ``stopped`` is the
share of trainings (percent) that TransferCallback would stop at any look; where the change is 0,
``established`` is the share that would be told of an established loss. Beside them what comes of
the 95 % interval of each look alone: ``alone_shown`` (it lies below minus the allowance at some
look), ``alone_established`` (below 0) and ``alone_open`` (its lower bound lies below minus the
allowance: what stopped a training before). ``harmful``: one group loses
twice the allowance, from the first look on or growing to it over the first half of the looks;
``by_look`` is the look by which 80 % are stopped. ``planned`` differs from ``looks`` where a
training goes on beyond its plan.
"""

import json
import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from transferscope.core.sequential import Changes, log_evidence, look_weight

RUNS, BENCHMARKS, GROUPS, LEVEL = 1000, 4, 2, 0.05
SIDE = LEVEL / GROUPS
STORY, TOGETHER = 5, 0.7


@dataclass(frozen=True)
class Design:
    """``items`` per benchmark, ``allowed`` and ``lost`` (the true loss) in points."""

    items: int
    looks: int
    allowed: float
    lost: float
    flips: float = 0.05
    redrawn: float = 0.1
    grows: bool = False
    stories: bool = False
    planned: int = 0


def persistent(rng: np.random.Generator, shape: tuple[int, int], redrawn: float) -> np.ndarray:
    """Uniforms (looks, n) of which each column changes with probability ``redrawn`` per look."""
    fresh = rng.random(shape, dtype=np.float32)
    new = rng.random(shape, dtype=np.float32) < redrawn
    new[0] = True
    last = np.maximum.accumulate(np.where(new, np.arange(shape[0])[:, None], 0), axis=0)
    return np.take_along_axis(fresh, last, axis=0)


def group(rng: np.random.Generator, d: Design) -> np.ndarray:
    """Changes (looks, n) of a group's items, -1, 0 or 1."""
    n = d.items * BENCHMARKS
    u = persistent(rng, (d.looks, n), d.redrawn)
    if d.stories:
        shared = persistent(rng, (d.looks, n // STORY), d.redrawn)
        u = np.where(rng.random(n) < TOGETHER, np.repeat(shared, STORY, axis=1), u)
    share = np.full(d.looks, d.lost / 100)
    if d.grows:
        share *= np.minimum(1.0, np.arange(1, d.looks + 1) / (d.looks / 2))
    lost, won = share[:, None] + d.flips / 2, d.flips / 2
    return np.where(u < lost, -1, np.where(u > 1 - won, 1, 0)).astype(np.int8)


@lru_cache(maxsize=1 << 18)
def counted(lost: int, won: int, n: int, at_least: float) -> float:
    """Evidence of one look whose n items are independent and count the same."""
    kinds = np.array([lost, n - lost - won, won], dtype=float)
    return log_evidence(Changes(np.array([-1.0, 0.0, 1.0]), np.full(3, 1 / n), kinds), at_least)


def evidence(changes_TN: np.ndarray, d: Design, at_least: float) -> np.ndarray:
    """log evidence (looks,) of each look."""
    n = changes_TN.shape[1]
    if d.stories:
        story = np.arange(n) // STORY
        return np.array(
            [log_evidence(Changes.of_items(c, np.ones(n), story), at_least) for c in changes_TN]
        )
    lost_T, won_T = (changes_TN < 0).sum(axis=1), (changes_TN > 0).sum(axis=1)
    return np.array(
        [counted(int(a), int(b), n, at_least) for a, b in zip(lost_T, won_T, strict=True)]
    )


def first(flag_T: np.ndarray) -> int:
    """The first look (from 1) at which the flag is up; 0: never."""
    return int(flag_T.argmax()) + 1 if flag_T.any() else 0


def crossed(changes_TN: np.ndarray, d: Design, weight_T: np.ndarray, at_least: float) -> np.ndarray:
    """Whether ``lowest_below`` lies below ``at_least`` at each look."""
    total_T = np.logaddexp.accumulate(np.log(weight_T) + evidence(changes_TN, d, at_least))
    return total_T >= -np.log(SIDE)


def alone(changes_TN: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each look's own 95 % interval in points, of items taken as independent."""
    mean = 100 * changes_TN.mean(axis=1)
    half = 196 * changes_TN.std(axis=1) / changes_TN.shape[1] ** 0.5
    return mean - half, mean + half


def run(rng: np.random.Generator, d: Design, *, harmful: int = GROUPS) -> tuple[int, ...]:
    """Looks at which one training is stopped, told of a loss, and by the rules of a look alone."""
    weight_T = np.array([look_weight(t, d.planned or d.looks) for t in range(1, d.looks + 1)])
    found = np.zeros((5, d.looks), dtype=bool)
    for at in range(GROUPS):
        made = d if at < harmful else Design(**{**vars(d), "lost": 0.0})
        changes = group(rng, made)
        mean = 100 * changes.mean(axis=1)
        found[0] |= crossed(changes, d, weight_T, -d.allowed) & (mean < -d.allowed)
        found[1] |= crossed(changes, d, weight_T, 0.0)
        low, high = alone(changes)
        found[2] |= high < -d.allowed
        found[3] |= high < 0
        found[4] |= low < -d.allowed
    return tuple(first(flags) for flags in found)


def share(looks_R: np.ndarray) -> float:
    return round(100 * float((looks_R > 0).mean()), 1)


def harmless(rng: np.random.Generator, d: Design, runs: int) -> dict[str, object]:
    looks = np.array([run(rng, d) for _ in range(runs)])
    names = ("stopped", "established", "alone_shown", "alone_established", "alone_open")
    row = {name: share(looks[:, at]) for at, name in enumerate(names)}
    if d.lost > 0:
        del row["established"], row["alone_established"]
    return vars(d) | row


def harmful(rng: np.random.Generator, d: Design, runs: int) -> dict[str, object]:
    stopped = np.array([run(rng, d, harmful=1)[0] for _ in range(runs)])
    by = np.sort(np.where(stopped > 0, stopped, 1 << 30))[int(np.ceil(0.8 * runs)) - 1]
    return vars(d) | {"caught": share(stopped), "by_look": int(by) if by < 1 << 30 else None}


HARMLESS = [
    Design(items, looks, allowed, lost, flips=flips, redrawn=redrawn)
    for items in (25, 50, 100, 200)
    for looks in (10, 50, 200)
    for allowed, lost, flips, redrawn in (
        (2.0, 0.0, 0.10, 0.1),
        (2.0, 2.0, 0.05, 0.1),
        (5.0, 5.0, 0.0, 0.1),
        (5.0, 5.0, 0.10, 1.0),
    )
]
BEYOND = [Design(50, 100, 5.0, 5.0, redrawn=redrawn, planned=10) for redrawn in (0.1, 1.0)]
STORIES = [
    Design(items, 10, 5.0, lost, redrawn=0.3, stories=True)
    for items in (25, 100)
    for lost in (0.0, 5.0)
]
HARMFUL = [
    Design(items, looks, allowed, 2 * allowed, grows=grows)
    for allowed, sizes in ((10.0, (25, 50, 100)), (5.0, (100, 200, 400)), (2.0, (800, 1600)))
    for items in sizes
    for looks in (10, 50)
    for grows in (False, True)
]


def main() -> None:
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    rows = [harmless(rng, d, RUNS) for d in HARMLESS + BEYOND]
    rows += [harmless(rng, d, RUNS // 2) for d in STORIES]
    result = {
        "runs": RUNS,
        "level": 100 * LEVEL,
        "harmless": rows,
        "most_stopped": max(float(str(row["stopped"])) for row in rows),
        "most_established": max(float(str(row.get("established", 0))) for row in rows),
        "harmful": [harmful(rng, d, RUNS // 2) for d in HARMFUL],
        "seconds": round(time.perf_counter() - start),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""Coverage of the 95 % intervals by simulation: changes, group means, robust TI and linear TI.

Data sets are drawn from a population whose change is known, the product's own test and interval run
on each, and the share of intervals that hold the truth is printed as one JSON object.

    nice -n 10 .venv/bin/python benchmarks/coverage.py > coverage.json

Changes come in six designs: ``plain`` (one 0/1 outcome per item), ``repeats`` (four answers per
item, averaged), ``clusters`` (stories of five items, of which 70 % move with their story),
``crossing`` (such stories whose five items carry five different subsets), ``strata K`` (subsets of
K repeated items each, which change by different amounts) and ``group`` (the mean over four
benchmarks of stories, crossing subsets, repeats and 0/1 outcomes). ``moved`` is the share of items
that flip beside those that make up the change. ``n`` counts the items of a benchmark.
"""

import json
import time

import numpy as np

from transferscope.core.changes import mean_tests, paired_tests
from transferscope.core.index import Layout, domain_index, index_of
from transferscope.core.stats import ItemScores, bootstrap_means

BATCH, REPLICATES = 50, 1000
DELTA_SETS, TI_SETS = 2000, 2000
SIZES = (5, 10, 20, 40, 100, 200)
ITEMS = {
    "plain": SIZES,
    "repeats": SIZES,
    "clusters": (50, 100, 200, 500),
    "crossing": (50, 100, 200, 500),
    "strata 1": (10, 20, 40, 100),
    "strata 2": (10, 20, 40, 100),
    "strata 5": (10, 20, 40, 100),
    "strata 10": (20, 40, 100),
    "group": SIZES,
}
STORY, REPEATS = 5, 4
EFFECTS, MOVED = (0.0, 0.02, 0.05, 0.20), (0.04, 0.20)
BASES = np.array([0.3, 0.5, 0.6, 0.75])
SOURCE_GAINS = (0.0, 0.05, 0.10, 0.20)
TARGET_GAINS = {
    "0": np.zeros(4),
    "-3 -1 +1 +3": np.array([-0.03, -0.01, 0.01, 0.03]),
    "+3": np.full(4, 0.03),
    "-5": np.full(4, -0.05),
    "+10": np.full(4, 0.10),
}
TI_ITEMS = (20, 100, 300)
TI_MOVED = 0.10
LAYOUT = Layout.of({"source": ["a", "b", "c", "d"], "target": ["e", "f", "g", "h"]}, "source")


def flips(
    rng: np.random.Generator, shape: tuple[int, ...], gain: float, moved: float
) -> np.ndarray:
    """Differences 1, 0 or -1 of mean ``gain``, of which a share |gain| + ``moved`` isn't 0."""
    discordant = abs(gain) + moved
    lost, u = (discordant - gain) / 2, rng.random(shape)
    return np.where(u < lost, -1.0, np.where(u < discordant, 1.0, 0.0))


def items_of(differences: np.ndarray, cluster: np.ndarray, subset: np.ndarray) -> ItemScores:
    base = np.where(differences < 0, -differences, 0.0)
    scores = np.vstack([base, base + differences])
    return ItemScores(scores, np.ones(len(differences)), cluster, subset)


def repeated(rng: np.random.Generator, n: int, gain: np.ndarray | float) -> np.ndarray:
    """Mean differences of four answers; items differ in difficulty, and some become certain."""
    before = rng.beta(0.8, 0.8, n)
    after = np.where(rng.random(n) < np.asarray(gain) / 0.5, 1.0, before)
    return (rng.binomial(REPEATS, after) - rng.binomial(REPEATS, before)) / REPEATS


def data(rng: np.random.Generator, design: str, n: int, gain: float, moved: float) -> ItemScores:
    """One data set of n items whose true mean change is ``gain``."""
    at, none = np.arange(n), np.zeros(n, dtype=np.int64)
    if design == "plain":
        return items_of(flips(rng, (n,), gain, moved), at, none)
    if design == "repeats":
        return items_of(repeated(rng, n, gain), at, none)
    if design.startswith("strata"):
        subset = at // int(design.split()[1])
        # subsets gain 0 and twice as much in turn; an even number of them keeps the mean
        return items_of(repeated(rng, n, 2 * gain * (subset % 2)), at, subset)
    story = np.repeat(flips(rng, (n // STORY,), gain, moved), STORY)
    alone = flips(rng, (n,), gain, moved)
    mixed = np.where(rng.random(n) < 0.7, story, alone)
    return items_of(mixed, at // STORY, at % STORY if design == "crossing" else none)


def delta_cell(
    rng: np.random.Generator, design: str, n: int, gain: float, moved: float
) -> dict[str, float]:
    """Coverage, mean width in points and share of rejections in percent."""
    held = rejected = width = 0.0
    truth = 100.0 * gain
    for _ in range(DELTA_SETS):
        if design == "group":
            kinds = ("clusters", "crossing", "repeats", "plain")
            parts = [data(rng, kind, n, gain, moved) for kind in kinds]
            (test,) = mean_tests(parts, [0.25] * 4, rng, replicates=REPLICATES - 1)
        else:
            items = data(rng, design, n, gain, moved)
            (test,) = paired_tests(items, rng, replicates=REPLICATES - 1)
        low, high = test.ci
        held += low <= truth + 1e-9 and high >= truth - 1e-9
        rejected += test.p < 0.05
        width += high - low
    return {
        "coverage": round(100.0 * held / DELTA_SETS, 2),
        "width": round(width / DELTA_SETS, 1),
        "rejected": round(100.0 * rejected / DELTA_SETS, 2),
    }


def suite_batch(
    rng: np.random.Generator, n: int, gains_B: np.ndarray
) -> tuple[np.ndarray, list[ItemScores]]:
    """True means (2, B) in percent and a batch: rows 0..BATCH-1 the bases, then the tuned."""
    benchmarks = []
    bases_B = np.concatenate([BASES, BASES])
    for base, gain in zip(bases_B, gains_B, strict=True):
        u, v = rng.random((2, BATCH, n))
        before = u < base
        lost = (TI_MOVED + abs(gain) - gain) / 2
        won = lost + gain
        after = np.where(before, v >= lost / base, v < won / (1 - base))
        benchmarks.append(ItemScores.plain(np.vstack([before, after]).astype(float)))
    return 100.0 * np.vstack([bases_B, bases_B + gains_B]), benchmarks


def ti_cell(rng: np.random.Generator, n: int, source: float, target: np.ndarray) -> dict:
    """Coverage in percent among defined TIs, and the share that is defined, per definition."""
    gains_B = np.concatenate([np.full(4, source), target])
    held = {"robust": 0, "linear": 0}
    defined = dict(held)
    for _ in range(TI_SETS // BATCH):
        truth_2B, benchmarks = suite_batch(rng, n, gains_B)
        draws_RKB = bootstrap_means(benchmarks, rng, replicates=REPLICATES)
        point_KB = np.stack([items.means_K for items in benchmarks], axis=-1)
        for definition in held:
            true_di = domain_index(*truth_2B, LAYOUT.member_GB, definition=definition)
            truth = 100.0 * true_di[1] / true_di[0]
            di_RKG = domain_index(
                draws_RKB[:, :BATCH], draws_RKB[:, BATCH:], LAYOUT.member_GB, definition=definition
            )
            for at in range(BATCH):
                ci = index_of(
                    "tuned",
                    "base",
                    layout=LAYOUT,
                    base_B=point_KB[at],
                    tuned_B=point_KB[BATCH + at],
                    definition=definition,
                    di_RG=di_RKG[:, at],
                ).ci["target"]
                if ci is not None:
                    defined[definition] += 1
                    held[definition] += ci[0] <= truth <= ci[1]
    return {
        name: {
            "coverage": round(100.0 * held[name] / defined[name], 1) if defined[name] else None,
            "defined": round(100.0 * defined[name] / TI_SETS, 1),
        }
        for name in held
    }


def main() -> None:
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    deltas = [
        {"design": design, "n": n, "effect": 100 * gain, "moved": moved}
        | delta_cell(rng, design, n, gain, moved or 0.0)
        for design, sizes in ITEMS.items()
        for n in sizes
        for gain in EFFECTS
        for moved in ((None,) if design[:3] in ("rep", "str") else MOVED)
    ]
    indices = [
        {"n": n, "source": 100 * source, "target": name, **ti_cell(rng, n, source, gains)}
        for n in TI_ITEMS
        for source in SOURCE_GAINS
        for name, gains in TARGET_GAINS.items()
    ]
    result = {
        "replicates": REPLICATES,
        "delta_sets": DELTA_SETS,
        "delta_standard_error": round(100 * (0.95 * 0.05 / DELTA_SETS) ** 0.5, 2),
        "ti_sets": TI_SETS,
        "ti_standard_error": round(100 * (0.95 * 0.05 / TI_SETS) ** 0.5, 2),
        "deltas": deltas,
        "lowest_by_n": {
            n: min(row["coverage"] for row in deltas if row["n"] == n)
            for n in sorted({row["n"] for row in deltas})
        },
        "above_97": [row for row in deltas if row["coverage"] > 97.0 and row["n"] >= 40],
        "ti": indices,
        "seconds": round(time.perf_counter() - start),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""False-alarm rate of every test at nominal 5 %, over simulated comparisons in which nothing holds.

Prints one JSON object: per test and design the share of alarms in percent with its standard error.

    nice -n 10 .venv/bin/python benchmarks/false_alarms.py > false_alarms.json

Two-sided tests see base and tuned answers drawn alike. Tests against a margin see a true change of
exactly -margin, the hardest case of both of their nulls: ``kept`` alarms when the gate would pass
such a drop, ``dropped`` when it would call it larger than the margin. ``holm`` alarms when any of
12 benchmarks does. ``only falls``: nothing rises and losses
are rare, the hardest nulls.
"""

import json
import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy.stats import binom

from transferscope.core.changes import mean_tests, paired_tests
from transferscope.core.exact_margin import exact_dropped
from transferscope.core.noninferiority import (
    bootstrap_margin,
    effective_clusters,
    moving_clusters,
    tango,
)
from transferscope.core.over_runs import over_runs
from transferscope.core.power import items_for, mcnemar_mde
from transferscope.core.resampling import units_of
from transferscope.core.stats import (
    ItemScores,
    bootstrap_means,
    holm,
    mcnemar_exact,
)

COMPARISONS, REPLICATES, LEVEL = 10_000, 999, 0.05
BATCH = 50
"""Margin tests: data sets that share one bootstrap draw, as the models of a comparison do."""
Make = Callable[[np.random.Generator], ItemScores]


def items_of(base: np.ndarray, tuned: np.ndarray, cluster: np.ndarray) -> ItemScores:
    n = base.shape[-1]
    scores = np.vstack([base, tuned]).astype(float)
    return ItemScores(scores, np.ones(n), cluster, np.zeros(n, dtype=np.int64))


def plain(n: int) -> Make:
    def make(rng: np.random.Generator) -> ItemScores:
        difficulty = rng.random(n)
        return items_of(rng.random(n) < difficulty, rng.random(n) < difficulty, np.arange(n))

    return make


def repeats(n: int, times: int = 4) -> Make:
    def make(rng: np.random.Generator) -> ItemScores:
        before, after = rng.binomial(times, rng.random(n), (2, n)) / times
        return items_of(before, after, np.arange(n))

    return make


def skewed(n: int, times: int = 4) -> Make:
    """No change on average, but few items fall far and many rise a little."""

    def make(rng: np.random.Generator) -> ItemScores:
        fell = rng.random(n) < 0.1
        before = np.where(fell, 1.0, 0.5)
        after = np.where(fell, 0.1, 0.6)
        drawn = [rng.binomial(times, p) / times for p in (before, after)]
        return items_of(drawn[0], drawn[1], np.arange(n))

    return make


def clusters(sizes: np.ndarray) -> Make:
    """Stories whose items mostly share one answer, for base and tuned alike."""
    cluster = np.repeat(np.arange(len(sizes)), sizes)

    def answers(rng: np.random.Generator, difficulty: np.ndarray) -> np.ndarray:
        story = (rng.random(len(sizes)) < difficulty)[cluster]
        alone = rng.random(len(cluster)) < difficulty[cluster]
        return np.where(rng.random(len(cluster)) < 0.8, story, alone)

    def make(rng: np.random.Generator) -> ItemScores:
        difficulty = rng.random(len(sizes))
        return items_of(answers(rng, difficulty), answers(rng, difficulty), cluster)

    return make


STORIES = np.full(40, 5)
UNEVEN = np.array([1, 2, 3, 5, 10, 20] * 5)


def one_test(make: Make) -> Callable[[np.random.Generator], float]:
    """The p value of the product's own choice of test."""

    def p(rng: np.random.Generator) -> float:
        items = make(rng)
        (test,) = paired_tests(items, rng, replicates=REPLICATES)
        return test.p

    return p


def pooled(makes: list[Make]) -> Callable[[np.random.Generator], float]:
    def p(rng: np.random.Generator) -> float:
        benchmarks = [make(rng) for make in makes]
        shares = [1.0 / len(makes)] * len(makes)
        return mean_tests(benchmarks, shares, rng, replicates=REPLICATES)[0].p

    return p


def family(rng: np.random.Generator) -> float:
    """The smallest Holm-adjusted p of 12 benchmarks with 0/1 outcomes."""
    difficulty = rng.random((12, 200))
    before, after = rng.random((2, 12, 200)) < difficulty
    lost, won = (before & ~after).sum(axis=1), (~before & after).sum(axis=1)
    return min(holm([mcnemar_exact(int(a), int(b)) for a, b in zip(lost, won, strict=True)]))


def over_seeds(rng: np.random.Generator) -> float:
    """0 where the interval over six runs leaves out the truth, 0."""
    values = rng.normal(0.0, 2.0, 6) + rng.normal(0.0, 1.0)
    low, high = over_runs(list(values), [1.0] * 6).ci or (-np.inf, np.inf)
    return float(low <= 0.0 <= high)


def flips(
    rng: np.random.Generator, shape: tuple[int, ...], margin: float, moved: float
) -> np.ndarray:
    lost, won = margin + moved / 2, moved / 2
    u = rng.random(shape)
    return np.where(u < lost, -1.0, np.where(u < lost + won, 1.0, 0.0))


def tango_margin(
    n: int, margin: float, moved: float
) -> Callable[[np.random.Generator], Iterator[tuple[float, float]]]:
    def draw(rng: np.random.Generator) -> Iterator[tuple[float, float]]:
        for lost, won, _ in rng.multinomial(
            n, [margin + moved / 2, moved / 2, 1 - margin - moved], size=BATCH
        ):
            test = tango(int(lost), int(won), n, margin=100 * margin)
            yield test.p_kept, test.p_dropped

    return draw


def bootstrap_of(
    stories: int,
    story: int,
    margin: float,
    moved: float,
    *,
    benchmarks: int = 1,
    subset: Callable[[np.ndarray], np.ndarray] = np.zeros_like,
) -> Callable[[np.random.Generator], Iterator[tuple[float, float]]]:
    """Story-clustered items (story 1: single items averaged over four answers).

    ``subset`` maps the items' positions to the codes of their subsets.
    """

    def one(rng: np.random.Generator) -> ItemScores:
        n = stories * story
        if story == 1:
            before = rng.beta(0.8, 0.8, (BATCH, n))
            after = np.where(rng.random((BATCH, n)) < 2 * margin, 0.0, before)
            values = (rng.binomial(4, after) - rng.binomial(4, before)) / 4
        else:
            together = np.repeat(flips(rng, (BATCH, stories), margin, moved), story, axis=1)
            alone = flips(rng, (BATCH, n), margin, moved)
            values = np.where(rng.random((BATCH, n)) < 0.7, together, alone)
        at = np.arange(n)
        return ItemScores(values, np.ones(n), at // story, subset(at))

    def draw(rng: np.random.Generator) -> Iterator[tuple[float, float]]:
        parts = [one(rng) for _ in range(benchmarks)]
        draws_RK = bootstrap_means(parts, rng, replicates=REPLICATES).mean(axis=2)
        changes = np.mean([part.means_K for part in parts], axis=0)
        size = effective_clusters(parts)
        units = [units_of(part.cluster_N, part.stratum_N) for part in parts]
        sums_KU = np.hstack([u.sums(p.scores_KN) for u, p in zip(units, parts, strict=True)])
        moving_K = moving_clusters(sums_KU)
        for change, change_R, moving in zip(changes, draws_RK.T, moving_K, strict=True):
            test = bootstrap_margin(
                float(change), change_R, margin=100 * margin, clusters=size, moving=float(moving)
            )
            yield test.p_kept, test.p_dropped

    return draw


TWO_SIDED = {
    ("mcnemar", "100 items"): one_test(plain(100)),
    ("mcnemar", "1000 items"): one_test(plain(1000)),
    ("sign-flip", "100 items, 4 repeats"): one_test(repeats(100)),
    ("sign-flip", "100 items, 4 repeats, skewed"): one_test(skewed(100)),
    ("sign-flip", "40 stories of 5"): one_test(clusters(STORIES)),
    ("sign-flip", "30 stories of 1 to 20"): one_test(clusters(UNEVEN)),
    ("sign-flip", "8 stories of 5"): one_test(clusters(np.full(8, 5))),
    ("sign-flip", "10 items, 4 repeats"): one_test(repeats(10)),
    ("pooled", "4 benchmarks: plain, repeats, stories, uneven stories"): pooled(
        [plain(100), repeats(60), clusters(STORIES), clusters(UNEVEN)]
    ),
    ("holm", "12 benchmarks of 200 items, any alarm"): family,
    ("over runs", "6 runs, 95 % interval leaves out 0"): over_seeds,
}
MARGIN = {
    ("tango", "100 items, margin 5, 10 % more flip"): tango_margin(100, 0.05, 0.10),
    ("tango", "500 items, margin 2, 2 % more flip"): tango_margin(500, 0.02, 0.02),
    ("tango", "2000 items, margin 2, 15 % more flip"): tango_margin(2000, 0.02, 0.15),
    ("bootstrap", "200 items, 4 repeats, margin 5"): bootstrap_of(200, 1, 0.05, 0.0),
    ("bootstrap", "1000 items, 4 repeats, margin 2"): bootstrap_of(1000, 1, 0.02, 0.0),
    ("bootstrap", "20 stories of 5, margin 5, 10 % more flip"): bootstrap_of(20, 5, 0.05, 0.10),
    ("bootstrap", "40 stories of 5, margin 2, 4 % more flip"): bootstrap_of(40, 5, 0.02, 0.04),
    ("bootstrap", "100 stories of 5, margin 2, 4 % more flip"): bootstrap_of(100, 5, 0.02, 0.04),
    ("bootstrap", "400 stories of 5, margin 2, 15 % more flip"): bootstrap_of(400, 5, 0.02, 0.15),
    ("bootstrap", "mean of 4 benchmarks, each 50 stories of 5, margin 2"): bootstrap_of(
        50, 5, 0.02, 0.10, benchmarks=4
    ),
    ("bootstrap", "57 subsets of 2 items, 4 repeats, margin 5"): bootstrap_of(
        114, 1, 0.05, 0.0, subset=lambda at: at // 2
    ),
    ("bootstrap", "40 items in subsets of 1, 4 repeats, margin 5"): bootstrap_of(
        40, 1, 0.05, 0.0, subset=lambda at: at
    ),
    ("bootstrap", "100 items in subsets of 5, 4 repeats, margin 5"): bootstrap_of(
        100, 1, 0.05, 0.0, subset=lambda at: at // 5
    ),
    ("bootstrap", "100 items in subsets of 10, 4 repeats, margin 5"): bootstrap_of(
        100, 1, 0.05, 0.0, subset=lambda at: at // 10
    ),
    ("bootstrap", "40 stories of 5 across 5 subsets, margin 5, 10 % more flip"): bootstrap_of(
        40, 5, 0.05, 0.10, subset=lambda at: at % 5
    ),
    ("bootstrap", "8 stories of 5 across 5 subsets, margin 10, 10 % more flip"): bootstrap_of(
        8, 5, 0.10, 0.10, subset=lambda at: at % 5
    ),
    ("bootstrap", "mean of 4 benchmarks of 5 items, 4 repeats, margin 10"): bootstrap_of(
        5, 1, 0.10, 0.0, benchmarks=4
    ),
    ("bootstrap", "mean of 4 benchmarks of 10 items, 4 repeats, margin 5"): bootstrap_of(
        10, 1, 0.05, 0.0, benchmarks=4
    ),
    ("tango", "140 items, margin 2, only falls"): tango_margin(140, 0.02, 0.0),
    ("tango", "300 items, margin 2, only falls"): tango_margin(300, 0.02, 0.0),
    ("tango", "1000 items, margin 2, only falls"): tango_margin(1000, 0.02, 0.0),
    ("bootstrap", "100 stories of 5, margin 5, only falls"): bootstrap_of(100, 5, 0.05, 0.0),
    ("bootstrap", "400 stories of 5, margin 2, only falls"): bootstrap_of(400, 5, 0.02, 0.0),
    ("bootstrap", "400 stories of 5, margin 5, only falls"): bootstrap_of(400, 5, 0.05, 0.0),
}


def three_guards(n: int, margin: float) -> float:
    """Share of drops of just the margin of which any of three guards is called larger, counted.

    Items only fall, so that all outcomes can be gone through: no simulation.
    """
    lost = np.arange(n + 1)
    called = [exact_dropped(int(k), 0, n, margin=100 * margin) < LEVEL / 3 for k in lost]
    shown = float(binom.pmf(lost, n, margin) @ np.array(called, dtype=float))
    return 1.0 - (1.0 - shown) ** 3


def power(rng: np.random.Generator) -> list[dict[str, str | float]]:
    """How often exact McNemar establishes a change of its MDE, and of a plan's effect."""
    rows = []
    for lost, won, n in ((0, 0, 100), (10, 5, 200), (100, 120, 2000)):
        found = mcnemar_mde(lost, won, n)
        if found is not None:
            change, seen = found / 100, (lost + won) / n
            design = f"MDE of {found:.2f} points: {n} items, {lost + won} flipped"
            rows.append(established(rng, n, max(seen, change), change, design))
    for effect, flips_ in ((2.0, 0.1), (5.0, 0.2), (10.0, 0.1), (30.0, 0.3)):
        n = items_for(effect / 100, flips_)
        design = f"plan of {effect:g} points at discordance {flips_:g}: {n} items"
        rows.append(established(rng, n, flips_, effect / 100, design))
    return rows


def established(
    rng: np.random.Generator, n: int, discordance: float, change: float, design: str
) -> dict[str, str | float]:
    shares = [(discordance - change) / 2, (discordance + change) / 2, 1 - discordance]
    tables, counts = np.unique(
        rng.multinomial(n, np.maximum(shares, 0.0), size=COMPARISONS), axis=0, return_counts=True
    )
    hits = [mcnemar_exact(int(a), int(b)) < LEVEL and b > a for a, b, _ in tables]
    return row("power", design, int(counts @ np.array(hits)))


def row(test: str, design: str, alarms: int) -> dict[str, str | float]:
    share = alarms / COMPARISONS
    error = (share * (1 - share) / COMPARISONS) ** 0.5
    return {
        "test": test,
        "design": design,
        "alarms": round(100 * share, 2),
        "standard_error": round(100 * error, 2),
    }


def main() -> None:
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    rows = []
    for (test, design), p in TWO_SIDED.items():
        rows.append(row(test, design, sum(p(rng) <= LEVEL for _ in range(COMPARISONS))))
    for (test, design), draw in MARGIN.items():
        kept = dropped = 0
        for _ in range(COMPARISONS // BATCH):
            for p_kept, p_dropped in draw(rng):
                kept += p_kept <= LEVEL
                dropped += p_dropped <= LEVEL
        rows.append(row(f"{test}, kept", design, kept))
        rows.append(row(f"{test}, dropped", design, dropped))
    guards = [
        {"items": n, "margin": 100 * margin, "any": round(100 * three_guards(n, margin), 2)}
        for n in (50, 100, 150, 310, 600, 1000)
        for margin in (0.01, 0.02, 0.05)
    ]
    result = {
        "comparisons": COMPARISONS,
        "replicates": REPLICATES,
        "level": 100 * LEVEL,
        "rows": rows,
        "three_guards_only_falls": guards,
        "power": power(rng),
        "above_5.5": [r for r in rows if r["alarms"] > 5.5],
        "seconds": round(time.perf_counter() - start),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

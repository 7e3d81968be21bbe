"""Simulations of :mod:`false_alarms`: the router, power at the MDE, sizes at a margin."""

from collections.abc import Callable

import numpy as np

from transferscope.compare.plan import items_needed
from transferscope.compare.router import route
from transferscope.core.noninferiority import ONE_SIDED, bootstrap_margin, dropped_p, tango
from transferscope.core.power import (
    Units,
    flip_mde,
    margin_mde,
    mcnemar_mde,
    mcnemar_power,
    tango_mde,
)
from transferscope.core.stats import ItemScores, bootstrap_means, mcnemar_exact, sign_flip

Rows = list[dict[str, str | float]]
ROUTED, POWERED = 2_000, 4_000
EQUAL = ((2, 4, 50), (3, 6, 100), (3, 12, 200), (5, 4, 30), (5, 12, 50))
"""Models, benchmarks, items of each."""
DIFFERENT = ((2, 4, 50, 10.0), (3, 6, 100, 5.0), (3, 12, 200, 5.0), (5, 12, 50, 5.0), (5, 12, 50, 20.0))
"""And the standard deviation of the models' true scores on a benchmark, in points."""


def shared(rng: np.random.Generator, shift_K: np.ndarray, n: int) -> ItemScores:
    """Answers of models to items of one difficulty for all of them, but for the models' shifts."""
    easy = rng.beta(1.0, 1.0, n)
    return ItemScores.plain((rng.random((len(shift_K), n)) < easy + shift_K[:, None]).astype(float))


def router_rows(rng: np.random.Generator, datasets: int = ROUTED) -> Rows:
    """How often the interval leaves out the mean gain (0 for equal models), and lies above 0."""
    designs = [(*design, 0.0) for design in EQUAL] + list(DIFFERENT)
    rows: Rows = []
    for models, benchmarks, n, spread in designs:
        shift_BK = spread / 100.0 * rng.standard_normal((benchmarks, models))
        group_of = {str(b): "ab"[b % 2] for b in range(benchmarks)}
        found = []
        for seed in range(datasets):
            items = {str(b): shared(rng, shift_BK[b], n) for b in range(benchmarks)}
            router = route([str(k) for k in range(models)], items, group_of, seed=seed)
            assert router is not None
            found.append((router.gain, *router.ci))
        gain, low, high = np.array(found).T
        truth = gain.mean() if spread else 0.0
        rows.append(
            {
                "models": models,
                "benchmarks": benchmarks,
                "items": n,
                "spread": spread,
                "mean_gain": round(float(gain.mean()), 2),
                "true_se": round(float(gain.std()), 2),
                "claimed_se": round(float((high - low).mean() / 3.92), 2),
                "covers": round(100 * float(((low <= truth) & (truth <= high)).mean()), 1),
                "would_gain": round(100 * float((low > 0).mean()), 1),
            }
        )
    return rows


def power_rows(rng: np.random.Generator, datasets: int = POWERED) -> Rows:
    """Share of samples in which the test establishes its own MDE, which should be 80 %."""
    rows: Rows = []

    def add(test: str, design: str, mde: float | None, shown: Callable[[float], float]) -> None:
        assert mde is not None
        rows.append(
            {"test": test, "design": design, "mde": round(mde, 2), "power": round(100 * shown(mde), 1)}
        )

    for lost, won, n in ((0, 0, 100), (5, 5, 100), (20, 20, 100), (49, 0, 198), (60, 40, 1000)):

        def pairs(effect: float, seen: float = (lost + won) / n, n: int = n) -> np.ndarray:
            q = max(seen, effect)
            return rng.multinomial(n, [(q + effect) / 2, (q - effect) / 2, 1 - q], size=datasets)

        design = f"{n} items, {lost} lost, {won} won"
        add(
            "mcnemar",
            design,
            mcnemar_mde(lost, won, n),
            lambda mde, pairs=pairs: float(
                np.mean([mcnemar_exact(int(a), int(b)) < 0.05 for a, b, _ in pairs(mde / 100)])
            ),
        )
        add(
            "tango, margin 2",
            design,
            tango_mde(lost, won, n, margin=2.0),
            lambda mde, pairs=pairs, n=n: float(
                np.mean(
                    [
                        tango(int(a), int(b), n, margin=2.0).p_dropped < ONE_SIDED
                        for a, b, _ in pairs(mde / 100)
                    ]
                )
            ),
        )
    for count, story, moved in ((10, 5, 0.4), (20, 5, 0.2), (40, 5, 0.1), (100, 5, 0.1), (400, 2, 0.1)):
        sums_C = story_sums(rng, count, story, moved)
        weight_C = np.full(count, float(story))
        design = f"{count} stories of {story}, {100 * moved:g} % moved"
        add(
            "sign-flip",
            design,
            flip_mde(sums_C, weight_C),
            lambda mde, s=sums_C, w=weight_C: flip_power(rng, s, w, mde, datasets // 4),
        )
        draws = bootstrap_of_sums(rng, sums_C, story)
        mde = margin_mde(
            float(draws.std()), margin=2.0, clusters=count, units=Units.of(sums_C, weight_C)
        )
        add(
            "bootstrap, margin 2",
            design,
            mde,
            lambda mde, s=sums_C, story=story: margin_power(rng, s, story, mde, datasets // 10),
        )
    return rows


def story_sums(rng: np.random.Generator, count: int, story: int, moved: float) -> np.ndarray:
    """Sums of changes -1, 0, 1 of stories; 70 % of a story's items share the story's change."""

    def outcomes(*shape: int) -> np.ndarray:
        u = rng.random(shape)
        return np.where(u < moved / 2, -1.0, np.where(u < moved, 1.0, 0.0))

    together = rng.random((count, story)) < 0.7
    return np.where(together, outcomes(count, 1), outcomes(count, story)).sum(axis=1)


def samples(
    rng: np.random.Generator, sums_C: np.ndarray, weight_C: np.ndarray, mde: float, size: int
) -> np.ndarray:
    """Sums (D, C) of the clusters drawn anew, their mean change shifted to -``mde`` points.

    Where the floor of :class:`Units` lies above the spread seen, enough clusters move instead.
    """
    units, effect = Units.of(sums_C, weight_C), mde / 100.0
    count = len(sums_C)
    if units.changed < effect and units.floor(effect) > units.variance:
        moving = rng.random((size, count)) < effect / units.size
        return np.where(moving, -units.size * weight_C, 0.0)
    change_C = sums_C / weight_C
    about_C = (change_C - change_C.mean()) * (count / (count - 1)) ** 0.5
    return (about_C[rng.integers(0, count, (size, count))] - effect) * weight_C


def flip_power(
    rng: np.random.Generator, sums_C: np.ndarray, weight_C: np.ndarray, mde: float, size: int
) -> float:
    drawn = samples(rng, sums_C, weight_C, mde, size)
    return float((sign_flip(drawn, rng, replicates=1_999) < 0.05).mean())


def bootstrap_of_sums(rng: np.random.Generator, sums_C: np.ndarray, story: int) -> np.ndarray:
    """Replicates of the mean change in points."""
    items = ItemScores.plain((sums_C / story)[None])
    return bootstrap_means([items], rng, replicates=1_999)[:, 0, 0]


def margin_power(
    rng: np.random.Generator, sums_C: np.ndarray, story: int, mde: float, size: int
) -> float:
    weight_C = np.full(len(sums_C), float(story))
    items = ItemScores.plain(samples(rng, sums_C, weight_C, mde, size) / story)
    drawn_RD = bootstrap_means([items], rng, replicates=999)[:, :, 0]
    tests = [
        bootstrap_margin(float(m), d, margin=2.0, clusters=len(sums_C))
        for m, d in zip(items.means_K, drawn_RD.T, strict=True)
    ]
    return float(np.mean([test.p_dropped <= ONE_SIDED for test in tests]))


def plan_rows() -> Rows:
    """Exact power at the number of items that ``plan`` names."""
    cases = ((0.5, 0.1), (1, 0.3), (2, 0.02), (2, 0.1), (5, 0.05), (5, 0.2), (10, 1.0), (20, 0.2), (50, 0.5))
    return [
        {
            "effect": effect,
            "discordance": q,
            "n": (n := items_needed(effect, q)),
            "power": round(100 * mcnemar_power(effect / 100, q, n), 1),
        }
        for effect, q in cases
    ]


def margin_sizes() -> dict[str, dict[str, float]]:
    """Largest shares, in percent, of drops of just the margin that Tango's test calls larger.

    Summed over all counts, not simulated: 20 to 1,000 pairs, margins 1 to 10, expected won pairs
    from none to a fifth. ``one``: at 5 %. ``three``: any of three independent guards after Holm.
    """
    worst = {"one": (0.0, 0, 0.0, 0.0), "three": (0.0, 0, 0.0, 0.0)}
    for n in (*range(20, 200, 9), *range(200, 1001, 50), 310):
        for margin in (1.0, 2.0, 3.0, 5.0, 7.0, 10.0):
            for won in (0, 0.5 / n, 1 / n, 1.5 / n, 2 / n, 3 / n, 5 / n, 10 / n, 0.1, 0.2):
                one, third = (called_larger(n, margin, won, level) for level in (0.05, 0.05 / 3))
                worst["one"] = max(worst["one"], (one, n, margin, won))
                worst["three"] = max(worst["three"], (1 - (1 - third) ** 3, n, margin, won))
    return {
        name: {"size": round(100 * size, 2), "n": n, "margin": margin, "won": round(won * n, 1)}
        for name, (size, n, margin, won) in worst.items()
    }


def called_larger(n: int, margin: float, won: float, level: float) -> float:
    """Chance that a drop of just the margin has p_dropped below ``level``."""
    from scipy.stats import binom

    lost = won + margin / 100
    if lost + won > 1:
        return 0.0
    won_X = np.arange(min(n, int(n * won + 6 * (n * won) ** 0.5 + 8)) + 1)
    lost_X = np.arange(min(n, int(n * lost + 6 * (n * lost) ** 0.5 + 8)) + 1)
    lost_XX, won_XX = (a.ravel() for a in np.meshgrid(lost_X, won_X))
    inside = lost_XX + won_XX <= n
    lost_XX, won_XX = lost_XX[inside], won_XX[inside]
    chance = binom.pmf(won_XX, n, won) * binom.pmf(lost_XX, n - won_XX, lost / (1 - won))
    return float(chance[dropped_p(lost_XX, won_XX, n, margin=margin) < level].sum())

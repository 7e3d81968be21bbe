"""Does a test show its own smallest detectable change in 80 % of samples, and a plan's items too?

Prints one JSON object, shares in percent. ``power``: of samples drawn at the change that the test
calls detectable, with the discordance seen (never below the change) or the seen spread of stories.
``plan``: exact power at the items that ``transferscope plan`` names. ``margin``: the largest shares
of drops of just the margin that Tango's test calls larger or passes, summed over all outcomes.

    OMP_NUM_THREADS=1 nice -n 10 .venv/bin/python benchmarks/power.py
"""

import json
import time

import numpy as np
from scipy.special import bdtr, ndtr
from scipy.stats import binom

from transferscope.compare.sample_size import items_needed
from transferscope.core.changes import mean_tests
from transferscope.core.exact_margin import tango_scores
from transferscope.core.noninferiority import (
    bootstrap_margin,
    dropped_p,
    moving_clusters,
    tango,
)
from transferscope.core.power import margin_mde, mcnemar_mde, mcnemar_power, tango_mde
from transferscope.core.stats import ItemScores, bootstrap_means, mcnemar_exact

LEVEL, MARGIN = 0.05, 2.0
Rows = list[dict[str, str | float]]
DATASETS = 4_000
STORIES = ((10, 5, 0.6), (20, 5, 0.4), (40, 5, 0.1), (40, 5, 0.5), (100, 5, 0.5), (400, 2, 0.6))
"""Stories, items of each, share of items that moved."""


def power_rows(rng: np.random.Generator, datasets: int = DATASETS) -> Rows:
    """Share of samples in which a test shows its own smallest detectable change: 80 %, if true."""
    rows: Rows = []
    for lost, won, n in ((0, 0, 100), (5, 5, 100), (20, 20, 100), (49, 0, 198), (60, 40, 1000)):
        design = f"{n} items, {lost} lost, {won} won"
        for test, mde in (
            ("mcnemar", mcnemar_mde(lost, won, n)),
            ("tango, margin 2", tango_mde(lost, won, n, margin=MARGIN)),
        ):
            assert mde is not None
            drop, q = mde / 100, max((lost + won) / n, mde / 100)
            drawn = rng.multinomial(n, [(q + drop) / 2, (q - drop) / 2, 1 - q], size=datasets)
            shown = [pair_shown(test, int(a), int(b), n) for a, b, _ in drawn]
            rows.append(row(test, design, mde, float(np.mean(shown))))
    for count, story, moved in STORIES:
        change_C = story_changes(rng, count, story, moved)
        items = items_of(change_C[None])
        (flat,) = mean_tests([items], [1.0], rng, replicates=1_999)
        spread = float(bootstrap_means([items], rng, replicates=1_999)[:, 1, 0].std(ddof=1))
        still = flat.floor > 0
        design = f"{count} stories of {story}, {100 * moved:g} % moved"
        for test, mde in (
            ("sign-flip", flat.mde),
            ("bootstrap, margin 2", margin_mde(spread, count, margin=MARGIN, unmoved=still)),
        ):
            if mde is None:
                continue
            drawn_DC = -moved_by(rng, change_C, mde / 100, datasets // 4, still=still)
            shown = stories_shown(test, items_of(drawn_DC), rng)
            rows.append(row(test, design, mde, float(np.mean(shown))))
    return rows


def row(test: str, design: str, mde: float, power: float) -> dict[str, str | float]:
    return {"test": test, "design": design, "mde": round(mde, 2), "power": round(100 * power, 1)}


def pair_shown(test: str, lost: int, won: int, n: int) -> bool:
    if test == "mcnemar":
        return mcnemar_exact(lost, won) < LEVEL
    return tango(lost, won, n, margin=MARGIN).p_dropped < LEVEL


def items_of(change_DC: np.ndarray) -> ItemScores:
    """Data sets as tuned models of one base that scores 0 everywhere, a story as one item."""
    return ItemScores.plain(np.vstack([np.zeros(change_DC.shape[1]), change_DC]))


def story_changes(rng: np.random.Generator, count: int, story: int, moved: float) -> np.ndarray:
    """Mean changes of stories whose items move by -1, 0 or 1, 70 % of them with their story."""

    def outcomes(*shape: int) -> np.ndarray:
        u = rng.random(shape)
        return np.where(u < moved / 2, -1.0, np.where(u < moved, 1.0, 0.0))

    together = rng.random((count, story)) < 0.7
    return np.where(together, outcomes(count, 1), outcomes(count, story)).mean(axis=1)


def moved_by(
    rng: np.random.Generator, change_C: np.ndarray, effect: float, size: int, *, still: bool
) -> np.ndarray:
    """Data sets (D, C) whose mean change is ``effect``: the stories seen, drawn anew and shifted.

    ``still``: where most did not move, stories that move as a whole instead.
    """
    count = len(change_C)
    if still:
        return (rng.random((size, count)) < effect).astype(float)
    about_C = (change_C - change_C.mean()) * (count / (count - 1)) ** 0.5
    return about_C[rng.integers(0, count, (size, count))] + effect


def stories_shown(test: str, items: ItemScores, rng: np.random.Generator) -> list[bool]:
    if test == "sign-flip":
        return [t.p < LEVEL for t in mean_tests([items], [1.0], rng, replicates=1_999)]
    drawn_RK = bootstrap_means([items], rng, replicates=999)[:, :, 0]
    stories = items.scores_KN.shape[1]
    moving = moving_clusters(items.scores_KN)
    return [
        bootstrap_margin(
            float(items.means_K[k]),
            drawn_RK[:, k],
            margin=MARGIN,
            clusters=stories,
            moving=float(moving[k]),
        ).p_dropped
        < LEVEL
        for k in range(1, len(items.scores_KN))
    ]


def plan_rows() -> Rows:
    """Exact power at the number of items that ``plan`` names."""
    cases = (
        (0.5, 0.1),
        (1, 0.3),
        (2, 0.02),
        (2, 0.1),
        (5, 0.05),
        (5, 0.2),
        (10, 1.0),
        (20, 0.2),
        (50, 0.5),
    )
    return [
        {
            "effect": effect,
            "discordance": q,
            "n": (n := items_needed(effect, q)),
            "power": round(100 * mcnemar_power(n, q, effect / 100), 1),
        }
        for effect, q in cases
    ]


def margin_sizes() -> dict[str, dict[str, float]]:
    """Largest shares, in percent, of drops of just the margin that Tango's test decides wrongly.

    Summed over all outcomes, not simulated: 20 to 1,000 pairs, margins 0.5 to 10, expected won
    pairs from none to a fifth. ``larger``: called larger at 5 %. ``any of three``: any of three
    independent guards is, after Holm. ``passed``: by margins of one item and more, and of ``less``.
    """
    names = ("larger", "any of three", "passed", "passed, less than one item")
    worst = dict.fromkeys(names, (0.0, 0, 0.0, 0.0))
    for n in (*range(20, 200, 9), *range(200, 1001, 50), 92, 180, 310):
        for margin in (0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0):
            for won in (0, 0.5 / n, 1 / n, 1.5 / n, 2 / n, 3 / n, 5 / n, 10 / n, 0.1, 0.2):
                chance_X, lost_X, won_X = outcomes_at(n, margin, won)
                dropped_X = dropped_p(lost_X, won_X, n, margin=margin)
                third = float(chance_X[dropped_X < LEVEL / 3].sum())
                passed = "passed" if n * margin >= 100 else "passed, less than one item"
                for name, size in (
                    ("larger", float(chance_X[dropped_X < LEVEL].sum())),
                    ("any of three", 1 - (1 - third) ** 3),
                    (passed, float(chance_X[kept_p(lost_X, won_X, n, margin) < LEVEL].sum())),
                ):
                    worst[name] = max(worst[name], (size, n, margin, won))
    return {
        name: {"size": round(100 * size, 2), "n": n, "margin": margin, "won": round(won * n, 1)}
        for name, (size, n, margin, won) in worst.items()
    }


def outcomes_at(n: int, margin: float, won: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chance (X,), lost and won pairs of the outcomes of n pairs at a drop of just the margin."""
    lost = won + margin / 100
    most_won, most_lost = (
        min(n, int(n * share + 6 * (n * share) ** 0.5 + 8)) for share in (won, lost)
    )
    lost_X, won_X = (
        part.ravel() for part in np.meshgrid(np.arange(most_lost + 1), np.arange(most_won + 1))
    )
    inside = lost_X + won_X <= n
    lost_X, won_X = lost_X[inside], won_X[inside]
    chance_X = binom.pmf(won_X, n, won) * binom.pmf(lost_X, n - won_X, lost / (1 - won))
    return chance_X, lost_X, won_X


def kept_p(lost_X: np.ndarray, won_X: np.ndarray, n: int, margin: float) -> np.ndarray:
    """:func:`tango`'s p_kept of many outcomes."""
    net_X = lost_X - won_X
    exact_X = np.where(net_X >= 0, bdtr(np.maximum(net_X, 0), n, margin / 100), 0.0)
    return np.maximum(ndtr(-tango_scores(lost_X, won_X, n, margin / 100)), exact_X)


def main() -> None:
    start = time.perf_counter()
    result = {
        "data_sets": DATASETS,
        "power": power_rows(np.random.default_rng(0)),
        "plan": plan_rows(),
        "margin": margin_sizes(),
    }
    print(json.dumps(result | {"seconds": round(time.perf_counter() - start)}))


if __name__ == "__main__":
    main()

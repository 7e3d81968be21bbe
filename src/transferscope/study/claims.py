"""The paper's claims, each with the measured value, a two-level interval and a verdict.

Intervals are over training runs (seeds): a t interval whose variance includes the variance over
items (``core/over_runs``). With fewer than three runs a claim is undecided. Thresholds are fixed
before the study runs. The claims are those of docs/science.md section 7. A contradicted claim is a
result too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ..core.over_runs import over_runs
from ..core.typed_record import Interval
from ..documents.study_results import Claim, Decided
from .matched_gain import matched
from .run_summary import Measured, Value, clock
from .study_config import Thresholds

Rule = Callable[[Interval, float], Decided]


def above(ci: Interval, threshold: float) -> Decided:
    """Decide the claim that the quantity is above the threshold."""
    return "confirmed" if ci[0] > threshold else _unless(ci[1] <= threshold)


def below(ci: Interval, threshold: float) -> Decided:
    """Decide the claim that the quantity is below the threshold."""
    return "confirmed" if ci[1] < threshold else _unless(ci[0] >= threshold)


def within(ci: Interval, threshold: float) -> Decided:
    """Decide the claim that the quantity is within the threshold of 0."""
    if -threshold < ci[0] and ci[1] < threshold:
        return "confirmed"
    return _unless(ci[0] >= threshold or ci[1] <= -threshold)


def _unless(contradicted: bool) -> Decided:
    return "contradicted" if contradicted else "undecided"


def decide(
    claim: str, values: Sequence[Value], threshold: float, rule: Rule, *, log: bool = False
) -> Claim:
    """Decide a claim on the mean of ``values`` over runs; with ``log`` they are logs of ratios."""
    read: Callable[[float], float] = math.exp if log else float
    if not values:
        return Claim(claim, None, None, threshold, "undecided", why="the study has no such runs")
    means = [value.value for value in values]
    variances = [value.variance for value in values]
    if not all(map(math.isfinite, (*means, *variances))):
        measured = read(sum(means) / len(means)) if all(map(math.isfinite, means)) else None
        why = "a run's value or its interval over items is not finite"
        return Claim(claim, measured, None, threshold, "undecided", len(values), why)
    found = over_runs(means, variances)
    mean = read(found.mean)
    if found.ci is None:
        why = found.undecided or ""
        return Claim(claim, mean, None, threshold, "undecided", found.runs, why)
    ci = (read(found.ci[0]), read(found.ci[1]))
    return Claim(claim, mean, ci, threshold, rule(ci, threshold), found.runs)


def judge(runs: Sequence[Measured], thresholds: Thresholds) -> list[Claim]:
    """Decide all claims on a study's runs, with every arm at its best learning rate by gain."""
    arms = _by_recipe(runs)
    final = {recipe: best_rate(found) for recipe, found in arms.items()}
    rl, sft = final.get("on-policy-rl", []), final.get("off-policy-sft", [])
    groups = dict.fromkeys(group for run in runs for group in run.gain if group != run.source)
    claims = [_transfers(group, rl, thresholds.rl_transfers) for group in groups]
    for group in ["non"] if "non" in groups or not groups else groups:
        lost = [run.gain[group] for run in sft if group in run.gain and group != run.source]
        name = f"off-policy SFT loses on {'non-reasoning' if group == 'non' else group} (points)"
        claims.append(decide(name, lost, thresholds.sft_loses, below))
    pairs = (("on-policy-sft", "off-policy-sft"), ("on-policy-rl-no-kl", "off-policy-rl"))
    for one, other in pairs:
        claims.append(_at_matched_gain(one, other, arms, thresholds.on_policy_beats_off_policy))
    claims.append(_kl_term(rl, arms.get("on-policy-rl-no-kl", []), thresholds.kl_matters))
    for name, key, threshold in (
        ("PCA shift of SFT over that of RL (ratio)", "d_layerwise", thresholds.pca_ratio),
        ("KL of SFT over that of RL (ratio)", "kl", thresholds.kl_ratio),
        ("rank shift of SFT over that of RL (ratio)", "rank", thresholds.rank_ratio),
        ("shifted tokens of SFT over those of RL (ratio)", "shifted", thresholds.shifted_ratio),
    ):
        values = _log_ratios(sft, rl, partial(_shift, key))
        claims.append(decide(name, values, threshold, above, log=True))
    chance = [run.gain[run.source] for run in final.get("random-reward", [])]
    name = "random reward gains little on the source (points)"
    claims.append(decide(name, chance, thresholds.random_gains, below))
    beyond = [run.retention for run in final.get("random-reward", []) if run.retention is not None]
    name = "random reward gains little elsewhere (retention, points)"
    claims.append(decide(name, beyond, thresholds.random_gains, below))
    name = "RL takes longer than SFT on as many queries (ratio of time)"
    values = _log_ratios(rl, sft, clock([*rl, *sft]))
    claims.append(decide(name, values, thresholds.rl_cost, above, log=True))
    return claims


def _shift(key: str, run: Measured) -> float | None:
    return run.shift.get(key)


def _by_recipe(runs: Sequence[Measured]) -> dict[str, list[Measured]]:
    """Return each recipe's runs: those of the arm with the same name, or else of its only arm.

    Variants (another start, staler samples) appear in the arm table and on the frontier, but do not
    count as runs of the recipe.
    """
    tables: dict[str, set[str]] = {}
    for run in runs:
        tables.setdefault(run.recipe, set()).add(run.table)
    named = {
        recipe: recipe if recipe in own else next(iter(own))
        for recipe, own in tables.items()
        if recipe in own or len(own) == 1
    }
    return {
        recipe: [run for run in runs if (run.recipe, run.table) == (recipe, table)]
        for recipe, table in named.items()
    }


def best_rate(runs: Sequence[Measured]) -> list[Measured]:
    """Return the final runs at the best learning rate: most runs, then largest mean source gain.

    A learning rate that was tried with a single run does not replace one with every seed.
    """
    final = [run for run in runs if run.step is None and run.source in run.gain]
    rates: dict[float, list[Measured]] = {}
    for run in final:
        rates.setdefault(run.learning_rate, []).append(run)
    if not rates:
        return []
    return max(
        rates.values(),
        key=lambda own: (len(own), sum(r.gain[r.source].value for r in own) / len(own)),
    )


def _transfers(group: str, rl: Sequence[Measured], threshold: float) -> Claim:
    name = f"TI of {group}, on-policy RL, is positive (linear definition)"
    values = [run.ti[group] for run in rl if group in run.ti]
    undefined = [value for value in values if isinstance(value, str)]
    if undefined:
        why = f"undefined in {len(undefined)} of {len(values)} runs: {undefined[0]}"
        return Claim(name, None, None, threshold, "undecided", len(values), why)
    return decide(name, [v for v in values if isinstance(v, Value)], threshold, above)


def _at_matched_gain(
    one: str, other: str, arms: Mapping[str, Sequence[Measured]], threshold: float
) -> Claim:
    name = f"{one} keeps more than {other} at matched gain (points)"
    at = matched(arms.get(one, ()), arms.get(other, ()))
    if not at.gains:
        return Claim(name, None, None, threshold, "undecided", why=at.why)
    found = decide(name, list(at.values.values()), threshold, above)
    low, high = min(at.gains.values()), max(at.gains.values())
    gains = f"a source gain of {low:.1f}" if low == high else f"gains of {low:.1f} to {high:.1f}"
    return replace(found, why=found.why or f"at {gains} points")


def _kl_term(rl: Sequence[Measured], others: Sequence[Measured], threshold: float) -> Claim:
    """Compare both arms at the learning rate of ``rl``; another rate would outweigh the KL term."""
    without = {(run.seed, run.learning_rate): run.retention for run in others if run.step is None}
    apart = [
        Value(a.value - b.value, a.variance + b.variance)
        for run in rl
        if (a := run.retention) is not None
        and (b := without.get((run.seed, run.learning_rate))) is not None
    ]
    name = "the KL term matters little (retention with minus without, points)"
    found = decide(name, apart, threshold, within)
    if apart or not (rl and others):
        return found
    return replace(found, why="the two arms have no runs with the same seed and learning rate")


def _log_ratios(
    top: Sequence[Measured], bottom: Sequence[Measured], of: Callable[[Measured], float | None]
) -> list[Value]:
    """Return the log of a quantity's ratio for every seed that both arms ran.

    The interval is over runs alone, because all models read the same texts.
    """
    low = {run.seed: of(run) for run in bottom}
    pairs = [(of(run), low[run.seed]) for run in top if run.seed in low]
    return [
        Value(math.log(high / under) if high > 0 and under > 0 else math.nan)
        for high, under in pairs
        if high is not None and under is not None
    ]

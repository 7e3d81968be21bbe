"""PASS, REGRESSED or INCONCLUSIVE: one value behind the printed verdict and the exit code.

A guard passes when the one-sided 95 % bound of its change lies above -margin; all critical guards
must (an intersection-union test, which needs no correction). It has regressed when the drop exceeds
the margin with Holm-corrected evidence over all guards. Everything else is inconclusive, with the
change that could have been detected. docs/science.md section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..core.errors import InputError
from ..core.index import Array
from ..core.noninferiority import MarginTest, bootstrap_margin, effective_clusters, tango
from ..core.stats import holm, is_binary_independent
from ..core.suite import Suite
from ..runs import Pairing, Run, pair
from .analysis import compare_runs
from .draws import ModelDraws, draw, stacked
from .items import flips_of
from .policy import GuardPolicy, Policy, Tier

Verdict = Literal["PASS", "REGRESSED", "INCONCLUSIVE"]
RETENTION = "retention"
"""Guard over the mean change of all groups that are not the source."""
ALPHA = 0.05
ONE_SIDED_80 = 2.49


@dataclass(frozen=True, slots=True)
class Guard:
    """One guarded quantity against one reference; ``change`` and ``bound`` in points.

    ``bound`` is the one-sided 95 % lower bound, ``p`` that of "the drop exceeds the margin" after
    Holm's correction, ``detectable`` the drop that could have been seen with 80 % power.
    ``why`` says what an inconclusive verdict rests on.
    """

    name: str
    against: str
    tier: Tier
    margin: float
    verdict: Verdict
    change: float | None = None
    bound: float | None = None
    n: int = 0
    test: str = ""
    p: float | None = None
    detectable: float | None = None
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """One element of ``guards`` in the ``gate`` command's JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class GateResult:
    """The verdict and what it rests on. ``exit_code``: 0 pass, 1 regressed, 3 inconclusive."""

    model: str
    base: str
    verdict: Verdict
    exit_code: int
    reasons: tuple[str, ...]
    guards: tuple[Guard, ...]

    def to_json(self) -> dict[str, Any]:
        """The JSON of ``transferscope gate``."""
        return {
            "model": self.model,
            "base": self.base,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "reasons": list(self.reasons),
            "guards": [guard.to_json() for guard in self.guards],
        }


@dataclass(frozen=True, eq=False)
class _Seen:
    """The tuned model beside one reference; ``floors`` by guard, points."""

    against: str
    pairing: Pairing
    drawn: ModelDraws
    floors: dict[str, float]


def gate(
    base: Run,
    tuned: Run,
    policy: Policy,
    *,
    previous: Run | None = None,
    again: Run | None = None,
    seed: int = 0,
    replicates: int = 10_000,
) -> GateResult:
    """Judge ``tuned`` by ``policy`` against its ``base`` and, if given, the ``previous`` release.

    The anchor base catches slow loss over many releases, the previous release a sudden one.
    ``again`` is the base evaluated a second time (A/A): a margin at or below the change that
    this alone shows can't be judged. Raises :class:`InputError` for a guard of no group or
    benchmark of the base's suite.
    """
    suite = base.manifest.load_suite()
    _check_names(policy, suite)
    options = {"seed": seed, "replicates": replicates}
    references = [("base", base)] + ([("previous", previous)] if previous else [])
    floors = {} if again is None else _floors(base, again, policy, suite)
    guards: list[Guard] = []
    raised: list[float | None] = []
    for against, reference in references:
        pairing = pair(reference, tuned)
        drawn = _draws(suite, pairing, reference, tuned, **options)
        seen = _Seen(against, pairing, drawn, floors)
        for name, rule in policy.guards.items():
            guard, p = _judge(name, rule, policy, suite, seen)
            guards.append(guard)
            raised.append(p)
    guards = _regressed(guards, raised)
    if policy.min_ti:
        guards += _ti_guards(base, tuned, policy, **options)
    return _verdict(base, tuned, policy, guards)


def _check_names(policy: Policy, suite: Suite) -> None:
    known = {RETENTION, *suite.groups, *suite.benchmarks}
    for name in policy.guards:
        if name not in known:
            raise InputError(
                f"guard {name!r} is neither a group nor a benchmark of suite {suite.name}",
                place=f"[guards.{name}]",
                remedy=f"use one of {', '.join(sorted(known)[:12])}",
            )
    for group in policy.min_ti:
        if group not in suite.targets:
            raise InputError(
                f"TI of {group!r} is not defined in suite {suite.name}",
                place="[min_ti]",
                remedy=f"use one of {', '.join(suite.targets)}",
            )


def _members(name: str, suite: Suite) -> list[tuple[str, ...]]:
    """Benchmarks behind a guard, group by group: its change is the mean of the groups' means."""
    if name == RETENTION:
        return [suite.groups[g] for g in suite.targets]
    return [suite.groups.get(name, (name,))]


def _draws(
    suite: Suite, pairing: Pairing, reference: Run, tuned: Run, *, seed: int, replicates: int
) -> ModelDraws:
    names = [b for b in suite.group_of if b in pairing.benchmarks or b in pairing.unpaired]
    (drawn,) = draw(
        names,
        [pairing],
        base=reference.manifest.model.name,
        models=[tuned.manifest.model.name],
        seed=seed,
        replicates=replicates,
    )
    return drawn


def _judge(
    name: str, rule: GuardPolicy, policy: Policy, suite: Suite, seen: _Seen
) -> tuple[Guard, float | None]:
    """The guard without the correction, and its p of "dropped by more than the margin"."""
    pairing, drawn = seen.pairing, seen.drawn
    groups = _members(name, suite)
    wanted = [b for group in groups for b in group]
    guard = Guard(name, seen.against, rule.tier, rule.margin, "INCONCLUSIVE")
    if missing := [b for b in wanted if b not in drawn.names]:
        why = pairing.excluded.get(missing[0], "missing in both")
        return replace(guard, why=f"{missing[0]} can't be compared: {why}"), None
    change_R = _over(groups, drawn, drawn.tuned_RB - drawn.base_RB)
    scores = {b: _points(pairing, b) for b in wanted}
    base, change = (
        float(np.mean([np.mean([scores[b][side] for b in group]) for group in groups]))
        for side in (0, 1)
    )
    margin = rule.margin_at(base)
    n = sum(_items(pairing, b) for b in wanted)
    guard = replace(guard, margin=margin, change=change, n=n)
    if np.isnan(change_R).any() or not margin > 0:
        unknown = "a score has neither n nor a standard error"
        return replace(guard, why=unknown if margin > 0 else "the base scores 0"), None
    test = _test(groups, pairing, change, change_R, margin)
    detectable = ONE_SIDED_80 * float(change_R.std(ddof=1))
    guard = replace(guard, bound=test.lower, test=test.name, detectable=detectable)
    unfit = _unfit(margin, n, _artefact_rate(pairing, wanted), policy, seen.floors.get(name))
    if unfit:
        return replace(guard, why=unfit), test.p_dropped
    if test.lower > -margin:
        return replace(guard, verdict="PASS"), test.p_dropped
    why = f"a drop below {max(detectable, margin):.1f} points could not have been seen reliably"
    return replace(guard, why=why), test.p_dropped


def _unfit(
    margin: float, n: int, artefacts: float, policy: Policy, floor: float | None
) -> str | None:
    """Why these data can't show that the guard holds, or ``None``."""
    if floor is not None and margin <= floor:
        return f"the base differs from itself by {floor:.1f} points, which the margin must exceed"
    if n < policy.min_items:
        return f"{n} items, the policy asks for {policy.min_items}"
    limit = policy.max_artefact_rate
    if limit is not None and artefacts > limit:
        share = f"{100 * artefacts:.0f} % of the answers are artefacts"
        return f"{share}, the policy allows {100 * limit:.0f} %"
    return None


def _over(groups: Sequence[Sequence[str]], drawn: ModelDraws, values_RB: Array) -> Array:
    """Mean over groups of the mean over a group's benchmarks (R,)."""
    columns = [[drawn.names.index(b) for b in group] for group in groups]
    return np.asarray(np.mean([values_RB[:, at].mean(axis=1) for at in columns], axis=0))


def _points(pairing: Pairing, name: str) -> tuple[float, float]:
    """Base score in percent and change in points."""
    if (two := pairing.unpaired.get(name)) is not None:
        return two.base.score, two.tuned.score - two.base.score
    base, tuned = stacked([pairing.benchmarks[name]]).means_K
    return float(base), float(tuned - base)


def _items(pairing: Pairing, name: str) -> int:
    if (two := pairing.unpaired.get(name)) is not None:
        return min(two.base.n or 0, two.tuned.n or 0)
    return pairing.benchmarks[name].n


def _test(
    groups: Sequence[Sequence[str]], pairing: Pairing, change: float, change_R: Array, margin: float
) -> MarginTest:
    """Tango's score test for one 0/1 outcome per independent item, else the bootstrap's."""
    names = [b for group in groups for b in group]
    part = pairing.benchmarks.get(names[0]) if len(names) == 1 else None
    if part is not None and part.binary and is_binary_independent(stacked([part])):
        flips = flips_of(part)
        return tango(flips.lost, flips.won, part.n, margin=margin)
    return bootstrap_margin(change, change_R, margin=margin, clusters=_clusters(groups, pairing))


def _clusters(groups: Sequence[Sequence[str]], pairing: Pairing) -> float:
    """Equal clusters that carry as much as those behind a change (Kish); items without answers.

    1 / sum of share^2 / clusters over benchmarks, a share being 1 / (groups x the group's members).
    """
    squares = 0.0
    for group in groups:
        for name in group:
            part = pairing.benchmarks.get(name)
            own = _items(pairing, name) if part is None else effective_clusters([stacked([part])])
            squares += 1.0 / own / (len(groups) * len(group)) ** 2 if own else np.inf
    return 1.0 / squares


def _artefact_rate(pairing: Pairing, names: Sequence[str]) -> float:
    """Share of the tuned model's items with a flagged answer, where answers were kept."""
    flags = [f for b in names if b in pairing.benchmarks for f in pairing.benchmarks[b].tuned_flags]
    return sum(bool(f) for f in flags) / len(flags) if flags else 0.0


def _floors(base: Run, again: Run, policy: Policy, suite: Suite) -> dict[str, float]:
    """Absolute change of every guard between two runs of the base: what noise alone does."""
    pairing = pair(base, again)
    floors = {}
    for name in policy.guards:
        groups = _members(name, suite)
        if all(b in pairing.benchmarks or b in pairing.unpaired for g in groups for b in g):
            means = [np.mean([_points(pairing, b)[1] for b in group]) for group in groups]
            floors[name] = abs(float(np.mean(means)))
    return floors


def _regressed(guards: Sequence[Guard], raised: Sequence[float | None]) -> list[Guard]:
    """Holm over all guards that were tested; evidence of a drop goes before every other verdict."""
    tested = [at for at, p in enumerate(raised) if p is not None]
    adjusted = holm([p for p in raised if p is not None])
    out = list(guards)
    for at, p in zip(tested, adjusted, strict=True):
        out[at] = replace(out[at], p=p)
        if p < ALPHA:
            out[at] = replace(out[at], verdict="REGRESSED", why="")
    return out


def _ti_guards(base: Run, tuned: Run, policy: Policy, *, seed: int, replicates: int) -> list[Guard]:
    """A minimum TI holds when the interval's lower bound reaches it."""
    (result,) = compare_runs(base, [tuned], seed=seed, replicates=replicates, examples=0).tuned
    guards = []
    for group, least in policy.min_ti.items():
        guard = Guard(f"TI {group}", "base", "critical", least, "INCONCLUSIVE")
        value = None if result.index is None else result.index.ti.get(group)
        bounds = None if result.index is None else result.index.ci.get(group)
        if value is None or bounds is None:
            reasons = {} if result.index is None else result.index.undefined_reason
            why = reasons.get(group, "TI has no interval")
            guards.append(replace(guard, why=f"TI is undefined: {why}"))
            continue
        low, high = bounds
        verdict: Verdict = "INCONCLUSIVE"
        if low >= least or high < least:
            verdict = "PASS" if low >= least else "REGRESSED"
        why = "the interval holds the minimum" if verdict == "INCONCLUSIVE" else ""
        finite = low if np.isfinite(low) else None
        guards.append(
            replace(guard, change=value, bound=finite, verdict=verdict, test="interval", why=why)
        )
    return guards


def _verdict(base: Run, tuned: Run, policy: Policy, guards: Sequence[Guard]) -> GateResult:
    fallen = [g for g in guards if g.verdict == "REGRESSED" and g.tier != "advisory"]
    undecided = [g for g in guards if g.verdict == "INCONCLUSIVE" and g.tier == "critical"]
    verdict: Verdict = "REGRESSED" if fallen else "INCONCLUSIVE" if undecided else "PASS"
    open_code = 3 if policy.on_inconclusive == "fail" else 0
    code = {"PASS": 0, "REGRESSED": 1, "INCONCLUSIVE": open_code}[verdict]
    return GateResult(
        model=tuned.manifest.model.name,
        base=base.manifest.model.name,
        verdict=verdict,
        exit_code=code,
        reasons=tuple(_reason(guard) for guard in (*fallen, *undecided)),
        guards=tuple(guards),
    )


def _reason(guard: Guard) -> str:
    against = f"{guard.name} against {guard.against}"
    if guard.verdict == "REGRESSED" and guard.name.startswith("TI "):
        return f"{guard.name}: {guard.change:.1f} %, below the minimum of {guard.margin:.1f} %"
    if guard.verdict == "REGRESSED":
        changed = f"changed by {guard.change:+.1f} points"
        return f"{against}: {changed}, beyond the margin of {guard.margin:.1f}"
    return f"{against}: {guard.why}"

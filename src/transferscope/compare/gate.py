"""PASS, REGRESSED or INCONCLUSIVE: the value behind the printed verdict and the exit code.

A guard passes if the one-sided 95 % lower bound of its change is above -margin. All critical guards
must pass (an intersection-union test, which needs no correction). A guard has regressed if its drop
is shown to exceed the margin after Holm's correction over all guards. Everything else is
inconclusive, as are benchmarks that both runs have but no guard judges. docs/science.md section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..core.errors import InputError
from ..core.nearest import did_you_mean
from ..core.stats import holm
from ..core.suite import Suite
from ..documents.gate_result import GateResult, Guard, Verdict
from ..runs import Pairing, Run, pair
from ..runs.manifest import contradicts
from .analysis import none_compared
from .benchmark import benchmarks_of
from .draws import RETENTION, draw, group_tests
from .guards import ALPHA, Seen, judge, members
from .min_ti import ti_guards
from .policy import Policy
from .unjudged import nothing_shared, unmapped

__all__ = ["RETENTION", "GateResult", "Guard", "Verdict", "gate"]

NAMED = 12
"""Number of benchmarks that a reason names; the JSON has all of them."""


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

    Comparing with the fixed base catches a slow loss over many releases; comparing with the
    previous release catches a sudden one. ``again`` is a second evaluation of the base (A/A): a
    margin that does not exceed the change between the two can't be judged. Raises
    :class:`InputError` if a guard is neither a group nor a benchmark of the base, and if ``tuned``
    shares no question with the base.
    """
    suite = base.manifest.load_suite()
    _check_names(policy, suite, base)
    references = [("base", base)] + ([("previous", previous)] if previous else [])
    floors = None if again is None else _floors(base, again, policy, suite)
    wanted, tested = _members(policy.guards, suite), {*policy.guards}
    if policy.min_ti:  # an index depends on its groups' tests, which are corrected over the suite
        wanted, tested = {**dict.fromkeys(suite.group_of), **wanted}, {*tested, *suite.groups}
    guards: list[Guard] = []
    raised: list[float | None] = []
    every: list[Seen] = []
    for against, reference in references:
        pairing = pair(reference, tuned)
        if reference is base and nothing_shared(pairing):
            raise none_compared(tuned, pairing, suite)
        benchmarks = benchmarks_of(pairing)
        (drawn,) = draw(wanted, [benchmarks], seed=seed, replicates=replicates)
        (tests,) = group_tests(
            suite.groups, suite.source, [drawn], seed=seed, replicates=replicates, only=tested
        )
        seen = Seen(
            against=against,
            suite=suite,
            policy=policy,
            pairing=pairing,
            benchmarks=benchmarks,
            drawn=drawn,
            tests=tests,
            floors=floors,
            metrics=(reference.manifest.metrics, tuned.manifest.metrics),
            answered=frozenset(
                name for name, one in benchmarks.items() if one.ids and tuned.keeps_answers(name)
            ),
        )
        every.append(seen)
        for name, rule in policy.guards.items():
            guard, p = judge(name, rule, seen)
            guards.append(guard)
            raised.append(p)
    guards = _regressed(guards, raised)
    if policy.min_ti:
        guards += ti_guards(base, tuned, every[0])
    return _verdict(base, tuned, policy, guards, every)


def _check_names(policy: Policy, suite: Suite, base: Run) -> None:
    """Refuse unknown names: a guard without benchmarks would let everything pass."""
    benchmarks = dict.fromkeys((*suite.benchmarks, *base.by_benchmark))
    benchmarks |= dict.fromkeys(row.benchmark for row in base.scores)
    known = [RETENTION, *suite.groups, *benchmarks]
    for name in policy.guards:
        if name not in known:
            raise InputError(
                f"guard {name!r} is neither a group nor a benchmark of suite {suite.name}",
                place=policy.place(f"guards.{name}"),
                remedy=did_you_mean(name, known),
            )
    for name in policy.allow_fewer_items:
        if name not in benchmarks:
            raise InputError(
                f"{name!r} is not a benchmark of the base",
                place=policy.place("allow_fewer_items"),
                remedy=did_you_mean(name, benchmarks),
            )
    for group in policy.min_ti:
        if group not in suite.targets:
            raise InputError(
                f"TI of {group!r} is not defined in suite {suite.name}",
                place=policy.place("min_ti"),
                remedy=did_you_mean(group, suite.targets),
            )


def _covered(policy: Policy, suite: Suite) -> dict[str, None]:
    """Benchmarks behind the policy's guards and minimum TIs, in order."""
    return _members([*policy.min_ti, *policy.guards], suite)


def _members(guards: Iterable[str], suite: Suite) -> dict[str, None]:
    return dict.fromkeys(b for name in guards for group in members(name, suite) for b in group)


def _floors(base: Run, again: Run, policy: Policy, suite: Suite) -> dict[str, float]:
    """Absolute change of every guard between two runs of the base: the effect of noise alone.

    NaN if the second run lacks a benchmark of the guard, or an item of one.
    """
    pairing = pair(base, again)
    benchmarks = benchmarks_of(pairing)
    have = {*benchmarks} - {*pairing.fewer, *pairing.unanswered}
    floors = {}
    for name in policy.guards:
        groups = members(name, suite)
        floors[name] = np.nan
        if groups and all(b in have for group in groups for b in group):
            means = [np.mean([benchmarks[b].points.delta for b in group]) for group in groups]
            floors[name] = abs(float(np.mean(means)))
    return floors


def _regressed(guards: Sequence[Guard], raised: Sequence[float | None]) -> list[Guard]:
    """Holm's correction over all tested guards; a drop shown after it overrides other verdicts."""
    tested = [at for at, p in enumerate(raised) if p is not None]
    adjusted = holm([p for p in raised if p is not None])
    out = list(guards)
    for at, p in zip(tested, adjusted, strict=True):
        out[at] = replace(out[at], p=p)
        if p < ALPHA:
            out[at] = replace(out[at], verdict="REGRESSED", why="")
    return out


def _verdict(
    base: Run, tuned: Run, policy: Policy, guards: Sequence[Guard], every: Sequence[Seen]
) -> GateResult:
    suite = every[0].suite
    covered = _covered(policy, suite)
    known = {*base.by_benchmark, *(row.benchmark for row in base.scores)}
    # A benchmark that contradicts itself is never judged, whatever the policy ignores.
    wrong = {name: why for seen in every for name, why in seen.pairing.contradictions.items()}
    missed = {name: contradicts(why) for name, why in wrong.items()}
    said = [f"{name}: {why}" for name, why in missed.items()]
    if policy.unmapped != "ignore":
        for seen in every:
            found = unmapped(seen.pairing, suite, guarded=covered)
            found = {name: why for name, why in found.items() if name not in missed}
            # The previous release may have benchmarks that the base, and so its suite, lacks.
            for lacking in (False, True):
                if part := {n: w for n, w in found.items() if (n not in known) is lacking}:
                    said.append(_unjudged_reason(part, seen, lacking=lacking))
            missed |= found
    fallen = [g for g in guards if g.verdict == "REGRESSED" and g.tier != "advisory"]
    undecided = [g for g in guards if g.verdict == "INCONCLUSIVE" and g.tier == "critical"]
    # Too many artefacts are reported for every guard but advisory ones, even where others decided.
    with_artefacts = [
        g for g in guards if g.artefacts and g.tier != "advisory" and g not in (*fallen, *undecided)
    ]
    verdict: Verdict = "REGRESSED" if fallen else "INCONCLUSIVE" if undecided or missed else "PASS"
    open_code = 3 if policy.on_inconclusive == "fail" else 0
    code = {"PASS": 0, "REGRESSED": 1, "INCONCLUSIVE": open_code}[verdict]
    both = every[0].benchmarks
    return GateResult(
        model=tuned.manifest.model.name,
        base=base.manifest.model.name,
        verdict=verdict,
        exit_code=code,
        reasons=(*said, *(_reason(guard) for guard in (*fallen, *undecided, *with_artefacts))),
        guards=tuple(guards),
        unjudged=missed,
        unguarded=tuple(b for b in suite.group_of if b in both and b not in covered),
        differences=tuple(
            text if seen.against == "base" else f"{seen.against}: {text}"
            for seen in every
            for text in (*seen.pairing.differences, *_left_out(seen.pairing))
        ),
    )


def _left_out(pairing: Pairing) -> list[str]:
    return [f"{name}: not compared, {why}" for name, why in pairing.excluded.items()]


def _unjudged_reason(found: Mapping[str, str], seen: Seen, *, lacking: bool) -> str:
    """The reason for benchmarks in no group, or ``lacking`` in the base, the largest drop first.

    It includes their changes because no other line shows them.
    """
    changes = {
        name: seen.benchmarks[name].points.delta if name in seen.benchmarks else 0.0
        for name in found
    }
    order = sorted(found, key=lambda name: changes[name])
    named = [
        f"{name} ({found[name].partition('; ')[2]})"
        if name in seen.pairing.excluded
        else f"{name} ({_signed(changes[name])} points)"
        for name in order[:NAMED]
    ]
    more = f" and {len(order) - NAMED} more" if len(order) > NAMED else ""
    runs = "both runs" if seen.against == "base" else f"the {seen.against} and the tuned run"
    they_are, them = ("they are", "them") if len(order) > 1 else ("it is", "it")
    why = f"{they_are} in no group of suite {seen.suite.name}"
    remedy = f"map {them} with --map, guard {them} by name"
    if lacking:
        why, remedy = f"the base lacks {them}", f"evaluate the base on {them}"
    return (
        f"{', '.join(named)}{more}: {runs} have {them}, but no guard judges {them}, because {why}; "
        f'{remedy}, or set unmapped = "ignore" in the policy'
    )


def _signed(points: float) -> str:
    """``+1.0``, ``-1.0`` and ``0.0``."""
    return "0.0" if round(points, 1) == 0 else f"{points:+.1f}"


def _fallen(guard: Guard) -> str:
    """The benchmarks behind a drop, the largest drop first."""
    fallen = sorted((change, name) for name, change in guard.members.items() if change < 0)
    named = [f"{name} {change:+.1f}" for change, name in fallen[:NAMED]]
    more = f" and {len(fallen) - NAMED} more" if len(fallen) > NAMED else ""
    return f" ({', '.join(named)}{more})" if named else ""


def _reason(guard: Guard) -> str:
    against = f"{guard.name} against {guard.against}"
    if guard.name.startswith("TI "):
        against = guard.name
    beside = f"; {guard.beside}" if guard.beside else ""
    if guard.verdict == "REGRESSED" and guard.name.startswith("TI "):
        return f"{against}: {guard.change:.1f} %, below the minimum of {guard.margin:.1f} %{beside}"
    if guard.verdict == "REGRESSED":
        dropped = f"dropped {-(guard.change or 0.0):.1f} points{_fallen(guard)}"
        return f"{against}: {dropped}, more than the margin of {guard.margin:.1f}{beside}"
    if guard.artefacts == guard.why:
        beside = f"; {guard.flagged}" if guard.flagged else ""
    return f"{against}: {guard.why}{beside}"

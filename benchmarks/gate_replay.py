"""Release histories with a planted change, judged by the gate: how often is its verdict wrong?

A history is a base and five releases. Each release's answers come from the base's by chance: a
right one is lost, a wrong one won, such that the expected change is what was planted, all of it in
the last release (sudden) or in five equal steps (drift). The last release is judged against the
base and the release before it, by :func:`transferscope.compare.gate.gate` as the command does.

PASS of a guard is wrong where the drop is its margin or more, REGRESSED where it is the margin or
less; at exactly the margin both are. What the policy promises: each at most 5 % (one guard), and a
release is wrongly called REGRESSED at most 5 % of the time over all guards (Holm). The hardest case
of both nulls, a drop of just the margin, is also run on few items, on subsets of 1 to 10 items and
on stories whose questions carry different subsets. Prints one JSON object, rates in percent with
their standard errors.

    OMP_NUM_THREADS=1 nice -n 10 .venv/bin/python benchmarks/gate_replay.py
"""

import json
import math
import time
from pathlib import Path

import numpy as np

from transferscope.compare.gate import GateResult, gate
from transferscope.compare.policy import Policy
from transferscope.core.records import ModelRef, Outcome
from transferscope.core.suite import Suite
from transferscope.runs import Manifest, Run

HISTORIES, RELEASES, REPLICATES = 5_000, 5, 999
MARGIN = 3.0
PLANTED = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0, 12.0, 16.0, 20.0)
"""Points that the last release has lost since the base."""
RIGHT, CHURN = 0.6, 0.03
"""Share of the base's answers that are right; share of all answers that chance turns each way."""
ITEMS = {"code": 250, "plans": 250, "chat": 400}
DESIGNS: dict[str, tuple[int, int, int]] = {
    # items of each benchmark, items that share a story, items of a subset (0: one subset)
    "5 items": (5, 1, 0),
    "10 items": (10, 1, 0),
    "20 items": (20, 1, 0),
    "40 items": (40, 1, 0),
    "40 items in subsets of 1": (40, 1, 1),
    "40 items in subsets of 2": (40, 1, 2),
    "114 items in subsets of 2": (114, 1, 2),
    "100 items in subsets of 5": (100, 1, 5),
    "100 items in subsets of 10": (100, 1, 10),
    "20 stories of 5 across subsets": (100, 5, -1),
    "60 stories of 5 across subsets": (300, 5, -1),
}
SUITE = Suite.model_validate(
    {
        "name": "replay",
        "source": "math",
        "groups": {"math": ["sums"], "other": ["code", "plans"], "non": ["chat"]},
        "benchmarks": {name: {"pack": "p"} for name in ("sums", *ITEMS)},
    }
)
POLICY = Policy.model_validate({"guards": {g: {"margin": MARGIN} for g in ("other", "non")}})
FEW = POLICY.model_copy(update={"min_items": 1})


def run(name: str, right: dict[str, np.ndarray], *, story: int = 1, subset: int = 0) -> Run:
    """A run in memory: one 0/1 answer per item; ``code`` is a group mean, ``chat`` stands alone.

    ``subset``: items of a subset, 0 for one subset, -1 for as many as a story has questions.
    """
    outcomes = tuple(
        Outcome(
            benchmark,
            str(at),
            float(score),
            message_hash="m",
            cluster=str(at // story) if story > 1 else "",
            subset=str(at % story if subset < 0 else at // subset) if subset else "",
        )
        for benchmark, answers in right.items()
        for at, score in enumerate(answers)
    )
    manifest = Manifest(ModelRef(name), SUITE.model_dump(mode="json"), SUITE.hash)
    return Run(Path(name), manifest, outcomes, ())


def release(base: dict[str, np.ndarray], lost: float, rng: np.random.Generator) -> dict:
    """Answers whose share of right ones is expected ``lost`` points below the base's."""
    found = {}
    for name, right in base.items():
        draw = rng.random(len(right))
        falls = draw < (CHURN + lost / 100) / RIGHT
        rises = draw < CHURN / (1 - RIGHT)
        found[name] = np.where(right, ~falls, rises)
    return found


def history(planted: float, drift: bool, rng: np.random.Generator) -> tuple[GateResult, dict]:
    """The last release's verdict, and the true drop by reference."""
    base = {name: rng.random(n) < RIGHT for name, n in ITEMS.items()}
    before = planted * (RELEASES - 1) / RELEASES if drift else 0.0
    runs = [run("base", base)]
    runs += [run(f"release-{k}", release(base, d, rng)) for k, d in ((4, before), (5, planted))]
    seed = int(rng.integers(1 << 31))
    result = gate(runs[0], runs[2], POLICY, previous=runs[1], seed=seed, replicates=REPLICATES)
    return result, {"base": planted, "previous": planted - before}


def rate(hits: int, of: int) -> dict[str, float]:
    share = hits / of
    error = math.sqrt(share * (1 - share) / of)
    return {"percent": round(100 * share, 2), "se": round(100 * error, 2), "of": of}


def report() -> dict[str, object]:
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    verdicts: dict[str, dict[str, int]] = {}
    wrong: dict[tuple[str, str], list[bool]] = {}
    releases: list[bool] = []
    for at in range(HISTORIES):
        planted, drift = PLANTED[at % len(PLANTED)], bool(at // len(PLANTED) % 2)
        result, truth = history(planted, drift, rng)
        kind = f"{'drift' if drift else 'sudden'} {planted:g}"
        counts = verdicts.setdefault(kind, {"PASS": 0, "REGRESSED": 0, "INCONCLUSIVE": 0})
        counts[result.verdict] += 1
        false_alarm = False
        for guard in result.guards:
            drop = truth[guard.against]
            if drop >= MARGIN - 1e-9:
                wrong.setdefault(("PASS", guard.test), []).append(guard.verdict == "PASS")
            if drop <= MARGIN + 1e-9:
                hit = guard.verdict == "REGRESSED"
                wrong.setdefault(("REGRESSED", guard.test), []).append(hit)
                false_alarm |= hit
        if all(drop <= MARGIN + 1e-9 for drop in truth.values()):
            releases.append(false_alarm)
    edge = {name: rate(sum(rows), len(rows)) for name, rows in at_margin(rng).items()}
    return {
        "histories": HISTORIES,
        "margin": MARGIN,
        "verdicts": verdicts,
        "wrong_pass": {t: rate(sum(w), len(w)) for (v, t), w in wrong.items() if v == "PASS"},
        "wrong_regressed": {
            t: rate(sum(w), len(w)) for (v, t), w in wrong.items() if v == "REGRESSED"
        },
        "releases_wrongly_regressed": rate(sum(releases), len(releases)),
        "at_exactly_the_margin": edge,
        "at_exactly_the_margin_by_design": {
            name: {k: rate(sum(rows), len(rows)) for k, rows in few(rng, *where).items()}
            for name, where in DESIGNS.items()
        },
        "seconds": round(time.perf_counter() - start),
    }


def at_margin(rng: np.random.Generator, times: int = 1_500) -> dict[str, list[bool]]:
    """The hardest case of both nulls: a sudden drop of just the margin, guards against the base."""
    found: dict[str, list[bool]] = {}
    for _ in range(times):
        for guard in history(MARGIN, False, rng)[0].guards:
            if guard.against == "base":
                found.setdefault(f"PASS, {guard.test}", []).append(guard.verdict == "PASS")
                regressed = guard.verdict == "REGRESSED"
                found.setdefault(f"REGRESSED, {guard.test}", []).append(regressed)
    return found


def few(
    rng: np.random.Generator, items: int, story: int, subset: int, times: int = 1_000
) -> dict[str, list[bool]]:
    """A drop of just the margin where items are few, in small subsets or in stories."""
    found: dict[str, list[bool]] = {}
    lost, won = (CHURN + MARGIN / 100) / RIGHT, CHURN / (1 - RIGHT)
    for _ in range(times):
        base, after = {}, {}
        for name in ITEMS:
            right, u = rng.random((2, items // story))
            # A story's questions mostly fall or rise together
            right, u = np.repeat(right, story), np.repeat(u, story)
            alone = rng.random(items) < (0.3 if story > 1 else 0.0)
            right = np.where(alone, rng.random(items), right) < RIGHT
            u = np.where(alone, rng.random(items), u)
            base[name], after[name] = right, np.where(right, u >= lost, u < won)
        runs = [run(n, r, story=story, subset=subset) for n, r in (("b", base), ("t", after))]
        seed = int(rng.integers(1 << 31))
        for guard in gate(*runs, FEW, seed=seed, replicates=REPLICATES).guards:
            found.setdefault("PASS", []).append(guard.verdict == "PASS")
            found.setdefault("REGRESSED", []).append(guard.verdict == "REGRESSED")
    return found


if __name__ == "__main__":
    print(json.dumps(report(), indent=1))

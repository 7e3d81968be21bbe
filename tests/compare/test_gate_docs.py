"""The policy of docs/gate.md, as a user would copy it: unchanged and healthy models pass."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from transferscope.compare import compare_runs
from transferscope.compare.gate import gate
from transferscope.compare.policy import Policy, parse_policy

PAGE = Path(__file__).parents[2] / "docs" / "gate.md"
N = 500
SUITE = {
    "name": "release",
    "source": "math",
    "groups": {"math": ["sums"], "other": ["plans"], "non": ["instructions"]},
    "benchmarks": {name: {"pack": "p"} for name in ("sums", "plans", "instructions")},
}


def blocks() -> list[str]:
    """The indented blocks of the page, without their indentation."""
    found = re.findall(r"(?:^    .*\n)+", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in found]


def copied() -> Policy:
    return parse_policy(blocks()[0], place="docs/gate.md")


def everything() -> Policy:
    """The policy with the tables that the page adds to it."""
    return parse_policy("".join(blocks()), place="docs/gate.md")


@pytest.fixture
def pair_of(write_run):
    def make(lost: float, won: float, *, source: float = 0.0):
        """Base and tuned; shares of wrong turns, right turns, and of the source's right turns."""
        rng = np.random.default_rng(4)
        base, tuned = {}, {}
        for name in SUITE["benchmarks"]:
            right = rng.random(N) < 0.65
            up = won + source if name == "sums" else won
            after = np.where(right, rng.random(N) >= lost / 0.65, rng.random(N) < up / 0.35)
            base[name], tuned[name] = right.astype(int).tolist(), after.astype(int).tolist()
        runs = write_run("base", base), write_run("tuned", tuned)
        return [replace(r, manifest=replace(r.manifest, suite=SUITE, suite_hash="s")) for r in runs]

    return make


@pytest.mark.parametrize("policy", [copied, everything])
@pytest.mark.parametrize(
    ("turns", "source", "verdict"),
    [
        ((0.0, 0.0), 0.0, "PASS"),  # answers that are all the same
        ((0.03, 0.03), 0.0, "PASS"),  # the same model, sampled again
        ((0.02, 0.04), 0.1, "PASS"),  # better everywhere
        ((0.03, 0.03), 0.15, "PASS"),  # better in the source group only
        ((0.25, 0.03), 0.15, "REGRESSED"),
    ],
)
def test_the_copied_policy(pair_of, policy, turns, source, verdict):
    result = gate(*pair_of(*turns, source=source), policy(), replicates=2000)
    assert result.verdict == verdict, result.reasons


def test_every_key_of_a_policy_is_on_the_page():
    from transferscope.compare.policy import GuardPolicy

    page = PAGE.read_text(encoding="utf-8")
    for key in (*Policy.model_fields, *GuardPolicy.model_fields):
        assert key in page


def test_a_fall_that_the_comparison_only_suggests_may_be_regressed(write_run):
    # 18 of 400 answers lost and 6 won: McNemar's p is 0.023, after Holm over three rows 0.068. The
    # policy asks for one of them.
    same = {name: [1, 0] * 200 for name in ("cases", "statutes")}
    base = write_run("base", same | {"chat": [1] * 200 + [0] * 200})
    tuned = write_run("tuned", same | {"chat": [0] * 18 + [1] * 188 + [0] * 194})
    (result,) = compare_runs(base, [tuned], replicates=500).tuned
    row = next(row for row in result.benchmarks if row.benchmark == "chat")
    assert (row.standing, round(row.p, 3), round(row.p_holm, 3)) == ("loss suggested", 0.023, 0.068)
    policy = parse_policy("[guards.chat]\nmargin = 0.25\n", place="p")
    assert gate(base, tuned, policy, replicates=500).verdict == "REGRESSED"
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert 'A guard can be REGRESSED while `compare` says "loss suggested"' in page

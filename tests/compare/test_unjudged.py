"""What both runs have and nothing is said about."""

from transferscope.compare.unjudged import not_comparable, unjudged, unmapped
from transferscope.core.suite import Suite
from transferscope.runs import Estimate, Pairing, UnpairedBenchmark, pair


def test_only_what_both_runs_have_is_listed(write_run) -> None:
    shared = {"chat": [1, 0], "cases": [1, 1], "quiz": [1, 1]}
    base = write_run("base", {**shared, "statutes": [1], "old": [1]})
    tuned = write_run("tuned", {**shared, "new": [1]})
    suite = base.manifest.load_suite()
    pairing = pair(base, tuned)
    assert unjudged(pairing, suite) == {"quiz": "in no group of suite law"}
    assert unmapped(pairing, suite, guarded=("quiz",)) == {}
    assert not_comparable(pairing, suite) == {}


def test_reasons_of_what_cant_be_compared_are_kept() -> None:
    suite = Suite.model_validate(
        {"name": "s", "source": "g", "groups": {"g": ["a"]}, "benchmarks": {"a": {"pack": "p"}}}
    )
    lone = Estimate(50.0, 100, None, True)
    pairing = Pairing(
        benchmarks={},
        excluded={
            "a": "different messages (1 of 2 items)",
            "b": "fewer repeats than the base: 1 of 2 answers",
            "c": "missing in tuned",
        },
        differences=(),
        unpaired={"table": UnpairedBenchmark("table", lone, lone, 0.0)},
    )
    assert unjudged(pairing, suite) == {
        "table": "in no group of suite s",
        "b": "in no group of suite s; fewer repeats than the base: 1 of 2 answers",
        "a": "different messages (1 of 2 items)",
    }

from dataclasses import replace

import numpy as np
import pytest

from transferscope.core.records import ModelRef, Outcome, ScoreRow
from transferscope.runs import Manifest, RunWriter, pair, read_run
from transferscope.runs.pairing import on_shared_items

SUITE = {
    "name": "tiny",
    "source": "math",
    "groups": {"math": ["sums", "chains"]},
    "benchmarks": {"sums": {"pack": "tiny"}, "chains": {"pack": "tiny"}},
}


@pytest.fixture
def run(tmp_path):
    numbers = iter(range(100))

    def make(outcomes, **changes):
        manifest = Manifest(model=ModelRef("m"), suite=SUITE, suite_hash="s")
        folder = tmp_path / str(next(numbers))
        with RunWriter.open(folder, replace(manifest, **changes)) as writer:
            for name in dict.fromkeys(o.benchmark for o in outcomes):
                writer.write_benchmark(name, [o for o in outcomes if o.benchmark == name])
        return read_run(folder)

    return make


def answer(id_, score, **fields):
    fields = {"message_hash": f"m-{id_}", "rendered_hash": f"r-{id_}", "chance": 0.0} | fields
    return Outcome(fields.pop("benchmark", "sums"), id_, score, **fields)


def test_paired_by_id_not_by_position(run):
    base = run([answer("b", 1.0, weight=2.0), answer("a", 0.0), answer("c", 1.0)])
    tuned = run([answer("a", 1.0), answer("c", 0.0), answer("b", 1.0, weight=2.0)])
    pairing = pair(base, tuned)
    assert (pairing.excluded, pairing.differences) == ({}, ())
    sums = pairing.benchmarks["sums"]
    assert sums.ids == ("a", "b", "c")
    assert sums.base_scores.tolist() == [0.0, 1.0, 1.0]
    assert sums.tuned_scores.tolist() == [1.0, 1.0, 0.0]
    assert sums.weights.tolist() == [1.0, 2.0, 1.0]
    assert sums.clusters.tolist() == [0, 1, 2]
    assert sums.subsets.tolist() == [0, 0, 0]
    assert (sums.n, sums.repeats, sums.binary, sums.chance) == (3, 1, True, 0.0)


def test_repeats_are_averaged_and_flags_united(run):
    base = run(
        [
            answer("a", 1.0, repeat=0, flags=("looped",)),
            answer("a", 0.0, repeat=1, flags=("truncated", "looped")),
            answer("b", 0.5, repeat=0),
            answer("b", 1.0, repeat=1),
        ]
    )
    tuned = run([answer(i, 1.0, repeat=r) for i in "ba" for r in (1, 0)])
    sums = pair(base, tuned).benchmarks["sums"]
    assert sums.base_scores.tolist() == [0.5, 0.75]
    assert sums.tuned_scores.tolist() == [1.0, 1.0]
    assert (sums.repeats, sums.binary) == (2, False)
    assert sums.base_flags == (("looped", "truncated"), ())
    assert sums.tuned_flags == ((), ())


def test_clusters_subsets_and_chance(run):
    outcomes = [
        answer("a", 1.0, cluster="story", subset="hard", chance=0.5, weight=3.0),
        answer("b", 0.25, cluster="story", subset="easy", chance=0.25),
        answer("story", 0.0, subset="hard"),
    ]
    sums = pair(run(outcomes), run(outcomes)).benchmarks["sums"]
    assert sums.clusters.tolist() == [0, 0, 1]  # an item called "story" is not that story
    assert sums.subset_names == ("hard", "easy")
    assert sums.subsets.tolist() == [0, 1, 0]
    assert sums.chance == pytest.approx((3 * 0.5 + 0.25) / 5)
    assert not sums.binary


def test_what_is_not_compared_and_why(run):
    base = run([answer("a", 1.0), answer("b", 1.0)])
    assert pair(base, run([answer("z", 1.0)])).excluded == {
        "sums": "no item of the base's 2 is in the tuned run"
    }
    other = run([answer("a", 1.0, benchmark="chains")])
    assert pair(base, other).excluded == {"sums": "missing in tuned", "chains": "missing in base"}
    changed = run([answer("a", 1.0, message_hash="new"), answer("b", 1.0)])
    pairing = pair(base, changed)
    assert pairing.excluded == {"sums": "different messages (1 of 2 items)"}
    assert pairing.benchmarks == {}
    twice = run([answer("a", 1.0), answer("a", 1.0, repeat=1)])
    assert pair(twice, run([answer("a", 1.0)])).excluded == {
        "sums": "fewer repeats than the base: 1 of 2 answers"
    }


def test_fewer_items_are_compared_on_the_shared_ones_and_said_first(run):
    base = run([answer(i, 1.0) for i in "abc"], seed=1)
    tuned = run([answer("c", 0.0), answer("a", 1.0), answer("z", 1.0)], seed=2)
    pairing = pair(base, tuned)
    assert pairing.excluded == {}
    assert pairing.fewer == {"sums": (2, 3)}
    assert pairing.differences == (
        "sums: compared on the 2 items that both runs have; the tuned run lacks 1 of the base's 3",
        "seed: 1 / 2",
        "sums: 1 item that only the tuned run has is ignored",
    )
    sums = pairing.benchmarks["sums"]
    assert sums.ids == ("a", "c")
    assert sums.tuned_scores.tolist() == [1.0, 0.0]
    back = pair(tuned, base)  # the base has fewer
    assert back.fewer == {"sums": (2, 3)}  # z is in the new base only
    assert pair(run([answer("a", 1.0)]), tuned).fewer == {}


def test_messages_and_repeats_are_judged_on_the_shared_items(run):
    base = run([answer("a", 1.0), answer("a", 1.0, repeat=1), answer("b", 1.0)])
    whole = run([answer("a", 1.0), answer("a", 0.0, repeat=1)])
    assert pair(base, whole).fewer == {"sums": (1, 2)}
    cut = run([answer("a", 1.0), answer("c", 1.0)])
    assert pair(base, cut).excluded == {"sums": "fewer repeats than the base: 1 of 2 answers"}
    more = run([answer("a", 1.0, repeat=r) for r in (0, 1, 2)] + [answer("b", 1.0)])
    assert pair(base, more).differences == (
        "sums: 1 answer that only the tuned run has is ignored",
    )


def test_a_task_that_an_import_left_out_is_missing_where_the_other_run_lacks_it(run):
    told = {"wikitext": "lower is better"}
    base, plain = run([answer("a", 1.0)], left_out=told), run([answer("a", 1.0)])
    assert pair(base, base).excluded == told
    assert pair(base, plain).excluded == {"wikitext": "missing in tuned (lower is better)"}
    assert pair(plain, base).excluded == {"wikitext": "missing in base (lower is better)"}


def test_several_pairings_are_cut_to_the_items_of_all(run):
    base = run([answer(i, 1.0, weight=w) for i, w in zip("abc", (1.0, 2.0, 3.0), strict=True)])
    whole = pair(base, run([answer(i, 0.0) for i in "abc"])).benchmarks["sums"]
    some = pair(base, run([answer(i, 0.0) for i in "bcz"])).benchmarks["sums"]
    first, second = on_shared_items([whole, some])
    assert first.ids == second.ids == ("b", "c")
    assert first.weights.tolist() == [2.0, 3.0]
    assert second is some
    other = pair(base, run([answer("a", 0.0)])).benchmarks["sums"]
    with pytest.raises(ValueError, match="no item of sums is in all runs"):
        on_shared_items([some, other])


def test_another_task_in_the_suite_is_no_difference(run):
    groups = {"math": ["chains", "sums"], "talk": ["chat"]}
    benchmarks = SUITE["benchmarks"] | {"chat": {"pack": "tiny"}}
    wider = {**SUITE, "groups": groups, "benchmarks": benchmarks}
    base = run([answer("a", 1.0)], versions={"task sums": "1"})
    tuned = run(
        [answer("a", 1.0)],
        suite=wider,
        suite_hash="w",
        versions={"task sums": "1", "task chat": "2"},
    )
    assert pair(base, tuned).differences == ()
    assert pair(tuned, base).differences == ()
    moved = {**wider, "groups": {"math": ["sums"], "talk": ["chat", "chains"]}}
    other = run([answer("a", 1.0)], suite=moved, suite_hash="m")
    assert pair(base, other).differences[0] == "suite: tiny s / tiny m"


def test_differences_that_are_compared_nevertheless(run):
    base = run(
        [answer("a", 1.0), answer("b", 1.0, message_hash=None)],
        decoding={"sums": {"temperature": 0.0, "max_tokens": 64}, "chains": {"max_tokens": 1}},
        versions={"torch": "2.12"},
        engine={"engine": "hf", "dtype": "float32"},
        seed=1,
    )
    tuned = run(
        [answer("a", 1.0, rendered_hash="x"), answer("b", 0.0, weight=2.0), answer("z", 1.0)],
        decoding={"sums": {"temperature": 0.0, "max_tokens": 32}},
        versions={"torch": "2.13"},
        engine={"engine": "hf", "dtype": "bfloat16"},
        suite={**SUITE, "source": "chains"},
        suite_hash="s2",
        template="t",
        limit=3,
        seed=1,
    )
    pairing = pair(base, tuned)
    assert pairing.differences == (
        "suite: tiny s / tiny s2",
        "template: None / t",
        "limit: None / 3",
        "engine dtype: float32 / bfloat16",
        "decoding sums max_tokens: 64 / 32",
        "versions torch: 2.12 / 2.13",
        "sums: 1 item that only the tuned run has is ignored",
        "sums: messages can't be checked (1 of 2 answers)",
        "sums: same messages, rendered differently (1 of 2 answers)",
        "sums: weight differs; the base's is used",
    )
    sums = pairing.benchmarks["sums"]
    assert sums.ids == ("a", "b")
    assert sums.weights.tolist() == [1.0, 1.0]
    assert sums.tuned_scores.dtype == np.float64


def test_a_score_that_one_run_lacks_is_missing_there(run):
    both, one = run([answer("a", 1.0)]), run([answer("a", 1.0)])
    one = replace(one, scores=(ScoreRow("boolq", 0.5),))
    assert pair(both, one).excluded == {"boolq": "missing in base"}
    assert pair(one, both).excluded == {"boolq": "missing in tuned"}

"""Comparisons of runs whose numbers can be worked out by hand."""

import json
import math
from collections.abc import Callable

import pytest

from transferscope.compare import compare_runs
from transferscope.core.errors import InputError
from transferscope.core.power import mcnemar_mde
from transferscope.core.typed_record import plain
from transferscope.runs import Run

WriteRun = Callable[..., Run]

BASE = {"cases": [0] * 60 + [1] * 40, "statutes": [0] * 50 + [1] * 50, "chat": [1] * 80 + [0] * 20}
# cases: 40 won, none lost; statutes: 25 won, 0 lost; chat: 10 lost, none won
TUNED = {"cases": [1] * 40 + [0] * 20 + [1] * 40, "statutes": [1] * 25 + [0] * 25 + [1] * 50}
TUNED["chat"] = [0] * 10 + [1] * 70 + [0] * 20


def test_numbers_by_hand(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED)
    comparison = compare_runs(base, [tuned], replicates=2000)
    (result,) = comparison.tuned
    rows = {row.benchmark: row for row in result.benchmarks}
    assert {name: row.delta for name, row in rows.items()} == pytest.approx(
        {"cases": 40.0, "statutes": 25.0, "chat": -10.0}
    )
    assert rows["chat"].test == "mcnemar"
    assert rows["chat"].p == pytest.approx(2 / 2**10)
    assert rows["chat"].p_holm == pytest.approx(2 / 2**10)  # the largest of the three
    assert rows["statutes"].p_holm == pytest.approx(2 * 2 / 2**25)
    assert rows["chat"].mde == mcnemar_mde(10, 0, 100)
    flips = rows["chat"].flips
    assert (flips.lost, flips.won, flips.both_right, flips.both_wrong) == (10, 0, 70, 20)
    assert rows["statutes"].chance == 25.0
    assert result.plane["law"].gain == pytest.approx(32.5)
    assert result.plane["rest"].gain == pytest.approx(-10.0)
    assert result.retention is not None
    assert result.retention.gain == pytest.approx(-10.0)
    # weights 60 and 50 of 110: DI(law) = (60 sqrt 40 + 50 sqrt 25) / 110; DI(rest) = -sqrt 10
    di = (60 * math.sqrt(40) + 50 * 5) / 110
    assert result.index is not None
    assert result.index.di["law"] == pytest.approx(di)
    assert result.index.ti["rest"] == pytest.approx(-100 * math.sqrt(10) / di)
    assert result.index_linear is not None
    assert result.index_linear.ti["rest"] == pytest.approx(-1000 / ((60 * 40 + 50 * 25) / 110))
    assert result.index_linear.interval == "Fieller"
    for index in (result.index, result.index_linear):
        interval = index.ci["rest"]
        assert interval is not None
        assert interval[0] < index.ti["rest"] < interval[1] < 0


def test_interval_width_is_that_of_the_paired_difference(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED)
    (result,) = compare_runs(base, [tuned], replicates=4000).tuned
    low, high = {r.benchmark: r for r in result.benchmarks}["chat"].ci
    # sd of a mean of 100 differences, 10 of them -1: sqrt(.1 * .9 / 100) = 3 points
    assert high - low == pytest.approx(2 * 1.96 * 3.0, rel=0.12)


def test_pairing_is_by_id_not_by_position(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED)
    backwards = write_run("backwards", TUNED, order=-1)
    straight, reverse = (compare_runs(base, [run], replicates=500) for run in (tuned, backwards))
    for a, b in zip(straight.tuned[0].benchmarks, reverse.tuned[0].benchmarks, strict=True):
        assert a == b


def test_artefact_split_by_hand(write_run: WriteRun) -> None:
    # 6 of the 10 lost chat answers were cut, and 4 of those that both got right looped.
    flags = {("chat", at): ("truncated",) for at in range(6)}
    flags |= {("chat", at): ("looped", "truncated") for at in range(20, 24)}
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED, flags=flags)
    (result,) = compare_runs(base, [tuned], replicates=500).tuned
    artefacts = {r.benchmark: r for r in result.benchmarks}["chat"]
    assert artefacts.artefact_points == pytest.approx(-6.0)
    assert artefacts.clean_n == 90
    assert artefacts.clean_delta == pytest.approx(-100 * 4 / 90)
    assert artefacts.flags.tuned == {"looped": 4, "truncated": 10}
    assert artefacts.flags.base == {}


def test_no_clean_answers_leaves_the_clean_change_undefined(write_run: WriteRun) -> None:
    flags = {("chat", at): ("empty",) for at in range(100)}
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED, flags=flags)
    (result,) = compare_runs(base, [tuned], replicates=500).tuned
    artefacts = {r.benchmark: r for r in result.benchmarks}["chat"]
    assert (artefacts.clean_delta, artefacts.clean_n) == (None, 0)
    assert artefacts.artefact_points == pytest.approx(-10.0)


def test_flipped_items_carry_both_answers(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED)
    (result,) = compare_runs(base, [tuned], replicates=500, examples=2).tuned
    chat = [item for item in result.flipped if item.benchmark == "chat"]
    assert [(i.id, i.kind, i.base, i.tuned) for i in chat] == [
        ("0000", "lost", "base says 1", "tuned says 0"),
        ("0001", "lost", "base says 1", "tuned says 0"),
    ]
    assert {i.kind for i in result.flipped if i.benchmark == "cases"} == {"won"}


def test_repeats_and_clusters_use_the_sign_flip_test(write_run: WriteRun) -> None:
    four = {"cases": [[0, 1]] * 30, "statutes": [0, 1] * 20, "chat": [1] * 40}
    more = {"cases": [[1, 1]] * 30, "statutes": [1, 1] * 20, "chat": [0] * 20 + [1] * 20}
    stories = {name: [str(at // 4) for at in range(len(v))] for name, v in four.items()}
    base, tuned = (write_run(n, v, clusters=stories) for n, v in (("base", four), ("tuned", more)))
    (result,) = compare_runs(base, [tuned], replicates=999).tuned
    rows = {row.benchmark: row for row in result.benchmarks}
    assert {row.test for row in rows.values()} == {"sign-flip"}
    assert rows["cases"].n == 30
    assert rows["cases"].delta == pytest.approx(50.0)
    # 8 clusters (7 of 4 items, one of 2): only 2 of 256 flips reach the observed sum
    assert rows["cases"].p == pytest.approx(2 / 256, abs=0.01)


def test_one_missing_benchmark_is_said_and_the_rest_compared(write_run: WriteRun) -> None:
    without = {name: values for name, values in TUNED.items() if name != "statutes"}
    base, tuned = write_run("base", BASE), write_run("tuned", without)
    whole = write_run("whole", TUNED)
    partial, complete = compare_runs(base, [tuned, whole], replicates=500).tuned
    assert partial.not_compared == {"statutes": "missing in tuned"}
    assert partial.plane["law"].gain == pytest.approx(40.0)
    assert complete.not_compared == {}
    assert complete.plane["law"].gain == pytest.approx(32.5)


def test_a_missing_source_group_leaves_no_index(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", {"chat": TUNED["chat"]})
    (result,) = compare_runs(base, [tuned], replicates=500).tuned
    assert result.index is None
    assert set(result.plane) == {"rest"}
    assert set(result.not_compared) == {"cases", "statutes"}


def test_nothing_to_compare_is_refused(write_run: WriteRun) -> None:
    base = write_run("base", {"chat": BASE["chat"]})
    tuned = write_run("tuned", {"cases": TUNED["cases"]})
    with pytest.raises(InputError, match=r"no benchmark can be compared .*missing in tuned"):
        compare_runs(base, [tuned])


def test_a_shorter_run_is_compared_on_the_shared_items(write_run: WriteRun) -> None:
    base = write_run("base", BASE)
    tuned = write_run("tuned", {**TUNED, "chat": TUNED["chat"][:50]})
    comparison = compare_runs(base, [tuned], replicates=500)
    (row,) = [r for r in comparison.tuned[0].benchmarks if r.benchmark == "chat"]
    assert row.n == 50
    assert row.base == pytest.approx(100 * sum(BASE["chat"][:50]) / 50)
    assert comparison.differences[0] == (
        "tuned: chat: compared on the 50 items that both runs have; "
        "the tuned run lacks 50 of the base's 100"
    )


def test_base_against_itself_is_a_flat_nothing(write_run: WriteRun) -> None:
    base, same = write_run("base", BASE), write_run("same", BASE)
    (result,) = compare_runs(base, [same], replicates=500).tuned
    assert all(row.p == 1.0 and row.delta == 0.0 for row in result.benchmarks)
    assert result.index is not None
    assert result.index.ti == {"rest": None}
    assert "not established" in result.index.undefined_reason["rest"]


def test_same_seed_same_comparison(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED)
    one, same, other = (compare_runs(base, [tuned], seed=s, replicates=500) for s in (1, 1, 2))
    assert one.to_json() == same.to_json()
    assert one.to_json() != other.to_json()


def test_json_has_the_contracted_fields(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED)
    document = json.loads(json.dumps(compare_runs(base, [tuned], replicates=500).to_json()))
    assert {"base", "suite", "tuned", "differences"} <= set(document)
    (result,) = document["tuned"]
    assert {"model", "index", "plane", "benchmarks"} <= set(result)
    point = {"gain", "ci", "p", "standing"}
    assert set(result["plane"]["law"]) == point | {"p_holm", "smallest_p", "mde"}
    wanted = "benchmark group base tuned delta ci test p p_holm mde n clean_delta artefact_points"
    for row in result["benchmarks"]:
        assert set(wanted.split()) <= set(row)
        assert set(row["flips"]) == {"lost", "won", "both_right", "both_wrong"}


def test_a_models_test_does_not_depend_on_its_company(write_run: WriteRun) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED)
    halves = {name: [0.5 * v for v in values] for name, values in TUNED.items()}
    company = write_run("fractional", halves)
    (alone,) = compare_runs(base, [tuned], replicates=500).tuned
    beside, other = compare_runs(base, [tuned, company], replicates=500).tuned
    assert alone.benchmarks == beside.benchmarks
    assert alone.index == beside.index
    assert {r.test for r in other.benchmarks} == {"sign-flip"}


def test_equal_names_are_refused(write_run: WriteRun) -> None:
    base = write_run("base", BASE)
    with pytest.raises(InputError, match="two of the runs have a model named 'base'"):
        compare_runs(base, [base])


def test_a_benchmark_outside_the_suite_is_listed(write_run: Callable[..., Run]) -> None:
    scores = {"cases": [1, 0, 1, 0], "chat": [1, 1, 0, 0], "poems": [1, 1, 1, 1]}
    base, tuned = write_run("b", scores), write_run("t", scores)
    (result,) = compare_runs(base, [tuned], replicates=200).tuned
    assert result.not_compared == {"poems": "not in suite law"}
    assert [row.benchmark for row in result.benchmarks] == ["cases", "chat"]


def test_forgetting_and_the_pooled_test(write_run: WriteRun) -> None:
    (result,) = compare_runs(
        write_run("base", BASE), [write_run("tuned", TUNED)], replicates=999
    ).tuned
    rows = {row.benchmark: row for row in result.benchmarks}
    chat, statutes = rows["chat"], rows["statutes"]
    assert (chat.forgetting.value, chat.backward.value) == (10.0, 0.0)
    # guessing at 1/4 moves a quarter of the 50 % that the base has wrong
    assert statutes.backward_adjusted.value == pytest.approx(25.0 - 0.25 * 50.0)
    # all 65 changed answers of law point up: no flip of signs reaches their sum
    assert result.plane["law"].p == pytest.approx(1 / 1000)
    # 10 of 10 down: 2 of 2^10 flips reach it
    assert 0.0005 < result.plane["rest"].p < 0.01
    assert plain(result)["plane"]["law"]["p"] == result.plane["law"].p
    assert plain(result)["benchmarks"][2]["forgetting"]["value"] == 10.0


def test_a_run_that_shares_nothing_is_named_and_the_others_are_compared(
    write_run: WriteRun,
) -> None:
    base, tuned = write_run("base", BASE), write_run("tuned", TUNED)
    alien = write_run("alien", TUNED, first=5000)
    other = write_run("other", {"poems": [1, 0]})
    alone = compare_runs(base, [tuned], replicates=500)
    found = compare_runs(base, [alien, tuned, other], replicates=500)
    assert plain(found.tuned) == plain(alone.tuned)
    assert found.differences[:2] == (
        "alien: left out, no benchmark can be compared with the base (cases: no item of the "
        "base's 100 is in the tuned run; statutes: no item of the base's 100 is in the tuned run; "
        "chat: no item of the base's 100 is in the tuned run)",
        "other: left out, no benchmark can be compared with the base (cases: missing in tuned; "
        "statutes: missing in tuned; chat: missing in tuned)",
    )
    with pytest.raises(InputError, match=r"alien: no benchmark can be compared .* no item of"):
        compare_runs(base, [alien, other], replicates=500)


def test_a_flip_of_repeats_shows_answers_with_its_verdict(write_run: WriteRun) -> None:
    # Right in 3 of 4 and wrong in 3 of 4: the first repeats have the other verdict.
    base = write_run("base", {"chat": [[0, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 1], [0.4, 0.7]]})
    tuned = write_run("tuned", {"chat": [[1, 0, 0, 0], [0, 1, 1, 1], [0, 1, 1, 1], [0.8, 0.1]]})
    (result,) = compare_runs(base, [tuned], replicates=200).tuned
    assert [(f.id, f.kind, f.base, f.tuned) for f in result.flipped] == [
        ("0000", "lost", "base says 1", "tuned says 0"),
        ("0003", "lost", "base says 0.7", "tuned says 0.1"),
        ("0001", "won", "base says 0", "tuned says 1"),
    ]

"""Fixtures: crfm-helm 0.5.16's own classes."""

import gzip
import shutil
from contextlib import ExitStack

import pytest

from transferscope.compare import compare_runs
from transferscope.core.errors import InputError
from transferscope.runs.importers import find_importer, open_run

from .foreign import edit, laid, read


@pytest.fixture
def suite(tmp_path):
    return laid("helm", tmp_path / "v1")


def test_a_suite_is_items(suite):
    results, samples = read(suite)
    assert (results.model.name, results.provenance) == ("acme/tiny", "imported:helm")
    mmlu = [s.outcome for s in samples["mmlu"]]
    assert [o.score for o in mmlu] == [
        1.0,
        0.0,
        1.0,
        1.0,
        1.0,
        0.0,
    ]  # the one with typos is not read
    assert [o.subset for o in mmlu] == ["mmlu_anatomy"] * 2 + ["mmlu_virology"] * 4
    assert {o.finish for o in mmlu} == {None}  # one letter, cut by design
    gsm = samples["gsm8k"]
    assert [s.outcome.score for s in gsm] == [1.0, 0.0]
    assert [s.outcome.finish for s in gsm] == ["stop", "length"]
    assert gsm[1].response.response == "It is 7"
    assert gsm[1].response.prompt == "Question: 3+3?\nAnswer:"
    assert results.notes == ("gsm: 1 of 3 answers left out, their requests failed",)
    taken = {one.benchmark: one for one in results.taken}
    assert taken["gsm8k"].metric == "final_number_exact_match"
    assert taken["gsm8k"].others == ("exact_match_indicator",)  # no runtimes, no finish reasons


def test_one_run_or_one_of_its_files(suite):
    for path in (suite / "mmlu_virology", suite / "mmlu_virology" / "stats.json"):
        assert find_importer(path)[0] == "helm"
        assert [s.outcome.score for s in read(path)[1]["mmlu"]] == [1.0, 1.0, 1.0, 0.0]


def test_stats_alone_are_scores_with_their_number_of_instances(suite):
    for file in [*suite.rglob("per_instance_stats.json"), *suite.rglob("scenario_state.json")]:
        file.unlink()
    results, samples = read(suite)
    assert samples == {}
    rows = {(r.benchmark, r.subset): (r.score, r.n) for r in results.scores}
    assert rows[("mmlu", "mmlu_anatomy")] == (0.5, 2)
    assert rows[("mmlu", "mmlu_virology")] == (0.75, 4)
    assert rows[("gsm8k", "gsm")] == (pytest.approx(1 / 3), 3)


def test_two_models_pair_whatever_their_run_is_called(suite):
    edit(
        suite / "gsm" / "run_spec.json",
        lambda raw: raw.update(name="legalbench:subset=a,model=tiny"),
    )
    with ExitStack() as stack:
        base = open_run(suite, stack)
        for spec in suite.rglob("run_spec.json"):
            text = spec.read_text().replace("acme/tiny", "acme/tuned")
            spec.write_text(
                text.replace("model=acme_tiny", "model=acme_tuned").replace("=tiny", "=tuned")
            )
        (result,) = compare_runs(base, [open_run(suite, stack)], replicates=200).tuned
    assert {(b.benchmark, b.n) for b in result.benchmarks} == {("legalbench", 2), ("mmlu", 6)}


def test_gzipped(suite):
    for path in suite.rglob("*.json"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert find_importer(suite)[0] == "helm"
    assert [s.outcome.score for s in read(suite)[1]["gsm8k"]] == [1.0, 0.0]


def test_two_suites_in_a_folder_are_refused(suite):
    shutil.copytree(suite, suite.parent / "v2")
    with pytest.raises(InputError, match=r"duplicate run of gsm \(the other is .*v1/gsm\)"):
        read(suite.parent)


def test_lower_is_better_and_all_failed(suite):
    def bits(raw):
        for stat in raw:
            if stat["name"]["name"].endswith("exact_match"):
                stat["name"]["name"] = "bits_per_byte"

    def failed(raw):
        for state in raw["request_states"]:
            state["result"]["success"] = False

    edit(suite / "mmlu_anatomy" / "stats.json", bits)
    file = suite / "gsm" / "scenario_state.json"
    edit(file, failed)
    results, samples = read(suite)
    assert len(samples["mmlu"]) == 4
    reasons = {one.benchmark: one.left_out for one in results.taken if one.left_out}
    assert reasons["mmlu"].startswith("not comparable: lower is better for bits_per_byte")
    assert reasons["gsm8k"] == "all 3 requests failed"


def test_what_is_stopped_cut_or_of_two_models_is_named(suite):
    stats = suite / "gsm" / "stats.json"
    whole = stats.read_text()
    stats.write_text(whole[:100])
    with pytest.raises(InputError, match=r"stats.json: .*is cut off"):
        read(suite)
    stats.unlink()
    with pytest.raises(InputError, match=r"gsm: has no stats.json: the run was stopped"):
        read(suite)
    stats.write_text(whole)
    spec = suite / "gsm" / "run_spec.json"
    spec.write_text(spec.read_text().replace("acme/tiny", "acme/big"))
    with pytest.raises(InputError, match="results of 2 models"):
        read(suite)


def test_scores_that_contradict_the_instances_are_said_first(suite):
    def lie(raw):
        for stat in raw:
            stat["mean"] = 0.9

    edit(suite / "mmlu_virology" / "stats.json", lie)
    (wrong,) = read(suite)[0].contradictions.items()
    assert wrong == (
        "mmlu",
        "mmlu:subject=virology,method=multiple_choice_joint: mean 75.00 %, not 90.00 %",
    )

"""Old results in the newest form; their shapes are those of lm-eval 0.3.0, 0.4.0 and 0.4.2."""

import json
import math
import shutil
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from transferscope.core.records import ScoreRow
from transferscope.core.taxonomy import load_taxonomy
from transferscope.runs import read_run
from transferscope.runs.importers import import_results
from transferscope.runs.importers.lmeval import accepts, read
from transferscope.runs.importers.lmeval_versions import is_lm_eval, size_of, upgraded
from transferscope.runs.unpaired import pooled


def row(score, n, metric="acc", filter_=",none"):
    error = math.sqrt(score * (1 - score) / (n - 1))
    return {f"{metric}{filter_}": score, f"{metric}_stderr{filter_}": error}


def mmlu(**subjects):
    """0.4.0: groups stand among the tasks, told by ``groups`` and by the alias' indentation."""
    total = sum(n for _, n in subjects.values())
    mean = sum(score * n for score, n in subjects.values()) / total
    results = {"mmlu": row(mean, total) | {"alias": "mmlu"}}
    for name, (score, n) in subjects.items():
        results[f"mmlu_{name}"] = row(score, n) | {"alias": f"  - {name}"}
        if name == "anatomy":
            results = {**results, "mmlu_stem": row(score, n) | {"alias": " - stem"}}
    return {
        "results": results,
        "groups": {name: results[name] for name in ("mmlu", "mmlu_stem")},
        "configs": {},
        "versions": {"mmlu": "N/A", "mmlu_stem": "N/A"},
        "n-shot": {},
        "config": {"model": "hf", "model_args": "pretrained=acme/m", "limit": None},
    }


@pytest.fixture
def found(tmp_path):
    def written(raw, name="results.json"):
        (tmp_path / name).write_text(json.dumps(raw))
        assert accepts(tmp_path / name)
        return read(tmp_path / name, load_taxonomy())

    return written


def test_groups_of_0_4_0_are_no_subjects_and_subjects_weigh_by_their_size(found):
    raw = mmlu(abstract_algebra=(0.2, 100), anatomy=(0.5, 100), professional_law=(0.7, 800))
    results = found(raw)
    assert {(r.subset, r.n) for r in results.scores} == {
        ("mmlu_abstract_algebra", 100),
        ("mmlu_anatomy", 100),
        ("mmlu_professional_law", 800),
    }
    # (20 + 50 + 560) / 1000; the plain mean of the three would be 46.7
    assert pooled(results.scores).score == pytest.approx(63.0)
    assert results.model.name == "acme/m"


@pytest.mark.parametrize("change", [lambda r: r.pop("alias"), lambda r: r.update(alias=None)])
def test_groups_without_aliases_are_known_by_their_members_names(found, change):
    raw = mmlu(anatomy=(0.5, 100), virology=(0.6, 100))
    for entry in raw["results"].values():
        change(entry)
    del raw["results"]["mmlu_stem"]
    assert {r.subset for r in found(raw).scores} == {"mmlu_anatomy", "mmlu_virology"}


def test_a_group_that_stands_alone_is_a_score(found):
    raw = mmlu(anatomy=(0.5, 100))
    raw["results"] = {"mmlu": raw["results"]["mmlu"], "boolq": row(0.6, 50)}
    assert {(r.benchmark, r.score) for r in found(raw).scores} == {("mmlu", 0.5), ("boolq", 0.6)}


def test_a_size_that_nothing_tells_leaves_the_groups_own_mean(found):
    """A subject with all answers right has no standard error: 0.4.2 names no size of it."""
    subjects = {"mmlu_anatomy": row(0.5, 100), "mmlu_virology": {"acc,none": 1.0}}
    raw = {
        "results": {"mmlu": {"acc,none": 0.9, "acc_stderr,none": 0.01}, **subjects},
        "group_subtasks": {"mmlu": list(subjects), **{name: [] for name in subjects}},
        "configs": {},
    }
    results = found(raw)
    assert [(r.subset, r.score) for r in results.scores] == [("", 0.9)]
    assert results.notes[0] == (
        "mmlu: the sizes of its tasks are not known; the row of mmlu is read"
    )
    raw["results"]["mmlu_virology"] = row(0.9, 300)
    assert [r.n for r in found(raw).scores] == [100, 300]


def test_0_3_has_no_filters(found):
    raw = {
        "results": {
            "hendrycksTest-anatomy": row(0.4, 135, filter_="") | row(0.5, 135, "acc_norm", ""),
            "hendrycksTest-virology": row(0.5, 166, filter_=""),
            "wikitext": {"word_perplexity": 12.1, "bits_per_byte": 0.67},
        },
        "versions": {"hendrycksTest-anatomy": 1, "hendrycksTest-virology": 1, "wikitext": 1},
        "config": {"model": "hf-causal", "model_args": "pretrained=acme/old", "num_fewshot": 5},
    }
    results = found(raw, "out.json")
    assert results.model.name == "acme/old"
    assert [(r.benchmark, r.n) for r in results.scores] == [("mmlu", 135), ("mmlu", 166)]
    assert pooled(results.scores).score == pytest.approx(100 * (54 + 83) / 301)
    assert results.decoding["mmlu"]["fewshot"] == 5
    assert [t.task for t in results.taken if t.lower_is_better] == ["wikitext"]


def test_a_size_that_nothing_tells_is_taken_for_an_average_one():
    rows = [ScoreRow("mmlu", score, name, n=n) for name, score, n in SUBJECTS]
    # (100 * .5 + 300 * .9 + 200 * 1) / 600
    assert pooled(rows).score == pytest.approx(100 * 520 / 600)
    assert pooled(rows).n is None
    assert pooled([msgspec.structs.replace(row, n=None) for row in rows]).score == pytest.approx(
        80.0
    )


SUBJECTS = [("anatomy", 0.5, 100), ("law", 0.9, 300), ("virology", 1.0, None)]


@pytest.mark.parametrize(
    "raw",
    [
        {"results": {"a": {"acc": 0.5}}},
        {"results": {"a": {"acc": 0.5}}, "versions": {}},
        {"results": {}, "versions": {}},
        {"results": {"a": {"acc": 0.5}}, "versions": {"a": 1}, "config": {"epochs": 3}},
        {"results": {"all": {"acc": 0.5}}, "versions": {"all": 1}, "config_general": {}},
        {"results": [{"acc": 0.5}], "configs": {}},
    ],
)
def test_what_is_not_lm_evals(raw):
    assert not is_lm_eval(raw)


@pytest.mark.parametrize("n", [2, 20, 817, 14_042])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.99])
def test_a_size_follows_from_score_and_standard_error(n, share):
    right = min(max(1, round(share * n)), n - 1)
    assert size_of(row(right / n, n)) == n


def test_sizes_of_rounded_numbers():
    # 184 of 300: 0.6133, standard error sqrt(0.6133 * 0.3867 / 299) = 0.0282
    assert size_of({"acc,none": 0.6133, "acc_stderr,none": 0.0282}) == 300
    assert size_of({"f1,none": 0.6133, "f1_stderr,none": 0.0282}) is None  # no mean of 0 and 1
    assert size_of({"acc,none": 0.6, "acc_stderr,none": 0.07}) is None  # 43 to 58
    assert size_of({"acc,none": 1.0, "acc_stderr,none": 0.0}) is None
    assert size_of({"acc,none": 0.5, "acc_stderr,none": 1e-9}) is None
    assert size_of({"acc,none": 0.5, "acc_stderr,none": "N/A"}) is None


def test_what_is_new_stays_as_it_is():
    raw = {"results": {"a": row(0.5, 10)}, "group_subtasks": {"a": []}, "configs": {}}
    raw["n-samples"] = {"a": {"effective": 12}}
    assert upgraded(raw) == raw


OLD = Path(__file__).parent / "fixtures" / "lm_eval_old"


@pytest.mark.parametrize("version", ["0.4.0", "0.4.2"])
def test_what_old_versions_wrote_is_read_item_by_item(tmp_path, version):
    done = import_results(OLD / version, tmp_path / "run")
    assert (done.format, done.unmapped, done.notes) == ("lm-eval", (), ())
    run = read_run(tmp_path / "run")
    assert (run.manifest.model.name, run.manifest.engine["dtype"]) == ("acme/tiny", "float")
    assert Counter(o.subset for o in run.by_benchmark["mmlu"]) == {
        "mmlu_anatomy": 5,
        "mmlu_astronomy": 12,
        "mmlu_virology": 3,
    }
    assert sum(o.score for o in run.by_benchmark["mmlu"]) == 14
    assert [(o.score, o.flags) for o in run.by_benchmark["gsm8k"]] == [
        (1.0, ()),
        (0.0, ("extraction_failed",)),
        (0.0, ()),
        (1.0, ()),
    ]
    assert run.manifest.metrics["gsm8k"] == {
        "exact_match,strict-match": 0.5,
        "exact_match,flexible-extract": 0.75,
    }


@pytest.mark.parametrize("version", ["0.4.0", "0.4.2"])
def test_what_old_versions_wrote_without_samples(tmp_path, version):
    shutil.copy(OLD / version / "results.json", tmp_path)
    mmlu, gsm8k = sorted(read(tmp_path, load_taxonomy()).scores, key=lambda row: -row.score)
    # Virology's size is not known: the group's own row, 14 of 20. Its error is 0.4.2's by 20.
    assert (mmlu.benchmark, mmlu.subset, mmlu.score) == ("mmlu", "", 0.7)
    assert (gsm8k.benchmark, gsm8k.score, gsm8k.n) == ("gsm8k", 0.5, 4)

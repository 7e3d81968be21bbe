import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef, Outcome
from transferscope.core.taxonomy import load_taxonomy
from transferscope.runs.importers.assemble import (
    Part,
    dated,
    pick,
    place_below,
    read_first,
    results_of,
)
from transferscope.runs.importers.foreign_run import Sample
from transferscope.runs.importers.naming import Place, place_of

FILE = Path("results")


def results(*parts):
    about = {"path": FILE, "model": ModelRef("m"), "provenance": "imported:x"}
    return results_of(parts, **about)


def test_metric_is_the_taxonomys_then_the_harness_first_then_any():
    place = Place("t", "t", metrics=("exact_match", "pass@k"))
    assert pick({"em": 0.1, "exact_match": 0.2}, place) == ("exact_match", "")
    assert pick({"em": 0.1, "pass@k:k=1": 0.2}, place) == ("pass@k:k=1", "")
    assert pick({"f1": 0.3, "em": 0.1}, place, first=("em",)) == ("em", "")
    assert pick({"f1": 0.3, "bleu": 21.0}, place) == ("f1", "")
    assert pick({"bleu": 21.0}, place) == (None, "it has no score within 0..1")
    assert pick({"word_perplexity": 0.5}, place)[1].endswith(
        "better for word_perplexity, but higher for a score"
    )
    assert read_first({"a": 0.1, "b": 0.2, "wer": 0.3, "c": 7.0}, "b") == {"b": 0.2, "a": 0.1}


@pytest.mark.parametrize(
    ("task", "subset", "benchmark", "label"),
    [
        ("mmlu", "anatomy", "mmlu", "anatomy"),
        ("mmlu_pro", "math", "mmlu_pro", "math"),  # not the benchmark "math"
        ("arc", "ARC-Challenge", "arc_challenge", ""),
        ("musr", "murder_mysteries", "musr_murder_mysteries", ""),
        ("gsm8k", "main", "gsm8k", ""),
        ("gpqa_diamond", "gpqa-diamond", "gpqa_diamond", ""),
        ("math_500", "Level 1", "math_500", "Level 1"),
        ("bbh", "web_of_lies", "bbh", "web_of_lies"),
        ("mystery", "one", "mystery", "one"),
    ],
)
def test_subsets_below_a_task(task, subset, benchmark, label):
    place = place_below(task, subset, load_taxonomy())
    assert (place.task, place.benchmark, place.subset) == (task, benchmark, label)


def test_answers_go_before_scores_and_what_is_missing_is_said():
    taxonomy = load_taxonomy()
    places = [place_below("mmlu", name, taxonomy) for name in ("anatomy", "virology")]
    sample = Sample(Outcome("mmlu", "anatomy/0", 1.0, subset="anatomy"), None)
    found = results(
        Part(places[0], FILE, n=1, read=lambda: iter([sample])),
        Part(places[1], FILE, n=4, score=0.75),
        Part(place_of("gsm8k", taxonomy), FILE, score=0.5),
        Part(place_of("wikitext", taxonomy), FILE, metric="ppl", left_out="not comparable"),
    )
    assert list(found.samples["mmlu"]()) == [sample]
    assert [row.benchmark for row in found.scores] == ["gsm8k"]
    assert found.notes == (
        "mmlu: left out because they have no answers: virology",
        "scores without answers, compared unpaired: gsm8k",
        "wikitext: left out, not comparable",
    )


def test_two_parts_of_one_subset_are_refused():
    place = place_of("gsm8k", load_taxonomy())
    with pytest.raises(
        InputError, match=r"two: duplicate result for gsm8k; keep one of them .* is one"
    ):
        results(Part(place, Path("one"), score=0.5), Part(place, Path("two"), score=0.5))


def test_a_contradiction_is_the_benchmarks():
    read = list
    one, other = (Place(name, "mmlu", name, proportion=True) for name in ("anatomy", "virology"))
    wrong = Part(one, FILE, read=read, contradiction="2 samples, not 3")
    found = results(wrong, Part(other, FILE, read=read))
    assert found.contradictions == {"mmlu": "anatomy: 2 samples, not 3"}
    assert found.said()[0].startswith("mmlu: the samples contradict the reported results (anat")
    assert results(replace(wrong, left_out="no score in it")).contradictions == {}


def test_a_run_is_dated_by_its_folder_else_by_its_file(tmp_path):
    file = tmp_path / "report.json"
    file.write_text("{}")
    os.utime(file, (0, time.mktime((2026, 11, 28, 8, 0, 0, 0, 0, -1))))
    assert dated(tmp_path / "20250101_000000", file) == "20250101_000000"
    assert dated(tmp_path / "my_run", file) == "20261128_080000"

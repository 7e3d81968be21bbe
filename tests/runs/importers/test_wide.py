"""Tables of a row a model (or a benchmark), as people keep them."""

import gzip
import json

import pytest

from transferscope.core.errors import InputError
from transferscope.core.taxonomy import Taxonomy, load_taxonomy
from transferscope.runs import read_run
from transferscope.runs.importers import import_results
from transferscope.runs.importers.score_table import IMPORTER

WIDE = "Model,GSM8K,BoolQ,Average,Params (B)\nacme/base,61.5,80,70.75,7\nacme/tuned,71,70,70.5,7\n"


def imported(tmp_path, text, model, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    import_results(f"{path}::{model}" if model else path, tmp_path / f"run-{model[-4:]}")
    run = read_run(tmp_path / f"run-{model[-4:]}")
    return {row.benchmark: (round(row.score, 6), row.stderr, row.n) for row in run.scores}


@pytest.mark.parametrize("model", ["acme/tuned", "tuned", "ACME/Tuned"])
def test_a_row_a_model(tmp_path, model):
    assert imported(tmp_path, WIDE, model) == {
        "gsm8k": (0.71, None, None),
        "boolq": (0.7, None, None),
    }


@pytest.mark.parametrize(
    "text",
    [
        "benchmark,base,tuned,n\ngsm8k,61.5,71,1319\nboolq,80,70,3270\n",
        "benchmark;base;tuned;n\ngsm8k;61,5;71;1319\nboolq;80;70;3270\n",
        "base\ttuned\tTask\tn\n61.5%\t71%\tgsm8k\t1,319\n80%\t70%\tboolq\t3270\n".encode("utf-16"),
        "model,gsm8k,gsm8k_n,boolq,boolq_n\nbase,.615,1319,.8,3270\ntuned,.71,1319,.7,3270\n",
        ",gsm8k,gsm8k n,boolq,boolq n\nbase,.615,1319,.8,3270\ntuned,.71,1319.0,.7,3270\n",
        gzip.compress(b"task,base,tuned,n\nGSM8K,.615,.71,1319\nBoolQ,.8,.7,3270\n", mtime=0),
    ],
)
def test_the_same_scores_however_they_are_laid_out(tmp_path, text):
    assert imported(tmp_path, text, "base") == {
        "gsm8k": (0.615, None, 1319),
        "boolq": (0.8, None, 3270),
    }
    assert imported(tmp_path, text, "tuned") == {
        "gsm8k": (0.71, None, 1319),
        "boolq": (0.7, None, 3270),
    }


def test_standard_errors_stand_behind_a_sign_or_in_a_column(tmp_path):
    signed = "model,gsm8k,boolq\nbase,61.5 ± 1.34,80 +/- 0.7\n"
    apart = "model,gsm8k,gsm8k_stderr,boolq,boolq_stderr\nbase,0.615,0.0134,0.8,0.007\n"
    for text in (signed, apart):
        found = imported(tmp_path, text, "base")
        assert {k: (s, pytest.approx(e)) for k, (s, e, _) in found.items()} == {
            "gsm8k": (0.615, 0.0134),
            "boolq": (0.8, 0.007),
        }
        (tmp_path / "run-base").rename(tmp_path / f"done-{len(text)}")


def test_json_keeps_wide_tables_too(tmp_path):
    rows = [{"model": "base", "gsm8k": 0.615}, {"model": "tuned", "gsm8k": "71%"}]
    for name, text in (("a.json", json.dumps(rows)), ("a.jsonl", "\n".join(map(json.dumps, rows)))):
        assert imported(tmp_path, text, "tuned", name)["gsm8k"][0] == 0.71
        (tmp_path / "run-uned").rename(tmp_path / f"done-{name}")
    assert imported(tmp_path, '{"gsm8k": 0.6, "boolq": 0.5}', "", "flat.json")["gsm8k"][0] == 0.6


def test_what_was_taken_for_what_and_the_scale_are_said(tmp_path):
    (tmp_path / "t.csv").write_text(WIDE)
    results = IMPORTER.read(tmp_path / "t.csv", load_taxonomy(), "tuned")
    assert results.model.name == "acme/tuned"
    assert results.notes == (
        "read as one row per model (Model), benchmarks GSM8K, BoolQ; scores are percentages "
        "(up to 80)",
        "columns left out because they are not benchmarks: Average, Params (B)",
    )
    (tmp_path / "t.csv").write_text("model,gsm8k\nm,0.5\n")
    (said,) = IMPORTER.read(tmp_path / "t.csv", load_taxonomy()).notes
    assert said.endswith("scores are fractions of 1 (up to 0.5)")


def test_percents_and_fractions_in_one_table_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("model,gsm8k,boolq\nm,0.6,80\n")
    with pytest.raises(
        InputError, match=r"csv:2: gsm8k 0\.6 and boolq 80: can't be both percentages"
    ):
        IMPORTER.read(tmp_path / "t.csv", load_taxonomy())
    # The remedy works; 0 and a signed percent below 1 are no riddle.
    (tmp_path / "t.csv").write_text("model,gsm8k,boolq,arc_easy\nm,0.6,80%,0.5%\n")
    scores = IMPORTER.read(tmp_path / "t.csv", load_taxonomy()).scores
    assert {row.benchmark: row.score for row in scores} == {
        "gsm8k": 0.6,
        "boolq": 0.8,
        "arc_easy": 0.005,
    }
    (tmp_path / "t.csv").write_text("model,gsm8k,boolq\nm,0,80\n")
    scores = IMPORTER.read(tmp_path / "t.csv", load_taxonomy()).scores
    assert [row.score for row in scores] == [0.0, 0.8]


@pytest.mark.parametrize(
    ("text", "model", "says"),
    [
        (
            WIDE,
            None,
            r"t\.csv:3: contains results of 2 models \(acme/base and acme/tuned\); name one",
        ),
        (WIDE, None, r"t\.csv::acme/base$"),
        (
            WIDE,
            "tuend",
            r"no model 'tuend', only acme/base and acme/tuned; did you mean .*t\.csv::",
        ),
        (WIDE, "zzz", r"no model 'zzz', only acme/base and acme/tuned; name one of them"),
        ("model,gsm8k\nm,130\n", None, r"t\.csv:2: gsm8k: 130 is not a score"),
        ("model,gsm8k\n,13\n", None, r"t\.csv:2: column 'model' is empty"),
        # Nothing says that these numbers are scores of benchmarks.
        ("person,height\nann,1.7\n", None, "no 'score'"),
        ("question,prediction,answer\n1+1?,2,2\n", None, "grade the answers first: transferscope"),
    ],
)
def test_refusals_have_the_remedy(tmp_path, text, model, says):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=says):
        IMPORTER.read(tmp_path / "t.csv", load_taxonomy(), model)


def test_a_column_of_models_makes_any_number_a_benchmarks(tmp_path):
    (tmp_path / "t.csv").write_text("model,house style\nm,0.5\n")
    results = IMPORTER.read(tmp_path / "t.csv", Taxonomy())
    assert results.unmapped == ("house style",)


def test_one_row_of_two_models_keeps_both(tmp_path):
    (tmp_path / "t.csv").write_text("Benchmark,base,tuned\nGSM8K,60,65\n")
    for model, score in (("base", 0.6), ("tuned", 0.65)):
        (row,) = IMPORTER.read(tmp_path / "t.csv", load_taxonomy(), model).scores
        assert (row.benchmark, row.score) == ("gsm8k", score)


def test_averages_are_no_benchmarks_in_a_turned_table_either(tmp_path):
    text = "Benchmark,tuned\nGSM8K,60\nBoolQ,80\nAverage,70\n"
    (tmp_path / "t.csv").write_text(text)
    results = IMPORTER.read(tmp_path / "t.csv", load_taxonomy())
    assert {row.benchmark: row.score for row in results.scores} == {"gsm8k": 0.6, "boolq": 0.8}
    assert results.unmapped == ()
    assert "rows left out because they are not benchmarks: Average" in results.notes


def test_what_is_better_when_lower_says_nothing_about_the_scale(tmp_path):
    """Perplexities above 100 and bits below 1 beside percents."""
    head, row = "model,gsm8k,wikitext,WER,bits_per_byte", "m,60,120.5,12,0.8"
    turned = "Benchmark,m\n" + "".join(
        f"{task},{cell}\n" for task, cell in zip(head.split(","), row.split(","), strict=True)
    ).removeprefix("model,m\n")
    for text in (f"{head}\n{row}\n", turned):
        (tmp_path / "t.csv").write_text(text)
        results = IMPORTER.read(tmp_path / "t.csv", load_taxonomy())
        assert [(one.benchmark, one.score) for one in results.scores] == [("gsm8k", 0.6)]
        assert results.unmapped == ()
        left = {one.task: one.left_out for one in results.taken if one.left_out}
        assert set(left) == {"wikitext", "WER", "bits_per_byte"}
        assert left["WER"] == "not comparable: lower is better for WER, but higher for a score"
        assert any("scores are percentages (up to 60)" in note for note in results.notes)

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import Outcome, Response, ScoreRow
from transferscope.core.taxonomy import Taxonomy, load_taxonomy, parse_taxonomy
from transferscope.runs import importers, read_run
from transferscope.runs.importers import score_table
from transferscope.runs.importers.score_table import IMPORTER

NOTHING = Taxonomy()


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(importers.IMPORTERS, "csv", "score_table")


def csv(tmp_path, text):
    (tmp_path / "tuned.csv").write_text(text, encoding="utf-8")
    return tmp_path / "tuned.csv"


def samples(path, taxonomy=NOTHING):
    results = IMPORTER.read(path, taxonomy)
    return {name: list(read()) for name, read in results.samples.items()}


def test_items(tmp_path):
    path = csv(
        tmp_path,
        "\ufeffid, score,benchmark,repeat,weight,tokens,finish,prompt,response\n"
        'a,1,sums,0,2.5,3,stop,1+1?,"2,\nso"\n'
        "\n"
        "b,False,sums,,,,,,\n"
        "07,0.25,cats,1,,,,,\n",
    )
    results = IMPORTER.read(path, NOTHING)
    assert (results.model.name, results.provenance) == ("tuned", "imported:csv")
    assert results.unmapped == ("sums", "cats")
    got = samples(path)
    assert [s.outcome for s in got["sums"]] == [
        Outcome("sums", "a", 1.0, weight=2.5, tokens=3, finish="stop"),
        Outcome("sums", "b", 0.0),
    ]
    assert got["sums"][0].response == Response("a", 0, "1+1?", "2,\nso")
    assert [s.outcome for s in got["cats"]] == [Outcome("cats", "07", 0.25, repeat=1)]


def test_scores_alone(tmp_path):
    path = csv(
        tmp_path,
        "model,benchmark,percent,n,stderr,subset\n"
        "acme/tiny,gsm8k,55,100,4.5,\n"
        "acme/tiny,cats,7,,,big\n"
        "acme/tiny,cats,8,,,small\n",
    )
    mine = parse_taxonomy(
        '[tasks.gsm8k]\ngroup = "math"\nproportion = false\nchance = 0.1', place="test"
    )
    results = IMPORTER.read(path, mine)
    assert results.model.name == "acme/tiny"
    assert results.samples == {}
    assert results.unmapped == ("cats",)
    assert results.scores == (
        ScoreRow("gsm8k", 0.55, stderr=0.045, n=100, proportion=False, chance=0.1),
        ScoreRow("cats", 0.07, subset="big"),
        ScoreRow("cats", 0.08, subset="small"),
    )
    importers.import_results(path, tmp_path / "run", format="csv")
    assert [row.score for row in read_run(tmp_path / "run").scores] == [0.55, 0.07, 0.08]


def test_a_score_is_never_taken_for_a_percent(tmp_path):
    with pytest.raises(
        InputError, match=r"tuned\.csv:2: score 55 is not within 0\.\.1; if it is a p"
    ):
        IMPORTER.read(csv(tmp_path, "benchmark,score\ngsm8k,55\n"), NOTHING)
    (row,) = IMPORTER.read(csv(tmp_path, "benchmark,percent\ngsm8k,0.5\n"), NOTHING).scores
    assert row.score == 0.005


def test_columns_are_renamed(tmp_path):
    taxonomy = Taxonomy(columns={"id": "question", "score": "correct"})
    got = samples(csv(tmp_path, "question,correct\nq,true\n"), taxonomy)
    assert got["results"][0].outcome == Outcome("results", "q", 1.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,score\n", "contains only a header; write it again with its rows"),
        ("\n\n", "is empty"),
        ("id;grade\na;1\n", r"csv:2: has no 'score' .*only id, grade"),
        ("id,id,score\na,b,1\n", "csv:1: column 'id' occurs twice"),
        ("id,score\na,1,2\n", "csv:2: 3 cells in a row of a table with 2 columns"),
        ("id,score\na\n", "csv:2: 1 cell in a row of a table with 2 columns"),
        ("id,score\na,1\n,0\n", "some rows have 'id' and some don't"),
        ("id,score\na,good\n", "csv:2: column 'score' holds 'good', not a number"),
        ("id,score,repeat\na,1,x\n", "csv:2: column 'repeat' holds 'x', not a number"),
        ("id,score,percent\na,1,100\n", "csv:2: has both 'score' and 'percent'"),
        ("benchmark,score,n\na,1,0\n", "csv:2: n 0 is not above 0"),
        ("benchmark,score,stderr\na,1,-1\n", "csv:2: stderr -1.0 is not"),
        ("benchmark,score\na,nan\n", "csv:2: score nan is not within"),
        ("benchmark,percent\na,101\n", "csv:2: percent 101 is not within 0..100"),
        ("model,id,score\na,1,1\nb,2,1\n", "csv:3: contains results of 2 models"),
        ('id,score\n"a\n,1\n', "csv:"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, says):
    with pytest.raises(InputError, match=says):
        IMPORTER.read(csv(tmp_path, text), NOTHING)


@pytest.mark.parametrize("score", ["1.3", "-1", "nan", "inf"])
def test_scores_of_items_out_of_range_are_named(tmp_path, score):
    path = csv(tmp_path, f"id,score\na,1\nb,{score}\n")
    with pytest.raises(InputError, match=r"tuned\.csv:3: score .* is not within 0\.\.1"):
        samples(path)


def test_duplicates_are_refused(tmp_path):
    with pytest.raises(InputError, match="duplicate answer"):
        importers.import_results(csv(tmp_path, "id,score\na,1\na,0\n"), tmp_path / "a")
    path = csv(tmp_path, "benchmark,score\na,1\na,0\n")
    with pytest.raises(InputError, match=r"csv:3: duplicate score for a"):
        importers.import_results(path, tmp_path / "b")


def test_long_texts_and_long_tables_belong_in_json_lines(tmp_path, monkeypatch):
    path = csv(tmp_path, f"id,score,response\na,1,{'x' * 140_000}\n")
    with pytest.raises(InputError, match=r"not valid CSV .*JSON lines"):
        IMPORTER.read(path, NOTHING)
    monkeypatch.setattr(score_table, "MAX_FILE", 2**10)
    with pytest.raises(InputError, match=r"above 0 MiB are refused.*JSON lines"):
        IMPORTER.read(path, NOTHING)


def test_what_is_no_text(tmp_path):
    (tmp_path / "f.csv").write_bytes(b"id,score\n\xff,1\n")
    with pytest.raises(InputError, match="not UTF-8 text"):
        IMPORTER.read(tmp_path / "f.csv", NOTHING)
    with pytest.raises(InputError, match="no such file"):
        IMPORTER.read(tmp_path / "none.csv", NOTHING)


def test_accepts_by_name(tmp_path):
    assert IMPORTER.accepts(csv(tmp_path, "id"))
    assert not IMPORTER.accepts(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "model;benchmark;percent;n\nbase;gsm8k;60,5;1319\n",
        "model\tbenchmark\tscore\tn\nbase\tgsm8k\t0.605\t1319\n",
        "\ufeffmodel,benchmark,score,n\nbase,gsm8k,60.5%,1319.0\n",
        'Model,Task,Accuracy (%),Num Samples\nbase,gsm8k,"60,5","1,319"\n',
        "sep=;\nModel;Dataset;Score;N\nbase;gsm8k;60,5 %;1319\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_score_however_it_is_written(tmp_path, text, encoding):
    path = tmp_path / "t.tsv"
    path.write_bytes(text.encode(encoding))
    results = IMPORTER.read(path, NOTHING)
    assert results.model.name == "base"
    assert results.scores == (ScoreRow("gsm8k", 0.605, n=1319),)


@pytest.mark.parametrize(
    "text",
    [
        "task,score\na,61.2% ± 1.3%\n",
        "task,score\na,0.612 ± 0.013\n",
        "task,percent\na,61.2 ± 1.3\n",
        "task,score,stderr\na,61.2%,1.3%\n",
        "task,score,stderr\na,61.2%,1.3\n",
        "task,score,stderr\na,0.612,1.3%\n",
        "task,score,stderr\na,0.612,0.013\n",
    ],
)
def test_a_standard_error_is_on_its_scores_scale(tmp_path, text):
    (row,) = IMPORTER.read(csv(tmp_path, text), NOTHING).scores
    assert (row.score, row.stderr) == (pytest.approx(0.612), pytest.approx(0.013))


def test_of_several_metrics_the_taxonomys_is_read(tmp_path):
    text = (
        "task,metric,value,n\n"
        "a,word_perplexity,12.5,10\na,f1,0.3,10\na,exact_match,0.5,10\n"
        "b,loss,0.3,10\nb,acc,0.5,10\nb,acc_norm,0.6,10\n"
    )
    mine = parse_taxonomy('[tasks.a]\ngroup = "g"\nmetrics = ["exact_match"]', place="test")
    results = IMPORTER.read(csv(tmp_path, text), mine)
    assert [(row.benchmark, row.score) for row in results.scores] == [("a", 0.5), ("b", 0.5)]
    assert [(t.metric, t.others) for t in results.taken] == [
        ("exact_match", ("word_perplexity", "f1")),
        ("acc", ("loss", "acc_norm")),
    ]


def test_answers_in_a_table_need_no_id_and_no_names_of_ours(tmp_path):
    got = samples(csv(tmp_path, 'Question,Prediction,Correct\nq,"a, b",True\nr,,false\n'))[
        "results"
    ]
    assert [s.outcome.score for s in got] == [1.0, 0.0]
    assert got[0].response == Response(got[0].outcome.id, 0, "q", "a, b")
    assert got[1].response is None


def test_a_percent_called_score_is_read_when_told(tmp_path):
    path = csv(tmp_path, "benchmark,score\ngsm8k,55\n")
    with pytest.raises(InputError, match="use --field percent=COLUMN"):
        IMPORTER.read(path, NOTHING)
    (row,) = IMPORTER.read(path, Taxonomy(columns={"percent": "score"})).scores
    assert row.score == 0.55


def test_a_metric_of_the_file_that_is_better_when_lower_is_left_out(tmp_path):
    """toxigen is known by its accuracy; a file may score it by something else."""
    text = "benchmark,score,metric\ntoxigen,0.1,toxicity\nwikitext,0.8,bits_per_byte\ngsm8k,0.5,\n"
    results = IMPORTER.read(csv(tmp_path, text), load_taxonomy())
    assert [row.benchmark for row in results.scores] == ["gsm8k"]
    said = "left out, not comparable: lower is better for {}, but higher for a score"
    assert results.notes == (
        f"toxigen: {said.format('toxicity')}",
        f"wikitext: {said.format('bits_per_byte')}",
    )

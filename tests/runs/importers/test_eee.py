import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef, Outcome, Response, ScoreRow
from transferscope.core.taxonomy import Taxonomy, parse_taxonomy
from transferscope.runs import Manifest, RunWriter, importers, read_run
from transferscope.runs.importers.eee import IMPORTER
from transferscope.runs.importers.eee_export import export_eee

FILES = Path(__file__).parent / "fixtures" / "eee"
NOTHING = Taxonomy()
LM_EVAL = next((FILES / "lm_eval").rglob("*.json"))
LM_EVAL_ROWS = LM_EVAL.with_name(LM_EVAL.stem + "_samples.jsonl")


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(importers.IMPORTERS, "eee", "eee")


def samples(path, taxonomy=NOTHING):
    results = IMPORTER.read(path, taxonomy)
    return {name: list(read()) for name, read in results.samples.items()}


def copied(tmp_path, change=None, change_row=None):
    """lm-eval's fixture, its aggregate and rows changed."""
    log = json.loads(LM_EVAL.read_text())
    if change:
        change(log)
    path = tmp_path / LM_EVAL.name
    path.write_text(json.dumps(log))
    rows = [json.loads(line) for line in LM_EVAL_ROWS.read_text().splitlines()]
    if change_row:
        change_row(rows[0])
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / LM_EVAL_ROWS.name).write_text(text)
    return path


def only_metric(log, **config):
    """Keeps the first metric and changes its configuration."""
    del log["evaluation_results"][1:]
    metric = log["evaluation_results"][0]["metric_config"]
    metric.update(config)
    for name, value in config.items():
        if value is None:
            del metric[name]


def test_the_inspect_converters_rows():
    results = IMPORTER.read(FILES / "inspect" / "quick_sums", NOTHING)
    assert results.model == ModelRef("acme/tiny-1b")
    assert (results.provenance, results.engine) == ("imported:eee", {"engine": "vllm"})
    assert results.versions == {"inspect": "inspect_ai:0.3.285"}
    assert results.notes == ("pack/quick_sums: match:accuracy is read, not includes:accuracy",)
    settings = {"max_tokens": "12", "temperature": "0.5", "seed": "3", "reasoning": False}
    assert results.decoding == {"pack_quick_sums": settings}
    (got,) = samples(FILES / "inspect" / "quick_sums").values()
    # The converter writes the mean over both epochs (one right, one wrong) into every row.
    assert [(s.outcome.id, s.outcome.repeat, s.outcome.score) for s in got] == [
        ("1", 0, 0.5),
        ("2", 0, 0.5),
        ("3", 0, 0.5),
        ("1", 1, 0.5),
        ("2", 1, 0.5),
        ("3", 1, 0.5),
    ]
    assert [s.outcome.finish for s in got] == ["stop", "length", "stop", "stop", "stop", None]
    assert got[1].outcome.flags == ("truncated",)
    assert got[1].outcome.tokens == 22
    assert got[1].outcome.message_hash is None
    assert got[1].response == Response("2", 0, "What is 4 + 4?", "Let me count: 1, 2, 3,")


def test_the_lm_eval_converters_rows_one_metric_of_two():
    results = IMPORTER.read(LM_EVAL, NOTHING)
    assert results.notes == ("toy_fruit: acc is read, not acc_norm",)
    assert results.versions == {"lm_eval": "0.4.13"}
    (got,) = samples(LM_EVAL).values()
    mean = json.loads(LM_EVAL.read_text())["evaluation_results"][0]["score_details"]["score"]
    assert [s.outcome.id for s in got] == ["0", "1", "2"]
    assert sum(s.outcome.score for s in got) / 3 == pytest.approx(mean, abs=1e-12)
    assert got[0].response.prompt == "Which is a fruit?"


def test_the_taxonomys_metric_is_read_without_a_note():
    mine = parse_taxonomy(
        '[tasks.fruit]\nmatch = ["toy_*"]\ngroup = "g"\nmetrics = ["acc_norm"]\nchance = 0.4',
        place="test",
    )
    results = IMPORTER.read(LM_EVAL, mine)
    assert (results.notes, results.unmapped) == ((), ())
    (got,) = samples(LM_EVAL, mine).values()
    rows = [json.loads(line) for line in LM_EVAL_ROWS.read_text().splitlines()]
    assert [s.outcome.score for s in got] == [
        row["evaluation"]["score"] for row in rows if row["evaluation_result_id"] == "acc_norm"
    ]
    first = got[0].outcome
    assert (first.benchmark, first.subset, first.id) == ("fruit", "toy_fruit", "toy_fruit/0")
    assert first.chance == 0.4


def test_an_aggregate_alone_is_a_score():
    (path,) = (FILES / "lm_eval_scores").rglob("*.json")
    results = IMPORTER.read(path, NOTHING)
    assert results.samples == {}
    details = json.loads(path.read_text())["evaluation_results"][0]["score_details"]
    stderr = details["uncertainty"]["standard_error"]["value"]
    assert results.scores == (ScoreRow("toy_fruit", details["score"], stderr=stderr, n=3),)


def test_a_folder_of_aggregates_is_one_run(tmp_path):
    done = importers.import_results(FILES / "inspect", tmp_path / "run", format="eee")
    run = read_run(tmp_path / "run")
    assert {n: len(o) for n, o in run.by_benchmark.items()} == {"pack_quick_sums": 6}
    assert done.unmapped == ("pack/quick_sums",)
    assert done.notes[:2] == (  # Inspect's converter knows no range of a "mean"
        "checks: strict:mean left out, its range is not stated",
        "checks: loose:mean left out, its range is not stated",
    )


def test_rows_that_name_no_metric_are_not_taken_for_one_of_several(tmp_path):
    """The converter writes 0 into them where Inspect's score was two values (aggregate: 0.5, 1)."""
    shutil.copytree(FILES / "inspect" / "checks", tmp_path / "checks")
    (path,) = (tmp_path / "checks").rglob("*.json")
    log = json.loads(path.read_text())
    for result in log["evaluation_results"]:
        result["metric_config"] |= {"min_score": 0, "max_score": 1}
    path.write_text(json.dumps(log))
    results = IMPORTER.read(path, NOTHING)
    assert results.samples == {}
    assert results.scores == (ScoreRow("checks", 0.5, n=2, proportion=False),)
    assert results.notes == (
        "checks: strict:mean is read, not loose:mean",
        "checks: no row has metric strict:mean, so only its score is read",
    )
    del log["evaluation_results"][0]  # one metric: the rows are its own, their 0 is shown
    path.write_text(json.dumps(log))
    results = IMPORTER.read(path, NOTHING)
    assert results.contradictions == {"checks": "mean 0.00 %, not 100.00 %"}


def test_nothing_that_can_be_used_is_refused():
    with pytest.raises(InputError, match=r"contains no usable score \(checks: strict:mean"):
        IMPORTER.read(FILES / "inspect" / "checks", NOTHING)


def test_accepts_aggregates_their_rows_and_folders(tmp_path):
    assert IMPORTER.accepts(LM_EVAL)
    assert IMPORTER.accepts(LM_EVAL_ROWS)
    assert IMPORTER.accepts(FILES)
    assert not IMPORTER.accepts(FILES.parent / "inspect")
    lone = shutil.copy(LM_EVAL_ROWS, tmp_path)
    assert not IMPORTER.accepts(Path(lone))
    with pytest.raises(InputError, match="not an aggregate of Every Eval Ever"):
        IMPORTER.read(Path(lone), NOTHING)
    assert samples(LM_EVAL_ROWS) == samples(LM_EVAL)


@pytest.mark.parametrize(
    ("config", "low", "high"),
    [
        ({"min_score": 0, "max_score": 100}, 0.0, 100.0),
        ({"min_score": -1, "max_score": 3}, -1.0, 3.0),
        ({"min_score": None, "max_score": None, "metric_unit": "percent"}, 0.0, 100.0),
        ({"min_score": None, "max_score": None, "metric_unit": "proportion"}, 0.0, 1.0),
        ({"min_score": None, "max_score": None, "score_type": "binary"}, 0.0, 1.0),
    ],
)
def test_scores_are_put_on_the_unit_scale_by_the_stated_range(tmp_path, config, low, high):
    def change(log):
        only_metric(log, **config)
        details = log["evaluation_results"][0]["score_details"]
        details["score"] = low + 0.25 * (high - low)
        details["uncertainty"]["standard_error"]["value"] = 0.1 * (high - low)

    path = copied(tmp_path, change)
    path.with_name(LM_EVAL_ROWS.name).unlink()
    (row,) = IMPORTER.read(path, NOTHING).scores
    assert (row.score, row.stderr) == (pytest.approx(0.25), pytest.approx(0.1))


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (
            {"lower_is_better": True},
            "not comparable: lower is better for acc, but higher for a score",
        ),
        ({"max_score": "Infinity", "metric_unit": "points"}, "its range is not stated"),
        ({"min_score": 2, "max_score": 2}, "its range is not stated"),
    ],
)
def test_metrics_without_a_use_are_left_out_with_a_note(tmp_path, config, why):
    def change(log):
        log["evaluation_results"][0]["metric_config"].update(config)

    results = IMPORTER.read(copied(tmp_path, change), NOTHING)
    assert results.notes == (f"toy_fruit: acc left out, {why}",)
    assert [s.outcome.id for s in results.samples["toy_fruit"]()] == ["0", "1", "2"]


def test_rows_of_shares_under_a_metric_of_percents_are_refused(tmp_path):
    def change(log):
        only_metric(log, max_score=100)
        log["evaluation_results"][0]["score_details"]["score"] = 33.3

    path = copied(tmp_path, change, lambda row: row["evaluation"].update(score=1.0))
    with pytest.raises(
        InputError, match=r"the maximum of acc is stated as 100, but no row is above 1"
    ):
        IMPORTER.read(path, NOTHING)


def test_rows_with_an_error_are_left_out_and_counted(tmp_path):
    path = copied(tmp_path, only_metric, lambda row: row.update(error="timeout"))
    results = IMPORTER.read(path, NOTHING)
    assert results.notes[0] == "toy_fruit: 1 of 3 answers left out, they ended in an error"
    assert [s.outcome.id for s in results.samples["toy_fruit"]()] == ["1", "2"]


def test_conversations_and_missing_texts(tmp_path):
    turns = [
        {"turn_idx": 0, "role": "user", "content": "Which is a fruit?"},
        {"turn_idx": 1, "role": "assistant", "content": "Let me think."},
        {"turn_idx": 2, "role": "assistant", "content": "pear"},
    ]
    path = copied(tmp_path, None, lambda row: row.update(output=None, messages=turns))
    assert samples(path)["toy_fruit"][0].response.response == "pear"
    path = copied(tmp_path, None, lambda row: row["output"].update(raw=[]))
    silent = samples(path)["toy_fruit"][0]
    assert (silent.response, silent.outcome.flags) == (None, ())  # no text is not an empty answer


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda log: log.update(schema_version="1.0.0"), "schema version '1.0.0'"),
        (lambda log: log.update(model_info={}), "no model_info.id"),
        (lambda log: log["evaluation_results"].append(4), "no evaluation_name"),
        (lambda log: log["evaluation_results"][0].pop("score_details"), "score is not a number"),
        (
            lambda log: log["evaluation_results"][1]["score_details"].update(score=float("nan")),
            r"evaluation_results\[1\]\): score nan is not within 0..1",
        ),
        (
            lambda log: log["evaluation_results"][0]["score_details"].update(score=1.3),
            r"evaluation_results\[0\]\): score 1.3 is not within 0..1",
        ),
    ],
)
def test_aggregates_that_break_the_schema_are_refused(tmp_path, change, says):
    with pytest.raises(InputError, match=says):
        IMPORTER.read(copied(tmp_path, change), NOTHING)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda row: row["evaluation"].update(score=float("nan")), "score nan"),
        (lambda row: row["evaluation"].update(score=1.3), "score 1.3"),
        (lambda row: row["evaluation"].update(score="1"), "evaluation.score is not a number"),
        (lambda row: row.update(sample_id=4), "sample_id is not a string"),
        (lambda row: row.update(metadata={"epoch": "0"}), "epoch 0"),
        (lambda row: row.update(metadata={"epoch": "first"}), "invalid literal"),
        (lambda row: row.update(metadata={"epoch": 1}), "metadata has a value"),
        (lambda row: row["output"].update(raw=[3]), "input or output is not text"),
    ],
)
def test_rows_that_break_the_schema_are_named(tmp_path, change, says):
    with pytest.raises(InputError, match=rf"_samples\.jsonl:1: .*{says}"):
        samples(copied(tmp_path, only_metric, change))


def test_a_truncated_row_is_named(tmp_path):
    path = copied(tmp_path)
    rows = path.with_name(LM_EVAL_ROWS.name)
    rows.write_text(rows.read_text()[:-40])
    with pytest.raises(InputError, match=r"_samples\.jsonl:6: not valid JSON"):
        IMPORTER.read(path, NOTHING)


def test_a_row_twice_is_refused(tmp_path):
    path = copied(tmp_path)
    rows = path.with_name(LM_EVAL_ROWS.name)
    rows.write_text(rows.read_text() + rows.read_text().splitlines()[0] + "\n")
    with pytest.raises(InputError, match="duplicate answer"):
        importers.import_results(path, tmp_path / "run", format="eee")


def test_two_results_of_a_benchmark_and_two_models_are_refused(tmp_path):
    path = copied(tmp_path)
    other = path.with_name("other.json")
    other.write_text(path.read_text())
    with pytest.raises(InputError, match="duplicate result for toy_fruit"):
        IMPORTER.read(tmp_path, NOTHING)
    other.write_text(path.read_text().replace("tiny-1b", "big-9b"))
    with pytest.raises(InputError, match="results of 2 models"):
        IMPORTER.read(tmp_path, NOTHING)


def test_the_file_of_rows_is_looked_for_beside_the_aggregate_only(tmp_path):
    (tmp_path / "sub").mkdir()
    outside = tmp_path / "rows.jsonl"
    shutil.copy(LM_EVAL_ROWS, outside)

    def change(log):
        log["detailed_evaluation_results"]["file_path"] = "../rows.jsonl"

    path = copied(tmp_path / "sub", change)
    path.with_name(LM_EVAL_ROWS.name).unlink()
    assert IMPORTER.read(path, NOTHING).samples == {}
    shutil.move(outside, tmp_path / "sub")  # as older converters name it
    assert set(IMPORTER.read(path, NOTHING).samples) == {"toy_fruit"}


SUMS = (
    Outcome(
        "sums",
        "a/1",
        1.0,
        flags=("truncated", "echo"),
        flags_inferred=("echo",),
        tokens=3,
        finish="length",
        message_hash="h",
        rendered_hash="r",
    ),
    Outcome("sums", "a/1", 0.0, repeat=1, finish="stop"),
    Outcome("sums", "b", 0.25, weight=3.0, chance=0.125, cluster="story", subset="easy"),
)
SAID = [Response("a/1", 0, "1+1?", 'two, "zwei" ü\u2028\n'), Response("a/1", 1, "1+1?", "")]
SCORES = (
    ScoreRow("cats", 0.4, subset="big", n=50),
    ScoreRow("cats", 0.6, subset="small", stderr=0.02),
    ScoreRow("dogs", 0.7, n=9),
)


def run_at(path, **changes):
    suite = NOTHING.suite(())
    manifest = Manifest(
        model=ModelRef("/home/someone/secret/tuned-1b", base="acme/tiny-1b", revision="v2"),
        suite=suite.model_dump(mode="json"),
        suite_hash=suite.hash,
        engine={"engine": "hf"},
        decoding={"sums": {"temperature": 0.5, "max_tokens": 12, "stop": ["\n"], "seed": None}},
        versions={"transferscope": "0.1.0", "python": "3.11"},
    )
    with RunWriter.open(path, replace(manifest, **changes)) as writer:
        writer.write_benchmark("sums", SUMS, SAID)
        writer.write_scores(SCORES)
    return read_run(path)


def test_an_export_comes_back_as_it_was(tmp_path):
    run = run_at(tmp_path / "run")
    files = export_eee(run, tmp_path / "out", now=1.5e9)
    assert [f.suffix for f in files] == [".json", ".jsonl", ".json", ".json"]
    importers.import_results(tmp_path / "out", tmp_path / "back", format="eee")
    back = read_run(tmp_path / "back")
    assert back.outcomes == run.outcomes
    assert sorted(back.scores, key=repr) == sorted(
        (msgspec.structs.replace(row, proportion=True) for row in run.scores), key=repr
    )
    assert back.responses("sums") == run.responses("sums")
    assert back.manifest.model == ModelRef("local/tuned-1b", base="acme/tiny-1b", revision="v2")
    assert back.manifest.versions == {"python": "3.11", "transferscope": "0.1.0"}


def test_an_export_follows_the_schema(tmp_path):
    """The schemas' required fields and forms; the real package validates it in check_eee.py."""
    run = run_at(tmp_path / "run")
    aggregate, rows, *_ = export_eee(run, tmp_path / "out", now=1.5e9)
    log = json.loads(aggregate.read_text())
    place = rows.relative_to(tmp_path / "out").as_posix()
    uuid4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(rf"data/sums/local/tuned-1b/{uuid4}_samples\.jsonl", place)
    assert aggregate.name == rows.name.replace("_samples.jsonl", ".json")
    assert set(log) == {
        "schema_version",
        "evaluation_id",
        "retrieved_timestamp",
        "source_metadata",
        "model_info",
        "eval_library",
        "evaluation_results",
        "detailed_evaluation_results",
    }
    assert log["schema_version"] == "0.3.0"
    assert log["evaluation_id"] == "sums/local/tuned-1b/1500000000.0"
    assert log["model_info"]["id"] == "local/tuned-1b"
    assert "secret" not in aggregate.read_text() + rows.read_text()
    assert log["eval_library"]["name"] == "transferscope"
    (result,) = log["evaluation_results"]
    # a/1 is 0.5 over its repeats with weight 1, b is 0.25 with weight 3: (0.5 + 0.75) / 4.
    assert result["score_details"] == {"score": 0.3125, "uncertainty": {"num_samples": 2}}
    assert result["metric_config"]["metric_name"] == "mean_score"
    assert (result["metric_config"]["min_score"], result["metric_config"]["max_score"]) == (0, 1)
    assert result["generation_config"] == {
        "generation_args": {"temperature": 0.5, "max_tokens": 12},
        "additional_details": {"stop": '["\\n"]'},
    }
    detail = log["detailed_evaluation_results"]
    assert (detail["file_path"], detail["total_rows"]) == (place, 3)
    assert detail["checksum"] == hashlib.sha256(rows.read_bytes()).hexdigest()
    lines = [json.loads(line) for line in rows.read_text().split("\n")[:-1]]
    assert len(lines) == 3
    for line in lines:
        assert line["evaluation_id"] == log["evaluation_id"]
        assert line["evaluation_result_id"] == result["evaluation_result_id"]
        assert line["interaction_type"] == "single_turn"
        assert all(isinstance(value, str) for value in line["metadata"].values())
    assert lines[0]["output"] == {"raw": ['two, "zwei" ü\u2028\n']}
    assert lines[0]["metadata"]["stop_reason"] == "max_tokens"
    assert [line["evaluation"]["is_correct"] for line in lines] == [True, False, False]


def test_the_same_run_gives_the_same_files(tmp_path):
    run = run_at(tmp_path / "run")
    first = export_eee(run, tmp_path / "a", now=1.5e9)
    again = export_eee(run, tmp_path / "b", now=1.5e9)
    assert [f.relative_to(tmp_path / "a") for f in first] == [
        f.relative_to(tmp_path / "b") for f in again
    ]
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in again]


def test_a_hub_id_and_a_foreign_provenance_are_kept(tmp_path):
    run = run_at(
        tmp_path / "run",
        model=ModelRef("acme/tiny-1b"),
        provenance="imported:lm_eval",
        versions={"lm_eval": "0.4.13"},
    )
    log = json.loads(export_eee(run, tmp_path / "out")[0].read_text())
    assert log["model_info"]["id"] == "acme/tiny-1b"
    assert log["eval_library"]["name"] == "lm_eval"
    assert log["eval_library"]["version"] == "0.4.13"


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(0, 1), min_size=1))
def test_any_scores_come_back(tmp_path_factory, scores):
    tmp_path = tmp_path_factory.mktemp("eee")
    suite = NOTHING.suite(())
    manifest = Manifest(ModelRef("m"), suite.model_dump(mode="json"), suite.hash)
    outcomes = [Outcome("sums", id_, score) for id_, score in scores.items()]
    with RunWriter.open(tmp_path / "run", manifest) as writer:
        writer.write_benchmark("sums", outcomes)
    export_eee(read_run(tmp_path / "run"), tmp_path / "out", now=0.0)
    assert [s.outcome for s in samples(tmp_path / "out")["sums"]] == outcomes

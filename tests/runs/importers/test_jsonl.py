import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.core.records import Outcome, Response
from transferscope.core.taxonomy import Taxonomy, load_taxonomy, parse_taxonomy
from transferscope.runs import importers, read_run
from transferscope.runs.importers.jsonl import IMPORTER

NOTHING = Taxonomy()


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(importers.IMPORTERS, "jsonl", "jsonl")


def lines(path, *rows):
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def samples(path, taxonomy=NOTHING):
    results = IMPORTER.read(path, taxonomy)
    return {name: list(read()) for name, read in results.samples.items()}


def test_every_column(tmp_path):
    row = {
        "id": 7,
        "score": 0.5,
        "benchmark": "sums",
        "model": "acme/tiny",
        "repeat": 2,
        "prompt": "1+1?",
        "response": "2\u2028",
        "subset": "easy",
        "cluster": "story",
        "weight": 2,
        "finish": "length",
        "tokens": 3,
        "colour": "ignored",
    }
    path = lines(tmp_path / "file.jsonl", row)
    results = IMPORTER.read(path, NOTHING)
    assert (results.model.name, results.provenance) == ("acme/tiny", "imported:jsonl")
    assert results.unmapped == ("sums",)
    ((got,),) = samples(path).values()
    assert got.outcome == Outcome(
        "sums",
        "7",
        0.5,
        repeat=2,
        subset="easy",
        cluster="story",
        weight=2.0,
        flags=("truncated",),
        tokens=3,
        finish="length",
    )
    assert got.response == Response("7", 2, "1+1?", "2\u2028")


def test_two_columns_are_enough(tmp_path):
    path = lines(tmp_path / "tuned.jsonl", {"id": "a", "score": True}, {"id": "b", "score": False})
    results = IMPORTER.read(path, NOTHING)
    assert results.model.name == "tuned"
    assert [s.outcome for s in samples(path)["results"]] == [
        Outcome("results", "a", 1.0),
        Outcome("results", "b", 0.0),
    ]
    assert all(s.response is None for s in samples(path)["results"])


def test_null_is_no_value_and_percent_is_asked_for_by_name(tmp_path):
    path = lines(tmp_path / "f.jsonl", {"id": "a", "score": None, "percent": 55, "tokens": None})
    assert samples(path)["results"][0].outcome == Outcome("results", "a", 0.55)


def test_no_text_is_not_an_empty_answer(tmp_path):
    path = lines(
        tmp_path / "f.jsonl",
        {"id": "a", "score": 0, "finish": "length"},
        {"id": "b", "score": 0, "response": ""},
    )
    got = samples(path)["results"]
    assert got[0].outcome.flags == ("truncated",)
    assert got[1].outcome.flags == got[1].outcome.flags_inferred == ("empty",)


def test_mixed_benchmarks_blank_lines_and_a_mark_at_the_start(tmp_path):
    rows = [{"id": str(i), "score": 1, "benchmark": "ab"[i % 2]} for i in range(6)]
    path = tmp_path / "f.jsonl"
    text = "\n\n".join(json.dumps(row) for row in rows)
    path.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\n \n")
    got = {name: [s.outcome.id for s in mine] for name, mine in samples(path).items()}
    assert got == {"a": ["0", "2", "4"], "b": ["1", "3", "5"]}


def test_the_taxonomy_joins_tasks_into_a_benchmark(tmp_path):
    mine = parse_taxonomy(
        '[tasks.mmlu]\nmatch = ["mmlu", "mmlu_*"]\ngroup = "g"\nchance = 0.25', place="test"
    )
    path = lines(
        tmp_path / "f.jsonl",
        {"id": 0, "score": 1, "benchmark": "mmlu_law"},
        {"id": 0, "score": 0, "benchmark": "mmlu_art"},
        {"id": 0, "score": 0, "benchmark": "mmlu"},
    )
    assert [s.outcome for s in samples(path, mine)["mmlu"]] == [
        Outcome("mmlu", "mmlu_law/0", 1.0, subset="mmlu_law", chance=0.25),
        Outcome("mmlu", "mmlu_art/0", 0.0, subset="mmlu_art", chance=0.25),
        Outcome("mmlu", "0", 0.0, chance=0.25),
    ]
    assert IMPORTER.read(path, mine).unmapped == ()


def test_columns_are_renamed_by_the_taxonomy_file(tmp_path):
    mine = tmp_path / "map.toml"
    mine.write_text('[columns]\nid = "question"\nscore = "correct"\nmodel = "who"\n')
    path = lines(
        tmp_path / "f.jsonl", {"question": "q", "correct": True, "who": "m", "id": 3, "score": 9}
    )
    taxonomy = load_taxonomy(mine)
    assert taxonomy.tasks == load_taxonomy().tasks
    assert samples(path, taxonomy)["results"][0].outcome == Outcome("results", "q", 1.0)
    assert IMPORTER.read(path, taxonomy).model.name == "m"
    with pytest.raises(InputError, match=r"\[columns\]: unknown column 'grade'"):
        IMPORTER.read(path, Taxonomy(columns={"grade": "x"}))


def test_a_names_that_can_be_no_file_is_made_safe_and_never_joined(tmp_path):
    path = lines(tmp_path / "f.jsonl", {"id": 1, "score": 1, "benchmark": "../a b"})
    assert list(samples(path)) == ["a_b"]
    path = lines(
        tmp_path / "f.jsonl",
        {"id": 1, "score": 1, "benchmark": "a b"},
        {"id": 2, "score": 1, "benchmark": "a/b"},
    )
    with pytest.raises(InputError, match="tasks 'a b' and 'a/b' get the same name"):
        IMPORTER.read(path, NOTHING)


def test_two_models_are_refused(tmp_path):
    rows = [{"id": i, "score": 1, "model": m} for i, m in enumerate("aab")]
    with pytest.raises(InputError, match=r"f\.jsonl:3: contains results of 2 models \(a and b\)"):
        IMPORTER.read(lines(tmp_path / "f.jsonl", *rows), NOTHING)


GOOD = {"id": "a", "score": 1}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"id": "b"}, "no 'score' .0..1. or 'percent', only id"),
        ({"score": 1}, "no 'id', only score"),
        ({"id": "b", "score": 1, "percent": 100}, "both 'score' and 'percent'"),
        ({"id": "b", "score": "1"}, "column 'score' holds '1', not bool or whole number or float"),
        ({"id": True, "score": 1}, "column 'id' holds 'True'"),
        ({"id": "b", "score": 1, "repeat": 0.5}, "column 'repeat' holds '0.5', not whole number"),
        ({"id": "b", "score": 1, "weight": True}, "column 'weight' holds 'True'"),
        ({"id": "b", "score": 1, "response": 4}, "column 'response' holds '4', not str"),
        ('{"id": "b", "sco', "not valid JSON"),
        ("[1]", "not a JSON object"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_lines_that_are_refused_at_once(tmp_path, row, says):
    with pytest.raises(InputError, match=rf"f\.jsonl:2: .*{says}.*(--map|copy it again)"):
        IMPORTER.read(lines(tmp_path / "f.jsonl", GOOD, row), NOTHING)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"score": 1.3}, r"score 1\.3 is not within 0\.\.1; if it is a percentage"),
        ({"score": -0.1}, "score -0.1 is not within"),
        ({"score": float("nan")}, "score nan is not within"),
        ({"score": float("inf")}, "score inf is not within"),
        ({"score": 10**400}, "score inf is not within 0..1"),
        ({"percent": 100.5}, "percent 100.5 is not within 0..100"),
        ({"percent": float("nan")}, "percent nan is not within"),
        ({"score": 1, "weight": 0}, "weight 0.0 is not a positive number"),
        ({"score": 1, "repeat": -1}, "below 0"),
        ({"score": 1, "finish": "eos"}, "finish 'eos' is not one of"),
    ],
)
def test_values_out_of_range_are_named_by_line(tmp_path, row, says):
    path = lines(tmp_path / "f.jsonl", GOOD, {"id": "b", **row})
    with pytest.raises(InputError, match=rf"f\.jsonl:2: .*{says}"):
        samples(path)


def test_binary_and_empty_files(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'{"id": 1, "score": 1}\n\xff\xfe\n')
    with pytest.raises(InputError, match=r"f\.jsonl:2: not UTF-8"):
        IMPORTER.read(path, NOTHING)
    path.write_bytes(b"\n")
    with pytest.raises(InputError, match="contains no line"):
        IMPORTER.read(path, NOTHING)
    with pytest.raises(InputError, match=r"no such file; name a \.jsonl file"):
        IMPORTER.read(tmp_path / "none.jsonl", NOTHING)


def test_a_duplicate_answer_is_refused(tmp_path):
    path = lines(tmp_path / "f.jsonl", GOOD, GOOD | {"repeat": 1}, GOOD)
    with pytest.raises(InputError, match="duplicate answer"):
        importers.import_results(path, tmp_path / "run", format="jsonl")


def test_accepts_by_name(tmp_path):
    assert IMPORTER.accepts(lines(tmp_path / "f.jsonl", GOOD))
    assert IMPORTER.accepts(lines(tmp_path / "f.ndjson", GOOD))
    assert not IMPORTER.accepts(lines(tmp_path / "f.json", GOOD))
    assert not IMPORTER.accepts(tmp_path)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.floats(0, 1), st.text(max_size=5)),
        min_size=1,
        max_size=20,
    )
)
def test_any_order_of_benchmarks_is_imported_whole(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("jsonl")
    path = lines(
        folder / "f.jsonl",
        *(
            {"id": i, "benchmark": name, "score": score, "response": text}
            for i, (name, score, text) in enumerate(rows)
        ),
    )
    importers.import_results(path, folder / "run", format="jsonl")
    run = read_run(folder / "run")
    got = {o.id: (o.benchmark, o.score) for o in run.outcomes}
    assert got == {str(i): (name, score) for i, (name, score, _) in enumerate(rows)}
    said = {r.id: r.response for name in run.by_benchmark for r in run.responses(name).values()}
    assert said == {str(i): text for i, (_, _, text) in enumerate(rows)}


CHAT = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}]


def test_items_without_an_id_are_told_apart_by_what_was_asked(tmp_path):
    """Base and tuned pair by the prompt, in any order; the same prompt again is a repeat."""
    rows = [
        {"prompt": "a?", "output": "1", "correct": True},
        {"prompt": "b?", "output": "2", "correct": False},
        {"prompt": "a?", "output": "3", "correct": False},
    ]
    one = samples(lines(tmp_path / "one.jsonl", *rows))["results"]
    two = samples(lines(tmp_path / "two.jsonl", *reversed(rows[:2])))["results"]
    assert [(s.outcome.repeat, s.outcome.score) for s in one] == [(0, 1.0), (0, 0.0), (1, 0.0)]
    assert one[0].outcome.id == one[2].outcome.id == two[1].outcome.id
    assert one[1].outcome.id == two[0].outcome.id != one[0].outcome.id
    results = IMPORTER.read(tmp_path / "one.jsonl", NOTHING)
    assert results.taken[0].n == 2
    assert results.notes == (
        "read response = output, score = correct; if that is wrong, use --field NAME=COLUMN",
        "no id: 2 items are identified by their prompts, 1 of them asked more than once",
    )


def test_chats_lists_and_servers_responses(tmp_path):
    body = {"choices": [{"message": {"content": "cut"}, "finish_reason": "length"}]}
    path = lines(
        tmp_path / "f.jsonl",
        {"id": 1, "score": 1, "prompt": CHAT[:1], "response": CHAT},
        {"id": 2, "score": [1, 0], "prompt": "q", "response": ["x", "y"]},
        {"id": 3, "score": 0, "prompt": "q", "response": {"status_code": 200, "body": body}},
        {"id": 4, "score": 0, "prompt": "q", "response": {"status_code": 500, "body": {}}},
    )
    got = samples(path)["results"]
    assert [(s.outcome.id, s.outcome.repeat, s.outcome.score) for s in got] == [
        ("1", 0, 1.0),
        ("2", 0, 1.0),
        ("2", 1, 0.0),
        ("3", 0, 0.0),
    ]
    assert got[0].response == Response("1", 0, "1+1?", "2")
    assert got[3].outcome.flags == ("truncated",)
    assert IMPORTER.read(path, NOTHING).notes == (
        "1 request has no answer (failed or empty): left out",
    )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"score": [1], "response": ["a", "b"]}, "column 'score' has 1 scores for 2 answers"),
        ({"score": 1, "response": {"logits": 1}}, "column 'response' holds an object without a t"),
        ({"score": 1, "response": [4]}, "column 'response' holds '4' instead of text"),
        ({"response": "a"}, r"no 'score' .*transferscope score GRADER FILE --out GRADED\.jsonl"),
    ],
)
def test_answers_that_are_refused(tmp_path, row, says):
    with pytest.raises(InputError, match=rf"f\.jsonl:2: .*{says}"):
        IMPORTER.read(lines(tmp_path / "f.jsonl", GOOD, {"id": "b"} | row), NOTHING)


def test_one_of_several_models_is_read_by_its_name(tmp_path):
    rows = [{"id": i // 2, "score": i % 2, "model": "ab"[i % 2]} for i in range(6)]
    path = lines(tmp_path / "f.jsonl", *rows)
    for model, score in (("a", 0.0), ("B", 1.0)):
        importers.import_results(f"{path}::{model}", tmp_path / model)
        run = read_run(tmp_path / model)
        assert run.manifest.model.name == model.lower()
        assert [(o.id, o.score) for o in run.outcomes] == [(str(i), score) for i in range(3)]
    with pytest.raises(InputError, match=r"no model 'c', only a and b; name one of them"):
        importers.import_results(f"{path}::c", tmp_path / "c")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gzip", "array"])
def test_the_same_lines_however_they_are_written(tmp_path, encoding):
    rows = [{"id": i, "benchmark": "ab"[i % 2], "score": 1, "response": "ä"} for i in range(5)]
    text = json.dumps(rows) if encoding == "array" else "\n".join(map(json.dumps, rows))
    content = text.encode("utf-16" if encoding == "utf-16" else "utf-8")
    path = tmp_path / ("f.jsonl.gz" if encoding == "gzip" else "f.jsonl")
    path.write_bytes(gzip.compress(content) if encoding == "gzip" else content)
    assert importers.import_results(path, tmp_path / "run").format == "jsonl"
    run = read_run(tmp_path / "run")
    assert run.manifest.model.name == "f"
    assert {n: [o.id for o in mine] for n, mine in run.by_benchmark.items()} == {
        "a": ["0", "2", "4"],
        "b": ["1", "3"],
    }


def test_lines_of_scores_are_scores(tmp_path):
    rows = [
        {"model": "m", "task": "a", "accuracy": 0.5, "n": 10},
        {"model": "m", "task": "b", "accuracy": 1},
    ]
    found = IMPORTER.read(lines(tmp_path / "f.jsonl", *rows), NOTHING)
    assert found.samples == {}
    assert [(s.benchmark, s.score, s.n) for s in found.scores] == [("a", 0.5, 10), ("b", 1.0, None)]


def test_a_file_called_as_its_benchmark_needs_no_column(tmp_path):
    (tmp_path / "base").mkdir()
    path = lines(tmp_path / "base" / "GSM8K.jsonl", {"id": "a", "score": 1})
    results = IMPORTER.read(path, load_taxonomy())
    assert (results.model.name, list(results.samples)) == ("base", ["gsm8k"])
    assert results.notes == (
        "no column names the benchmark, so it is GSM8K, after the file's name",
    )
    lines(path, {"id": "a", "score": 1, "task": "boolq"})
    results = IMPORTER.read(path, load_taxonomy())
    assert (results.model.name, list(results.samples)) == ("GSM8K", ["boolq"])


def test_a_column_that_first_stands_far_down_is_read(tmp_path):
    """A second benchmark's stories, after 60 rows of one that has none."""
    plain = [{"id": at, "score": 1, "benchmark": "sums"} for at in range(60)]
    told = [
        {"id": at, "score": 1, "benchmark": "chat", "cluster": "a story", "weight": 2.0}
        for at in range(3)
    ]
    got = samples(lines(tmp_path / "m.jsonl", *plain, *told))
    assert {s.outcome.cluster for s in got["sums"]} == {""}
    assert [(s.outcome.cluster, s.outcome.weight) for s in got["chat"]] == [("a story", 2.0)] * 3


def test_a_column_taken_for_something_else_is_no_late_one(tmp_path):
    """``subset`` names the benchmark here, as --field or a map says, and no subset of it."""
    rows = [{"id": at, "score": 1, "subset": "sums"} for at in range(3)]
    taxonomy = parse_taxonomy('[columns]\nbenchmark = "subset"\n', place="map.toml")
    (got,) = samples(lines(tmp_path / "m.jsonl", *rows), taxonomy).values()
    assert {(s.outcome.benchmark, s.outcome.subset) for s in got} == {("sums", "")}


def test_a_row_without_score_that_failed_is_left_out_and_counted(tmp_path):
    failed = {"id": "c", "score": None, "response": None, "error": "timeout"}
    results = IMPORTER.read(lines(tmp_path / "f.jsonl", GOOD, failed), NOTHING)
    assert any("1" in note and "failed" in note for note in results.notes)
    (read,) = results.samples.values()
    assert [sample.outcome.id for sample in read()] == [str(GOOD["id"])]
    with pytest.raises(InputError, match=r"g\.jsonl: contains no answer: every request failed"):
        IMPORTER.read(lines(tmp_path / "g.jsonl", failed), NOTHING)
    ungraded = {"id": "c", "score": None, "response": "42"}
    with pytest.raises(InputError, match=r"h\.jsonl:2: column 'score' is empty; grade"):
        IMPORTER.read(lines(tmp_path / "h.jsonl", GOOD, ungraded), NOTHING)

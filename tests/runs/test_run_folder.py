import json
from dataclasses import replace

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef, Outcome, Response, ScoreRow
from transferscope.core.suite import parse_suite
from transferscope.runs import Manifest, RunWriter, read_run

SUITE = parse_suite(
    """
    name = "tiny"
    source = "math"
    [groups]
    math = ["sums"]
    other = ["colours"]
    [benchmarks.sums]
    pack = "tiny"
    [benchmarks.colours]
    pack = "tiny"
    """,
    place="test",
)


def manifest(**changes):
    return replace(
        Manifest(
            model=ModelRef("m", fingerprint="f1"),
            suite=SUITE.model_dump(mode="json"),
            suite_hash=SUITE.hash,
            engine={"engine": "fake", "batch_size": 8},
            decoding={"sums": {"temperature": 0.0, "stop": ()}},
            seed=1,
            limit=2,
        ),
        **changes,
    )


SUMS = [
    Outcome("sums", "a", 1.0, flags=("truncated",), tokens=3, finish="length", message_hash="h"),
    Outcome("sums", "b", 0.5, weight=2.0, chance=0.25, cluster="story", subset="easy"),
]
SAID = [Response("a", 0, "1+1?", 'two, "zwei" ü\u2028\n'), Response("b", 0, "2+2?", "4")]
COLOURS = [Outcome("colours", "x", 0.0)]


def write(path, **changes):
    with RunWriter.open(path, manifest(**changes)) as writer:
        writer.write_benchmark("sums", SUMS, SAID)
        writer.write_benchmark("colours", COLOURS)
    return path


def test_what_was_written_is_read(tmp_path):
    run = read_run(write(tmp_path / "run"))
    assert run.outcomes == (*SUMS, *COLOURS)
    assert run.by_benchmark == {"sums": tuple(SUMS), "colours": tuple(COLOURS)}
    assert run.responses("sums") == {("a", 0): SAID[0], ("b", 0): SAID[1]}
    assert run.responses("colours") == {}
    assert run.responses("../run") == {}
    assert run.manifest.status == "complete"
    assert run.manifest.model == ModelRef("m", fingerprint="f1")
    assert run.manifest.load_suite() == SUITE
    assert {name: entry.n for name, entry in run.manifest.complete.items()} == {
        "sums": 2,
        "colours": 1,
    }
    size = (tmp_path / "run" / "outcomes.jsonl").stat().st_size
    assert run.manifest.committed == size == run.manifest.complete["colours"].outcomes_bytes


def test_an_error_leaves_the_run_unfinished(tmp_path):
    def fail_after_one():
        with RunWriter.open(tmp_path, manifest()) as writer:
            writer.write_benchmark("sums", SUMS)
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_one()
    with pytest.raises(InputError, match=r"unfinished run \(1 benchmarks are done\)"):
        read_run(tmp_path)
    assert read_run(tmp_path, allow_unfinished=True).outcomes == tuple(SUMS)


@pytest.mark.parametrize("cut", [0, 1, 40, 10_000])
def test_killed_between_lines_and_manifest(tmp_path, cut):
    """Any part of the next benchmark may already stand in the file."""
    writer = RunWriter.open(tmp_path, manifest())
    writer.write_benchmark("sums", SUMS)
    partial = b'{"benchmark": "colours", "id": "x", "score": 0.0, "repeat": 0}\n{"benchm'
    with (tmp_path / "outcomes.jsonl").open("ab") as file:
        file.write(partial[:cut])
    (tmp_path / ".run.json.0a1b2c3d.tmp").write_text('{"half')
    assert read_run(tmp_path, allow_unfinished=True).outcomes == tuple(SUMS)
    with RunWriter.open(tmp_path, manifest()) as again:
        assert again.finished == {"sums"}
        again.write_benchmark("colours", COLOURS)
    assert read_run(tmp_path).outcomes == (*SUMS, *COLOURS)


def test_killed_before_the_first_manifest(tmp_path):
    (tmp_path / ".run.json.0a1b2c3d.tmp").write_text('{"half')
    assert read_run(write(tmp_path)).manifest.status == "complete"


def test_opening_a_complete_run_changes_nothing(tmp_path):
    write(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    with RunWriter.open(tmp_path, manifest()) as writer:
        assert writer.finished == {"sums", "colours"}
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()} == before


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"model": ModelRef("m", fingerprint="f2")}, "model fingerprint: it has f1, requested f2"),
        ({"model": ModelRef("m2", fingerprint="f1")}, "a different model: it has m, requested m2"),
        ({"suite_hash": "0"}, "a different suite"),
        ({"decoding": {"sums": {"temperature": 1.0, "stop": ()}}}, "a different decoding; name"),
        ({"seed": 2}, "a different seed: it has 1, requested 2"),
        ({"limit": 1}, "a different limit: it has 2, requested 1; use --limit 2 or more, or name"),
        ({"template": "t"}, "a different chat template"),
        ({"engine": {"engine": "hf"}}, "a different engine: it has fake, requested hf"),
    ],
)
def test_another_run_is_not_continued(tmp_path, changes, what):
    write(tmp_path)
    with pytest.raises(InputError, match=what) as error:
        RunWriter.open(tmp_path, manifest(**changes))
    assert "--out" in str(error.value)


def test_resuming_with_another_batch_size_is_allowed(tmp_path):
    RunWriter.open(tmp_path, manifest())
    again = RunWriter.open(tmp_path, manifest(engine={"engine": "fake", "batch_size": 1}))
    assert again.finished == frozenset()
    assert again.manifest.engine == manifest().engine  # the first start's record stays


def test_foreign_folder_and_file(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match=r"contains files but no run\.json"):
        RunWriter.open(tmp_path, manifest())
    with pytest.raises(InputError, match="is a file"):
        RunWriter.open(tmp_path / "thesis.tex", manifest())
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_outcomes_shorter_than_committed(tmp_path):
    write(tmp_path)
    (tmp_path / "outcomes.jsonl").write_bytes(b"")
    with pytest.raises(InputError, match="0 bytes, but"):
        RunWriter.open(tmp_path, manifest())
    with pytest.raises(InputError, match="0 bytes, but"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("outcomes", "what"),
    [
        ([], "has no outcomes"),
        (COLOURS, "those of another benchmark"),
        ([SUMS[0], SUMS[0]], r"duplicate answer \('sums', 'a', 0\)"),
    ],
)
def test_programming_errors_write_nothing(tmp_path, outcomes, what):
    writer = RunWriter.open(tmp_path, manifest())
    with pytest.raises(ValueError, match=what):
        writer.write_benchmark("sums", outcomes)
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_benchmark_is_committed_once_and_named_like_a_file(tmp_path):
    writer = RunWriter.open(tmp_path, manifest())
    writer.write_benchmark("sums", SUMS)
    with pytest.raises(ValueError, match="already committed"):
        writer.write_benchmark("sums", SUMS)
    with pytest.raises(InputError, match="can't be a file name"):
        writer.write_benchmark("../sums", SUMS)


def edit_manifest(path, **changes):
    raw = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps(raw | changes))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"schema": 2}, "schema version 2; this transferscope reads version 1"),
        ({"schema": None}, "schema version None"),
        ({"colour": 1}, "unknown field 'colour'"),
        ({"model": None}, "field 'model': input should be an object"),
        ({"suite": {"name": "x"}}, "field 'suite.source' is missing"),
        ({"complete": {"sums": {}}}, "field 'complete.sums.outcomes_bytes' is missing"),
    ],
)
def test_manifests_that_are_refused(tmp_path, changes, what):
    write(tmp_path)
    edit_manifest(tmp_path, **changes)
    with pytest.raises(InputError, match=what) as error:
        read_run(tmp_path)
    assert str(error.value).startswith(str(tmp_path / "run.json"))


def test_missing_folder_missing_manifest_and_broken_json(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_run(tmp_path / "none")
    with pytest.raises(InputError, match=r"no run\.json"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(InputError, match="has no schema version"):
        read_run(tmp_path)


GOOD = {"benchmark": "sums", "id": "b", "score": 0.5}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "not valid JSON"),
        ("3", "not a JSON object"),
        (json.dumps(GOOD | {"score": 1.3}), r"score 1\.3 is not within 0\.\.1"),
        (json.dumps(GOOD | {"score": float("nan")}), r"score nan is not within 0\.\.1"),
        (json.dumps(GOOD | {"score": "1"}), "score is not a number"),
        (json.dumps(GOOD | {"weight": 0}), "weight 0 is not a positive number"),
        (json.dumps(GOOD | {"repeat": True}), "repeat is not a whole number"),
        (json.dumps(GOOD | {"tokens": 1.5}), "tokens is neither"),
        (json.dumps(GOOD | {"id": 7}), "id is not a string"),
        (json.dumps(GOOD | {"finish": 7}), "finish is neither"),
        (json.dumps(GOOD | {"flags": "x"}), "flags is not a list of strings"),
        (json.dumps(GOOD | {"flags": [7]}), "flags is not a list of strings"),
        (json.dumps(GOOD | {"colour": "x"}), "unknown field 'colour'"),
        (json.dumps({"benchmark": "sums", "id": "b"}), "missing 'score'"),
        (json.dumps(GOOD | {"id": "a"}), "duplicate answer: benchmark sums, id a, repeat 0"),
    ],
)
def test_lines_that_are_refused(tmp_path, line, what):
    write(tmp_path)
    file = tmp_path / "outcomes.jsonl"
    lines = file.read_text().splitlines()
    lines[1] = line
    file.write_text("\n".join(lines) + "\n")
    size = file.stat().st_size
    edit_manifest(
        tmp_path,
        complete={
            "sums": {"n": 2, "outcomes_bytes": 1},
            "colours": {"n": 1, "outcomes_bytes": size},
        },
    )
    with pytest.raises(InputError, match=what) as error:
        read_run(tmp_path)
    assert str(error.value).startswith(f"{file}:2: ")


def test_counts_that_do_not_match(tmp_path):
    write(tmp_path)
    size = (tmp_path / "outcomes.jsonl").stat().st_size
    edit_manifest(
        tmp_path,
        complete={
            "sums": {"n": 3, "outcomes_bytes": 1},
            "colours": {"n": 1, "outcomes_bytes": size},
        },
    )
    with pytest.raises(InputError, match=r"2 answers to sums, but run\.json says 3"):
        read_run(tmp_path)
    with (tmp_path / "outcomes.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(InputError, match=f"{size + 3} bytes, but run.json says {size}"):
        read_run(tmp_path)


def test_a_broken_response_line(tmp_path):
    run = read_run(write(tmp_path))
    file = tmp_path / "responses" / "sums.jsonl"
    file.write_text('{"id": "a"}\n')
    with pytest.raises(InputError, match=r"sums\.jsonl:1: .*Missing"):
        run.responses("sums")


def test_a_benchmark_name_that_leaves_the_folder_is_refused(tmp_path):
    with RunWriter.open(tmp_path / "run", manifest()) as writer:
        writer.write_benchmark("sums", SUMS)
    for name in ("outcomes.jsonl", "run.json"):
        path = tmp_path / "run" / name
        path.write_text(path.read_text().replace('"sums"', '"../s"'))
    with pytest.raises(InputError, match="can't be a file name"):
        read_run(tmp_path / "run")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"score": 2.0}, r"score 2\.0 is not within"),
        ({"subset": 7}, "benchmark and subset must be strings"),
        ({"n": True}, "n must be a whole number or null"),
        ({"colour": 1}, "Unexpected keyword"),
        ({}, "duplicate score for poems"),
    ],
)
def test_score_rows_that_are_refused(tmp_path, row, what):
    with RunWriter.open(tmp_path, manifest()) as writer:
        writer.write_scores([ScoreRow("poems", 0.5, n=10)])
    file = tmp_path / "scores.jsonl"
    good = json.loads(file.read_text())
    file.write_text(json.dumps(good) + "\n" + json.dumps(good | row) + "\n")
    with pytest.raises(InputError, match=what) as error:
        read_run(tmp_path)
    assert str(error.value).startswith(f"{file}:2: ")


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":"), (" ,\t", " : ")])
def test_white_space_between_tokens_makes_no_difference(tmp_path, separators):
    expected = read_run(write(tmp_path))
    file = tmp_path / "outcomes.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(row, separators=separators) + "\n" for row in lines))
    size = file.stat().st_size
    complete = json.loads((tmp_path / "run.json").read_text())["complete"]
    edit_manifest(tmp_path, complete={n: e | {"outcomes_bytes": size} for n, e in complete.items()})
    assert tuple(read_run(tmp_path).outcomes) == tuple(expected.outcomes)


@pytest.mark.parametrize("again", ['"score":1.0', '"score": 0.0', '"chance":null'])
def test_a_key_twice_in_a_line_is_refused_whatever_its_value(tmp_path, again):
    write(tmp_path)
    file = tmp_path / "outcomes.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0][:-1] + f",{again}}}", *lines[1:]]) + "\n")
    size = file.stat().st_size
    complete = json.loads((tmp_path / "run.json").read_text())["complete"]
    edit_manifest(tmp_path, complete={n: e | {"outcomes_bytes": size} for n, e in complete.items()})
    with pytest.raises(InputError, match=r"outcomes\.jsonl:1: .*twice in one object"):
        read_run(tmp_path)

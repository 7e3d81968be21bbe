import json
import shutil
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.core.records import message_hash
from transferscope.core.taxonomy import Taxonomy, parse_taxonomy
from transferscope.runs import importers, read_run
from transferscope.runs.importers import inspect_files
from transferscope.runs.importers.inspect_log import IMPORTER
from transferscope.runs.importers.inspect_samples import number

LOGS = Path(__file__).parent / "fixtures" / "inspect"
OLD, NEW = LOGS / "0.3.160", LOGS / "0.3.285"
NOTHING = Taxonomy()


def samples(path, taxonomy=NOTHING):
    results = IMPORTER.read(path, taxonomy)
    return {name: list(read()) for name, read in results.samples.items()}


def rewritten(path, change, log=NEW / "sums.json"):
    """The log with ``change`` applied to its JSON."""
    content = json.loads(log.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/") + ".json", content)
    return path


@pytest.mark.parametrize("log", [OLD / "sums.eval", NEW / "sums.json"])
def test_epochs_scores_and_how_answers_ended(log):
    (got,) = samples(log).values()
    rows = [(s.outcome.id, s.outcome.repeat, s.outcome.score, s.outcome.finish) for s in got]
    assert rows == [  # what make_inspect.py lets the model say, graded by match
        ("1", 0, 1.0, "stop"),
        ("2", 0, 0.0, "length"),
        ("3", 0, 1.0, "stop"),
        ("1", 1, 0.0, "stop"),
        ("2", 1, 1.0, "stop"),
        ("3", 1, 0.0, None),
    ]
    assert [(s.outcome.flags, s.outcome.flags_inferred) for s in got][1::4] == [
        (("truncated",), ()),
        (("empty",), ("empty",)),
    ]
    assert [s.outcome.tokens for s in got] == [12, 22, 1, 11, 1, 0]
    assert got[1].response.response == "Let me count: 1, 2, 3,"
    assert got[1].response.prompt == "Answer in a line.\n\nWhat is 4 + 4?"
    asked = [
        {"role": "system", "content": "Answer in a line."},
        {"role": "user", "content": "What is 4 + 4?"},
    ]
    assert got[1].outcome.message_hash == got[4].outcome.message_hash == message_hash(asked)


def test_what_a_log_says_of_its_run():
    results = IMPORTER.read(OLD / "sums.eval", NOTHING)
    assert results.model.name == "acme/tiny-1b"
    assert results.provenance == "imported:inspect"
    assert results.engine == {"engine": "mockllm"}
    assert results.limit == 10
    assert results.decoding == {"quick_sums": {"max_tokens": 12, "seed": 3, "temperature": 0.5}}
    assert results.versions == {"inspect_ai": "0.3.160", "task quick_sums": "0"}
    assert results.unmapped == ("quick_sums",)
    assert results.notes == ("quick_sums: scorer match is read, not includes",)
    (kept,) = results.metrics.values()
    assert list(kept) == ["match", "includes"]  # what is read first


@pytest.mark.parametrize("log", [OLD / "graded.eval", NEW / "graded.json"])
def test_values_of_scores_as_inspect_reads_them(log):
    got = {s.outcome.id: s.outcome.score for s in samples(log)["graded"]}
    assert got == {
        "right": 1.0,
        "wrong": 0.0,
        "partly": 0.5,
        "silent": 0.0,
        "true": 1.0,
        "false": 0.0,
        "quarter": 0.25,
        "word": 1.0,
    }
    assert sum(got.values()) / len(got) == 0.46875  # Inspect's own accuracy, in the log's results


@pytest.mark.parametrize("log", [OLD / "graded.eval", NEW / "graded.json"])
def test_answers_without_a_score_are_left_out_and_counted(log):
    results = IMPORTER.read(log, NOTHING)
    assert results.notes == (
        "graded: 1 of 10 answers left out, they ended in an error",
        "graded: 1 items left out, scorer grades gave them no score",
    )


def test_choices_are_hashed_as_the_model_saw_them():
    (colour, fruit) = samples(OLD / "colours.eval")["colours"]
    assert (colour.outcome.score, fruit.outcome.score) == (1.0, 0.0)
    assert fruit.outcome.finish == "length"  # Inspect's model_length
    assert colour.response.prompt.endswith("Which is a colour?\n\nA) blue\nB) seven")
    asked = [{"role": "user", "content": colour.response.prompt}]
    assert colour.outcome.message_hash == message_hash(asked)


def test_of_several_values_the_taxonomys_or_the_first():
    first = samples(NEW / "checks.json")["checks"]
    assert [s.outcome.score for s in first] == [1.0, 0.0]
    assert IMPORTER.read(NEW / "checks.json", NOTHING).notes == (
        "checks: value strict of scorer checks is read, out of strict, loose",
    )
    mine = parse_taxonomy('[tasks.checks]\ngroup = "g"\nmetrics = ["loose"]', place="test")
    assert [s.outcome.score for s in samples(NEW / "checks.json", mine)["checks"]] == [1.0, 1.0]
    assert "value loose" in IMPORTER.read(NEW / "checks.json", mine).notes[0]


def test_the_taxonomy_gives_benchmark_subset_and_chance():
    taxonomy = parse_taxonomy(
        '[tasks.sums]\nmatch = ["sums", "quick_*"]\ngroup = "math"\nchance = 0.25', place="test"
    )
    results = IMPORTER.read(NEW / "sums.json", taxonomy)
    assert results.unmapped == ()
    first = next(results.samples["sums"]()).outcome
    assert (first.benchmark, first.id, first.subset) == ("sums", "quick_sums/1", "quick_sums")
    assert first.chance == 0.25


def test_a_folder_of_logs_is_one_run(tmp_path, monkeypatch):
    monkeypatch.setitem(importers.IMPORTERS, "inspect", "inspect_log")
    (tmp_path / "logs" / "deep").mkdir(parents=True)
    shutil.copy(OLD / "sums.eval", tmp_path / "logs" / "deep")
    shutil.copy(NEW / "checks.json", tmp_path / "logs")
    (tmp_path / "logs" / "eval-set.json").write_text('{"eval_set_id": "x"}')
    done = importers.import_results(tmp_path / "logs", tmp_path / "run", format="inspect")
    assert done.unmapped == ("checks", "quick_sums")
    run = read_run(tmp_path / "run")
    assert {n: len(o) for n, o in run.by_benchmark.items()} == {"checks": 2, "quick_sums": 6}
    assert run.responses("quick_sums")["2", 1].response == "8"


def test_two_logs_of_a_task_and_two_models_are_refused(tmp_path):
    shutil.copy(OLD / "sums.eval", tmp_path)
    other = shutil.copy(NEW / "sums.json", tmp_path)
    with pytest.raises(InputError, match=r"duplicate log of task quick_sums.*keep one"):
        IMPORTER.read(tmp_path, NOTHING)
    rewritten(Path(other), lambda log: log["eval"].update(model="hf/acme/big"))
    with pytest.raises(InputError, match=r"results of 2 models .*acme/big"):
        IMPORTER.read(tmp_path, NOTHING)


def test_accepts():
    assert IMPORTER.accepts(OLD / "sums.eval")
    assert IMPORTER.accepts(NEW / "sums.json")
    assert IMPORTER.accepts(NEW)
    assert not IMPORTER.accepts(LOGS.parent / "eee")
    assert not IMPORTER.accepts(LOGS.parent / "make_inspect.py")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda log: log.update(status="started"), "status is 'started'.*eval-retry"),
        (lambda log: log.update(invalidated=True), "invalidated.*eval-retry"),
        (lambda log: log.update(samples=[]), "has no samples.*log-samples"),
        (lambda log: log.update(results=None), "has no scores.*inspect score"),
        (lambda log: log.update(eval=3), "not an Inspect log"),
        (lambda log: log["eval"].pop("task"), "not an Inspect log"),
    ],
)
def test_logs_that_are_refused(tmp_path, change, says):
    with pytest.raises(InputError, match=says):
        IMPORTER.read(rewritten(tmp_path / "log.json", change), NOTHING)


def test_an_evaluation_that_failed_is_refused():
    with pytest.raises(InputError, match=r"failed\.json: .*status is 'error'.*eval-retry"):
        IMPORTER.read(OLD / "failed.json", NOTHING)


@pytest.mark.parametrize("value", [1.3, -0.1, "perhaps", [1, 0], "inf", 10**400])
def test_scores_that_are_no_share_are_refused(tmp_path, value):
    def change(log):
        log["samples"][1]["scores"]["match"]["value"] = value

    with pytest.raises(InputError, match=r"log\.json \(samples\[1\]\): "):
        samples(rewritten(tmp_path / "log.json", change))


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", None), ("id", [1]), ("epoch", 0), ("epoch", "1"), ("epoch", True)],
)
def test_samples_without_id_or_epoch_are_refused(tmp_path, field, value):
    def change(log):
        log["samples"][2][field] = value

    with pytest.raises(InputError, match=r"\(samples\[2\]\): invalid sample id or epoch"):
        samples(rewritten(tmp_path / "log.json", change))


def test_hostile_shapes_are_empty_not_a_traceback(tmp_path):
    def change(log):
        log["plan"] = log["eval"]["config"] = log["eval"]["packages"] = 7
        for sample in log["samples"]:
            sample["messages"] = sample["attachments"] = 7
            sample["output"] = {"choices": [3], "usage": []}

    (got,) = samples(rewritten(tmp_path / "log.json", change)).values()
    assert got[0].outcome.score == 1.0
    assert got[0].outcome.flags == ("empty",)
    assert got[0].response.prompt == "What is 2 + 3?"  # the sample's input


def test_attachments_parts_and_reasoning(tmp_path):
    def change(log):
        log["samples"] = [log["samples"][0]]
        (sample,) = log["samples"]
        sample["attachments"] = {"abc": "a long text"}
        image = {"type": "image", "image": "attachment://abc"}
        sample["messages"][1]["content"] = [{"type": "text", "text": "attachment://abc"}, image]
        thought = {"type": "reasoning", "reasoning": "hm"}
        said = [thought, {"type": "text", "text": "5"}, {"type": "text", "text": "!"}]
        sample["output"]["choices"][0]["message"]["content"] = said

    ((got,),) = samples(rewritten(tmp_path / "log.json", change)).values()
    assert got.response.response == "5\n!"
    assert got.response.prompt.split("\n")[2] == "a long text"
    assert '"type": "image"' in got.response.prompt


def test_examples_of_the_prompt_are_part_of_what_was_given(tmp_path):
    turns = [
        {"role": "user", "content": "1 + 1?"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": "5", "source": "generate"},
        {"role": "user", "content": "Sure?"},
        {"role": "assistant", "content": "4", "source": "generate"},
    ]

    def change(log):
        log["samples"] = [log["samples"][0] | {"messages": turns}]

    ((got,),) = samples(rewritten(tmp_path / "log.json", change)).values()
    assert got.outcome.message_hash == message_hash(turns[:3])


def test_a_reducer_other_than_the_mean_is_noted(tmp_path):
    def change(log):
        log["results"]["scores"][0]["reducer"] = "max"

    notes = IMPORTER.read(rewritten(tmp_path / "log.json", change), NOTHING).notes
    assert notes[1] == "quick_sums: epochs are averaged here; the log's own reducer is max"


def test_a_limit_may_be_a_range(tmp_path):
    def change(log):
        log["eval"]["config"]["limit"] = [5, 8]

    assert IMPORTER.read(rewritten(tmp_path / "log.json", change), NOTHING).limit == 3


def test_duplicate_samples_are_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(importers.IMPORTERS, "inspect", "inspect_log")
    log = rewritten(tmp_path / "log.json", lambda log: log["samples"].append(log["samples"][0]))
    with pytest.raises(InputError, match="duplicate answer"):
        importers.import_results(log, tmp_path / "run", format="inspect")


def header():
    with zipfile.ZipFile(OLD / "sums.eval") as archive:
        return archive.read("header.json")


def test_a_member_that_unpacks_too_large_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(inspect_files, "MAX_MEMBER", 2**20)
    log = zipped(tmp_path / "bomb.eval", header=header(), samples__a=b" " * (2**20 + 1))
    assert log.stat().st_size < 10_000
    monkeypatch.setattr(zipfile.ZipFile, "read", only_headers(zipfile.ZipFile.read))
    with pytest.raises(InputError, match=r"bomb\.eval/samples/a\.json: .*above 1 MiB are refused"):
        samples(log)


def only_headers(read):
    def limited(archive, info, pwd=None):
        assert info.filename == "header.json"
        return read(archive, info, pwd)

    return limited


def test_a_long_json_log_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(inspect_files, "MAX_DOCUMENT", 2**20)
    log = tmp_path / "long.json"
    log.write_bytes(b"{" + b" " * 2**20)
    with pytest.raises(InputError, match=r"above 1 MiB are refused.*--to eval"):
        IMPORTER.read(log, NOTHING)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not an Inspect log"),
        (b"hello", "not an Inspect log"),
        (b"PK\x03\x04" + b"x" * 50, "not an Inspect log"),
    ],
)
def test_what_is_no_zip_is_refused(tmp_path, content, says):
    (tmp_path / "log.eval").write_bytes(content)
    with pytest.raises(InputError, match=says):
        IMPORTER.read(tmp_path / "log.eval", NOTHING)


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (b'{"id": 1, "epo', "not valid JSON"),
        (b"[1]", "not a JSON object"),
        (b"\xff\xfe", "not UTF-8"),
        (b"  ", "empty"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_sample_is_named(tmp_path, sample, says):
    log = zipped(tmp_path / "log.eval", header=header(), samples__a=sample)
    with pytest.raises(InputError, match=says) as caught:
        samples(log)
    assert "log.eval/samples/a.json" in str(caught.value)


def test_a_truncated_json_log_is_refused(tmp_path):
    log = tmp_path / "log.json"
    log.write_bytes((NEW / "sums.json").read_bytes()[:3000])
    assert IMPORTER.accepts(log)
    with pytest.raises(InputError, match="not valid JSON"):
        IMPORTER.read(log, NOTHING)


def test_a_log_without_header_still_runs(tmp_path):
    log = zipped(tmp_path / "log.eval", _journal__start=b"{}")
    with pytest.raises(InputError, match=r"no header\.json.*still running.*eval-retry"):
        IMPORTER.read(log, NOTHING)


def test_a_flipped_byte_is_noticed(tmp_path):
    log = tmp_path / "log.eval"
    content = bytearray((OLD / "sums.eval").read_bytes())
    with zipfile.ZipFile(OLD / "sums.eval") as archive:
        info = archive.getinfo("samples/1_epoch_1.json")
    content[info.header_offset + 30 + len(info.filename) + 100] ^= 0xFF
    log.write_bytes(content)
    with pytest.raises(InputError, match=r"samples/1_epoch_1\.json: not readable"):
        samples(log)


def test_of_a_member_twice_the_last_counts(tmp_path):
    log = tmp_path / "log.eval"
    with zipfile.ZipFile(OLD / "sums.eval") as archive:
        sample = archive.read("samples/1_epoch_1.json")
    with warnings.catch_warnings(), zipfile.ZipFile(log, "w") as archive:
        warnings.simplefilter("ignore")  # zipfile says "Duplicate name"
        archive.writestr("header.json", header())
        archive.writestr("samples/1_epoch_1.json", b"an old state")
        archive.writestr("samples/1_epoch_1.json", sample)
    ((got,),) = samples(log).values()
    assert got.outcome.id == "1"


def test_zstandard_gives_the_same_samples_as_the_json_log():
    def plain(log):
        return [(s.outcome, s.response) for s in samples(log)["quick_sums"]]

    assert plain(NEW / "sums.eval") == plain(NEW / "sums.json")


@pytest.mark.parametrize("lie", ["size", "checksum"])
def test_a_zstandard_member_that_lies_is_refused(tmp_path, lie):
    log = tmp_path / "log.eval"
    content = bytearray((NEW / "sums.eval").read_bytes())
    entry = content.rindex(b"header.json") - 46  # its entry in the zip's directory
    offset = entry + (24 if lie == "size" else 16)
    (value,) = struct.unpack_from("<I", content, offset)
    struct.pack_into("<I", content, offset, value - 1)
    log.write_bytes(content)
    with pytest.raises(InputError, match=r"header\.json: .*wrong length or checksum"):
        IMPORTER.read(log, NOTHING)


@given(st.one_of(st.none(), st.text(), st.floats(), st.booleans(), st.integers(-5, 5)))
def test_a_value_is_a_number_or_nothing(value):
    got = number(value)
    assert got is None or isinstance(got, float)
    if isinstance(value, bool):
        assert got == (1.0 if value else 0.0)

"""``probe`` as a command: what it prints and what it leaves in --out."""

import json
import sys

import pytest

from transferscope.cli import main
from transferscope.core.records import ModelRef
from transferscope.core.suite import load_suite
from transferscope.evaluate.suite_prompts import write_prompts
from transferscope.models import find_model, fingerprint
from transferscope.probe.texts import open_texts

from .conftest import a_run_of, rounded

SHOWN = "report.html", "shift.json"


def no_model(*given, **options):
    raise AssertionError("a model was loaded")


def test_prompts_are_answered_once_for_all_shards(probe, rows, tmp_path, monkeypatch):
    given = ("--prompts", rows, "--max-tokens", 6, "--batch-tokens", 30, "--json")
    whole, _ = probe("tokens", *given)
    assert whole["prefix"] == "tuned"
    found, err = probe("tokens", *given, "--out", tmp_path, "--shard", "1/2")
    assert found == {"shard": 1, "of": 2, "missing": ["2/2"]}
    assert "still to do: 2/2" in err
    monkeypatch.setattr("transferscope.engines.hf.load_model", no_model)
    found, _ = probe("tokens", *given, "--out", tmp_path, "--shard", "2/2")
    assert found["missing"] == []
    monkeypatch.setattr("transferscope.probe.model_pairs.load_model", no_model)
    merged, err = probe("tokens", *given, "--out", tmp_path)
    assert merged == whole
    for name in ("responses.jsonl", "positions.parquet", *SHOWN):
        assert (tmp_path / name).stat().st_size > 0
    assert "wrote " in err
    assert "math" in merged["groups"]


def test_sequential_is_side_by_side(probe, rows):
    given = ("--responses", rows, "--prefix", "base", "--json")
    whole, _ = probe("tokens", *given)
    assert (whole["prefix"], whole["n_texts"]) == ("base", 8)
    found, _ = probe("tokens", *given, "--sequential")
    assert found == rounded(whole)


@pytest.mark.parametrize("what", ["hidden", "tokens"])
def test_shards_by_hand_are_put_together(probe, rows, tmp_path, what, monkeypatch):
    given = ("--texts" if what == "hidden" else "--responses", rows)
    given = (*given, "--batch-tokens", 10, "--json")
    whole, _ = probe(what, *given)
    for shard in ("2/2", "1/2"):
        found, _ = probe(what, *given, "--out", tmp_path, "--shard", shard)
        assert found["of"] == 2
        assert not (tmp_path / "report.html").exists()
    monkeypatch.setattr("transferscope.probe.model_pairs.load_model", no_model)
    merged, err = probe(what, *given, "--out", tmp_path)
    assert merged == whole
    for name in SHOWN:
        assert (tmp_path / name).stat().st_size > 0
        assert f"wrote {tmp_path / name}" in err
    kept = json.loads((tmp_path / "shift.json").read_text())
    assert {key: kept[key] for key in merged} == merged


def test_the_terminal_shows_a_table(probe, rows):
    out, _ = probe("hidden", "--texts", rows)
    assert "d_paper" in out
    out, _ = probe("weights")
    assert "q_proj" in out
    found, _ = probe("weights", "--json")
    assert found["changed_share"] > 0.9


def test_a_suite_s_prompts_without_a_run(tiny_model, tmp_path, capsys):
    """They are those of an evaluated run, in the same order: the same numbers come out."""
    pytest.importorskip("lm_eval")
    suite = tmp_path / "two.toml"
    suite.write_text(
        'name = "two"\nsource = "math"\n[groups]\nmath = ["chains"]\nother = ["ordering"]\n'
        '[benchmarks.chains]\npack = "mini"\n[benchmarks.ordering]\npack = "mini"\n'
    )
    run = tmp_path / "run"
    main(["eval", str(tiny_model), "--suite", str(suite), "--limit", "3", "--out", str(run)])
    hidden = ["probe", "hidden", str(tiny_model), str(tiny_model), "--pooling", "last", "--json"]
    capsys.readouterr()
    main([*hidden, "--texts", str(run)])
    expected = json.loads(capsys.readouterr().out)
    main([*hidden, "--suite", str(suite), "--limit", "3"])
    found = json.loads(capsys.readouterr().out)
    assert found == expected
    assert (found["n_texts"], set(found["groups"])) == (6, {"math", "other"})
    texts = open_texts(run).rows
    out = write_prompts(str(tiny_model), load_suite(suite), tmp_path / "prompts", n=3)
    assert open_texts(out).rows == texts
    assert "<|im_start|>user" in texts[0]


@pytest.fixture
def refused(probe, capsys):
    """The one line of a command that ends with code 2."""

    def run(what, *arguments):
        with pytest.raises(SystemExit) as caught:
            probe(what, *arguments)
        assert caught.value.code == 2
        out, err = capsys.readouterr()
        (line,) = err.strip().splitlines()
        assert not out
        return line

    return run


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("tokens", "--responses", "--max-tokens", 1), "--max-tokens only applies with --prom"),
        (("hidden", "--texts", "--limit", 3), "--limit only applies with --suite"),
        (("hidden", "--texts", "--data", "X"), "--data only applies with --suite"),
    ],
)
def test_options_that_say_nothing_are_refused(refused, rows, monkeypatch, given, told):
    monkeypatch.setattr("transferscope.probe.model_pairs.load_model", no_model)
    what, option, *rest = given
    line = refused(what, option, rows, *rest)
    assert told in line
    assert "remove it, or add --" in line


def test_part_of_lines_without_such_a_field_is_refused(refused, tmp_path):
    file = tmp_path / "texts.jsonl"
    file.write_text("\n".join(json.dumps({"text": f"w{i} w2"}) for i in range(4)))
    assert "texts.jsonl:1: no field 'response'" in refused(
        "hidden", "--texts", file, "--part", "response"
    )


def test_hidden_takes_prompts_or_responses_of_lines(probe, tmp_path):
    """Messages go through the base's chat template, which the fixture's models have."""
    file, plain = tmp_path / "rows.jsonl", tmp_path / "plain.jsonl"
    asked = [[{"role": "user", "content": f"w{i}"}] for i in range(4)]
    lines = [{"prompt": asked[i], "response": f"w{i} w{i + 9}"} for i in range(4)]
    file.write_text("\n".join(map(json.dumps, lines)))
    for part, texts in (
        ([], [f"user w{i} w7" for i in range(4)]),
        (["--part", "response"], [line["response"] for line in lines]),
    ):
        plain.write_text("\n".join(json.dumps({"text": text}) for text in texts))
        expected, _ = probe("hidden", "--texts", plain, "--json")
        found, _ = probe("hidden", "--texts", file, *part, "--json")
        assert found == expected


def test_a_run_says_whose_answers_it_holds(probe, refused, paths, rows, tmp_path):
    mark = fingerprint(find_model(paths[0]))
    run = a_run_of(ModelRef("the base's name", fingerprint=mark), tmp_path / "run")
    found, _ = probe("tokens", "--responses", run, "--out", tmp_path / "out", "--json")
    assert (found["prefix"], found["writer"]) == ("base", "the base's name")
    kept = json.loads((tmp_path / "out" / "shift.json").read_text())
    assert (kept["prefix"], kept["writer"]) == ("base", "the base's name")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "The responses are written by the base&#39;s name (prefix: base)." in page
    line = refused("tokens", "--responses", run, "--prefix", "tuned")
    assert "the tuned model did not write these responses: the base's name did" in line
    found, _ = probe("tokens", "--responses", rows, "--json")
    assert found["prefix"] == "shared"
    assert "writer" not in found
    found, _ = probe("tokens", "--prompts", run, "--max-tokens", 2, "--json")
    assert (found["prefix"], found["writer"]) == ("tuned", paths[1])


def test_without_the_package_an_old_cloud_goes_and_a_line_says_so(
    probe, rows, tmp_path, monkeypatch
):
    pytest.importorskip("wordcloud")
    given = ("--responses", rows, "--out", tmp_path)
    _, err = probe("tokens", *given)
    assert (tmp_path / "words.png").is_file()
    assert "needs packages" not in err
    monkeypatch.setitem(sys.modules, "wordcloud", None)
    _, err = probe("tokens", *given)
    assert not (tmp_path / "words.png").exists()
    (line,) = [line for line in err.splitlines() if "words.png" in line]
    assert line.startswith("drawing words.png needs packages that are not installed; run: pip")
    assert line.endswith("'transferscope[figures]'")

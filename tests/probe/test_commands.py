"""``probe`` as a command: what it prints and what it leaves in --out."""

import json

import pytest

from transferscope.cli import main

from .conftest import tiny_llama, word_tokenizer

ROWS = [
    {"prompt": f"w{i} w2", "response": f"w{i} w{i + 1} w3", "benchmark": "chains", "group": "math"}
    for i in range(1, 9)
]
SHOWN = "report.html", "shift.json"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    for seed, name in enumerate(("base", "tuned")):
        tiny_llama(seed).save_pretrained(folder / name)
        word_tokenizer().save_pretrained(folder / name)
    lines = [json.dumps(row | {"text": row["prompt"]}) for row in ROWS]
    (folder / "rows.jsonl").write_text("\n".join(lines))
    return folder


@pytest.fixture
def probe(pair, capsys):
    def run(what, *arguments):
        main(["probe", what, str(pair / "base"), str(pair / "tuned"), *map(str, arguments)])
        out, err = capsys.readouterr()
        return (json.loads(out) if "--json" in arguments else out), err

    return run


def no_model(*given, **options):
    raise AssertionError("a model was loaded")


def test_prompts_are_answered_once_for_all_shards(probe, pair, tmp_path, monkeypatch):
    given = ("--prompts", pair / "rows.jsonl", "--max-tokens", 6, "--batch-tokens", 30, "--json")
    whole, _ = probe("tokens", *given)
    assert whole["prefix"] == "tuned"
    found, err = probe("tokens", *given, "--out", tmp_path, "--shard", "1/2")
    assert found == {"shard": 1, "of": 2, "missing": ["2/2"]}
    assert "still to do: 2/2" in err
    monkeypatch.setattr("transferscope.engines.hf.load_model", no_model)
    found, _ = probe("tokens", *given, "--out", tmp_path, "--shard", "2/2")
    assert found["missing"] == []
    monkeypatch.setattr("transferscope.probe.opened.load_model", no_model)
    merged, err = probe("tokens", *given, "--out", tmp_path)
    assert merged == whole
    for name in ("responses.jsonl", "positions.parquet", *SHOWN):
        assert (tmp_path / name).stat().st_size > 0
    assert "wrote " in err
    assert "math" in merged["groups"]

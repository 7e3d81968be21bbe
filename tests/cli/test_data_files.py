"""``transferscope data``: the listing, its JSON, failed downloads, and ``eval`` without files."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from transferscope.cli import main
from transferscope.tasks.paper import hub_download

ROW = '{"question": "Two and two?", "answer": "#### 4"}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRANSFERSCOPE_CACHE", str(tmp_path))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def failed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_the_listing_has_what_is_there_and_what_is_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "gsm8k_mine.jsonl").write_text(ROW * 2)
    (folder / "ifeval.jsonl").write_text("{}\n")
    (folder / "coqa_1.jsonl").touch()
    (folder / "coqa_2.jsonl").touch()
    main(["data", "--suite", "real"])
    out, err = capsys.readouterr()
    assert f"data folder: {folder}" in out
    assert max(map(len, out.splitlines()[2:])) <= 80
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()[3:8]}
    assert rows["gsm8k_mine.jsonl"] == ["yes", "2", "0.0", "MB", "MIT"]
    assert rows["ifeval.jsonl"][0] == "unusable"
    assert rows["coqa.parquet"][0] == "several"
    assert rows["mctaco.parquet"] == ["no", "not", "stated"]
    assert "openai/gsm8k\n    main/test-00000-of-00001.parquet at 740312add88f" in out
    assert "CogComp/mc_taco\n" in out
    assert "refs/convert/parquet (not pinned)" in out
    assert "2 files coqa* for benchmark CoQA" in err
    assert "missing: headqa_en.jsonl, mctaco.parquet; add --download" in err


def test_the_document_has_every_source_in_full(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "gsm8k.jsonl").write_text(ROW * 3)
    main(["data", "--suite", "real", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["folder"] == str(folder)
    gsm8k = document["files"][-1]
    assert (gsm8k["state"], gsm8k["found"]) == ("found", [str(folder / "gsm8k.jsonl")])
    assert gsm8k["revision"] == "740312add88f781978c0658806c59bc2815b9866"
    assert (gsm8k["pinned"], gsm8k["gated"], gsm8k["licence"]) == (True, False, "MIT")
    assert gsm8k["page"] == "https://huggingface.co/datasets/openai/gsm8k"
    counts = {each["benchmark"]: each["items"] for each in document["benchmarks"]}
    assert counts == {"GSM8K": 3, "HeadQA": None, "CoQA": None, "IFEval": None, "MC-TACO": None}


def test_what_was_not_downloaded_is_one_line_for_each_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "gsm8k.jsonl").write_text(ROW)
    asked: list[str] = []

    def refuse(sources: list[hub_download.Source], *_: object, **__: object) -> Mapping[str, str]:
        asked.extend(source.target for source in sources)
        return {"coqa.parquet": "no way", "ifeval.jsonl": "no key", "headqa_en.jsonl": "no way"}

    monkeypatch.setattr(hub_download, "download_all", refuse)
    err = failed(["data", "--suite", "real", "--download"], capsys)
    assert asked == ["headqa_en.jsonl", "coqa.parquet", "ifeval.jsonl", "mctaco.parquet"]
    assert err.splitlines()[-2:] == [
        "not downloaded: coqa.parquet, headqa_en.jsonl; no way",
        "transferscope: not downloaded: ifeval.jsonl; no key",
    ]


def test_a_suite_that_reads_no_files_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "suite mini: needs no data files" in failed(["data", "--suite", "mini"], capsys)


def test_the_first_eval_without_files_says_what_to_do(
    folder: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    err = failed(["eval", str(tiny_model), "--suite", "real", "--out", "run"], capsys)
    assert len(err.splitlines()) == 1
    assert f"{folder}: 5 data files are missing: headqa_en.jsonl, coqa.parquet" in err
    assert "run: transferscope data --suite real --download" in err

"""The table of sources, and which of their files a folder has."""

from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.tasks import PACKS
from transferscope.tasks.paper import PRESETS
from transferscope.tasks.paper.data_folder import (
    READABLE,
    default_folder,
    drawn,
    missing,
    refuse_missing,
    stored,
)
from transferscope.tasks.paper.data_sources import CONVERTED, SOURCES, sources_of
from transferscope.tasks.paper.local_files import LocalFile


def test_every_file_that_a_reader_looks_for_has_a_source() -> None:
    starts = {source.start for source in SOURCES}
    read = {
        start
        for pack in PRESETS.values()
        for benchmark in pack.values()
        if isinstance(benchmark.items, LocalFile)
        for start in benchmark.items.starts
    }
    assert read <= starts
    assert {name for pack in PRESETS.values() for name in pack} <= {s.benchmark for s in SOURCES}


def test_the_table_is_consistent() -> None:
    assert len({source.target for source in SOURCES}) == len(SOURCES) == 16
    for source in SOURCES:
        assert source.target.startswith(source.start)
        assert source.target.endswith(READABLE)
        assert source.pinned or source.revision == CONVERTED
        others = [other.start for other in SOURCES if other is not source]
        assert not any(source.target.startswith(start) for start in others)
    assert [source.benchmark for source in SOURCES if source.gated] == ["GPQA-Diamond"]
    assert sum(source.pinned for source in SOURCES) == 13


def test_files_are_found_missing_or_there_twice(tmp_path: Path) -> None:
    for name in ("gsm8k.jsonl", "GSM8K_more.csv", "coqa_dev.parquet", "headqa.txt"):
        (tmp_path / name).touch()
    found = stored(tmp_path, ["GSM8K", "CoQA", "HeadQA"])
    assert [(each.source.benchmark, each.state) for each in found] == [
        ("HeadQA", "missing"),
        ("CoQA", "found"),
        ("GSM8K", "several"),
    ]
    assert [source.target for source in missing(found)] == ["headqa_en.jsonl"]


def test_all_that_is_missing_is_named_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "coqa.jsonl").touch()
    with pytest.raises(InputError) as caught:
        refuse_missing(tmp_path, ["CoQA", "GSM8K", "IFEval"], suite="real")
    assert str(caught.value) == (
        f"{tmp_path}: 2 data files are missing: ifeval.jsonl, gsm8k.parquet; run: transferscope "
        f"data --suite real --data {tmp_path} --download; or put them there (without --download, "
        "the command lists their sources)"
    )
    refuse_missing(tmp_path, ["CoQA"], suite="real")


@pytest.mark.parametrize("name", ["livecodebench_test.jsonl", "leetcode_contest_2024.jsonl"])
def test_one_part_of_livecodebench_or_its_stand_in_is_enough(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"livecodebench_test\.jsonl, livecodebench_test2\.jsonl"):
        refuse_missing(tmp_path, ["LiveCodeBench-v2"], suite="paper")
    (tmp_path / name).touch()
    refuse_missing(tmp_path, ["LiveCodeBench-v2"], suite="paper")


def test_the_default_folder_is_read_without_a_named_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFERSCOPE_CACHE", str(tmp_path))
    folder = default_folder()
    assert folder == tmp_path / "data"
    folder.mkdir()
    row = '{"question": "Two and two?", "answer": "#### 4"}\n'
    (folder / "gsm8k.jsonl").write_text(row * 3)
    items = PACKS["fixed"]["GSM8K"].items
    assert len(items(2, seed=0, data=None)) == 2
    assert drawn("GSM8K", items, folder).items == 3
    (folder / "gsm8k.jsonl").write_text('{"question": "Two and two?"}\n')
    count = drawn("GSM8K", items, folder)
    assert count.items is None
    assert "gsm8k.jsonl:1: no text in 'answer'" in (count.fault or "")


def test_sources_of_a_suite_keep_their_order() -> None:
    found = [source.target for source in sources_of(["HaluEval", "MATH-500"])]
    assert found == [
        "math500.jsonl",
        "halueval_qa.parquet",
        "halueval_dialogue.parquet",
        "halueval_summarization.parquet",
    ]

import json
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef, Outcome, Response
from transferscope.core.suite import load_suite
from transferscope.runs import Manifest, RunWriter, read_run
from transferscope.study.config import parse_study
from transferscope.study.overlap import clean_sources, with_clean_queries
from transferscope.train.pool import queries_of

LONG = "A train of nine wagons leaves the town at noon and"


def base_run(path: Path, prompts: list[str]):
    manifest = Manifest(ModelRef("m"), load_suite("mini").model_dump(mode="json"), "hash")
    with RunWriter.open(path, manifest) as writer:
        ids = [str(n) for n in range(len(prompts))]
        outcomes = [Outcome("chains", i, 1.0) for i in ids]
        texts = [Response(i, 0, p, "a") for i, p in zip(ids, prompts, strict=True)]
        writer.write_benchmark("chains", outcomes, texts)
    return read_run(path)


def study(source: str):
    return parse_study(
        f"""
name = "x"
base = "a/b"
[arms.on-policy-sft]
queries_from = {json.dumps(source)}
steps = 1
queries_per_step = 2
rollouts = 2
""",
        place="x.toml",
    )


def test_queries_of_the_evaluation_are_removed_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    asked = [f"{LONG} arrives late?", "How many legs have three cats?", f"Before {LONG} stops?"]
    lines = [{"id": f"q{n}", "prompt": p, "gold": "1"} for n, p in enumerate(asked)]
    lines += [{"id": "q3", "prompt": "Two plus one?", "gold": "3"}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    base = base_run(tmp_path / "base", [f"<user>{LONG} returns at two. When?"])
    config = study(str(file))
    cleaned = clean_sources(config, base, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "overlap.json").read_text())
    assert report["prompts"] == 1
    (row,) = report["sources"]
    assert (row["queries"], row["removed"], row["ids"], row["n"]) == (4, 2, ["q0", "q2"], 8)
    assert row["overlapping"] == 2
    cell = with_clean_queries(config.cells()[0], cleaned)
    assert {query.id for query in queries_of(cell.config)} == {"q1", "q3"}


def test_built_in_queries_are_checked_as_they_are(tmp_path: Path) -> None:
    config = study("procedural")
    cell = config.cells()[0]
    one = queries_of(cell.config)[0].prompt
    base = base_run(tmp_path / "base", ["Nothing in common with any of them."])
    assert clean_sources(config, base, tmp_path / "out") == {}
    assert with_clean_queries(cell, {}) is cell
    report = json.loads((tmp_path / "out" / "overlap.json").read_text())
    assert [row["removed"] for row in report["sources"]] == [0]
    # A wording that is shared counts, and changes nothing: the seed makes the queries.
    long = max((query.prompt for query in queries_of(cell.config)), key=len)
    part = base_run(tmp_path / "part", [" ".join(long.split()[:9])])
    assert clean_sources(config, part, tmp_path / "out") == {}
    report = json.loads((tmp_path / "out" / "overlap.json").read_text())
    assert [(r["overlapping"], r["removed"]) for r in report["sources"]] == [(1, 0)]
    with pytest.raises(InputError, match="occurs in the evaluation"):
        clean_sources(config, base_run(tmp_path / "two", [f"<user>{one}"]), tmp_path / "out")

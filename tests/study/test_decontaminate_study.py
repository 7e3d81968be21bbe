import json
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef, Outcome, Response
from transferscope.core.suite import load_suite
from transferscope.runs import Manifest, RunWriter, read_run
from transferscope.study.decontaminate_study import (
    decontaminate_sources,
    decontamination_notes,
    with_decontaminated_queries,
)
from transferscope.study.study_config import StudyConfig, parse_study
from transferscope.train.query_sources import queries_of, read_queries

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
    cleaned = decontaminate_sources(config, base, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "overlap.json").read_text())
    assert report["prompts"] == 1
    (row,) = report["sources"]
    assert (row["queries"], row["removed"], row["ids"], row["n"]) == (4, 2, ["q0", "q2"], 8)
    assert row["overlapping"] == 2
    cell = with_decontaminated_queries(config.cells()[0], cleaned)
    assert {query.id for query in queries_of(cell.config)} == {"q1", "q3"}


def test_built_in_queries_are_checked_as_they_are(tmp_path: Path) -> None:
    config = study("procedural")
    cell = config.cells()[0]
    one = queries_of(cell.config)[0].prompt
    base = base_run(tmp_path / "base", ["Nothing in common with any of them."])
    assert decontaminate_sources(config, base, tmp_path / "out") == {}
    assert with_decontaminated_queries(cell, {}) is cell
    report = json.loads((tmp_path / "out" / "overlap.json").read_text())
    assert [row["removed"] for row in report["sources"]] == [0]
    # A wording that is shared counts, and changes nothing: the seed makes the queries.
    long = max((query.prompt for query in queries_of(cell.config)), key=len)
    part = base_run(tmp_path / "part", [" ".join(long.split()[:9])])
    assert decontaminate_sources(config, part, tmp_path / "out") == {}
    report = json.loads((tmp_path / "out" / "overlap.json").read_text())
    assert [(r["overlapping"], r["removed"]) for r in report["sources"]] == [(1, 0)]
    with pytest.raises(InputError, match="occurs in the evaluation"):
        decontaminate_sources(
            config, base_run(tmp_path / "two", [f"<user>{one}"]), tmp_path / "out"
        )


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def taught(folder: Path) -> StudyConfig:
    """Six queries, of which the teacher has the first four right, the fourth only once."""
    rows = [{"id": f"q{n}", "prompt": f"{n}?", "gold": str(n)} for n in range(6)]
    queries = written(folder / "q.jsonl", rows)
    right = [{"prompt": f"{n}?", "response": f"It is {n}."} for n in (0, 0, 1, 1, 2, 2, 3)]
    wrong = [{"prompt": f"{n}?", "response": "It is 9."} for n in range(6)]
    teacher = written(folder / "t.jsonl", right + wrong)
    names = f"queries_from = {json.dumps(str(queries))}\nqueries_per_step = 3\nrollouts = 2\n"
    text = f"""
name = "x"
base = "a/b"
[arms.on-policy-sft]
{names}steps = 1
[arms.off-policy-sft]
{names}steps = 1
teacher = {json.dumps(str(teacher))}
"""
    return parse_study(text, place="x.toml")


def test_no_arm_sees_a_query_that_a_teacher_leaves_unanswered(tmp_path: Path) -> None:
    config, out = taught(tmp_path), tmp_path / "out"
    base = base_run(tmp_path / "base", ["0?"])
    cleaned = decontaminate_sources(config, base, out)
    (row,) = json.loads((out / "overlap.json").read_text())["sources"]
    assert (row["queries"], row["removed"], row["unanswered"]) == (6, 1, 2)
    assert row["unanswered_ids"] == ["q4", "q5"]
    seen = [
        queries_of(c.config)
        for c in (with_decontaminated_queries(c, cleaned) for c in config.cells())
    ]
    assert seen[0] == seen[1]
    assert {query.id for query in seen[0]} == {"q1", "q2", "q3"}
    assert decontamination_notes(out) == [
        f"Of 6 queries of {tmp_path / 'q.jsonl'}, 1 overlap with the evaluation and 2 have no "
        "teacher response to train on. No arm sees them."
    ]


def test_too_few_queries_are_told_before_an_arm_is_trained(tmp_path: Path) -> None:
    config = taught(tmp_path)
    base = base_run(tmp_path / "base", ["0? 1?"])
    with pytest.raises(InputError, match="asks for 3 queries, here are 2 after 4 were left out"):
        decontaminate_sources(config, base, tmp_path / "out")


def test_arms_that_were_begun_keep_their_queries(tmp_path: Path) -> None:
    config, out = taught(tmp_path), tmp_path / "out"
    base = base_run(tmp_path / "base", ["Nothing in common."])
    decontaminate_sources(config, base, out)
    with (tmp_path / "t.jsonl").open("a") as file:
        file.write(json.dumps({"prompt": "5?", "response": "It is 5."}) + "\n")
    cleaned = decontaminate_sources(config, base, out)  # no arm was begun
    assert len(read_queries(next(iter(cleaned.values())))) == 5
    (out / "arms" / "on-policy-sft").mkdir(parents=True)
    (out / "arms" / "on-policy-sft" / "arm.started.json").write_text("{}")
    decontaminate_sources(config, base, out)
    with (tmp_path / "t.jsonl").open("a") as file:
        file.write(json.dumps({"prompt": "4?", "response": "It is 4."}) + "\n")
    with pytest.raises(InputError, match="have changed since arms were trained; restore"):
        decontaminate_sources(config, base, out)


def test_nothing_left_out_is_not_told(tmp_path: Path) -> None:
    assert decontamination_notes(tmp_path) == []
    decontaminate_sources(study("procedural"), base_run(tmp_path / "base", ["None."]), tmp_path)
    assert decontamination_notes(tmp_path) == []

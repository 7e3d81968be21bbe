"""What the documents count and state is what the code has."""

import re
from collections import Counter
from pathlib import Path

import pytest

from transferscope.core.over_runs import over_runs
from transferscope.core.suite import BUILT_IN, load_suite
from transferscope.core.taxonomy import load_taxonomy
from transferscope.published import recompute
from transferscope.runs.importers import IMPORTERS

ROOT = Path(__file__).parents[1]
WORDS = {1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 12: "Twelve"}


def text(name: str) -> str:
    """A document on one line."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def table(name: str, *, head: str) -> list[list[str]]:
    """Cells of the table below the line that starts with ``head``."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(head))
    rows = []
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def test_suites_are_counted_and_named() -> None:
    said = text("docs/science.md")
    sentence = re.search(r"(\w+) suites ship: (.*?) The index", said)
    assert sentence is not None
    assert sentence[1] == WORDS[len(BUILT_IN)]
    assert all(f"`{name}`" in sentence[2] for name in BUILT_IN)
    real = load_suite("real")
    assert f"{WORDS[len(real.benchmarks)].lower()} real benchmarks" in sentence[2]


def test_every_format_is_in_the_table_of_formats() -> None:
    rows = table("docs/importing.md", head="| format | give it")
    assert [name for row in rows for name in re.findall(r"`([^`]+)`", row[0])] == [
        *(name for name in IMPORTERS if name not in ("json", "parquet", "csv", "jsonl")),
        *("jsonl", "json", "csv", "parquet"),
    ]


def test_minis_benchmarks_are_counted_and_named() -> None:
    mini = load_suite("mini")
    rows = table("docs/mini.md", head="| group | benchmark")
    assert [(row[0], row[1]) for row in rows] == [
        (group, name) for group, members in mini.groups.items() for name in members
    ]
    (each,) = {len(members) for members in mini.groups.values()}
    counted = f"{WORDS[len(mini.benchmarks)]} procedural benchmarks in the paper's "
    counted += f"{WORDS[len(mini.groups)].lower()} groups, {WORDS[each].lower()} each."
    assert counted in text("docs/mini.md")


def test_the_papers_benchmarks_and_samples_are_those_of_its_suite() -> None:
    paper = load_suite("paper")
    for group, names, samples in table("docs/science.md", head="| group | benchmarks | samples"):
        members = paper.groups[group.split("`")[1]]
        assert [name.replace(" ", "-") for name in names.split(", ")] == list(members)
        said = samples.split(", ") * (len(members) if "," not in samples else 1)
        counts = [1 if word == "greedy" else int(word) for word in said]
        assert counts == [paper.benchmarks[name].repeats for name in members]


def test_commands_and_benchmarks_are_counted() -> None:
    first = table("README.md", head="| command | does | extra |")
    assert f"## {WORDS[len(first)]} commands" in (ROOT / "README.md").read_text()
    tasks = load_taxonomy().tasks
    said = re.search(r"a taxonomy of (?:over )?(\d+) benchmarks", text("CHANGELOG.md"))
    assert said is not None
    assert int(said[1]) <= len(tasks)


def test_the_papers_values_that_come_back_are_counted() -> None:
    found = recompute()
    agree = Counter(ok for row in found.rows for ok in found.agrees(*row).values())
    again, rest = agree[True], WORDS[agree[False]].lower()
    said = f"{again} of {again + agree[False]} values come back, the other {rest} are marked"
    assert said in text("README.md")


def test_the_variance_over_runs_is_the_documents() -> None:
    # Runs 1, 3, 5, 7 with item variance 1 each: var(run means) / R + mean item variance is
    # (20 / 3) / 4 + 1 = 8 / 3; t(3, 0.975) = 3.182446. Divided by R it would be 23 / 12.
    assert "variance is var(run means) / R plus the mean item variance; below" in text(
        "docs/science.md"
    )
    found = over_runs([1.0, 3.0, 5.0, 7.0], [1.0] * 4)
    assert found.ci is not None
    assert found.ci[1] - found.mean == pytest.approx(3.182446 * (8 / 3) ** 0.5, rel=1e-6)

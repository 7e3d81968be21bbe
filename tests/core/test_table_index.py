"""A score file to indices: which scale applies, and what is refused."""

import gzip
import json
import math
import re
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.suite import load_suite
from transferscope.core.table_index import index_file

HEADER = "model,base,group,benchmark,score\n"
TABLE = HEADER + "b,,math,x,40\nb,,non,y,50\nt,b,math,x,56\nt,b,non,y,46\n"
COUNTED = "\n".join(
    line + (",n" if line.startswith("model") else ",4000") for line in TABLE.splitlines()
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def of_paper(tmp_path: Path) -> Path:
    """A base and a tuned model that gains 4 points on every benchmark of the paper."""
    rows = [
        f"{model},{base},{group},{name},{score}\n"
        for group, names in load_suite("paper").groups.items()
        for name in names
        for model, base, score in (("b", "", 40), ("t", "b", 44))
    ]
    path = tmp_path / "paper.csv"
    path.write_text(HEADER + "".join(rows))
    return path


@pytest.mark.parametrize(
    ("options", "scale", "sigma", "ti"),
    [
        # The gains are 16 and -4 points; each is divided by the root of its size times sigma.
        ({}, "unit", {"math": 1.0, "non": 1.0}, -50.0),
        ({"scale": "unit"}, "unit", {"math": 1.0, "non": 1.0}, -50.0),
        ({"definition": "linear"}, None, None, -25.0),
        ({"definition": "relative"}, None, None, -20.0),  # -4/50 over 16/40
    ],
)
def test_the_index_by_hand(table: Path, options, scale, sigma, ti) -> None:
    found = index_file(table, **options)
    (result,) = found.index.models
    assert (found.index.scale, found.index.sigma) == (scale, sigma)
    assert found.index.definition == options.get("definition", "robust")
    assert result.ti == pytest.approx({"non": ti})


def test_the_papers_benchmarks_have_the_papers_scale(of_paper: Path) -> None:
    paper = load_suite("paper")
    found = index_file(of_paper)
    (result,) = found.index.models
    assert found.index.scale == "published"
    assert found.index.sigma == pytest.approx(paper.sigma)
    by_hand = {
        group: 100 * math.sqrt(paper.sigma["math"] / paper.sigma[group]) for group in paper.targets
    }
    assert result.ti == pytest.approx(by_hand)
    assert index_file(of_paper, scale="unit").index.models[0].ti == pytest.approx(
        dict.fromkeys(paper.targets, 100.0)
    )


def test_nearly_the_papers_benchmarks_are_not_the_papers(of_paper: Path) -> None:
    refused = "scale 'published' is defined for exactly the paper's groups .* use --scale unit"
    assert index_file(of_paper, source="other").index.scale == "unit"
    with pytest.raises(InputError, match=refused):
        index_file(of_paper, source="other", scale="published")
    last = of_paper.read_text().splitlines()[-1].split(",")[3]
    kept = [line for line in of_paper.read_text().splitlines() if f",{last}," not in line]
    of_paper.write_text("\n".join(kept))
    assert index_file(of_paper).index.scale == "unit"
    with pytest.raises(InputError, match=refused):
        index_file(of_paper, scale="published")


def test_the_json_is_the_commands(table: Path) -> None:
    document = index_file(table).to_json()
    assert json.loads(json.dumps(document)) == document
    assert set(document) == {"scale", "definition", "sigma", "models"}
    assert [model["model"] for model in document["models"]] == ["t"]


def test_the_source_group_is_named(table: Path) -> None:
    (result,) = index_file(table, source="non").index.models
    assert result.ti["math"] is None  # the source group lost: nothing was carried over
    with pytest.raises(InputError, match=r"no source group 'law'; --source math\|non"):
        index_file(table, source="law")
    with pytest.raises(InputError, match=r"'mth'; did you mean 'math'\? --source math\|non"):
        index_file(table, source="mth")


def test_an_interval_follows_the_seed_and_needs_counts(table: Path) -> None:
    assert index_file(table).index.models[0].ci == {"non": None}
    table.write_text(COUNTED)
    one, same, other = (index_file(table, seed=s).index.models[0].ci["non"] for s in (1, 1, 2))
    assert one == same != other
    assert one[0] < -50.0 < one[1] < 0.0


def test_a_spreadsheets_byte_order_mark_and_line_ends_are_read(table: Path) -> None:
    table.write_bytes(b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode())
    assert index_file(table).index.models[0].ti == pytest.approx({"non": -50.0})


@pytest.mark.parametrize(
    "written",
    [
        TABLE.encode("utf-16"),
        gzip.compress(TABLE.encode(), mtime=0),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode("utf-16-le"),
        re.sub(r"(\d+)$", r"\1,0 %", TABLE.replace(",", ";"), flags=re.M).encode(),
    ],
)
def test_a_table_as_excel_and_gzip_write_it(table: Path, written: bytes) -> None:
    table.write_bytes(written)
    assert index_file(table).index.models[0].ti == pytest.approx({"non": -50.0})


def test_fractions_read_as_percents_are_said(table: Path) -> None:
    assert not index_file(table).as_fractions
    table.write_text(re.sub(r"(\d+)$", r"0.\1", TABLE, flags=re.M))
    assert index_file(table).as_fractions


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"\x00" * 9])
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "scores.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        index_file(path)
    assert str(caught.value).startswith(str(path))


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        index_file(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: ")

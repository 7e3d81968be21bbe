import gzip
import sys

import pytest

from transferscope.core import parquet
from transferscope.core.errors import InputError, MissingExtra
from transferscope.core.parquet import parquet_rows

ROWS = [{"id": at, "doc": {"query": f"q{at}", "gold": at}} for at in range(130)]


@pytest.fixture
def file(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as written

    path = tmp_path / "a.parquet"
    written.write_table(pyarrow.Table.from_pylist(ROWS), path)
    return path


def test_rows_and_their_places_packed_or_not(file):
    assert [row for _, row in parquet_rows(file)] == ROWS
    places = [place for place, _ in parquet_rows(file)]
    assert (places[0], places[129]) == (f"{file} (row 0)", f"{file} (row 129)")
    packed = file.with_name("a.parquet.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert [row for _, row in parquet_rows(packed)] == ROWS


def test_only_the_columns_that_are_wanted_and_there(file):
    _, row = next(parquet_rows(file, ["doc.query", "doc.none", "score"]))
    assert row == {"doc": {"query": "q0"}}


def test_what_cant_be_read_is_named(file, tmp_path, monkeypatch):
    (tmp_path / "cut.parquet").write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"cut\.parquet: not parquet, or cut off"):
        list(parquet_rows(tmp_path / "cut.parquet"))
    (tmp_path / "empty.parquet").write_bytes(b"")
    with pytest.raises(InputError, match=r"empty\.parquet: is empty"):
        list(parquet_rows(tmp_path / "empty.parquet"))
    monkeypatch.setattr(parquet, "MAX_UNPACKED", 100)
    with pytest.raises(InputError, match=r"a\.parquet: unpacks to 0 MiB; write it as JSON lines"):
        list(parquet_rows(file))


def test_without_pyarrow_the_extra_is_named(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"details .* 'transferscope\[parquet\]'"):
        list(parquet_rows(file, needed_for="details"))

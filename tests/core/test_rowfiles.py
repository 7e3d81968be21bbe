import gzip
import json

import pytest

from transferscope.core.errors import InputError
from transferscope.core.rowfiles import delimiter_of, rows_of

ROWS = [{"id": "a", "score": 1}, {"id": "b", "score": 0}]
COLUMNS = {"id": ["a", "b"], "score": [1, 0]}


def read(path):
    return [row for _, row in rows_of(path, remedy="name rows")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("a.jsonl", json.dumps(ROWS, indent=1)),  # an array in spite of its name
        ("a.json", json.dumps(ROWS)),
        ("a.json", "\n".join(map(json.dumps, ROWS))),  # lines in spite of its name
        ("a.json", json.dumps({"version": 1, "data": ROWS})),
        ("a.json", json.dumps({"rows": [{"row_idx": i, "row": r} for i, r in enumerate(ROWS)]})),
        ("a.json", json.dumps(COLUMNS)),  # datasets' to_dict
        ("a.json", json.dumps({"columns": ["id", "score"], "data": [["a", 1], ["b", 0]]})),
        ("a.json", json.dumps(dict(zip("01", ROWS, strict=True)))),
        ("a.json", json.dumps({k: {"0": v[0], "1": v[1]} for k, v in COLUMNS.items()})),  # pandas'
    ],
)
@pytest.mark.parametrize("written", ["utf-8", "utf-16", "gzip"])
def test_rows_of_json(tmp_path, name, text, written):
    content = text.encode("utf-8" if written == "gzip" else written)
    path = tmp_path / (f"{name}.gz" if written == "gzip" else name)
    path.write_bytes(gzip.compress(content) if written == "gzip" else content)
    assert read(path) == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_of_tables(tmp_path, delimiter):
    text = f'id{delimiter}"a, b; c"\r\nx{delimiter}"2;5\n"\r\n\r\n'
    for name, start in (("a.csv", ""), ("a.tsv", ""), ("b.csv", f"sep={delimiter}\r\n")):
        (tmp_path / name).write_text(start + text, newline="")
        assert read(tmp_path / name) == [{"id": "x", "a, b; c": "2;5\n"}]


@pytest.mark.parametrize(
    ("above", "number"), [("", 2), ("sep=;\n", 3), ("\n \n", 4), ("# mine\r\n\n", 4)]
)
def test_what_stands_above_the_header_is_no_row(tmp_path, above, number):
    (tmp_path / "a.csv").write_text(f"{above}id;score\na;1\n", newline="")
    ((place, row),) = rows_of(tmp_path / "a.csv", remedy="")
    assert (place.rpartition(":")[2], row) == (str(number), {"id": "a", "score": "1"})


def test_rows_of_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(COLUMNS), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == ROWS
    (tmp_path / "b.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(InputError, match=r"b\.parquet: not parquet, or cut off"):
        read(tmp_path / "b.parquet")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", "", "is empty"),
        ("a.json", "[]", "contains no rows"),
        ("a.json", '[{"id": 1}', "not valid JSON"),
        ("a.json", "[1, 2]", r"a\.json \(row 0\): not a JSON object"),
        ("a.json", '{"results": {"x": {}}}', "contains no list of rows, only 'results'"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.jsonl", '{"id": 1}\nnot json', r"a\.jsonl:2: not valid JSON"),
        ("a.csv", "id,score\na\n", "1 cell in a row of a table with 2 columns"),
    ],
)
def test_what_holds_no_rows(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=says):
        read(tmp_path / name)


def test_the_delimiter_is_the_headers_most_frequent():
    assert delimiter_of('"a;b;c;d",e,f\n') == ","
    assert delimiter_of("name;score, raw;n\n") == ";"
    assert delimiter_of("score\n1,5\n") == ","

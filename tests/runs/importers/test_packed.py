import gzip
import os

import pytest

from transferscope.core.errors import InputError
from transferscope.runs.importers import packed


@pytest.mark.parametrize("pack", [lambda raw: raw, gzip.compress])
def test_documents_and_lines_plain_and_gzipped(tmp_path, pack):
    file = tmp_path / "file"
    file.write_bytes(pack(b'\xef\xbb\xbf[1, {"a": null}]\n'))
    assert packed.document(file, remedy="?") == [1, {"a": None}]
    assert packed.head(file, 4) == b"\xef\xbb\xbf["
    file.write_bytes(pack(b'{"a": 1}\n\n{"a": 2}\n'))
    assert list(packed.records(file, remedy="?")) == [
        (f"{file}:1", {"a": 1}),
        (f"{file}:3", {"a": 2}),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b'{"a": [1, 2', "is cut off: its JSON does not end"),
        (b'{"a": 1,}', "not valid JSON"),
        (b"\xff\xfe\x00", "not UTF-8 text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"),
        (gzip.compress(b'{"a": 1}' * 999)[:-20], "is cut off: the gzip ends early"),
        (gzip.compress(b"x" * 5000)[:20] + b"\xff" * 20, "a damaged gzip"),
    ],
)
def test_what_cant_be_read_is_named_in_one_line(tmp_path, content, said):
    file = tmp_path / "report.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        packed.document(file, remedy="name another")
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_last_line_that_is_cut_is_told_from_a_wrong_one(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}\n{"a": ')
    with pytest.raises(InputError, match=r"rows.jsonl:2: is cut off: the last line does not end"):
        list(packed.records(file, remedy="?"))
    file.write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(InputError, match=r"rows.jsonl:2: not valid JSON"):
        list(packed.records(file, remedy="?"))


def test_reading_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "MAX_DOCUMENT", 1000)
    monkeypatch.setattr(packed, "MAX_LINE", 1000)
    file = tmp_path / "bomb.json.gz"
    file.write_bytes(gzip.compress(b'["' + b"0" * 10**6 + b'"]'))
    with pytest.raises(InputError, match="more than 0 MiB in one document"):
        packed.document(file, remedy="?")
    with pytest.raises(InputError, match="a line of more than"):
        list(packed.records(file, remedy="?"))


def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    assert packed.head(tmp_path / "pipe.json") == b""
    assert packed.head(tmp_path) == b""
    assert packed.head(tmp_path / "missing") == b""


def test_names():
    from pathlib import Path

    assert packed.name_of(Path("a/b.json.gz")) == "b.json"
    assert packed.stem_of(Path("a/x.y.jsonl.gz")) == "x.y"

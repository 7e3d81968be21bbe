import gzip
import os

import pytest

from transferscope.core.errors import InputError
from transferscope.runs.importers import documents


@pytest.mark.parametrize("pack", [lambda raw: raw, gzip.compress])
def test_documents_plain_and_gzipped(tmp_path, pack):
    file = tmp_path / "file"
    file.write_bytes(pack(b'\xef\xbb\xbf[1, {"a": null}]\n'))
    assert documents.document(file, remedy="?") == [1, {"a": None}]
    assert documents.head(file, 4) == b"\xef\xbb\xbf["


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b'{"a": [1, 2', "cut off in the middle of a value; copy or download it again"),
        (b'{"a": 1,}', "not valid JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "is a Git LFS pointer"),
        (gzip.compress(b'{"a": 1}' * 999, mtime=0)[:-20], "is cut off: the gzip data ends early"),
    ],
)
def test_what_cant_be_read_is_named_in_one_line(tmp_path, content, said):
    file = tmp_path / "report.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        documents.document(file, remedy="name another")
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_hollow_files_are_noted(tmp_path):
    (tmp_path / "a.json").write_bytes(b"")
    (tmp_path / "b.json").write_bytes(b"{}")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "c.json").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert documents.hollow_in(tmp_path, "*.json") == [
        f"{tmp_path}/a.json: left out, it is empty",
        f"{tmp_path}/below/c.json: left out, it is a Git LFS pointer, not the file itself",
    ]
    files = documents.files_named(tmp_path, "*.json", depth=0)
    assert files == [tmp_path / "a.json", tmp_path / "b.json"]


def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    assert documents.head(tmp_path / "pipe.json") == b""
    assert documents.head(tmp_path) == b""
    assert documents.head(tmp_path / "missing") == b""

import gzip
import os

import pytest

from transferscope.core import unpacking
from transferscope.core.errors import InputError
from transferscope.core.files import open_file, read_text

TEXT = "id,score\nä,1\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_text_as_windows_and_gzip_write_it(tmp_path, encoding, pack):
    path = tmp_path / "a.csv"
    path.write_bytes(pack(TEXT.encode(encoding)))
    assert read_text(path, remedy="name a table") == TEXT


def test_utf_16_without_a_mark(tmp_path):
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "a.csv").write_bytes(TEXT.encode(encoding))
        assert read_text(tmp_path / "a.csv", remedy="name a table") == TEXT


def test_packed_bytes_can_be_sought(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"first\nsecond\nthird\n"))
    with open_file(path, remedy="name a file") as file:
        assert list(file) == [b"first\n", b"second\n", b"third\n"]
        file.seek(6)
        assert next(file) == b"second\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            gzip.compress(b"x" * 9000, mtime=0)[:30],
            "is cut off: the gzip data ends early; copy or down",
        ),
        (b"\x1f\x8b" + b"\0" * 40, "is damaged: gzip can't unpack it"),
        (b"\xff\x00\xfe", "not UTF-8 text; save it as UTF-8, or name a table"),
        ("é".encode("latin-1"), "not UTF-8 text"),
    ],
)
def test_what_is_broken_is_named(tmp_path, content, says):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_text(tmp_path / "a.csv", remedy="name a table")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "FREE", 2**20)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"\0" * 8 * 2**20))  # 8 MiB in 8 kB
    with pytest.raises(InputError, match="unpacks to more than 2 MiB"):
        read_text(path, remedy="name a table")
    (tmp_path / "long.csv").write_bytes(b"0" * 2**20)
    with pytest.raises(InputError, match="1 MiB; files above 0 MiB are refused"):
        read_text(tmp_path / "long.csv", remedy="name a table", limit=1000)


def test_what_is_no_file(tmp_path):
    with pytest.raises(InputError, match="no such file; name a table"):
        read_text(tmp_path / "none.csv", remedy="name a table")
    with pytest.raises(InputError, match="is a folder, not a file"):
        read_text(tmp_path, remedy="name a table")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a pipe, not a file"):
        read_text(tmp_path / "pipe", remedy="name a table")

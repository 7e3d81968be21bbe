"""Reading somebody else's files: one line with the place, whatever they hold."""

import gzip
import json
import os

import pytest

from transferscope.core.errors import InputError
from transferscope.core.files import (
    check_folder,
    holding,
    json_lines,
    make_folder,
    parse_toml,
    read_json,
    read_json_lines,
    read_text,
    write_atomically,
    write_json,
)
from transferscope.core.unpacking import unpacked_name

REMEDY = "write it again"


def lines(tmp_path, content):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with path.open("rb") as file:
        return [
            (place.rpartition(":")[2], row)
            for place, row in json_lines(file, path=path, remedy=REMEDY)
        ]


def test_lines_end_at_newlines_only(tmp_path):
    content = '\ufeff{"a": "x\u2028y"}\n\n{"a": 2}'.encode()
    assert lines(tmp_path, content) == [("1", {"a": "x\u2028y"}), ("3", {"a": 2})]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1}\n{"a": ', ":2: not valid JSON"),
        (b'{"a": 1}\n[1]', ":2: not a JSON object"),
        (b"\xff\xfe", ":1: not UTF-8 text"),
        (b"[" * 200_000, ":1: not valid JSON"),
    ],
)
def test_a_bad_line_is_named_with_the_remedy(tmp_path, content, said):
    with pytest.raises(InputError) as caught:
        lines(tmp_path, content)
    assert said in str(caught.value)
    assert str(caught.value).endswith(REMEDY)


def test_what_is_written_is_read_back(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, 2.5], "c": None})
    assert read_json(tmp_path / "a.json") == {"b": [1, 2.5], "c": None}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_two_processes_may_write_one_file(tmp_path):
    """The second starts and ends while the first is writing; both succeed, nothing is left."""
    file = tmp_path / "a.json"

    def pieces():
        yield "first"
        write_atomically(file, "second")
        assert file.read_text() == "second"

    write_atomically(file, pieces())
    assert file.read_text() == "first"
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_leaves_nothing(tmp_path):
    def pieces():
        yield "half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.json", pieces())
    assert list(tmp_path.iterdir()) == []


def test_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"b": float("nan")})
    assert not (tmp_path / "a.json").exists()


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(InputError, match="no such file; name a CSV"):
        read_text(tmp_path / "none", remedy="name a CSV")
    with pytest.raises(InputError, match="is a folder, not a file"):
        read_text(tmp_path)


@pytest.mark.parametrize("text", ["a = ", "a = " + "[" * 5_000 + "]" * 5_000])
def test_toml_that_is_none_is_named(text):
    with pytest.raises(InputError, match=r"suite\.toml: not valid TOML"):
        parse_toml(text, place="suite.toml")


def test_a_file_in_a_folders_way(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below" / "it"):
        for refuse in (check_folder, make_folder):
            with pytest.raises(
                InputError, match="file: is a file, not a folder; name another folder"
            ):
                refuse(path)
    check_folder(tmp_path)
    check_folder(tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/proc/nothing", "can't be created: No such file"),
        ("dangling", "dangling: is a broken symbolic link"),
        ("nu\0l", r"nu\\0l: can't be a folder: the name contains a null character"),
        ("x" * 300, "can't be a folder: File name too long"),
        ("file/below", "file: is a file"),
    ],
)
def test_a_place_where_nothing_can_be_made_is_one_line(tmp_path, name, said):
    (tmp_path / "dangling").symlink_to("/nonexistent/x")
    (tmp_path / "file").touch()
    path = tmp_path / name

    def lock():
        with holding(path / "a.lock"):
            raise AssertionError

    for make in (lambda: make_folder(path), lock):
        with pytest.raises(InputError, match=said):
            make()
    with pytest.raises(InputError, match="can't be written: ") as caught:
        write_atomically(path / "a", "text")
    assert caught.value.place
    assert caught.value.remedy
    assert "\0" not in str(caught.value)


def test_a_folder_in_a_files_place_is_one_line(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(InputError, match=r"a\.json: can't be written: Is a directory"):
        write_json(tmp_path / "a.json", {})
    assert os.listdir(tmp_path) == ["a.json"]
    with (
        pytest.raises(InputError, match="can't be locked: Is a directory"),
        holding(tmp_path / "a.json"),
    ):
        raise AssertionError


@pytest.mark.parametrize("read", [read_text, lambda path: list(read_json_lines(path, remedy=""))])
def test_a_name_with_a_null_character_is_one_line(tmp_path, read):
    with pytest.raises(InputError, match=r"a\\0b: the name contains a null character"):
        read(tmp_path / "a\0b")


def test_a_lock_that_another_one_holds(tmp_path):
    with holding(tmp_path / "new" / "l") as mine, holding(tmp_path / "new" / "l", wait=False) as no:
        assert (mine, no) == (True, False)
    with holding(tmp_path / "new" / "l", wait=False) as mine:
        assert mine


def test_what_gzip_packed_is_read_whatever_its_name(tmp_path):
    for name in ("a.json.gz", "a.json"):
        (tmp_path / name).write_bytes(gzip.compress(b'{"a": "\xc3\xa9"}'))
        assert read_json(tmp_path / name) == {"a": "é"}
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n\n{"a": 2}'))
    rows = read_json_lines(tmp_path / "b.jsonl.gz", remedy=REMEDY)
    assert [row["a"] for _, row in rows] == [1, 2]
    assert unpacked_name(tmp_path / "b.jsonl.gz").name == "b.jsonl"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda packed: packed[:-12], "is cut off: the gzip data ends early"),
        (lambda packed: packed[:40] + b"\0\0\0\0" + packed[44:], "is damaged"),
    ],
)
def test_damaged_gzip_is_named(tmp_path, damage, said):
    file = tmp_path / "a.json.gz"
    file.write_bytes(damage(gzip.compress(json.dumps(list(range(500))).encode())))
    with pytest.raises(InputError, match=rf"a\.json\.gz: {said}"):
        read_json(file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; copy or download it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid x\n", "Git LFS .*; run: git lfs pull"),
        (b'{"a": [1, 2', "cut off in the middle of a value; write it again"),
    ],
)
def test_a_damaged_file_is_named_as_what_it_is(tmp_path, content, said):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.json: .*{said}"):
        read_json(tmp_path / "a.json", remedy=REMEDY)


def test_a_pointer_is_no_text_either(tmp_path):
    (tmp_path / "a.csv").write_text("version https://git-lfs.github.com/spec/v1\noid x\n")
    with pytest.raises(InputError, match="Git LFS pointer"):
        read_text(tmp_path / "a.csv")

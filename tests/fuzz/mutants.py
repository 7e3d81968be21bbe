"""Hostile variants of good files: cut, spliced, retyped, with huge, deep and foul values.

A file is bytes, a set of files maps a name to them; a zip (Inspect's .eval) is mutated member by
member and packed again, a parquet file row by row, a .gz file in what it holds. All draws come from
the ``random.Random`` that is given.
"""

import gzip
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

Files = dict[str, bytes]
BELL = "\x1b[31mred\x1b]0;title\x07\x9b2J"
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf")),
    *(10**30, -(10**30), 2**63, 10**400, 1e15, 101, 0.1 + 0.2),
    *("", " ", "0", "1", "nan", "x" * 5_000, "two words " * 500, BELL, "a\nb\r\nc\td", "\0"),
    *("\u202egpj.exe", "\u200b", "\ud800", "=cmd()", "../../etc/passwd", "/", ".", "-", "|" * 50),
    *("www.example.com", "https://example.com", "@everyone #1", "[red]x[/red]", "{0} %s {{ x }}"),
    *([], {}, [[]], [{}], {"": ""}, [None], [1, "a"], {"a": {"b": [1]}}, "a" * 300),
)
TEXTS = (
    *(b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"{", b"[", b"]" * 40, b"[" * 200_000),
    *(b"\n", b"\r", b"\xe2\x80\xa8", b"NaN", b"1" * 5_000, b"1e999", b'"\\ud800"', b"\x1b[2J"),
    *(b"version https://git-lfs.github.com/spec/v1\n", b'{"a": 1, "a": 2}', b"\x1f\x8b\x08\0"),
    *(b",", b";", b'"', b"\t", b"=1+1", b"'''", b"[[x]]\n", b"\xc3("),
)


def files_of(*paths: Path) -> Files:
    """The files at ``paths``, and below those that are folders, by their names from there."""
    found: Files = {}
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                name = file.relative_to(path).as_posix() if path.is_dir() else file.name
                found[name] = file.read_bytes()
    return found


def write(files: Files, folder: Path) -> Path:
    """The files below ``folder``; the folder, or the file where it is the only one."""
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder / next(iter(files)) if len(files) == 1 else folder


def mutant(files: Files, draw: random.Random) -> Files:
    """The files with one to three changes to one of them."""
    name = draw.choice(sorted(files))
    content = files[name]
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        content = _changed(name, content, draw)
    return files | {name: content}


def _changed(name: str, content: bytes, draw: random.Random) -> bytes:
    if name.endswith(".eval") and zipfile.is_zipfile(io.BytesIO(content)) and draw.random() < 0.8:
        return _zip_changed(content, draw)
    if name.endswith(".parquet") and draw.random() < 0.8:
        return _parquet_changed(content, draw)
    if name.endswith(".gz") and draw.random() < 0.8:
        return _gzip_changed(name, content, draw)
    if name.endswith((".json", ".jsonl")) and draw.random() < 0.8:
        return _json_changed(name, content, draw)
    return _bytes_changed(content, draw)


def _zip_changed(content: bytes, draw: random.Random) -> bytes:
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old:
            members = {info.filename: old.read(info) for info in old.infolist()}
    except Exception:  # zstandard, or broken by an earlier change: its bytes alone
        return _bytes_changed(content, draw)
    chosen = draw.choice(sorted(members))
    members[chosen] = _changed(chosen, members[chosen], draw)
    if draw.random() < 0.1:
        members[f"samples/{draw.choice(HOSTILE)}.json"[:200]] = members.pop(chosen)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member, inner in members.items():
            new.writestr(member.encode("utf-8", "replace").decode(), inner)
    return out.getvalue()


def _parquet_changed(content: bytes, draw: random.Random) -> bytes:
    out = io.BytesIO()
    try:
        rows = parquet.read_table(io.BytesIO(content)).to_pylist()
        parquet.write_table(pyarrow.Table.from_pylist(_value_changed(rows, draw)), out)
    except Exception:  # two types in one column, or broken by an earlier change
        return _bytes_changed(content, draw)
    return out.getvalue()


def _gzip_changed(name: str, content: bytes, draw: random.Random) -> bytes:
    try:
        inner = gzip.decompress(content)
    except Exception:  # broken by an earlier change
        return _bytes_changed(content, draw)
    return gzip.compress(_changed(name.removesuffix(".gz"), inner, draw), mtime=0)


def _json_changed(name: str, content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n") if name.endswith(".jsonl") else [content]
    at = draw.randrange(len(lines))
    try:
        value = json.loads(lines[at])
    except (ValueError, RecursionError):
        return _bytes_changed(content, draw)
    lines[at] = json.dumps(_value_changed(value, draw)).encode()
    if draw.random() < 0.1:  # the first key of an object, twice
        lines[at] = lines[at].replace(b"{", b'{"id": 1, "id": 2, ', 1)
    return b"\n".join(lines)


def _value_changed(value: Any, draw: random.Random) -> Any:
    """``value`` with one node, at any depth, dropped, renamed or replaced."""
    places = list(_places(value))
    if not places:
        return draw.choice(HOSTILE)
    holder, key = draw.choice(places)
    how = draw.random()
    if how < 0.15 and isinstance(holder, dict):
        del holder[key]
    elif how < 0.25 and isinstance(holder, dict):
        holder[str(draw.choice(HOSTILE))[:6_000]] = holder.pop(key)
    elif how < 0.32:
        holder[key] = [holder[key]] * draw.choice((1, 2, 40))
    elif how < 0.4:
        deep: Any = holder[key]
        for _ in range(draw.choice((20, 98, 400))):
            deep = [deep] if draw.random() < 0.5 else {"deep": deep}
        holder[key] = deep
    else:
        holder[key] = draw.choice(HOSTILE)
    return value


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return
    for key, below in inner:
        yield value, key
        yield from _places(below)


def _bytes_changed(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content) + 1)
    how = draw.random()
    if how < 0.25:  # cut
        return content[:at]
    if how < 0.5:  # something put in
        return content[:at] + draw.choice(TEXTS) + content[at:]
    if how < 0.6:  # something in its place
        return content[:at] + draw.choice(TEXTS) + content[at + draw.choice((1, 8, 200)) :]
    if how < 0.75:  # a word of the file by something foul
        words = content[at : at + 40].replace(b"\n", b",").split(b",")
        foul = str(draw.choice(HOSTILE)).encode("utf-8", "surrogatepass")
        return content.replace(words[min(1, len(words) - 1)] or b",", foul, 1)
    lines = content.split(b"\n")
    line = draw.randrange(len(lines))
    if how < 0.85:
        lines.insert(draw.randrange(len(lines)), lines[line])
    elif how < 0.95:
        del lines[line]
    else:
        draw.shuffle(lines)
    return b"\n".join(lines)

from pathlib import Path
from typing import Any

import pytest

from transferscope.runs.journal import Key, drop_journals, journal

FIRST, SECOND = ("a", 0, 0), ("b", 1, 2)


class Killed(BaseException):
    """Stands for a kill."""


def killed(folder: Path, key: Key | None = None, answer: dict[str, Any] | None = None) -> Any:
    """The answers that are known when ``answer`` comes, after which a kill does."""

    def writes() -> None:
        with journal(folder, "sums") as kept:
            known.update(kept.answers)
            if key is not None and answer is not None:
                kept.add(key, answer)
            raise Killed

    known: dict[Key, Any] = {}
    with pytest.raises(Killed):
        writes()
    return known


def test_what_came_before_a_kill_is_there_again(tmp_path: Path) -> None:
    assert killed(tmp_path, FIRST, {"text": "zwei ü\u2028\n\r"}) == {}
    path = tmp_path / ".answers.sums.jsonl"
    with path.open("ab") as file:
        file.write(b'{"key": ["b", 1, 2], "ans')  # a kill in the middle of a line
    assert killed(tmp_path, SECOND, {"nats": -1.5}) == {FIRST: {"text": "zwei ü\u2028\n\r"}}
    with journal(tmp_path, "sums") as kept:
        assert kept.answers == {FIRST: {"text": "zwei ü\u2028\n\r"}, SECOND: {"nats": -1.5}}
    assert not path.exists()


@pytest.mark.parametrize(
    "line", [b"{", b"3", b"[]", b"{}", b'{"key": "a", "answer": {}}', b"\xff", b'{"key": []}']
)
def test_a_line_that_is_none_ends_what_is_known(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / ".answers.sums.jsonl"
    good = b'{"key": ["a", 0, 0], "answer": {"nats": -1.0}}\n'
    path.write_bytes(good + line + b"\n" + good.replace(b'"a"', b'"c"'))
    assert killed(tmp_path) == {FIRST: {"nats": -1.0}}
    assert path.read_bytes() == good
    drop_journals(tmp_path)
    assert not path.exists()

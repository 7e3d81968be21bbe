from pathlib import Path

import pytest

from transferscope.runs.journal import drop_journals, journal

FIRST, SECOND = ("a", 0, 0), ("b", 1, 2)


class Killed(BaseException):
    """Stands for a kill."""


def test_what_came_before_a_kill_is_there_again(tmp_path: Path) -> None:
    with pytest.raises(Killed), journal(tmp_path, "sums") as kept:
        kept.add(FIRST, {"text": "zwei ü\u2028\n\r"})
        raise Killed
    path = tmp_path / ".answers.sums.jsonl"
    with path.open("ab") as file:
        file.write(b'{"key": ["b", 1, 2], "ans')  # a kill in the middle of a line
    with pytest.raises(Killed), journal(tmp_path, "sums") as kept:
        assert kept.answers == {FIRST: {"text": "zwei ü\u2028\n\r"}}
        kept.add(SECOND, {"nats": -1.5})
        raise Killed
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
    with pytest.raises(Killed), journal(tmp_path, "sums") as kept:
        assert kept.answers == {FIRST: {"nats": -1.0}}
        raise Killed
    assert path.read_bytes() == good
    drop_journals(tmp_path)
    assert not path.exists()

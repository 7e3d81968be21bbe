"""Tests of LiveCodeBench and of contest files: read when a program is graded, never executed.

LiveCodeBench stores private tests as JSON, or as base64 of zlib of a pickled string of JSON. The
pickle isn't loaded, since loading runs what it says: its one string is read from its opcodes.
Decoded tests take gigabytes, so rows keep them as they are stored.
"""

from __future__ import annotations

import ast
import base64
import binascii
import json
import pickletools
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...grade.program_output import Wording
from ...grade.programs import Case
from .local_files import bad_row

MOST_BYTES = 1 << 30
"""Size above which decoded tests are refused."""
_STRINGS = frozenset({"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"})
_AROUND = frozenset({"PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "STOP"})
_CALL = re.compile(r"my_solution\.(\w+)\(")


class Tests(Protocol):
    """The tests of a problem."""

    @property
    def function(self) -> str:
        """The name of the function to call; empty for a program with standard input."""

    def public(self) -> list[Case]:
        """The tests that the statement shows. Raises :class:`InputError` if they are malformed."""

    def private(self) -> list[Case]:
        """The other tests. Raises :class:`InputError` if they are malformed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a program is graded with."""

    tests: Tests
    wording: Wording


@dataclass(frozen=True, slots=True)
class StoredTests:
    """LiveCodeBench's two fields of tests; ``place`` is FILE:LINE."""

    function: str
    shown: str
    hidden: str
    place: str

    def public(self) -> list[Case]:
        """The tests of ``public_test_cases``."""
        return self._cases(self.shown)

    def private(self) -> list[Case]:
        """The tests of ``private_test_cases``."""
        hidden = self.hidden.strip()
        return self._cases(hidden if hidden[:1] == "[" else _unpacked(hidden, self.place))

    def _cases(self, text: str) -> list[Case]:
        try:
            rows = json.loads(text)
            cases = [Case(_text(row, "input"), _text(row, "output")) for row in rows]
            kinds = {row["testtype"] for row in rows}
            if self.function:
                for case in cases:
                    _arguments(case.given)
                    json.loads(case.expected)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise bad_row("the tests can't be decoded", self.place) from None
        if not kinds <= {"functional" if self.function else "stdin"}:
            raise bad_row("the tests' 'testtype' and 'metadata' contradict each other", self.place)
        return cases


def _text(row: Any, name: str) -> str:
    if not isinstance(row[name], str):
        raise TypeError
    return str(row[name])


def _arguments(lines: str) -> None:
    for line in lines.split("\n"):
        if line.strip():
            json.loads(line)


def _unpacked(packed: str, place: str) -> str:
    """The pickled string of base64 of zlib. Raises :class:`InputError` for anything else."""
    try:
        inflating = zlib.decompressobj()
        pickled = inflating.decompress(base64.b64decode(packed, validate=True), MOST_BYTES)
        if not inflating.eof:
            raise bad_row("the tests are incomplete, or larger than 1 GiB", place)
        operations = [(code.name, value) for code, value, _ in pickletools.genops(pickled)]
    except (ValueError, zlib.error, binascii.Error):
        raise bad_row("the private tests can't be decoded", place) from None
    strings = [value for name, value in operations if name in _STRINGS]
    others = {name for name, _ in operations} - _STRINGS - _AROUND
    if len(strings) != 1 or others:
        raise bad_row("the private tests are not one pickled string", place)
    return str(strings[0])


@dataclass(frozen=True, slots=True)
class AssertedTests:
    """Tests as Python text: a dict of arguments and an ``assert`` of equality in turn.

    ``parameters`` are the function's, in the order of its signature.
    """

    function: str
    parameters: tuple[str, ...]
    text: str
    place: str

    def public(self) -> list[Case]:
        """None: the statement's examples are among the other tests."""
        return []

    def private(self) -> list[Case]:
        """The tests, with literals read as such; anything else is refused."""
        try:
            statements = ast.parse(self.text).body[1:]
            return [
                self._case(given, expected)
                for given, expected in zip(statements[::2], statements[1::2], strict=True)
            ]
        except (ValueError, TypeError, SyntaxError, RecursionError, AttributeError):
            raise bad_row("'test' isn't pairs of arguments and asserts", self.place) from None

    def _case(self, given: ast.stmt, expected: ast.stmt) -> Case:
        if not (isinstance(given, ast.Assign) and isinstance(expected, ast.Assert)):
            raise ValueError
        compared = expected.test
        if not (isinstance(compared, ast.Compare) and isinstance(compared.ops[0], ast.Eq)):
            raise ValueError
        arguments = ast.literal_eval(given.value)
        value = ast.literal_eval(compared.comparators[0])
        names: Sequence[str] = self.parameters
        if set(names) != set(arguments):
            names = list(arguments)
        return Case("\n".join(json.dumps(arguments[name]) for name in names), json.dumps(value))


def asserted(text: str, starter: str, place: str) -> AssertedTests:
    """The tests of a contest file's row, whose function ``starter`` begins.

    Raises :class:`InputError` if no function is called.
    """
    called = _CALL.search(text)
    if called is None:
        raise bad_row("'test' calls no function of 'my_solution'", place)
    function = called[1]
    signature = re.search(rf"def {function}\s*\(([^)]*)\)", starter)
    names = re.findall(r"(\w+)\s*:", signature[1]) if signature else []
    return AssertedTests(function, tuple(names), text, place)

"""Faults of MATH-500's and OlympiadBench's files: answers to correct, problems to leave out.

Problems are known by the digest of their text, because the repository holds no text of a benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core.records import digest


@dataclass(frozen=True, slots=True)
class Correction:
    """``right`` replaces the file's answers (any of them is right); ``why`` is the proof."""

    right: tuple[str, ...]
    why: str


UNANSWERABLE: Mapping[str, str] = {
    "78a3364605c883ee": "depends on two numbers from other problems of its relay",
    "fbbfa1aec36618bc": "depends on T, which another problem of its relay gives",
    "867511cec01a939e": "depends on T, which another problem of its relay gives",
    "edd2fd55cfcac17d": "depends on T, which another problem of its relay gives",
    "04dc0af6aa3d723b": "depends on two numbers from other problems of its relay",
}
"""OlympiadBench's problems that lack a value, by their digest: no answer can be derived."""

_NAMED = "asks for several named values, so their order counts; the file's list is unordered"

CORRECTIONS: Mapping[str, Correction] = {
    # MATH-500
    "8da37451484764de": Correction(
        (r"3 \pm 2\sqrt{2}", r"3 \pm 2\sqrt{2}, -3 \pm 2\sqrt{2}"),
        "the inverse cotangent has two usual ranges. With (-pi/2, pi/2) the left side is "
        "2x/(1+x^2) for all x, which gives the file's answer. With (0, pi) it is -2x/(1+x^2) for "
        "x < 0, which adds the roots of x^2 + 6x + 1",
    ),
    # OlympiadBench: wrong
    "53fd89aa0c85df2a": Correction(
        ("2, 10",),
        "1 is excluded and fails at the fifth term; the file's solution ends in 2 and 10",
    ),
    "550daec7fd0ccaa8": Correction(
        ("4",), "asks for the sum of the digits of 1002001; the file has the number itself"
    ),
    "591e3ddebc5753c8": Correction(
        ("9",), "the centre is 4 above the plane and the radius is 5; the file's solution ends in 9"
    ),
    "1920f3cb50822167": Correction(
        (r"6\sqrt[3]{36} - 1",), "the volume asked about is T - 2 = 6; the file's is that of T = 8"
    ),
    # OlympiadBench: faults of form
    "b180135426f22867": Correction(
        ("(0,4]",),
        "the file has the variable's name before the interval, so that no interval equals it",
    ),
    "780ae916be94f348": Correction(
        ("10, 11, 12, 13, 14, -2, -1, 0, 1, 2", "(10,11,12,13,14),(-2,-1,0,1,2)"),
        "asks for two sequences; the file joins them to one list of ten numbers",
    ),
    "46cefd53e22f3306": Correction(("(221,8)",), f"a dollar sign inside the list; {_NAMED}"),
    "87d008bd6614c663": Correction(("(16,3,1,1)",), _NAMED),
    "29ac19e106132e83": Correction(("(2,-1,-18)",), _NAMED),
    "b4e0609c9b860c02": Correction(("(1.68,0.45)",), _NAMED),
    "a0902d1c4a7769b2": Correction(("(3,4)",), _NAMED),
    "d9c5a69db50368f2": Correction((r"(\frac{1}{3},1,9)",), _NAMED),
}
"""Corrections by the digest of the problem."""


def answerable(problem: str) -> bool:
    """Whether ``problem`` states all that its answer depends on."""
    return _key(problem) not in UNANSWERABLE


def corrected(problem: str, listed: tuple[str, ...]) -> tuple[str, ...]:
    """The right answers to ``problem``: ``listed`` unless a correction is known."""
    found = CORRECTIONS.get(_key(problem))
    return found.right if found else listed


def _key(problem: str) -> str:
    return digest(problem.strip())

"""False accepts and rejects of our maths grader, beside math-verify and lm-eval's extraction.

    python benchmarks/grading.py                    # the pairs of tests/grade
    python benchmarks/grading.py pairs.jsonl        # JSONL with response, gold and label

math-verify parses the whole response and the gold, as its README does. lm-eval's two rows are the
filters of its gsm8k task, strict-match and flexible-extract, compared as its exact_match does.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from math_verify import parse, verify

from transferscope.grade.maths import is_correct

PAIRS = Path(__file__).resolve().parents[1] / "tests" / "grade" / "pairs.jsonl"
STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
IGNORED = (",", r"\$", "(?s).*#### ", r"\.$")
"""lm-eval's gsm8k.yaml: its filters' patterns and regexes_to_ignore."""

Grader = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One response with its gold and the right verdict."""

    response: str
    gold: str
    label: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Counts of wrong verdicts, their shares in percent of the labels, answers graded a second."""

    false_accepts: int
    false_accept_percent: float
    false_rejects: int
    false_reject_percent: float
    answers_per_second: float


def by_math_verify(response: str, gold: str) -> bool:
    """math-verify on the whole response."""
    wrapped = gold if "$" in gold or "\\boxed" in gold else f"${gold}$"
    return bool(verify(parse(wrapped), parse(response)))


def by_strict_match(response: str, gold: str) -> bool:
    """The first number behind "#### "."""
    found = STRICT.search(response)
    return found is not None and _plain(found[1]) == _plain(gold)


def by_flexible_extract(response: str, gold: str) -> bool:
    """The last run of digits, dots, commas and dollars."""
    found = FLEXIBLE.findall(response)
    return bool(found) and _plain(next(filter(None, found[-1]))) == _plain(gold)


def _plain(text: str) -> str:
    for pattern in IGNORED:
        text = re.sub(pattern, "", text)
    return text.strip().lower()


GRADERS: dict[str, Grader] = {
    "transferscope": is_correct,
    "math_verify": by_math_verify,
    "lm_eval_strict_match": by_strict_match,
    "lm_eval_flexible_extract": by_flexible_extract,
}


def measured(grader: Grader, rows: Sequence[Row]) -> Table:
    """Grade all ``rows`` once, after one answer that loads what the grader needs."""
    grader(r"\boxed{x(x+1)}", "x^2+x")
    began = time.perf_counter()
    verdicts = [grader(row.response, row.gold) for row in rows]
    seconds = time.perf_counter() - began
    accepts = sum(said and not row.label for said, row in zip(verdicts, rows, strict=True))
    rejects = sum(row.label and not said for said, row in zip(verdicts, rows, strict=True))
    right = sum(row.label for row in rows)
    return Table(
        accepts,
        round(100 * accepts / max(len(rows) - right, 1), 1),
        rejects,
        round(100 * rejects / max(right, 1), 1),
        round(len(rows) / seconds, 1),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="?", type=Path, default=PAIRS)
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # math-verify warns of each answer that it can't compare
    lines = options.pairs.read_text(encoding="utf-8").splitlines()
    rows = [Row(row["response"], row["gold"], bool(row["label"])) for row in map(json.loads, lines)]
    found = {
        "pairs": options.pairs.name,
        "n": len(rows),
        "right": sum(row.label for row in rows),
        "graders": {name: asdict(measured(grader, rows)) for name, grader in GRADERS.items()},
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

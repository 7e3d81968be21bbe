"""False accepts and rejects of the maths grader, beside math-verify's and lm-eval's, on one file.

Rows are JSON lines with "response", "gold" (a text or a list of texts) and "label" (whether the
answer is right, decided by hand); without FILE, the pairs of this repository's tests. Each way
grades every row:

- ours: `transferscope.grade.maths.is_correct`
- math_verify: parse the whole response and the reference, then verify, as its README shows
- lm_eval_gsm8k_strict, lm_eval_gsm8k_flexible: the two regular expressions of lm-eval's gsm8k task,
  compared as that task does (commas, dollars and a final stop are ignored)
- lm_eval_hendrycks_math: that task's extraction (its last box, else what stands between dollars)
  and its own is_equiv; left out where lm-eval is not installed

Prints one JSON object: counts, shares of the wrong and of the right rows in percent, and rows
graded a second in this run, each way warmed up on 20 rows first.

    .venv/bin/python benchmarks/grading.py [FILE] [--kinds]
"""

import argparse
import importlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from math_verify import parse, verify

from transferscope.core.files import read_json_lines
from transferscope.grade.maths import is_correct

PAIRS = Path(__file__).resolve().parents[1] / "tests" / "grade" / "maths_pairs.jsonl"
STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
IGNORED = re.compile(r",|\$|(?s:.*#### )|\.$")

Grade = Callable[[str, str], bool]


def math_verify(response: str, gold: str) -> bool:
    reference = gold if "$" in gold else f"${gold}$"
    return bool(verify(parse(reference), parse(response)))


def gsm8k_strict(response: str, gold: str) -> bool:
    found = STRICT.search(response)
    return found is not None and exact_match(found[1], gold)


def gsm8k_flexible(response: str, gold: str) -> bool:
    """``group_select: -1`` and ``take_first``: the last match."""
    found = FLEXIBLE.findall(response)
    return bool(found) and exact_match(next(part for part in found[-1] if part), gold)


def exact_match(said: str, gold: str) -> bool:
    mine, theirs = (IGNORED.sub("", text).strip().casefold() for text in (said, gold))
    return mine == theirs


def hendrycks_math() -> Grade | None:
    try:
        task: Any = importlib.import_module("lm_eval.tasks.hendrycks_math.utils")
    except ImportError:
        return None

    def grade(response: str, gold: str) -> bool:
        try:
            said = task.remove_boxed(task.last_boxed_only_string(response))
        except (AssertionError, TypeError):  # no box
            dollars = [at for at, sign in enumerate(response) if sign == "$"]
            said = response[dollars[0] + 1 : dollars[-1]] if len(dollars) > 1 else response
        return bool(task.is_equiv(said, gold))

    return grade


def golds(row: dict[str, Any]) -> list[str]:
    gold = row["gold"]
    return [str(each) for each in gold] if isinstance(gold, list) else [str(gold)]


def measure(grade: Grade, rows: list[dict[str, Any]], *, kinds: bool) -> dict[str, Any]:
    for row in rows[:20]:
        grade(row["response"], golds(row)[0])
    start = time.perf_counter()
    verdicts = [any(grade(row["response"], gold) for gold in golds(row)) for row in rows]
    seconds = time.perf_counter() - start
    wrong = [
        (row, verdict)
        for row, verdict in zip(rows, verdicts, strict=True)
        if verdict != row["label"]
    ]
    accepts = sum(verdict for _, verdict in wrong)
    rejects = len(wrong) - accepts
    right = sum(row["label"] for row in rows)
    found: dict[str, Any] = {
        "false_accepts": accepts,
        "false_accepts_pct": share(accepts, len(rows) - right),
        "false_rejects": rejects,
        "false_rejects_pct": share(rejects, right),
        "rows_per_second": round(len(rows) / seconds),
    }
    if kinds:
        found["wrong_by_kind"] = dict(
            Counter(row.get("kind", "?") for row, _ in wrong).most_common()
        )
    return found


def share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("file", type=Path, nargs="?", default=PAIRS, help="JSON lines")
    parser.add_argument("--kinds", action="store_true", help="also count wrong verdicts by kind")
    args = parser.parse_args()
    rows = [row for _, row in read_json_lines(args.file, remedy="name a file of JSON lines")]
    ways: dict[str, Grade | None] = {
        "ours": is_correct,
        "math_verify": math_verify,
        "lm_eval_gsm8k_strict": gsm8k_strict,
        "lm_eval_gsm8k_flexible": gsm8k_flexible,
        "lm_eval_hendrycks_math": hendrycks_math(),
    }
    result: dict[str, Any] = {
        "rows": len(rows),
        "right": sum(row["label"] for row in rows),
        **{
            name: measure(grade, rows, kinds=args.kinds)
            for name, grade in ways.items()
            if grade is not None
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

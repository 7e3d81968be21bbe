"""Write rows in GPQA's columns that are made up, because GPQA's items must not be spread.

    .venv/bin/python studies/paper-suite/made_up_gpqa.py DATA/gpqa_made_up.csv

They only exercise the machinery; the study's figures leave the benchmark out.
"""

import csv
import random
import sys
from pathlib import Path

ROWS = 40
KINDS = (
    ("A car drives {a} km in {b} hours. What is its mean speed?", "km/h", lambda a, b: a * b, 1),
    ("A force of {a} N acts over {b} m. How much work is done?", "J", lambda a, b: a * b, 0),
    ("A current of {a} A flows through {b} ohm. What is the voltage?", "V", lambda a, b: a * b, 0),
    ("A mass of {a} kg is sped up by {b} m/s^2. What is the force?", "N", lambda a, b: a * b, 0),
)
HEADS = ("Record ID", "Question", "Correct Answer", *(f"Incorrect Answer {n}" for n in (1, 2, 3)))


def rows() -> list[list[str]]:
    """Questions with one right and three wrong answers."""
    rng, found = random.Random(7), []
    for at in range(ROWS):
        question, unit, solve, inverse = KINDS[at % len(KINDS)]
        a, b = rng.randint(2, 30), rng.randint(2, 9)
        right = a if inverse else solve(a, b)
        text = question.format(a=a * b if inverse else a, b=b)
        wrong = rng.sample([right + step for step in (-3, -2, -1, 1, 2, 3, 10)], 3)
        found.append([f"made-up-{at}", text, *(f"{value} {unit}" for value in (right, *wrong))])
    return found


def main() -> None:
    """Write the file that the command line names."""
    with Path(sys.argv[1]).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADS, *rows()])


if __name__ == "__main__":
    main()

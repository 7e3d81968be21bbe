"""What the released graders of GPQA-Diamond and ACPBench give for replies whose letter is known.

*Habits*: 198 made-up questions in GPQA's columns, asked as the released task orders the options
(every right answer is D) and as ours does, of models that choose a letter by habit. *Forms*: a
model that is right on 60 % of the questions, in several forms of reply, read by our grader and by
the released ones. Everything is made up and seeded; no model runs. Prints one JSON object.

    .venv/bin/python benchmarks/choice_twins.py
"""

import csv
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from transferscope.tasks import Item
from transferscope.tasks.paper import PRESETS
from transferscope.tasks.paper.acpbench import last_capital
from transferscope.tasks.paper.gpqa import OPTIONS, last_single
from transferscope.tasks.paper.lettered import grade_letter

QUESTIONS = 198
RIGHT = 0.6
"""Share of the questions on which the model of *forms* chooses the right letter."""
REPEATS = 50
"""Draws of every habit and form, over which scores are averaged."""
HABITS: dict[str, Callable[[random.Random], str]] = {
    "always D": lambda _: "D",
    "never D": lambda draw: draw.choice("ABC"),
    "guesses": lambda draw: draw.choice("ABCD"),
}
FORMS = {
    "a last line": "I compare them.\nAnswer: {letter}",
    "boxed": "I compare them.\n\\boxed{{{letter}}}",
    "boxed, then an article": "The answer is \\boxed{{{letter}}}, since it is a limit.",
    "then a sentence with a capital": "Answer: {letter}. Both cars are at the dock.",
    "bold label, option": "**Final Answer**: option {letter}.",
    "lower case": "the answer is {small}",
    "denies another": "The answer is {letter}, not {other}.",
    "thinks of another after it": "<think>Is it {other}?</think>Answer: {letter}",
}
GRADERS = {"ours": grade_letter, "GPQA, released": last_single, "ACPBench, released": last_capital}


def questions(preset: str) -> list[Item]:
    """Made-up rows of GPQA's file as ``preset`` asks them."""
    with tempfile.TemporaryDirectory() as folder:
        with Path(folder, "gpqa_diamond.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(("Question", *OPTIONS))
            table.writerows(
                [f"{at} + {at}?", *range(2 * at, 2 * at + 4)] for at in range(QUESTIONS)
            )
        return list(PRESETS[preset]["GPQA-Diamond"].items(None, seed=0, data=Path(folder)))


def habits(items: list[Item], grade: Callable[[Item, str], float]) -> dict[str, float]:
    """Score of every habit in percent."""
    found = {}
    for name, choose in HABITS.items():
        draw = random.Random(name)
        scores = [grade(item, f"Answer: {choose(draw)}") for _ in range(REPEATS) for item in items]
        found[name] = round(100 * sum(scores) / len(scores), 1)
    return found


def forms(items: list[Item]) -> dict[str, dict[str, float]]:
    """Score of every form of reply in percent, by grader."""
    found = {}
    for name, form in FORMS.items():
        draw = random.Random(0)  # the same choices for every form
        pairs = [(item, _reply(form, item, draw)) for _ in range(REPEATS) for item in items]
        found[name] = {
            grader: round(100 * sum(grade(*pair) for pair in pairs) / len(pairs), 1)
            for grader, grade in GRADERS.items()
        }
    return found


def _reply(form: str, item: Item, draw: random.Random) -> str:
    gold = item.gold or ""
    rest = [name for name in item.choices if name != gold]
    letter = gold if draw.random() < RIGHT else draw.choice(rest)
    other = draw.choice([name for name in item.choices if name != letter])
    return form.format(letter=letter, small=letter.lower(), other=other)


if __name__ == "__main__":
    ours, authors = questions("fixed"), questions("authors")
    result = {
        "habits": {
            "released order": habits(authors, last_single),
            "our order": habits(ours, grade_letter),
        },
        "forms": forms(ours),
    }
    print(json.dumps(result, indent=2))

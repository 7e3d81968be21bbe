"""Other reasoning: what a program prints, who comes first, what can be done, what follows."""

from __future__ import annotations

import random
import re

from transferscope.grade.maths import is_correct, number

from .drafts import NAMES, Draft, Procedure, pick, wrong_numbers

_WORDS = ("red", "blue", "green", "cat", "dog", "sun", "moon", "tree", "star", "fish")
_ORDERS = (
    ("taller", "tallest", "shortest"),
    ("older", "oldest", "youngest"),
    ("faster", "fastest", "slowest"),
    ("heavier", "heaviest", "lightest"),
    ("richer", "richest", "poorest"),
    ("stronger", "strongest", "weakest"),
)
_COLOURS = ("red", "blue", "green", "white", "black", "yellow")
_DOCKS = ("north", "south", "east", "west")
_FERRY = "A car can only be loaded at the dock where {where} is. Which action is possible now?"
_FIRST_NUMBER = re.compile(r"-?\d+")


def program_output(rng: random.Random) -> list[Draft]:
    """A program of one or two lines that prints a number."""
    kind = rng.choice(("max", "min", "max", "min", "len", "minus"))
    a, b = rng.sample(range(1, 40), 2)
    if kind == "len":
        items = rng.sample(_WORDS, rng.randint(2, 5))
        code, value = f"items = {items}\nprint(len(items))", len(items)
    elif kind == "minus":
        a, b = max(a, b), min(a, b)
        code, value = f"x = {a}\nprint(x - {b})", a - b
    else:
        code, value = f"print({kind}({a}, {b}))", max(a, b) if kind == "max" else min(a, b)
    prompt = f"What number does this Python code print?\n\n{code}"
    return [Draft(prompt, str(value), subset=kind)]


def ordering(rng: random.Random) -> list[Draft]:
    """Three people in a row, told in order (mostly) or not, asked from either end."""
    more, most, least = rng.choice(_ORDERS)
    first, second, third = people = rng.sample(NAMES, 3)
    told = [f"{first} is {more} than {second}.", f"{second} is {more} than {third}."]
    turned = rng.random() < 0.25
    if turned:
        told.reverse()
    top = rng.random() < 0.85
    question = f"{' '.join(told)} Who is the {most if top else least}?"
    gold = first if top else third
    wrong = [name for name in people if name != gold]
    subset = f"{'turned' if turned else 'in order'}, {'most' if top else 'least'}"
    return [Draft(question, gold, subset=subset, choices=pick(rng, gold, wrong))]


def planning(rng: random.Random) -> list[Draft]:
    """A ferry and three cars: which loading action is applicable in this state?"""
    cars = rng.sample(_COLOURS, 3)
    if rng.random() < 0.5:
        here, there = rng.sample(_DOCKS, 2)
        state = [f"The {cars[0]} car is at the {here} dock."]
        state += [f"The {car} car is at the {there} dock." for car in cars[1:]]
        rng.shuffle(state)
        told = f"The ferry is empty and it is at the {here} dock. {' '.join(state)}"
        rule, subset = _FERRY.format(where="the ferry"), "which car"
        actions = [f"Load the {car} car at the {here} dock." for car in cars]
    else:
        docks = rng.sample(_DOCKS, 3)
        state = [
            f"The {car} car is at the {dock} dock." for car, dock in zip(cars, docks, strict=True)
        ]
        rng.shuffle(state)
        told, subset = f"There is a ferry at every dock. {' '.join(state)}", "which dock"
        rule = _FERRY.format(where="it")
        actions = [f"Load the {cars[0]} car at the {dock} dock." for dock in docks]
    choices = pick(rng, actions[0], actions[1:])
    return [Draft(f"{told} {rule}", actions[0], subset=subset, choices=choices)]


def sequences(rng: random.Random) -> list[Draft]:
    """``Write the next numbers: 10, 15, 20, 25, 30, ...``; the first of them is graded."""
    start, step = rng.randint(1, 99), rng.choice((1, 1, 1, 2, 2, 3, 5, 10))
    terms = ", ".join(str(start + step * index) for index in range(5))
    gold = str(start + 5 * step)
    return [Draft(f"Write the next numbers: {terms}, ...", gold, subset=f"by {step}", check=terms)]


def _printed(draft: Draft, reply: str) -> bool:
    return is_correct(reply, draft.gold)


def _next(draft: Draft, reply: str) -> bool:
    """The first number after the terms, which a reply may repeat, must be the next one."""
    found = _FIRST_NUMBER.search(reply.replace(draft.check, "", 1))
    return found is not None and number(found.group()) == number(draft.gold)


PROCEDURES = {
    "program_output": Procedure(
        about="what a short program prints",
        draw=program_output,
        grade=_printed,
        wrong=wrong_numbers,
    ),
    "ordering": Procedure(about="who comes first or last of three", draw=ordering),
    "planning": Procedure(about="which action is possible", draw=planning),
    "sequences": Procedure(
        about="the next number of a sequence",
        draw=sequences,
        grade=_next,
        wrong=lambda draft: [*wrong_numbers(draft), draft.check],
        max_tokens=32,
    ),
}

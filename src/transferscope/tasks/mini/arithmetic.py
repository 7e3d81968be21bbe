"""The source group: word problems, chained sums, equations, fractions.

Ranges and wordings are not those of the training queries (sums, products and word problems of
one-digit numbers): three terms, teens, unknowns, fractions. Replies are graded by the same function
as the reward, :func:`transferscope.grade.maths.is_correct`; fractions are a choice.
"""

from __future__ import annotations

import random

from transferscope.grade.maths import is_correct

from .drafts import NAMES, Draft, Procedure, pick, wrong_numbers

_PLACES = (
    ("A baker", "rolls", "bakes {b} more", "does the baker have in total"),
    ("A library", "maps", "buys {b} more", "does the library have in total"),
    ("A florist", "roses", "cuts {b} more", "does the florist have in total"),
    ("A farmer", "hens", "buys {b} more", "does the farmer have in total"),
    ("A museum", "vases", "receives {b} more", "does the museum have in total"),
    ("{name}", "stamps", "collects {b} more", "does {name} have in total"),
    ("{name}", "shells", "finds {b} more", "does {name} have in total"),
)


def word_problems(rng: random.Random) -> list[Draft]:
    """``A baker has 13 rolls and bakes 4 more. How many rolls does the baker have in total?``"""
    who, things, gains, question = rng.choice(_PLACES)
    a, b, name = rng.randint(11, 19), rng.randint(1, 5), rng.choice(NAMES)
    text = f"{who} has {a} {things} and {gains}. How many {things} {question}?"
    worked = f"{a} + {b} = {a + b}."
    return [Draft(text.format(b=b, name=name), str(a + b), worked=worked)]


def chains(rng: random.Random) -> list[Draft]:
    """``Ben adds these numbers: 4, 1, 3. What is the total?``: one term after the other."""
    terms = [rng.randint(1, 4) for _ in range(3)]
    listed = ", ".join(map(str, terms))
    question = f"{rng.choice(NAMES)} adds these numbers: {listed}. What is the total?"
    worked = f"The total is {' + '.join(map(str, terms))} = {sum(terms)}."
    return [Draft(question, str(sum(terms)), worked=worked)]


def equations(rng: random.Random) -> list[Draft]:
    """``If x = 16 - 9, what is x?`` (solved) or ``Solve for x: x + 4 = 11.`` (rearranged)."""
    x, b, letter = rng.randint(1, 9), rng.randint(1, 9), rng.choice("xyznkt")
    worked = f"{letter} = {x + b} - {b} = {x}."
    if rng.random() < 0.7:
        question, subset = f"If {letter} = {x + b} - {b}, what is {letter}?", "solved"
    else:
        question, subset = f"Solve for {letter}: {letter} + {b} = {x + b}.", "rearranged"
    return [Draft(question, str(x), subset=subset, worked=worked)]


def fractions(rng: random.Random) -> list[Draft]:
    """Add two fractions of one denominator, or reduce one: three options of one form."""
    bottom = rng.randint(3, 15)
    top = rng.randint(1, bottom - 1)
    if rng.random() < 0.7:
        other = rng.randint(1, bottom - 1)
        asked, right = f"{top}/{bottom} + {other}/{bottom}", (top + other, bottom)
        wrong = [(top + other, 2 * bottom), (top + other + rng.choice([1, 2]), bottom)]
        question, subset = f"What is {asked}?", "sum"
    else:
        factor = rng.randint(2, 6)
        asked, right = f"{top * factor}/{bottom * factor}", (top, bottom)
        wrong = [(top + 1, bottom), (top, bottom + rng.choice([1, 2]))]
        question, subset = f"Simplify the fraction {asked}.", "reduction"
    said = [f"{asked} = {upper}/{lower}" for upper, lower in (right, *wrong)]
    return [Draft(question, said[0], subset=subset, choices=pick(rng, said[0], said[1:]))]


def _number(draft: Draft, reply: str) -> bool:
    return is_correct(reply, draft.gold)


PROCEDURES = {
    "word_problems": Procedure(
        about="a sum told in words", draw=word_problems, grade=_number, wrong=wrong_numbers
    ),
    "chains": Procedure(
        about="a sum of three numbers", draw=chains, grade=_number, wrong=wrong_numbers
    ),
    "equations": Procedure(
        about="an equation in one unknown", draw=equations, grade=_number, wrong=wrong_numbers
    ),
    "fractions": Procedure(about="a sum or reduction of fractions", draw=fractions),
}

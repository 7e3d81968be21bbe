"""Multiple choice that is answered with a written letter, on any engine that generates text.

The options are listed as A), B) ... in the order of a hash of the question and the option. So an
item reads the same in every run, whatever the order of the file or the random seeds, and the right
answers spread evenly over the letters. :mod:`transferscope.grade.choice` reads the reply.

>>> item = lettered("sky", "Which colour has a clear sky at noon?", ["blue", "red", "green"], 0)
>>> item.choices
('A', 'B', 'C')
>>> in_order("Which colour has a clear sky at noon?", ["green", "blue", "red"])
['red', 'blue', 'green']
>>> item.gold
'B'
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from string import ascii_uppercase

from ...grade.choice import letter
from ..definition import Item

LIMIT = 32_768
"""Maximum tokens of a reply that may reason first, which is the limit of the released code."""


def lettered(id_: str, question: str, options: Sequence[str], right: int, subset: str = "") -> Item:
    """The item that asks for the letter of ``options[right]``.

    An option that equals the right one is right too: ``Item.data`` holds the letters that are.
    """
    listed = in_order(question, options)
    correct = letters_of(listed, options[right])
    letters = tuple(ascii_uppercase[: len(listed)])
    return Item(
        id_,
        asked(question, listed),
        gold=correct[0],
        choices=letters,
        subset=subset,
        data=correct,
    )


def in_order(question: str, options: Iterable[str]) -> list[str]:
    """The options in the order of a hash of question and option."""
    return sorted(
        options,
        key=lambda option: hashlib.sha256(f"{question}\n{option}".encode()).digest(),
    )


def letters_of(listed: Sequence[str], option: str) -> tuple[str, ...]:
    """The letters of the listed options that equal ``option``."""
    return tuple(
        name for name, each in zip(ascii_uppercase, listed, strict=False) if each == option
    )


def asked(question: str, listed: Sequence[str]) -> str:
    """The prompt: the question, an option on each line, and the form of the answer."""
    options = "\n".join(
        f"{name}) {option}" for name, option in zip(ascii_uppercase, listed, strict=False)
    )
    last = ascii_uppercase[len(listed) - 1]
    return (
        f"{question}\n\n{options}\n\n"
        "Exactly one option is correct. Think first if that helps. Then end your reply with a line "
        f'of the form "Answer: X", where X is the letter of the correct option (A to {last}).'
    )


def grade_letter(item: Item, reply: str) -> float:
    """1.0 if the reply commits to a right letter, else 0.0."""
    return float(letter(reply, len(item.choices)) in item.data)


def wrong_letters(item: Item) -> list[str]:
    """Replies that must score 0: every other letter, no answer, and two letters at once."""
    others = [name for name in item.choices if name not in item.data]
    return [*others, "", "I can't tell.", *(f"{item.gold} or {name}." for name in others[:1])]

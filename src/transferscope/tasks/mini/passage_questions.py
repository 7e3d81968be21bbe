"""Non-reasoning over a passage: a dialogue about it, and sentences that it supports or not."""

from __future__ import annotations

import random

from transferscope.grade.choice import names_only

from .drafts import NAMES, Draft, Procedure, pick

_CITIES = ("Paris", "Rome", "Oslo", "Madrid", "Lisbon", "Vienna", "Dublin", "Athens", "Prague")
_JOBS = ("teacher", "nurse", "pilot", "baker", "farmer", "doctor", "painter", "judge", "plumber")
_PETS = ("dog", "cat", "horse", "parrot", "rabbit", "turtle", "hamster", "goat")
_DRINKS = ("tea", "coffee", "milk", "juice", "water", "cocoa", "lemonade")


def dialogue_reading(rng: random.Random) -> list[Draft]:
    """Four questions about one passage, each with the turns before it: one cluster of items.

    A reply must name the fact that was asked for and none of the passage's other facts.
    """
    name = rng.choice(NAMES)
    city, job, pet, drink = map(rng.choice, (_CITIES, _JOBS, _PETS, _DRINKS))
    passage = (
        f"{name} lives in {city} and works as a {job}. {name} has a {pet}. "
        f"Every morning {name} drinks {drink}."
    )
    turns = [
        (f"Where does {name} live?", city, "city"),
        (f"What is {name}'s job?", job, "job"),
        (f"What pet does {name} have?", pet, "pet"),
        (f"What does {name} drink every morning?", drink, "drink"),
    ]
    rng.shuffle(turns)
    drafts, earlier = [], ""
    for question, gold, subset in turns:
        rivals = tuple(answer for _, answer, _ in turns if answer != gold)
        prompt = f"{passage}\n\n{earlier}{question}"
        drafts.append(Draft(prompt, gold, subset=subset, rivals=rivals))
        said = f"Earlier question: {question} Answer: {gold}.\n"
        earlier = f"{earlier.rstrip()}\n{said}\n".lstrip("\n")
    return drafts


def supported(rng: random.Random) -> list[Draft]:
    """Two people in a passage: the sentence that it supports, or the one that mixes them up."""
    one, two = rng.sample(NAMES, 2)
    cities, jobs = rng.sample(_CITIES, 2), rng.sample(_JOBS, 2)
    told = [
        f"{one} is a {jobs[0]} and lives in {cities[0]}.",
        f"{two} is a {jobs[1]} and lives in {cities[1]}.",
    ]
    rng.shuffle(told)
    if rng.random() < 0.5:
        (gold, wrong), subset = [f"{one} lives in {city}." for city in cities], "city"
    else:
        (gold, wrong), subset = [f"{one} works as a {job}." for job in jobs], "job"
    asked = f"Write a sentence about {one} that the passage supports."
    prompt = f"Passage: {' '.join(told)}\n\n{asked}"
    return [Draft(prompt, gold, subset=subset, choices=pick(rng, gold, [wrong]))]


def _named(draft: Draft, reply: str) -> bool:
    return names_only(reply, draft.gold, draft.rivals)


def _misnamed(draft: Draft) -> list[str]:
    return [draft.rivals[0], f"{draft.gold} or {draft.rivals[1]}", "", f"x{draft.gold}x"]


PROCEDURES = {
    "dialogue_reading": Procedure(
        about="questions on a passage, with earlier turns",
        draw=dialogue_reading,
        grade=_named,
        wrong=_misnamed,
        max_tokens=48,
    ),
    "supported": Procedure(about="the sentence that a passage supports", draw=supported),
}

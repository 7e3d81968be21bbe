"""Verifiable instructions: one sentence on a topic under one condition that IFEval can check."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from transferscope.grade.ifeval import Instruction, strict

from .drafts import Draft, Procedure

_THINGS = (
    *("garden", "market", "train", "song", "holiday", "forest", "kitchen", "city", "bridge"),
    *("birthday", "boat", "school", "storm", "meal", "village", "beach", "castle", "dream"),
)
_KINDS_OF_THINGS = ("busy", "happy", "strange", "new", "little", "famous", "lovely", "forgotten")
_WORDS = ("river", "light", "friend", "small", "morning", "warm", "road", "song", "quiet", "early")


def _keywords(_topic: str, a: str, b: str) -> tuple[str, str, dict[str, Any], str]:
    text = f"Include the words {a} and {b}."
    return text, "keywords:existence", {"keywords": [a, b]}, f"I think of {a} and {b}."


def _twice(_topic: str, a: str, _b: str) -> tuple[str, str, dict[str, Any], str]:
    text = f"Use the word {a} at least 2 times."
    arguments = {"keyword": a, "frequency": 2, "relation": "at least"}
    return text, "keywords:frequency", arguments, f"First {a} and then {a} again."


def _bullets(topic: str, _a: str, _b: str) -> tuple[str, str, dict[str, Any], str]:
    text = "Write exactly 2 bullet points, each starting with * and a space."
    gold = f"* I like {topic}.\n* You like {topic} too."
    return text, "detectable_format:number_bullet_lists", {"num_bullets": 2}, gold


def _title(topic: str, _a: str, _b: str) -> tuple[str, str, dict[str, Any], str]:
    text = "Give it a title in double angular brackets, such as <<joy>>."
    return text, "detectable_format:title", {}, f"<<my view>>\nI like {topic}."


def _quoted(topic: str, _a: str, _b: str) -> tuple[str, str, dict[str, Any], str]:
    text = "Put your whole answer in double quotation marks."
    return text, "startend:quotation", {}, f'"I like {topic}."'


def _short(topic: str, _a: str, _b: str) -> tuple[str, str, dict[str, Any], str]:
    text = "Use less than 15 words."
    arguments = {"num_words": 15, "relation": "less than"}
    return text, "length_constraints:number_words", arguments, f"I like {topic}."


_KINDS: dict[str, Callable[[str, str, str], tuple[str, str, dict[str, Any], str]]] = {
    "keywords": _keywords,
    "twice": _twice,
    "bullets": _bullets,
    "title": _title,
    "quoted": _quoted,
    "short": _short,
}


def instructions(rng: random.Random) -> list[Draft]:
    """``Write one sentence about a new boat. Include the words warm and road.``"""
    kind = rng.choice(tuple(_KINDS))
    topic = f"a {rng.choice(_KINDS_OF_THINGS)} {rng.choice(_THINGS)}"
    condition, identifier, arguments, gold = _KINDS[kind](topic, *rng.sample(_WORDS, 2))
    if kind == "bullets":
        prompt = f"Write about {topic}. {condition}"
    else:
        prompt = f"Write one sentence about {topic}. {condition}"
    check = json.dumps({"id": identifier, "arguments": arguments})
    return [Draft(prompt, gold, subset=kind, check=check)]


def _followed(draft: Draft, reply: str) -> bool:
    data = json.loads(draft.check)
    return all(strict(draft.prompt, reply, [Instruction(data["id"], data["arguments"])]))


def _broken(draft: Draft) -> list[str]:
    """Replies that break the one condition, and an empty one."""
    broken = {
        "keywords": "I think of nothing.",
        "twice": "Nothing is said here.",
        "bullets": draft.gold + "\n* And a third.",
        "title": draft.gold.replace("<<", "").replace(">>", ""),
        "quoted": draft.gold.strip('"'),
        "short": draft.gold + " and so on" * 5,
    }
    return [broken[draft.subset], ""]


PROCEDURES = {
    "instructions": Procedure(
        about="a sentence under a verifiable condition",
        draw=instructions,
        grade=_followed,
        wrong=_broken,
    )
}

"""Frozen records that the packages exchange.

An :class:`Outcome` is one graded answer. Two runs are paired by :attr:`Outcome.key`
(benchmark, id, repeat), never by position. Records of which a file holds hundreds of thousands are
msgspec structs: decoding, encoding and storing them costs a fraction of what a dataclass does.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from .typed_record import record

Tick = Callable[[str, int, int], None]
"""Progress callback ``tick(what, done, total)``, called from long loops: cheap and optional."""

MOST = 10**12
"""Largest count of items or tokens, so that sums and squares of counts are exact."""
HEAVIEST = 1e12
"""Largest weight of an item, so that sums of weights and their products are finite."""

Say = Callable[[str], None]
"""Callback ``say(line)`` for a line that the user should see while work continues."""

Message = Mapping[str, str]
"""One chat message: ``{"role": ..., "content": ...}``."""


def no_tick(what: str, done: int, total: int) -> None:
    """The progress callback that does nothing."""


def no_say(line: str) -> None:
    """The callback for lines that drops them."""


class Outcome(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One graded answer: benchmark x item x repeat.

    ``score`` is in 0..1. ``chance`` is the score of guessing (0..1, ``None`` if unknown).
    ``weight`` is the item's relative weight in its benchmark's mean. ``cluster`` names the story or
    passage that the item shares with others (empty if none). ``flags`` are artefact names; those
    also listed in ``flags_inferred`` were inferred from the text, the others were recorded by the
    engine. ``message_hash`` covers the messages before the chat template, ``rendered_hash`` the
    text after it. Raises :class:`ValueError` for a value out of range.
    """

    benchmark: str
    id: str
    score: float
    repeat: int = 0
    subset: str = ""
    cluster: str = ""
    weight: float = 1.0
    chance: float | None = None
    flags: tuple[str, ...] = ()
    flags_inferred: tuple[str, ...] = ()
    tokens: int | None = None
    finish: str | None = None
    message_hash: str | None = None
    rendered_hash: str | None = None

    def __post_init__(self) -> None:
        if (
            0.0 <= self.score <= 1.0
            and 0.0 < self.weight <= HEAVIEST
            and 0 <= self.repeat <= MOST
            and (self.tokens is None or 0 <= self.tokens <= MOST)
            and (self.chance is None or 0.0 <= self.chance < 1.0)
        ):
            return
        if not 0.0 <= self.score <= 1.0:  # also true for NaN
            raise ValueError(f"score {self.score!r} is not within 0..1")
        if not 0.0 < self.weight <= HEAVIEST:
            raise ValueError(f"weight {self.weight!r} is not a positive number up to {HEAVIEST:g}")
        if not 0 <= self.repeat <= MOST:
            raise ValueError(f"repeat {shortened(self.repeat)} is not within 0..{MOST:,}")
        if self.tokens is not None and not 0 <= self.tokens <= MOST:
            raise ValueError(f"tokens {shortened(self.tokens)} is not within 0..{MOST:,}")
        _check_chance(self.chance)

    @property
    def key(self) -> tuple[str, str, int]:
        """The key that pairs this outcome with that of another run."""
        return (self.benchmark, self.id, self.repeat)


class Failure(Struct, frozen=True, gc=False):
    """A request that failed permanently (benchmark x item x repeat), and why. It has no score.

    On disk it is an outcome whose ``score`` is null.
    """

    benchmark: str
    id: str
    repeat: int = 0
    why: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """The key of the missing outcome."""
        return (self.benchmark, self.id, self.repeat)


class ScoreRow(Struct, frozen=True, gc=False):
    """A benchmark (or a subset of it) for which only the score is known.

    ``score`` and its standard error ``stderr`` are in 0..1; ``n`` is the number of items.
    ``proportion``: the score is a mean of 0/1 outcomes (accuracy), so n alone determines its
    uncertainty. ``chance`` is the score of guessing (0..1), ``None`` if it is unknown.
    """

    benchmark: str
    score: float
    subset: str = ""
    stderr: float | None = None
    n: int | None = None
    proportion: bool = True
    chance: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.score) and 0.0 <= self.score <= 1.0):
            raise ValueError(f"score {self.score!r} is not within 0..1")
        if self.stderr is not None and not (math.isfinite(self.stderr) and self.stderr >= 0.0):
            raise ValueError(f"stderr {self.stderr!r} is not a number of at least 0")
        if self.n is not None and self.n < 1:
            raise ValueError(f"n {shortened(self.n)} is not above 0")
        if self.n is not None and self.n > MOST:
            raise ValueError(f"n {shortened(self.n)} of {self.benchmark} is above {MOST:,}")
        _check_chance(self.chance)


def shortened(number: int) -> str:
    """Format an integer for a message; a long one as its first digits and the number of digits.

    >>> shortened(-3), shortened(10**30)
    ('-3', '1000000… (31 digits)')
    """
    text = str(number)
    return text if len(text) <= 15 else f"{text[:7]}… ({len(text.lstrip('-'))} digits)"


def _check_chance(chance: float | None) -> None:
    if chance is not None and not (math.isfinite(chance) and 0.0 <= chance < 1.0):
        raise ValueError(f"chance {chance!r} is not within 0..1")


class Response(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One model output, kept next to its outcome; ``prompt`` is the model's input."""

    id: str
    repeat: int
    prompt: str
    response: str


@dataclass(frozen=True, slots=True)
class Decoding:
    """How answers were sampled. ``temperature`` 0 is greedy."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Generation:
    """The output of an engine for one prompt.

    ``finish`` is ``"stop"`` (the model ended its answer), ``"stop_string"`` (a stop string ended
    it), ``"length"`` (cut off at the token limit) or ``None`` if the engine can't tell. ``ids`` are
    the tokens that the model wrote, without the end token and not cut at a stop string; empty if
    the engine only sees text.
    """

    text: str
    tokens: int | None = None
    finish: str | None = None
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Replaces an answer if the request failed permanently, with the reason on one line.

    ``too_long``: prompt and answer don't fit into the model's context, so that asking again won't
    help.
    """

    why: str
    too_long: bool = False


def digest(value: Any) -> str:
    """16 hex digits of sha256 over canonical JSON; hashes messages, suites and decodings."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def message_hash(messages: Sequence[Message]) -> str:
    """Hash of the messages before the chat template."""
    return digest([[m["role"], m["content"]] for m in messages])


@record()
class ModelRef:
    """The model of a run. ``base`` is the model it was tuned from, ``None`` for a base model."""

    name: str
    base: str | None = None
    revision: str | None = None
    fingerprint: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

"""The requests of one call to a server, shared by concurrent workers: retries, pauses, giving up.

A request that fails on its own is retried and then reported among the others' answers. A server
that is busy, loading or unreachable is waited for. One that refuses everything, or fails request
after request, ends the call.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..core.errors import InputError
from ..core.records import Say, no_say
from .replies import Unanswered

ATTEMPTS = 5
"""Attempts per request while the server is busy, failing or unreachable; more while there is
patience with a server that is busy or unreachable."""
ANSWER_ATTEMPTS = 3
"""Attempts per request when the server replies without an answer."""
LATE_ATTEMPTS = 2
"""Attempts per request that takes longer than the time limit."""
BACKOFF = 0.5
"""Longest pause in seconds before the second attempt; it doubles with each further one. The pause
is drawn from its upper half, so that concurrent requests don't all come back at once."""
LONGEST_PAUSE = 30.0
"""Longest pause in seconds, whatever the server's Retry-After header asks for."""
FAILURES = 16
"""Consecutive requests that fail for good before the server itself is taken to be broken."""

T = TypeVar("T")


class Failed(Exception):
    """A failed attempt: the error to report, attempts allowed, seconds the server asks to wait.

    ``down``: the server is busy, loading or unreachable, so that waiting may help.
    """

    def __init__(
        self, error: InputError, *, tries: int = 1, wait: float = 0.0, down: bool = False
    ) -> None:
        self.error, self.tries, self.wait, self.down = error, tries, wait, down


@dataclass(slots=True)
class Health:
    """What is known of a server.

    ``replied``: it has replied in the expected form; until then, suspect a wrong address. ``heard``
    is the time of its last reply. ``patience`` is the number of seconds to wait for it while it is
    down, and ``say`` is told of that once per outage.
    """

    patience: float
    replied: bool = False
    heard: float = -1.0
    say: Say = no_say
    told: bool = False
    draw: random.Random = field(default_factory=random.Random)

    def answered(self) -> None:
        """Note a reply."""
        self.replied, self.heard, self.told = True, time.monotonic(), False

    def waits(self, error: InputError, since: float) -> bool:
        """Whether to keep waiting for a server that is down ``since`` that time."""
        if time.monotonic() - since >= self.patience:
            return False
        if not self.told:
            self.told = True
            self.say(
                f"{error.place}: {error.what}; waiting for the server, up to {self.patience:g} s"
            )
        return True

    def pause(self, tried: int, asked: float) -> float:
        """Return the seconds before the next attempt, of which the server ``asked`` for some."""
        backoff: float = BACKOFF * 2 ** min(tried - 1, 16) * self.draw.uniform(0.5, 1.0)
        return min(asked + backoff, LONGEST_PAUSE)


class Calls(Generic[T]):
    """The requests of one call; all workers run in one thread."""

    def __init__(
        self,
        health: Health,
        ask: Callable[[Any], Awaitable[dict[str, Any]]],
        *,
        payloads: Sequence[Any],
        read: Callable[[int, dict[str, Any]], T],
        give: Callable[[tuple[int, T | Unanswered]], None],
    ) -> None:
        self.health, self.ask = health, ask
        self.payloads, self.read, self.give = payloads, read, give
        self.left = deque(range(len(payloads)))
        self.early: dict[int, Unanswered] = {}
        """Failures before the server's first reply; they are retried once it replies."""
        self.in_a_row = 0

    async def work(self) -> None:
        """Send requests one after the other until none is left; raise whatever ends the call."""
        while self.left:
            at = self.left.popleft()
            try:
                self.give((at, await self._answer(at)))
                self.in_a_row = 0
            except Unanswered as failure:
                self._note(at, failure)
            if self.early and self.health.replied:
                self.left.extend(self.early)
                self.early.clear()

    def _note(self, at: int, failure: Unanswered) -> None:
        alive = failure.is_reply and self.health.replied
        self.in_a_row = 0 if alive else self.in_a_row + 1
        if self.in_a_row >= FAILURES:
            raise _Ended(failure)
        if self.health.replied:
            self.give((at, failure))
        else:
            self.early[at] = failure

    def finish(self) -> None:
        """Report the failures that were never retried because the server never replied."""
        for at, failure in self.early.items():
            self.give((at, failure))

    async def _answer(self, at: int) -> T:
        tried: Counter[int] = Counter()  # by the number allowed, so that kinds don't add up
        since = 0.0
        while True:
            try:
                found = self._read(at, await self.ask(self.payloads[at]))
            except Failed as failed:
                since = since or time.monotonic()
                waits = failed.down and self.health.waits(failed.error, since)
                tried[failed.tries] += 1
                if tried[failed.tries] >= failed.tries and not waits:
                    raise self._given_up(failed.error, since) from None
                await asyncio.sleep(self.health.pause(tried.total(), failed.wait))
                continue
            self.health.answered()
            return found

    def _given_up(self, error: InputError, since: float) -> InputError:
        """Return the error to report: the request's own if others were answered meanwhile."""
        if self.health.heard <= since or isinstance(error, Unanswered):
            return error
        return Unanswered(error.what, place=str(error.place), remedy=str(error.remedy))

    def _read(self, at: int, answer: dict[str, Any]) -> T:
        try:
            return self.read(at, answer)
        except Unanswered as failure:
            self.health.replied |= failure.is_reply
            tries = ANSWER_ATTEMPTS if self.health.replied else 1
            raise Failed(failure, tries=tries) from None


class _Ended(InputError):
    """Too many consecutive requests failed."""

    def __init__(self, last: Unanswered) -> None:
        what = f"{last.what} ({FAILURES} requests in a row failed)"
        super().__init__(what, place=last.place, remedy=last.remedy)

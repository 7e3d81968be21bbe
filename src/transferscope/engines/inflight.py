"""Coroutines run in a background thread, with results passed to a plain generator.

The caller may already run an event loop (a notebook does). It must never wait for results that it
won't read: when it stops, through an error or Ctrl-C, requests in flight are cancelled and closed.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

PATIENCE = 1.0
"""Seconds that connections get to close; a DNS lookup in progress can't be cancelled."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Over:
    error: BaseException | None


def streamed(main: Callable[[Callable[[T], None]], Coroutine[Any, Any, None]]) -> Iterator[T]:
    """Yield what the coroutine ``main(give)`` passes to ``give``; raise what it raises."""
    given: queue.SimpleQueue[T | _Over] = queue.SimpleQueue()
    started = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []

    async def watched() -> None:
        task = asyncio.current_task()
        assert task is not None
        running.append((asyncio.get_running_loop(), task))
        started.set()
        await main(given.put)

    def work() -> None:
        error: BaseException | None = None
        try:
            asyncio.run(watched())
        except BaseException as err:  # raised again in the waiting generator
            error = err
        given.put(_Over(error))

    thread = threading.Thread(target=work, name="transferscope requests", daemon=True)
    thread.start()
    try:
        while not isinstance(got := given.get(), _Over):
            yield got
        if got.error is not None:
            raise got.error
    finally:
        if thread.is_alive() and started.wait(PATIENCE):
            loop, task = running[0]
            with suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(task.cancel)
        thread.join(PATIENCE)

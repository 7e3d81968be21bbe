"""Coroutines in a thread of their own, whose results a plain generator hands over.

The caller may run an event loop itself (a notebook does), and it must never wait for what nobody
will read: when it stops, by an error or Ctrl-C, what is in flight is cancelled and closed.
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
"""Seconds that connections have to close; a name that is being looked up can't be cancelled."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Over:
    error: BaseException | None


def streamed(main: Callable[[Callable[[T], None]], Coroutine[Any, Any, None]]) -> Iterator[T]:
    """What the coroutine ``main(give)`` gives, as it gives it; raises what it raises."""
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
        except BaseException as err:  # raised again where somebody waits
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
            with suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(task.cancel)
        thread.join(PATIENCE)

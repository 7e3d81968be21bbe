"""A server that fails a given share of its requests, each time in another way."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from .serving import completion

Fault = Callable[["Chaos", asyncio.StreamWriter, str], Awaitable[None]]


@dataclass
class Chaos:
    """What was asked (how often each prompt), and which faults were injected."""

    rate: float
    calm: int
    seed: int
    base_url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.writers: set[asyncio.StreamWriter] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._serve(reader, writer)
        writer.close()
        self.writers.discard(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            fields = head.decode("latin-1").lower()
            length = int(fields.partition("content-length: ")[2].partition("\r")[0] or 0)
            body = await reader.readexactly(length)
            if not body:
                writer.write(_reply(404, {}))
                continue
            prompt = json.loads(body)["messages"][-1]["content"]
            self.asked[prompt] += 1
            if self.asked.total() > self.calm and self.draw.random() < self.rate:
                name = self.draw.choice(list(FAULTS))
                self.faults[name] += 1
                await FAULTS[name](self, writer, prompt)
            else:
                writer.write(_reply(200, answer(prompt)))
            await writer.drain()
            if writer.is_closing():
                return


def answer(prompt: str) -> dict[str, Any]:
    """The right reply to a prompt."""
    return {"model": "m", **completion(f"to {prompt}")}


def _reply(status: int, body: Any, **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"content-length": str(len(content)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + content


def _replying(make: Callable[[str], tuple[int, Any]], **headers: str) -> Fault:
    async def fault(_: Chaos, writer: asyncio.StreamWriter, prompt: str) -> None:
        status, body = make(prompt)
        writer.write(_reply(status, body, **headers))

    return fault


async def _reset(_: Chaos, writer: asyncio.StreamWriter, prompt: str) -> None:
    writer.transport.abort()


async def _hang(_: Chaos, writer: asyncio.StreamWriter, prompt: str) -> None:
    await asyncio.sleep(HANGS)
    writer.close()


async def _drip(_: Chaos, writer: asyncio.StreamWriter, prompt: str) -> None:
    writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(round(HANGS / 0.1)):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)
    writer.close()


async def _half(_: Chaos, writer: asyncio.StreamWriter, prompt: str) -> None:
    """Less than the length that the header promises."""
    whole = _reply(200, answer(prompt))
    writer.write(whole[: len(whole) - 20])
    writer.close()


HANGS = 4.0
"""Seconds; longer than a test's time limit for a request."""

FAULTS: dict[str, Fault] = {
    "429": _replying(lambda _: (429, {"error": {"message": "slow down"}}), retry_after="0"),
    "500": _replying(lambda _: (500, {"error": {"message": "CUDA error"}})),
    "503": _replying(lambda _: (503, b"busy")),
    "reset": _reset,
    "hang": _hang,
    "drip": _drip,
    "half": _half,
    "cut JSON": _replying(lambda prompt: (200, json.dumps(answer(prompt)).encode()[:-9])),
    "no such model": _replying(lambda _: (404, {"error": {"message": "no such model"}})),
    "wrong model": _replying(lambda prompt: (200, {**answer(prompt), "model": "other"})),
    "no choices": _replying(lambda _: (200, {"model": "m", "choices": []})),
    "empty": _replying(lambda _: (200, {"model": "m", **completion("", finish_reason=None)})),
    "two choices": _replying(
        lambda prompt: (
            200,
            {"model": "m", "choices": [*answer("wrong")["choices"], *answer(prompt)["choices"]]},
        )
    ),
}


@contextmanager
def chaos(*, rate: float = 0.3, calm: int = 1, seed: int = 0) -> Iterator[Chaos]:
    """Serve while the block runs; the first ``calm`` requests are answered as they should be."""
    about = Chaos(rate, calm, seed)
    started = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        server = await asyncio.start_server(about.handle, "127.0.0.1", 0, backlog=512)
        about.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        over = asyncio.Event()
        running.append((asyncio.get_running_loop(), over))
        started.set()
        await over.wait()
        server.close()
        for writer in about.writers:
            writer.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        about.writers.clear()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    started.wait(10)
    try:
        yield about
    finally:
        loop, over = running[0]
        loop.call_soon_threadsafe(over.set)
        thread.join()

"""Requests to an OpenAI-compatible server: many at a time, tried again, one line when they fail.

What comes back is somebody else's input: bounded in size and time, and nothing in it is trusted.
A request that fails by itself (a server's error for one prompt, an answer that is none) is tried
again and then reported beside the others' answers; what concerns the server (nobody there, a wrong
key or name, too busy, one failure after another) ends the call.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import httpx2 as httpx

from ..core.errors import InputError
from ..core.records import Tick
from .inflight import streamed
from .replies import (
    Unanswered,
    error_message,
    json_object,
    malformed,
    one_line,
    pause_asked,
    remedy_of,
)
from .server import ServerOptions

ATTEMPTS = 5
"""Of one request, when the server is busy, failing or out of reach."""
ANSWER_ATTEMPTS = 3
"""Of one request, when the server answers, but with no answer to it."""
BACKOFF = 0.5
"""Seconds before the second attempt; they double."""
LONGEST_PAUSE = 30.0
"""Seconds; a server may ask for less (Retry-After), not for more."""
MOST_BYTES = 64 * 2**20
"""Of one answer: 32,768 tokens with their log-probabilities take some 5 MB."""
SAID_CHARS = 200
"""How much of a server's own message is shown."""
FAILURES = 16
"""In a row, each for good and of different requests: the server is broken, not the requests."""

_BUSY = frozenset({429, 503})
_TRANSIENT = frozenset({500, 502, 504}) | _BUSY
_SETTINGS = frozenset({401, 403, 404})
_BROKE_OFF = (
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
)
T = TypeVar("T")


class Endpoint:
    """A server and the key it is asked with; connections last as long as one call."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.replied = False
        """Whether it ever replied in the right form: before that, a wrong address is likelier."""

    def ask_all(
        self,
        path: str,
        payloads: Sequence[Any],
        read: Callable[[int, dict[str, Any]], T],
        *,
        what: str,
        tick: Tick,
    ) -> list[T]:
        """``read(index, answer)`` of every payload's JSON answer, in the order of the payloads.

        The first failure ends the rest and is raised: :class:`InputError` with the address and the
        remedy.
        """
        found: dict[int, T] = {}
        for at, answer in self.ask_each(path, payloads, read):
            if isinstance(answer, Unanswered):
                raise answer
            found[at] = answer
            tick(what, len(found), len(payloads))
        return [found[at] for at in range(len(payloads))]

    def ask_each(
        self, path: str, payloads: Sequence[Any], read: Callable[[int, dict[str, Any]], T]
    ) -> Iterator[tuple[int, T | Unanswered]]:
        """Index and answer of every payload as they come, :class:`Unanswered` for what failed.

        ``read`` runs in another thread. Raises :class:`InputError` for what concerns the server.
        Closing the iterator cancels what is in flight.
        """
        if not payloads:
            return iter(())

        async def main(give: Callable[[tuple[int, T | Unanswered]], None]) -> None:
            async with self._client() as client:
                url = self.options.url(path)
                calls = _Calls(self, client, url=url, payloads=payloads, read=read, give=give)
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.options.concurrency, len(payloads))):
                        group.create_task(calls.work())
                calls.finish()

        return _ungrouped(streamed(main))

    def version(self) -> str | None:
        """What the server calls its version, where it tells; asked once, never an error."""

        async def main(give: Callable[[tuple[int, bytes]], None]) -> None:
            patience = min(10.0, self.options.timeout)
            async with self._client() as client, asyncio.timeout(patience):
                url = self.options.version_url
                status, body, _ = await self.send(client, "GET", url, None)
                give((status, body))

        try:
            ((status, body),) = streamed(main)
        except (InputError, _Failed, httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return None
        told = json_object(body).get("version") if status == httpx.codes.OK else None
        return one_line(told)[:64] if isinstance(told, str) else None

    def _client(self) -> httpx.AsyncClient:
        key, most = self.options.key(), self.options.concurrency
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        return httpx.AsyncClient(
            headers=headers if key is None else headers | {"authorization": f"Bearer {key}"},
            # A whole request has its time; the client's own limits lie between two bytes.
            timeout=httpx.Timeout(None, connect=30.0),
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most),
        )

    async def attempt(self, client: httpx.AsyncClient, url: str, payload: Any) -> dict[str, Any]:
        """The JSON object that the server answers with. Raises :class:`_Failed`."""
        try:
            async with asyncio.timeout(self.options.timeout):
                status, body, wait = await self.send(client, "POST", url, payload)
        except TimeoutError:
            what = f"no whole answer within {self.options.timeout:g} s"
            remedy = "raise --engine-args timeout or lower concurrency"
            raise _Failed(Unanswered(what, place=url, remedy=remedy)) from None
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            why = self._told(str(err)) or type(err).__name__
            what, remedy = f"can't be reached ({why})", "start the server, or check base_url"
            # It was there, and broke off: perhaps because of what was asked.
            if isinstance(err, _BROKE_OFF):
                raise _Failed(Unanswered(what, place=url, remedy=remedy), tries=ATTEMPTS) from None
            raise _Failed(InputError(what, place=url, remedy=remedy), tries=ATTEMPTS) from None
        if status == httpx.codes.OK:
            return self._checked(json_object(body), url)
        said = self._told(error_message(json_object(body)))
        what = f"answered {status}" + (f": {said}" if said else "")
        remedy = remedy_of(status, body).format(env=self.options.api_key_env)
        error = InputError(what, place=url, remedy=remedy)
        if status not in _BUSY | _SETTINGS:
            refused = 400 <= status < 500
            error = Unanswered(what, place=url, remedy=remedy, is_reply=refused)
        raise _Failed(error, tries=ATTEMPTS if status in _TRANSIENT else 1, wait=wait)

    async def send(
        self, client: httpx.AsyncClient, method: str, url: str, payload: Any
    ) -> tuple[int, bytes, float]:
        """Status, body and the seconds that the server asks to wait."""
        body = bytearray()
        content = None if payload is None else json.dumps(payload).encode()
        sent = {} if content is None else {"content-type": "application/json"}
        async with client.stream(method, url, content=content, headers=sent) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    what = f"answered with more than {MOST_BYTES >> 20} MB"
                    raise _Failed(Unanswered(what, place=url, remedy="check base_url"))
            wait = pause_asked(response.headers.get("retry-after", ""))
        return response.status_code, bytes(body), wait

    def _checked(self, answer: dict[str, Any], url: str) -> dict[str, Any]:
        choices = answer.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            return answer
        said = self._told(error_message(answer))
        problem = malformed("no choices" + (f" ({said})" if said else ""), url)
        raise _Failed(problem, tries=ANSWER_ATTEMPTS if self.replied else 1)

    def _told(self, text: str) -> str:
        """A server's or library's words, as far as they may be shown."""
        key = self.options.key()
        return one_line(text if key is None else text.replace(key, "***"))[:SAID_CHARS]


class _Failed(Exception):
    """One attempt: what would be told, how many there may be, how long the server asks to wait."""

    def __init__(self, error: InputError, *, tries: int = 1, wait: float = 0.0) -> None:
        self.error, self.tries, self.wait = error, tries, wait


class _Calls(Generic[T]):
    """The requests of one call, shared by its workers (all in one thread)."""

    def __init__(
        self,
        endpoint: Endpoint,
        client: httpx.AsyncClient,
        *,
        url: str,
        payloads: Sequence[Any],
        read: Callable[[int, dict[str, Any]], T],
        give: Callable[[tuple[int, T | Unanswered]], None],
    ) -> None:
        self.endpoint, self.client, self.url = endpoint, client, url
        self.payloads, self.read, self.give = payloads, read, give
        self.left = deque(range(len(payloads)))
        self.early: dict[int, Unanswered] = {}
        """Failures before the server ever replied: asked once more if it does."""
        self.in_a_row = 0

    async def work(self) -> None:
        """Requests one after the other until none is left. Raises what ends the call."""
        while self.left:
            at = self.left.popleft()
            try:
                self.give((at, await self._answer(at)))
                self.in_a_row = 0
            except Unanswered as failure:
                self._note(at, failure)
            if self.early and self.endpoint.replied:
                self.left.extend(self.early)
                self.early.clear()

    def _note(self, at: int, failure: Unanswered) -> None:
        alive = failure.is_reply and self.endpoint.replied
        self.in_a_row = 0 if alive else self.in_a_row + 1
        if self.in_a_row >= FAILURES:
            raise _Ended(failure)
        if self.endpoint.replied:
            self.give((at, failure))
        else:
            self.early[at] = failure

    def finish(self) -> None:
        """What failed and wasn't asked again, as no request was ever replied to."""
        for at, failure in self.early.items():
            self.give((at, failure))

    async def _answer(self, at: int) -> T:
        tried = 0
        while True:
            tried += 1
            try:
                answer = await self.endpoint.attempt(self.client, self.url, self.payloads[at])
                found = self._read(at, answer)
            except _Failed as failed:
                if tried >= failed.tries:
                    raise failed.error from None
                pause = max(failed.wait, BACKOFF * 2 ** (tried - 1))
                await asyncio.sleep(min(pause, LONGEST_PAUSE))
                continue
            self.endpoint.replied = True
            return found

    def _read(self, at: int, answer: dict[str, Any]) -> T:
        try:
            return self.read(at, answer)
        except Unanswered as failure:
            self.endpoint.replied |= failure.is_reply
            tries = ANSWER_ATTEMPTS if self.endpoint.replied else 1
            raise _Failed(failure, tries=tries) from None


class _Ended(InputError):
    """Too many requests in a row failed."""

    def __init__(self, last: Unanswered) -> None:
        what = f"{last.what} ({FAILURES} requests in a row failed)"
        super().__init__(what, place=last.place, remedy=last.remedy)


def _ungrouped(answers: Iterator[T]) -> Iterator[T]:
    """A task group's first error in place of the group."""
    try:
        yield from answers
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None

"""Concurrent requests to an OpenAI-compatible server, with retries and one-line errors.

Replies are untrusted input: their size and time are bounded. A request that fails on its own (a
server error for one prompt, a reply without an answer) is retried and then reported among the
others' answers. A failure of the server (unreachable, wrong key or model name, overloaded, one
failure after another) ends the call.
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
"""Attempts per request while the server is busy, failing or unreachable."""
ANSWER_ATTEMPTS = 3
"""Attempts per request when the server replies without an answer."""
BACKOFF = 0.5
"""Seconds before the second attempt; the pause doubles with each further one."""
LONGEST_PAUSE = 30.0
"""Longest pause in seconds, whatever the server's Retry-After header asks for."""
MOST_BYTES = 64 * 2**20
"""Largest reply accepted: 32,768 tokens with their log-probabilities take about 5 MB."""
SAID_CHARS = 200
"""Characters shown of a server's own message."""
FAILURES = 16
"""Consecutive requests that fail for good before the server itself is taken to be broken."""

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
    """A server and its API key; connections are kept open for one call."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.replied = False
        """Whether it has replied in the expected form; until then, suspect a wrong address."""

    def ask_all(
        self,
        path: str,
        payloads: Sequence[Any],
        read: Callable[[int, dict[str, Any]], T],
        *,
        what: str,
        tick: Tick,
    ) -> list[T]:
        """Return ``read(index, answer)`` for every payload's JSON answer, in payload order.

        The first failure cancels the rest and is raised as an :class:`InputError` with the address
        and the remedy.
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
        """Yield (index, answer) as answers arrive; a failed request yields :class:`Unanswered`.

        ``read`` runs in another thread. Raises :class:`InputError` if the server itself fails.
        Closing the iterator cancels requests in flight.
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
        """Return the server's version, or ``None`` if it reports none; a single try, no errors."""

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
            # attempt() limits the time of the request; the client's limits apply between two bytes.
            timeout=httpx.Timeout(None, connect=30.0),
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most),
        )

    async def attempt(self, client: httpx.AsyncClient, url: str, payload: Any) -> dict[str, Any]:
        """Send one request and return the reply's JSON object. Raises :class:`_Failed`."""
        try:
            async with asyncio.timeout(self.options.timeout):
                status, body, wait = await self.send(client, "POST", url, payload)
        except TimeoutError:
            what = f"did not answer completely within {self.options.timeout:g} s"
            remedy = "raise --engine-args timeout or lower concurrency"
            raise _Failed(Unanswered(what, place=url, remedy=remedy)) from None
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            why = self._told(str(err)) or type(err).__name__
            what, remedy = f"can't be reached ({why})", "start the server, or check base_url"
            # The connection existed and broke off, possibly because of this request.
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
        """Return status, body and the number of seconds that the server asks us to wait."""
        body = bytearray()
        content = None if payload is None else json.dumps(payload).encode()
        sent = {} if content is None else {"content-type": "application/json"}
        async with client.stream(method, url, content=content, headers=sent) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    what = f"sent a reply of more than {MOST_BYTES >> 20} MB"
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
        """Return a server's or library's message on one line, without the key, shortened."""
        key = self.options.key()
        return one_line(text if key is None else text.replace(key, "***"))[:SAID_CHARS]


class _Failed(Exception):
    """A failed attempt: the error to report, attempts allowed, seconds the server asks to wait."""

    def __init__(self, error: InputError, *, tries: int = 1, wait: float = 0.0) -> None:
        self.error, self.tries, self.wait = error, tries, wait


class _Calls(Generic[T]):
    """The requests of one call, shared by its workers, which all run in one thread."""

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
        """Report the failures that were never retried because the server never replied."""
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
    """Too many consecutive requests failed."""

    def __init__(self, last: Unanswered) -> None:
        what = f"{last.what} ({FAILURES} requests in a row failed)"
        super().__init__(what, place=last.place, remedy=last.remedy)


def _ungrouped(answers: Iterator[T]) -> Iterator[T]:
    """Raise a task group's first error in place of the exception group."""
    try:
        yield from answers
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None

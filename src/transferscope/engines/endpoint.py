"""Requests to an OpenAI-compatible server over HTTP, with one-line errors.

Replies are untrusted input: their size and time are bounded. What a failed request means for the
others is decided in :mod:`.calls`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import httpx2 as httpx

from ..core.errors import InputError
from ..core.records import Tick
from .calls import ANSWER_ATTEMPTS, ATTEMPTS, LATE_ATTEMPTS, Calls, Failed, Health
from .inflight import streamed
from .replies import (
    Unanswered,
    error_message,
    is_too_long,
    json_object,
    malformed,
    one_line,
    pause_asked,
    remedy_of,
)
from .server import ServerOptions

MOST_BYTES = 64 * 2**20
"""Largest reply accepted: 32,768 tokens with their log-probabilities take about 5 MB."""
SAID_CHARS = 480
"""Characters shown of a server's own message."""
BUSY = frozenset({429, 503})
_TRANSIENT = frozenset({500, 502, 504})
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
        self.health = Health(options.wait)
        self.model = ""
        """The name of the model in the server's first reply, if it gives one."""

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

                async def ask(payload: Any) -> dict[str, Any]:
                    return await self.attempt(client, url, payload)

                calls = Calls(self.health, ask, payloads=payloads, read=read, give=give)
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.options.concurrency, len(payloads))):
                        group.create_task(calls.work())
                calls.finish()

        return _ungrouped(streamed(main))

    def version(self) -> str | None:
        """Return the server's version, or ``None`` if it reports none; a single try, no errors."""
        status, body = self.get(self.options.version_url)
        told = json_object(body).get("version") if status == httpx.codes.OK else None
        return one_line(told)[:64] if isinstance(told, str) else None

    def get(self, url: str) -> tuple[int, bytes]:
        """Return status and body of a GET request; a single try, status 0 if it fails."""

        async def main(give: Callable[[tuple[int, bytes]], None]) -> None:
            patience = min(10.0, self.options.timeout)
            async with self._client() as client, asyncio.timeout(patience):
                status, body, _ = await self.send(client, "GET", url, None)
                give((status, body))

        try:
            ((status, body),) = streamed(main)
        except (InputError, Failed, httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return 0, b""
        return status, body

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
        """Send one request and return the reply's JSON object. Raises :class:`.calls.Failed`."""
        try:
            async with asyncio.timeout(self.options.timeout):
                status, body, wait = await self.send(client, "POST", url, payload)
        except TimeoutError:
            what = f"did not answer completely within {self.options.timeout:g} s"
            remedy = "raise --engine-args timeout or lower concurrency"
            tries = LATE_ATTEMPTS if self.health.replied else 1
            raise Failed(Unanswered(what, place=url, remedy=remedy), tries=tries) from None
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            why = self._told(str(err)) or type(err).__name__
            what, remedy = f"can't be reached ({why})", "start the server, or check base_url"
            # The connection existed and broke off, possibly because of this request.
            if isinstance(err, _BROKE_OFF):
                raise Failed(Unanswered(what, place=url, remedy=remedy), tries=ATTEMPTS) from None
            error = InputError(what, place=url, remedy=remedy)
            raise Failed(error, tries=ATTEMPTS, down=True) from None
        if status == httpx.codes.OK:
            return self._checked(json_object(body), url)
        raise self._refused(status, body, url=url, wait=wait)

    def _refused(self, status: int, body: bytes, *, url: str, wait: float) -> Failed:
        """Return what an HTTP status other than 200 means."""
        said = self._told(error_message(json_object(body)))
        what = f"answered {status}" + (f": {said}" if said else "")
        remedy = remedy_of(status, body).format(env=self.options.api_key_env)
        if status in BUSY:
            error = InputError(what, place=url, remedy=remedy)
            return Failed(error, tries=ATTEMPTS, wait=wait, down=True)
        # A server that has replied knows the key and the model: one that refuses them now is
        # about to change, or one of several behind the address is another one.
        if status in _SETTINGS and not self.health.replied:
            return Failed(InputError(what, place=url, remedy=remedy))
        refused = 400 <= status < 500 and status not in _SETTINGS
        too_long = refused and is_too_long(body)
        failure = Unanswered(what, place=url, remedy=remedy, is_reply=refused, too_long=too_long)
        again = status in _TRANSIENT | _SETTINGS
        return Failed(failure, tries=ATTEMPTS if again else 1, wait=wait)

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
                    raise Failed(Unanswered(what, place=url, remedy="check base_url"))
            wait = pause_asked(response.headers.get("retry-after", ""))
        return response.status_code, bytes(body), wait

    def _checked(self, answer: dict[str, Any], url: str) -> dict[str, Any]:
        """Return a reply with exactly one choice, of the model that has replied so far."""
        choices, tries = answer.get("choices"), ANSWER_ATTEMPTS if self.health.replied else 1
        if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
            said = self._told(error_message(answer))
            problem = malformed("no choices" + (f" ({said})" if said else ""), url)
            raise Failed(problem, tries=tries)
        if len(choices) > 1:
            what = f"{len(choices)} choices where one was asked for"
            raise Failed(malformed(what, url), tries=tries)
        named = answer.get("model")
        if isinstance(named, str) and named:
            self.model = self.model or named
            if named != self.model:
                first, now = self._told(self.model), self._told(named)
                what = f"the reply is of model {now}, but the first one was of {first}"
                remedy = "serve one model at this address"
                raise Failed(Unanswered(what, place=url, remedy=remedy), tries=tries)
        return answer

    def _told(self, text: str) -> str:
        """Return a server's or library's message on one line, without the key, shortened."""
        key = self.options.key()
        return one_line(text if key is None else text.replace(key, "***"))[:SAID_CHARS]


def _ungrouped(answers: Iterator[T]) -> Iterator[T]:
    """Raise a task group's first error in place of the exception group."""
    try:
        yield from answers
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None

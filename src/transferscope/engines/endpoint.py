"""Requests to an OpenAI-compatible server: many at a time, tried again, one line when they fail.

What comes back is somebody else's input: bounded in size and time, and nothing in it is trusted.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

import httpx2 as httpx

from ..core.errors import InputError
from ..core.records import Tick
from .server import ServerOptions

ATTEMPTS = 5
"""Of one request, when the server is busy, failing or out of reach."""
BACKOFF = 0.5
"""Seconds before the second attempt; they double."""
LONGEST_PAUSE = 30.0
"""Seconds; a server may ask for less (Retry-After), not for more."""
MOST_BYTES = 64 * 2**20
"""Of one answer: 32,768 tokens with their log-probabilities take some 5 MB."""
SAID_CHARS = 200
"""How much of a server's own message is shown."""

_TRANSIENT = frozenset({429, 500, 502, 503, 504})
_REMEDIES = {
    401: "set the environment variable {env} to the server's key",
    403: "set the environment variable {env} to the server's key",
    404: "check base_url (most end in /v1) and the model's name",
    429: "lower --engine-args concurrency",
}

T = TypeVar("T")


class Endpoint:
    """A server and the key it is asked with; connections last as long as one call."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options

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

        ``read`` runs in the request's thread. The first failure ends the rest and is raised:
        :class:`InputError` with the address and the remedy.
        """
        found: dict[int, T] = {}
        over = threading.Event()

        def one(at: int) -> T:
            return read(at, self._ask(client, path, payloads[at], over))

        pool = ThreadPoolExecutor(self.options.concurrency)
        with self._client() as client, pool:
            futures = {pool.submit(one, at): at for at in range(len(payloads))}
            try:
                for done, future in enumerate(as_completed(futures), start=1):
                    found[futures[future]] = future.result()
                    tick(what, done, len(payloads))
            except BaseException:  # Ctrl-C, too, must not wait for what nobody will read
                over.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [found[at] for at in range(len(payloads))]

    def version(self) -> str | None:
        """What the server calls its version, where it tells; asked once, never an error."""
        try:
            with self._client() as client:
                status, body, _ = self._send(client, "GET", self.options.version_url, None, 10.0)
            told = _object(body).get("version") if status == httpx.codes.OK else None
        except (InputError, httpx.HTTPError, httpx.InvalidURL):
            return None
        return _shown(told)[:64] if isinstance(told, str) else None

    def _client(self) -> httpx.Client:
        key, most = self.options.key(), self.options.concurrency
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        return httpx.Client(
            headers=headers if key is None else headers | {"authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(self.options.timeout, connect=30.0, pool=None),
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most),
        )

    def _ask(
        self, client: httpx.Client, path: str, payload: Any, over: threading.Event
    ) -> dict[str, Any]:
        """The JSON object that the server answers with."""
        url, problem, status, pause = self.options.url(path), "", 0, BACKOFF
        for attempt in range(ATTEMPTS):
            if attempt and over.wait(min(pause, LONGEST_PAUSE)):
                break  # another request has failed for good
            pause = BACKOFF * 2**attempt
            try:
                status, body, wait = self._send(client, "POST", url, payload, self.options.timeout)
            except (httpx.ReadTimeout, httpx.WriteTimeout):
                raise self._late(url) from None
            except (httpx.HTTPError, httpx.InvalidURL) as err:
                why = self._told(str(err)) or type(err).__name__
                status, problem = 0, f"can't be reached ({why})"
                continue
            if status == httpx.codes.OK:
                return self._checked(_object(body), url)
            said = self._told(_message(_object(body)))
            problem = f"answered {status}" + (f": {said}" if said else "")
            if status not in _TRANSIENT:
                break
            pause = max(pause, wait)
        raise InputError(problem, place=url, remedy=self._remedy(status))

    def _send(
        self, client: httpx.Client, method: str, url: str, payload: Any, seconds: float
    ) -> tuple[int, bytes, float]:
        """Status, body and the seconds that the server asks to wait."""
        deadline = time.monotonic() + seconds
        body = bytearray()
        content = None if payload is None else json.dumps(payload).encode()
        sent = {} if content is None else {"content-type": "application/json"}
        with client.stream(method, url, content=content, headers=sent) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    what = f"answered with more than {MOST_BYTES >> 20} MB"
                    raise InputError(what, place=url, remedy="check base_url")
                if time.monotonic() > deadline:  # the client's own limit is one between two chunks
                    raise self._late(url)
            asked = response.headers.get("retry-after", "")
        wait = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0.0
        return response.status_code, bytes(body), wait

    def _checked(self, answer: dict[str, Any], url: str) -> dict[str, Any]:
        choices = answer.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            return answer
        said = self._told(_message(answer))
        raise malformed("no choices" + (f" ({said})" if said else ""), url)

    def _late(self, url: str) -> InputError:
        what = f"no whole answer within {self.options.timeout:g} s"
        remedy = "raise --engine-args timeout or lower concurrency"
        return InputError(what, place=url, remedy=remedy)

    def _told(self, text: str) -> str:
        """A server's or library's words, as far as they may be shown."""
        key = self.options.key()
        return _shown(text if key is None else text.replace(key, "***"))[:SAID_CHARS]

    def _remedy(self, status: int) -> str:
        if status == 0:
            return "start the server, or check base_url"
        return _REMEDIES.get(status, "see the server's log").format(env=self.options.api_key_env)


def malformed(what: str, url: str) -> InputError:
    """An answer of the wrong shape."""
    remedy = "check that base_url is an OpenAI-compatible server"
    return InputError(f"answered in another form than asked for: {what}", place=url, remedy=remedy)


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object; empty where the body is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _message(answer: dict[str, Any]) -> str:
    """What an error's body says: OpenAI's form, or FastAPI's."""
    error = answer.get("error", answer)
    told = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return told if isinstance(told, str) else ""


def _shown(text: str) -> str:
    """One line without what would steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:10_000]).split())

"""Servers that break: in the middle of a reply, slowly, for one prompt, with a reply that is none.

All in this process and with small limits.
"""

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import Decoding, Generation, NoAnswer, no_tick
from transferscope.engines import OpenAIEngine, ServerOptions, calls, endpoint
from transferscope.engines.endpoint import Endpoint
from transferscope.engines.replies import Unanswered

from .serving import completion, serving


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, no key, no proxy."""
    monkeypatch.setattr(calls, "BACKOFF", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def each(url: str, count: int, **options: Any) -> dict[int, str]:
    """Texts of the answers to payloads 0, 1, ..., or what is said of one that failed."""
    asked = Endpoint(ServerOptions(url, **options)).ask_each(
        "completions", list(range(count)), lambda _, answer: str(answer["choices"][0]["text"])
    )
    return {at: a.what if isinstance(a, Unanswered) else a for at, a in asked}


Talk = Callable[[socket.socket], None]


@contextmanager
def listening(talk: Talk, healthy: int = 0) -> Iterator[str]:
    """A server below HTTP: the first ``healthy`` connections are answered, then ``talk`` does."""
    reply = json.dumps(completion("fine")).encode()
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(reply)
    over = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        with connection:
            connection.recv(65_536)
            try:
                if number < healthy:
                    connection.sendall(head + reply)
                else:
                    talk(connection)
            except OSError:
                pass

    def accept() -> None:
        threads = []
        while not over.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=serve, args=(connection, len(threads))))
            threads[-1].start()
        for thread in threads:
            thread.join()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.02)
        main = threading.Thread(target=accept)
        main.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        finally:
            over.set()
            main.join()


def drip(connection: socket.socket) -> None:
    """A header of which a byte comes soon, and the end never."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
    for _ in range(200):
        connection.sendall(b"a")
        time.sleep(0.02)


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"\x00\x01\x02 no HTTP at all\r\n\r\n")


def truncated(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{")


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def short(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{")


def unzipped(connection: socket.socket) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\n"
    connection.sendall(head + b"plain")


def test_a_reply_cut_while_thinking_is_a_wrong_answer() -> None:
    """As with an engine that shows its thoughts: left out, it would raise the score."""
    reply = said({"content": "", "reasoning": "hm"}, finish_reason="length")
    with serving(lambda _path, _payload: reply) as server:
        engine = OpenAIEngine("m", ServerOptions(server.base_url, concurrency=1))
        (found,) = engine.generate(
            [engine.render([{"role": "user", "content": "2+2?"}])], Decoding()
        )
    assert found == Generation("", None, "length")


@pytest.mark.parametrize(
    ("talk", "told"),
    [
        (drip, "did not answer completely within 0.3 s"),
        (garbage, "can't be reached ("),
        (truncated, "can't be reached ("),
        (reset, "can't be reached ("),
        (short, "can't be reached ("),
        (unzipped, "can't be reached ("),
    ],
)
def test_what_breaks_off_fails_by_itself(talk: Talk, told: str) -> None:
    with listening(talk, healthy=1) as url:
        begun = time.monotonic()
        found = each(url, 2, concurrency=1, timeout=0.3)
        assert time.monotonic() - begun < 10.0  # a hang would last for minutes
    assert found[0] == "fine"
    assert found[1].startswith(told)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ((500, {"error": {"message": "CUDA\n\x1b[31m error"}}), "answered 500: CUDA [31m error"),
        ((400, {"message": "too long"}), "answered 400: too long"),
        ((302, b"", {"location": "http://127.0.0.1:9/"}), "answered 302"),
        ((200, b"<html>"), "sent a malformed reply: no choices"),
        ({"choices": []}, "sent a malformed reply: no choices"),
        (completion("x" * 2**17), "sent a reply of more than 0 MB"),
    ],
)
@pytest.mark.parametrize("bad", [0, 5, 11])
def test_one_bad_request_costs_no_other(
    reply: Any, told: str, bad: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "MOST_BYTES", 2**16)
    answer = lambda _, payload: reply if payload == bad else completion(f"to {payload}")  # noqa: E731
    with serving(answer) as server:
        found = each(server.base_url, 12, concurrency=3)
    assert found.pop(bad) == told
    assert found == {at: f"to {at}" for at in range(12) if at != bad}
    assert server.payloads.count(bad) <= calls.ATTEMPTS + 1


def test_a_server_that_only_fails_is_given_up() -> None:
    """A model that crashed answers 500 to everything: those requests have not failed, it has."""
    died = threading.Event()

    def dies(_: str, payload: int) -> Any:
        if payload >= 10:
            died.set()
        return (500, b"EngineDeadError") if died.is_set() else completion("alive")

    with (
        serving(dies) as server,
        pytest.raises(InputError, match=r"answered 500 \(16 requests in a row failed\); see"),
    ):
        each(server.base_url, 200, concurrency=1)
    assert len(server.asked) < 10 + calls.FAILURES * (calls.ATTEMPTS + 1)


def test_a_server_that_refuses_some_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """More prompts in a row than may fail are too long for it; before any answer, so many end."""
    monkeypatch.setattr(calls, "FAILURES", 4)
    with serving(lambda _, n: (400, b"") if 1 <= n < 9 else completion("ok")) as server:
        found = each(server.base_url, 12, concurrency=1)
    assert [at for at, text in found.items() if text == "answered 400"] == list(range(1, 9))
    with (
        serving(lambda *_: (400, b"")) as server,
        pytest.raises(InputError, match=r"answered 400 \(4 requests in a row failed\)"),
    ):
        each(server.base_url, 50, concurrency=1)
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("This model's maximum context length is 2048 tokens.", "lower max_gen_toks (distill: "),
        ("x" * 500 + " exceeds the available context size", "lower max_gen_toks (distill: "),
        ("prompt must be a string.", "leave out --engine-args tokenizer"),
        ("Unexpected fields in the request: {'min_p'}", "add --engine-args strict=yes"),
        ("Extra inputs are not permitted", "add --engine-args strict=yes"),
        ("no", "see the server's log"),
    ],
)
def test_the_remedy_is_the_one_that_the_message_names(message: str, remedy: str) -> None:
    for form in ({"error": {"message": message}}, {"detail": [{"msg": message}]}):
        with serving(lambda *_, reply=form: (400, reply)) as server:
            asked = Endpoint(ServerOptions(server.base_url)).ask_each("x", [1], lambda _, a: a)
            ((_, failure),) = asked
        assert isinstance(failure, Unanswered)
        assert str(failure.remedy).startswith(remedy)


def test_a_wrong_key_ends_everything_at_once() -> None:
    with serving(lambda *_: (401, b"")) as server, pytest.raises(InputError, match="401; set the"):
        each(server.base_url, 50, concurrency=1)
    assert len(server.asked) == 1


def test_a_pause_may_be_asked_for_as_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    replies = iter(["Fri, 31 Dec 2099 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "7", "soon"])
    monkeypatch.setattr(calls.asyncio, "sleep", sleep)

    def busy(*_: Any) -> Any:
        told = next(replies, None)
        return completion("ok") if told is None else (429, b"", {"retry-after": told})

    with serving(busy) as server:
        assert each(server.base_url, 1) == {0: "ok"}
    assert slept == [calls.LONGEST_PAUSE, 0.0, 7.0, 0.0]


def hung(over: threading.Event) -> Callable[[str, Any], Any]:
    def answer(_: str, payload: int) -> Any:
        if payload == 0:
            time.sleep(0.1)
            return 401, b""
        over.wait(10)
        return None

    return answer


def test_the_first_error_does_not_wait_for_what_is_in_flight() -> None:
    over = threading.Event()
    with serving(hung(over)) as server:
        begun = time.monotonic()
        with pytest.raises(InputError, match="answered 401"):
            each(server.base_url, 8, concurrency=8)
        assert time.monotonic() - begun < 1.5
        over.set()


def test_an_interrupt_does_not_wait_either() -> None:
    over = threading.Event()
    with serving(hung(over)) as server:
        main = threading.main_thread().ident
        timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT))
        timer.start()
        begun = time.monotonic()
        asked = Endpoint(ServerOptions(server.base_url))
        with pytest.raises(KeyboardInterrupt):
            asked.ask_all("completions", [1] * 40, lambda _, a: a, what="asking", tick=no_tick)
        assert time.monotonic() - begun < 1.7
        assert not [t for t in threading.enumerate() if t.name == "transferscope requests"]
        over.set()


def test_an_event_loop_may_run_already() -> None:
    """As in a notebook."""
    import asyncio

    async def cell(url: str) -> dict[int, str]:
        return each(url, 3)

    with serving(lambda *_: completion("ok")) as server:
        assert asyncio.run(cell(server.base_url)) == dict.fromkeys(range(3), "ok")


def said(message: Any, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"finish_reason": "stop", "message": message, **fields}]}


TEXT = {"content": "partial"}


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (said(TEXT, finish_reason="error"), "the reply ended with finish_reason 'error'"),
        (said(TEXT, finish_reason="abort"), "the reply ended with finish_reason 'abort'"),
        (said({"content": ""}, finish_reason="content_filter"), "'content_filter'"),
        (said(TEXT, finish_reason="SAFETY"), "the reply ended with finish_reason 'SAFETY'"),
        (said(TEXT, finish_reason="cancelled"), "finish_reason 'cancelled'"),
        (said({"content": None}), "the reply holds no content"),
        (said({}), "the reply holds no content"),
        (said({"content": None, "refusal": "I can't"}), "the reply is a refusal by the server"),
        (said({"content": "", "refusal": "I can't"}), "the reply is a refusal by the server"),
        (said({"content": None, "reasoning_content": "hm"}), "holds reasoning and no answer"),
        (said({"content": "", "reasoning": "hm"}, finish_reason="stop"), "holds reasoning and"),
        (said({"content": "", "reasoning": ""}, finish_reason=None), "is empty and has no finish"),
        (said({"content": None, "tool_calls": [{}]}, finish_reason="tool_calls"), "no content"),
        (said({"content": [{"type": "text"}]}), "sent a malformed reply: no text"),
        (said(None), "sent a malformed reply: no text"),
        ({"choices": []}, "sent a malformed reply: no choices"),
        ({"error": {"message": "overloaded"}, "choices": None}, "no choices (overloaded)"),
    ],
)
def test_a_reply_that_is_no_answer_is_none(reply: Any, told: str) -> None:
    bad = {"role": "user", "content": "bad"}

    def answer(_: str, payload: Any) -> Any:
        return reply if payload["messages"] == [bad] else completion("four")

    with serving(answer) as server:
        engine = OpenAIEngine("m", ServerOptions(server.base_url, concurrency=1))
        prompts = [engine.render([m]) for m in ({"role": "user", "content": "2+2?"}, bad)]
        (_, four), (at, none) = engine.generate_each(prompts, Decoding(), nth=[0, 0])
        assert four == Generation("four", None, "stop")
        assert at == 1
        assert isinstance(none, NoAnswer)
        assert told in none.why
        tries = [p for p in server.payloads if p["messages"] == [bad]]
        assert len(tries) == calls.ANSWER_ATTEMPTS
        # Who can't tell an answer from none is told so.
        with pytest.raises(InputError) as caught:
            engine.generate(prompts, Decoding())
        assert told in str(caught.value)


@pytest.mark.parametrize(
    ("finish", "expected"),
    [("eos_token", None), ("STOP", None), ("max_tokens", "length"), ("tool_calls", None)],
)
def test_other_words_for_an_end(finish: str, expected: str | None) -> None:
    with serving(lambda *_: completion("four", finish_reason=finish)) as server:
        engine = OpenAIEngine("m", ServerOptions(server.base_url))
        prompt = engine.render([{"role": "user", "content": "2+2?"}])
        assert engine.generate([prompt], Decoding()) == [Generation("four", None, expected)]

"""Requests to a real server on this machine: order, concurrency, second tries, hostile answers."""

import socket
import threading
import time
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import no_tick
from transferscope.engines import ServerOptions, calls, endpoint
from transferscope.engines.endpoint import Endpoint

from .serving import completion, serving


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, no key, no proxy."""
    monkeypatch.setattr(calls, "BACKOFF", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def ask(url: str, count: int = 1, *, tick: Any = no_tick, **options: Any) -> list[str]:
    """Texts of the answers to payloads 0, 1, ..."""
    return Endpoint(ServerOptions(url, **{"wait": 0.0} | options)).ask_all(
        "completions",
        list(range(count)),
        lambda at, answer: f"{at}:{answer['choices'][0]['text']}",
        what="asking",
        tick=tick,
    )


def refusal(url: str, **options: Any) -> str:
    """The one line that asking ends with, behind the address."""
    with pytest.raises(InputError) as caught:
        ask(url, **options)
    assert caught.value.remedy
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 500
    place, _, rest = message.partition("/v1/completions: ")
    assert place.startswith("http://127.0.0.1:")
    return rest


def test_answers_come_in_the_order_of_the_requests() -> None:
    def slower_first(_: str, payload: int) -> Any:
        time.sleep(0.05 if payload < 4 else 0.0)
        return completion(f"to {payload}")

    ticks: list[Any] = []
    with serving(slower_first) as server:
        found = ask(server.base_url, 12, tick=lambda *told: ticks.append(told), concurrency=8)
    assert found == [f"{at}:to {at}" for at in range(12)]
    assert sorted(server.payloads) == list(range(12))
    assert ticks == [("asking", done, 12) for done in range(1, 13)]
    assert ask(server.base_url, 0) == []


def test_so_many_run_at_a_time_and_no_more() -> None:
    barrier, lock = threading.Barrier(4), threading.Lock()
    running = most = 0

    def meet(_: str, payload: int) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait(timeout=20)  # broken unless four are here at once
        with lock:
            running -= 1
        return completion("met")

    with serving(meet) as server:
        assert len(ask(server.base_url, 12, concurrency=4)) == 12
    assert most == 4


@pytest.mark.parametrize("trouble", [(503, b"busy"), (429, {}, {"retry-after": "0"}), None])
def test_a_busy_or_broken_server_is_asked_again(trouble: Any) -> None:
    tries: list[int] = []

    def third_time(_: str, payload: int) -> Any:
        tries.append(payload)
        return trouble if tries.count(payload) < 3 else completion("there")

    with serving(third_time) as server:
        assert ask(server.base_url, 3, concurrency=2) == ["0:there", "1:there", "2:there"]
    assert sorted(tries) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_it_is_given_up_in_the_end() -> None:
    with serving(lambda *_: (503, {"error": {"message": "loading model"}})) as server:
        told = refusal(server.base_url)
        assert told.startswith("answered 503: loading model; wait until the server has loaded")
        assert len(server.asked) == calls.ATTEMPTS
        assert refusal(server.base_url, count=50, concurrency=2).startswith("answered 503")
        assert len(server.asked) < calls.ATTEMPTS * 25  # not all 50


def test_a_server_may_not_ask_for_a_long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "LONGEST_PAUSE", 0.01)
    with serving(lambda *_: (429, {}, {"retry-after": "86400"})) as server:
        assert refusal(server.base_url) == "answered 429; lower --engine-args concurrency"


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        told = refusal(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
    assert told.startswith("can't be reached (")
    assert told.endswith("; start the server, or check base_url")


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ((404, {"detail": "Not Found"}), "answered 404: Not Found; check base_url"),
        ((401, {"error": {"message": "bad key sk-1"}}), "answered 401: bad key ***; set the"),
        ((400, {"error": "too\n\x1b[31mlong"}), "answered 400: too [31mlong; see the server's log"),
        ((400, {"message": "x" * 10_000}), "answered 400: " + "x" * 79 + "…;"),
        ((400, {"error": {"message": ["no text"]}}), "answered 400; see"),
        ((307, b"", {"location": "http://127.0.0.1:9/"}), "answered 307; see"),
        ((200, b"<html>"), "sent a malformed reply: no choices; check that"),
        ((200, b"[" * 100_000), "no choices"),
        ((200, b"\xff\xfe"), "no choices"),
        ((200, b'{"choices": [' + b"1" * 5000 + b"]}"), "no choices"),
        ([1], "no choices"),
        ({"choices": []}, "no choices"),
        ({"choices": {"0": {}}}, "no choices"),
        ({"choices": ["text"]}, "no choices"),
        ({"error": {"message": "no such model"}}, "no choices (no such model)"),
    ],
)
def test_refusals_and_rubbish_are_one_line_and_asked_once(
    reply: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    with serving(lambda *_: reply) as server:
        assert told in refusal(server.base_url)
    assert len(server.asked) == 1


def test_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MOST_BYTES", 2**20)
    with serving(lambda *_: completion("x" * 2**21)) as server:
        assert refusal(server.base_url) == "sent a reply of more than 1 MB; check base_url"


def test_waiting_is_bounded() -> None:
    def asleep(_: str, payload: Any) -> Any:
        time.sleep(2.5)
        return completion("late")

    with serving(asleep) as server:
        told = refusal(server.base_url, timeout=1.0)
    assert told.startswith("did not answer completely within 1 s; raise --engine-args timeout")
    assert len(server.asked) == 1


def test_a_server_that_drips_is_late_too() -> None:
    """Each byte comes soon; the whole answer never."""
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
            try:
                for _ in range(200):
                    connection.sendall(b" ")
                    time.sleep(0.02)
            except OSError:
                pass

    thread = threading.Thread(target=drip)
    thread.start()
    with listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        assert refusal(url, timeout=0.3).startswith("did not answer completely within 0.3 s")
        thread.join()


def test_the_key_goes_into_the_header_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda *_: completion("yes")) as server:
        ask(server.base_url)
        monkeypatch.setenv("MY_KEY", "sk-2")
        ask(server.base_url, api_key_env="MY_KEY")
    (_, without, _), (path, headers, payload) = server.asked
    assert without["authorization"] is None
    assert headers["authorization"] == "Bearer sk-2"
    assert "sk-2" not in path + str(payload)


@pytest.mark.parametrize(
    ("reply", "version"),
    [
        ({"version": "0.11.0"}, "0.11.0"),
        ({"version": "x\n" * 100}, "x " * 31 + "x "),
        ({"version": 3}, None),
        ([], None),
        ((404, b""), None),
        (None, None),
    ],
)
def test_the_version_where_it_is_told(reply: Any, version: str | None) -> None:
    with serving(lambda *_: reply) as server:
        assert Endpoint(ServerOptions(server.base_url)).version() == version
    assert server.asked[0][0] == "/version"

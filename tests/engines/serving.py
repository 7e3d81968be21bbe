"""A real HTTP server on this machine, whose answers a test decides."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch

from transferscope.core.records import Decoding
from transferscope.engines import HFEngine

Answer = Callable[[str, Any], Any]
"""From path and payload to a JSON value, or (status, body), or (status, body, headers)."""


class Server(ThreadingHTTPServer):
    """Remembers what it was asked: (path, headers, payload)."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Answer, *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer = answer
        self.asked: list[tuple[str, Any, Any]] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def payloads(self) -> list[Any]:
        return [payload for _, _, payload in self.asked if payload is not None]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the test."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two writes

    def do_GET(self) -> None:
        self._reply(None)

    def do_POST(self) -> None:
        self._reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _reply(self, payload: Any) -> None:
        self.server.asked.append((self.path, self.headers, payload))
        told = self.server.answer(self.path, payload)
        if told is None:  # hang up
            self.close_connection = True
            return
        status, body, *headers = told if isinstance(told, tuple) else (200, told)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-length": str(len(content)), **dict(*headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    """A server that runs as long as the block."""
    with Server(answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def completion(text: str, **fields: Any) -> dict[str, Any]:
    """The answer to both forms of request."""
    choice = {"text": text, "message": {"role": "assistant", "content": text}}
    return {"choices": [{"finish_reason": "stop", **choice, **fields}]}


class Model:
    """Answers as ``vllm serve`` does, by the project's own engine on a small model."""

    def __init__(self, engine: HFEngine, version: str | None = "0.99.1") -> None:
        self.engine, self.version = engine, version
        self._one_at_a_time = threading.Lock()

    def __call__(self, path: str, payload: Any) -> Any:
        if path == "/version" and self.version is not None:
            return {"version": self.version}
        with self._one_at_a_time:
            if path == "/v1/chat/completions":
                return self._written(self.engine.render(payload["messages"]), payload)
            if path != "/v1/completions":
                return 404, {"detail": "Not Found"}
            if payload.get("echo"):
                return self._echoed(payload["prompt"])
            return self._written(self.engine.tokenizer.decode(payload["prompt"]), payload)

    def _written(self, prompt: str, payload: Any) -> Any:
        decoding = Decoding(
            payload["temperature"],
            payload["top_p"],
            payload["max_tokens"],
            tuple(payload.get("stop", ())),
            payload.get("seed", 0),
        )
        (answer,) = self.engine.generate([prompt], decoding)
        told = completion(
            answer.text,
            finish_reason="length" if answer.finish == "length" else "stop",
            stop_reason="some stop" if answer.finish == "stop_string" else None,
        )
        return told | {"usage": {"completion_tokens": answer.tokens}}

    def _echoed(self, ids: list[int]) -> Any:
        """Every token's log-probability but the first's, then one of a generated token."""
        with torch.no_grad():
            logp_TV = self.engine.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        nats = [None, *(float(logp_TV[at, token]) for at, token in enumerate(ids[1:]))]
        best = int(logp_TV[-1].argmax())
        tokens = [self.engine.tokenizer.decode([token]) for token in [*ids, best]]
        offsets = [sum(map(len, tokens[:at])) for at in range(len(tokens))]
        told = {"tokens": tokens, "token_logprobs": [*nats, float(logp_TV[-1, best])]}
        return completion("".join(tokens), logprobs=told | {"text_offset": offsets})

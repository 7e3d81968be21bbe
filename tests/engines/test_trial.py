"""What a server can't do is said before the first item."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import Decoding
from transferscope.engines import HFEngine, OpenAIEngine, ServerOptions, calls
from transferscope.engines.protocol import Needs, require

from ..conftest import byte_tokenizer, tiny_llama
from .serving import Model, Server, completion, serving

MINE = {"data": [{"id": "org/tiny"}, {"id": "adapter"}]}
LIKELY = {"token_logprobs": [None] + [-1.0] * 400}

QUESTION = ({"role": "user", "content": "2 + 2?"},)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "BACKOFF", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = byte_tokenizer()
    tiny_llama(0, len(tokenizer), bos_token_id=1, eos_token_id=2).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def over(server: Server, model: str = "org/tiny", **options: Any) -> OpenAIEngine:
    return OpenAIEngine(model, ServerOptions(server.base_url, **{"wait": 0.0} | options))


def answering(models: Any = None, *, known: frozenset[str] | None = None, **fields: Any) -> Any:
    """A server that lists ``models`` and knows the ``known`` ones (``None``: any name)."""

    def answer(path: str, payload: Any) -> Any:
        if path == "/v1/models":
            return (404, b"") if models is None else models
        if payload is None:
            return 404, b""
        if known is not None and payload["model"] not in known:
            return 404, {"error": {"message": f"The model `{payload['model']}` does not exist."}}
        return completion(f"seed {payload.get('seed')}", **fields)

    return answer


def refusal(engine: OpenAIEngine, needs: Needs) -> str:
    with pytest.raises(InputError) as caught:
        require(engine, needs)
    return str(caught.value)


def test_a_server_that_does_it_all_is_asked_once_per_capability(folder: Path) -> None:
    local = HFEngine(str(folder), dtype="float32")
    with serving(Model(local)) as server:
        engine = over(server, tokenizer=str(folder))
        require(engine, Needs(temperature=0.7, scores=True))
        assert len(server.payloads) == 1 + 4 + 1
        assert [p["max_tokens"] for p in server.payloads] == [1, 48, 48, 48, 48, 1]
        assert len({p["seed"] for p in server.payloads if p["temperature"]}) == 4
    require(local, Needs(temperature=0.7, scores=True))  # nothing to try out


@pytest.mark.parametrize("known", [None, frozenset({"org/tiny", "adapter"})])
def test_a_wrong_name_is_told_with_the_right_ones(known: frozenset[str] | None) -> None:
    """Whether the server refuses it (vLLM) or answers whatever the name (llama.cpp)."""
    with serving(answering(MINE, known=known)) as server:
        told = refusal(over(server, "org/tyni"), Needs())
        assert (
            "the server has no model 'org/tyni'; name one that it lists: org/tiny, adapter" in told
        )
        require(over(server, "adapter"), Needs())


@pytest.mark.parametrize("models", [None, {"data": []}, [], {"data": [{"id": "cached/one"}]}])
def test_a_list_that_is_missing_or_incomplete_refuses_no_name(models: Any) -> None:
    """transformers serve lists its cache, not the folder that it was started with."""
    with serving(answering(models, known=frozenset({"org/tiny"}))) as server:
        engine = over(server)
        require(engine, Needs())
        assert len(engine.generate([engine.render(QUESTION)], Decoding())) == 1


def test_a_server_without_the_model_and_a_list_is_told_by_its_own_words() -> None:
    with serving(answering(known=frozenset())) as server:
        told = refusal(over(server), Needs())
    assert "answered 404: The model `org/tiny` does not exist.; check base_url" in told


def test_base_url_without_v1_is_corrected() -> None:
    with serving(answering(MINE)) as server:
        bare = server.base_url.removesuffix("/v1")
        for reply in ((404, b""), {"content": "llama.cpp's own form"}):
            right = server.answer

            def wrong(path: str, payload: Any, reply: Any = reply, right: Any = right) -> Any:
                return right(path, payload) if path.startswith("/v1") else reply

            server.answer = wrong
            engine = OpenAIEngine("org/tiny", ServerOptions(bare, wait=0.0))
            told = refusal(engine, Needs())
            assert "the server answers under /v1, which base_url leaves out; use " in told
            assert told.endswith(f"--engine-args base_url={bare}/v1")
            server.answer = right


def test_a_server_that_does_not_sample_is_refused() -> None:
    with serving(lambda *_: completion("apple, pear")) as server:
        told = refusal(over(server), Needs(temperature=0.7))
        assert "4 samples at temperature 1 are all equal, so the server does not sample" in told
        assert "use a server that honours temperature and seed, or temperature 0" in told
        require(over(server), Needs())


def test_samples_that_are_empty_prove_nothing() -> None:
    asked: list[Any] = []

    def silent(_: str, payload: Any) -> Any:
        asked.append(payload)
        return completion("")

    with serving(silent) as server:
        require(over(server), Needs(temperature=0.7))
    drawn = [payload for payload in asked if payload and payload.get("temperature")]
    assert len(drawn) == 4
    assert len({payload["seed"] for payload in drawn}) == 4


def test_a_server_that_scores_no_choices_is_refused(folder: Path) -> None:
    with serving(answering(MINE, logprobs={"token_logprobs": [-0.1]})) as server:
        told = refusal(over(server, tokenizer=str(folder)), Needs(scores=True))
    assert "returns log-probabilities for 1 tokens where the prompt has" in told
    assert "vLLM, SGLang" in told


def test_a_suite_of_choices_alone_asks_for_no_answer(folder: Path) -> None:
    with serving(answering(MINE, known=frozenset())) as server:
        engine = over(server, "org/tyni", tokenizer=str(folder))
        assert "the server has no model 'org/tyni'" in refusal(engine, Needs(False, scores=True))
    assert all(payload["echo"] for payload in server.payloads)


def test_a_server_that_loads_is_waited_for_and_that_is_said() -> None:
    begun, lines = time.monotonic(), []

    def loads(path: str, payload: Any) -> Any:
        if time.monotonic() - begun < 0.5:
            time.sleep(0.02)
            return 503, {"error": {"message": "Loading model", "code": 503}}
        return completion("there")

    with serving(loads) as server:
        engine = over(server, wait=30.0)
        require(engine, Needs(), say=lines.append)
        assert engine.generate([engine.render([{"role": "user", "content": "?"}])], Decoding())
        address = f"{server.base_url}/chat/completions"
    assert lines == [f"{address}: answered 503: Loading model; waiting for the server, up to 30 s"]
    assert len(server.payloads) > calls.ATTEMPTS


def test_a_server_that_starts_later_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "BACKOFF", 0.05)
    with serving(lambda *_: completion("there")) as first:
        port = first.server_port
    lines: list[str] = []
    engine = OpenAIEngine("m", ServerOptions(f"http://127.0.0.1:{port}/v1", wait=30.0))

    def start() -> None:
        time.sleep(0.4)
        late.append(Server(lambda *_: completion("there"), port=port))
        late[0].serve_forever(0.01)

    late: list[Server] = []
    thread = threading.Thread(target=start)
    thread.start()
    require(engine, Needs(), say=lines.append)
    late[0].shutdown()
    late[0].server_close()
    thread.join()
    assert len(lines) == 1
    assert "can't be reached" in lines[0]


def test_the_wait_ends() -> None:
    with serving(lambda *_: (503, {"error": {"message": "Loading model"}})) as server:
        begun = time.monotonic()
        told = refusal(over(server, wait=0.3), Needs())
        assert 0.3 <= time.monotonic() - begun < 3.0
    assert "answered 503: Loading model; wait until the server has loaded the model" in told

"""A server as an engine, against a real HTTP server backed by the project's own HF engine."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.core.records import Decoding, Generation
from transferscope.engines import HFEngine, OpenAIEngine, ServerOptions
from transferscope.engines.rendering import messages_of, unrendered

from ..conftest import byte_tokenizer, tiny_llama
from .serving import Model, Server, completion, serving

ASKED = [
    [{"role": "user", "content": "What is 2 + 2?"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why «ö»?\n\nSay."}],
    [{"role": "user", "content": "What is 2 + 2?"}],
    [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B: "}],
]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama that reads any text byte by byte and is sure of what it says."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = byte_tokenizer()
    sizes: dict[str, Any] = {"num_key_value_heads": 2, "initializer_range": 0.3}
    model = tiny_llama(0, len(tokenizer), bos_token_id=1, eos_token_id=2, **sizes)
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def local(folder: Path) -> HFEngine:
    return HFEngine(str(folder), dtype="float32")


def over(server: Server, **options: Any) -> OpenAIEngine:
    return OpenAIEngine("org/tiny", ServerOptions(server.base_url, **options))


def read(answers: list[Generation]) -> list[Generation]:
    """What of them a server says: text, not token ids."""
    return [replace(answer, ids=()) for answer in answers]


def test_with_its_tokenizer_a_server_answers_as_the_model_here(
    local: HFEngine, folder: Path
) -> None:
    with serving(Model(local)) as server:
        engine = over(server, tokenizer=str(folder))
        prompts = [engine.render(messages) for messages in ASKED]
        assert prompts == [local.render(messages) for messages in ASKED]
        decoding = Decoding(max_tokens=12)
        assert engine.generate(prompts, decoding) == read(local.generate(prompts, decoding))
    # Token ids, so that the server can't put a second start token before the template's own.
    sent = [payload["prompt"] for payload in server.payloads]
    assert sorted(sent) == sorted(local.encode(prompt) for prompt in prompts)
    assert {path for path, _, _ in server.asked} == {"/v1/completions"}


def test_without_a_tokenizer_the_server_applies_its_own_template(local: HFEngine) -> None:
    with serving(Model(local)) as server:
        engine = over(server)
        prompts = [engine.render(messages) for messages in ASKED[:3]]
        expected = local.generate([local.render(m) for m in ASKED[:3]], Decoding(max_tokens=12))
        assert engine.generate(prompts, Decoding(max_tokens=12)) == read(expected)
    assert {path for path, _, _ in server.asked} == {"/v1/chat/completions"}
    assert ASKED[1] in [payload["messages"] for payload in server.payloads]
    with pytest.raises(InputError, match="continue in different ways; add --engine-args tokenizer"):
        engine.render(ASKED[3])
    with pytest.raises(InputError, match="was not rendered by this engine"):
        engine.generate(["What is 2 + 2?"], Decoding())


MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.text(max_size=9), "content": st.text()}), min_size=1
)


@given(MESSAGES)
def test_messages_come_back_out_of_their_text(messages: list[dict[str, str]]) -> None:
    text = unrendered(messages)
    assert messages_of(text) == messages
    assert text.endswith(messages[-1]["content"])


PAIRS = [
    ("<|im_start|>user\nWhich?<|im_end|>\n<|im_start|>assistant\n", choice)
    for choice in ("A", "B is likelier", "«ö»", " ")
] + [("no template ", "and spaces"), ("x", "y")]


def test_choices_are_scored_as_by_the_model_here(local: HFEngine, folder: Path) -> None:
    ticks: list[Any] = []
    with serving(Model(local)) as server:
        engine = over(server, tokenizer=str(folder), concurrency=3)
        found = engine.loglikelihoods(PAIRS, tick=lambda *told: ticks.append(told))
        assert engine.loglikelihoods([]) == []
    # Both are sums of float32 logits' log-softmax; batches and padding differ.
    assert found == pytest.approx(local.loglikelihoods(PAIRS), abs=1e-4)
    assert len(set(found)) == len(PAIRS)
    assert ticks[-1] == ("loglikelihoods", 6, 6)
    assert all(payload["echo"] and payload["logprobs"] for payload in server.payloads)


@pytest.mark.parametrize(
    ("logprobs", "told"),
    [
        (
            {"token_logprobs": [-0.5]},
            "returns log-probabilities for 1 tokens where the prompt has 2",
        ),
        ({"token_logprobs": [None] * 9}, "for 9 tokens where the prompt has 2"),
        ({"token_logprobs": "abc"}, "for 0 tokens"),
        ({"content": []}, "for 0 tokens"),
        (None, "for 0 tokens"),
        ({"token_logprobs": [None, None, -1.0]}, "invalid log-probabilities"),
        ({"token_logprobs": [None, float("nan"), -1.0]}, "invalid log-probabilities"),
        ({"token_logprobs": [None, float("-inf"), -1.0]}, "invalid log-probabilities"),
        ({"token_logprobs": [None, 2.0, -1.0]}, "invalid log-probabilities"),
        ({"token_logprobs": [None, True, -1.0]}, "invalid log-probabilities"),
        ({"token_logprobs": [None, "-1", -1.0]}, "invalid log-probabilities"),
    ],
)
def test_a_server_that_doesnt_score_is_refused(folder: Path, logprobs: Any, told: str) -> None:
    with serving(lambda *_: completion("xy", logprobs=logprobs)) as server:
        engine = over(server, tokenizer=str(folder))
        with pytest.raises(InputError) as caught:
            engine.loglikelihoods([("x", "y")])
    assert told in str(caught.value)
    assert caught.value.remedy


def test_choices_need_a_tokenizer_and_a_text(folder: Path) -> None:
    with serving(lambda *_: {}) as server:
        with pytest.raises(
            InputError, match="through a server's chat interface; add --engine-args token"
        ):
            over(server).loglikelihoods([("x", "y")])
        with pytest.raises(InputError, match="'' adds no token that could be scored"):
            over(server, tokenizer=str(folder)).loglikelihoods([("x", "")])
    assert server.asked == []


def test_decoding_is_sent() -> None:
    decoding = Decoding(0.7, 0.9, 33, ("\n\n", "Q:"), 5)
    with serving(lambda *_: completion("so")) as server:
        engine = over(server)
        (prompt,) = [engine.render(ASKED[0])]
        engine.generate([prompt], decoding)
        engine.generate([prompt], Decoding())
        over(server, strict=True).generate([prompt], Decoding())
    sampled, greedy, strict = server.payloads
    assert 0 <= sampled.pop("seed") < 2**31
    assert sampled == {
        "model": "org/tiny",
        "messages": ASKED[0],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 33,
        "stop": ["\n\n", "Q:"],
        "top_k": -1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
    }
    assert (greedy["temperature"], greedy["top_p"]) == (0.0, 1.0)
    assert greedy.keys() & {"seed", "stop"} == set()
    assert strict.keys() == {"model", "messages", "temperature", "top_p", "max_tokens"}


def test_samples_of_a_prompt_differ_and_come_again(local: HFEngine, folder: Path) -> None:
    hot = {"temperature": 2.0, "max_tokens": 12}
    with serving(Model(local)) as server:
        engine = over(server, tokenizer=str(folder))
        one, two = (engine.render(messages) for messages in ASKED[:2])
        first = engine.generate([one, one, one, two], Decoding(seed=1, **hot))
        assert len({payload["seed"] for payload in server.payloads}) == 4
        assert len({answer.text for answer in first[:3]}) == 3
        # Whatever is asked beside them: a run that goes on draws what it would have drawn.
        assert engine.generate([two, one], Decoding(seed=1, **hot)) == [first[3], first[0]]
        assert engine.generate([one], Decoding(seed=2, **hot)) != first[:1]


@pytest.mark.parametrize(
    ("fields", "stop", "finish"),
    [
        ({"finish_reason": "length"}, (), "length"),
        ({"finish_reason": "length"}, ("#",), "length"),
        ({"finish_reason": "stop"}, (), "stop"),
        ({"finish_reason": "stop"}, ("#",), None),  # llama.cpp doesn't say which
        ({"finish_reason": "stop", "stop_reason": None}, ("#",), "stop"),  # vLLM, end token
        ({"finish_reason": "stop", "stop_reason": 128_001}, ("#",), "stop"),  # vLLM, another one
        ({"finish_reason": "stop", "stop_reason": "#"}, ("#",), "stop_string"),
        ({"finish_reason": "stop", "matched_stop": 2}, ("#",), "stop"),  # SGLang
        ({"finish_reason": "stop", "matched_stop": "#"}, ("#",), "stop_string"),
        ({"finish_reason": None}, (), None),
        ({"finish_reason": ["stop"]}, (), None),
    ],
)
def test_how_an_answer_ended(fields: Any, stop: tuple[str, ...], finish: str | None) -> None:
    with serving(lambda *_: completion("four", **fields)) as server:
        engine = over(server)
        found = engine.generate([engine.render(ASKED[0])], Decoding(stop=stop))
    assert found == [Generation("four", None, finish)]


def test_a_stop_string_that_the_server_left_in_is_cut() -> None:
    with serving(lambda *_: completion("four\n\nQ: and", finish_reason="length")) as server:
        engine = over(server)
        found = engine.generate([engine.render(ASKED[0])], Decoding(stop=("Q:", "\n\n")))
    assert found == [Generation("four", None, "stop_string")]


@pytest.mark.parametrize("told", [None, {}, [], {"completion_tokens": "9"}, -1, 10**9, True, 2.0])
def test_tokens_are_the_servers_count_or_the_tokenizers(folder: Path, told: Any) -> None:
    usage = {"completion_tokens": told} if isinstance(told, (int, float)) else told
    replies = iter([{"usage": usage}, {"usage": {"completion_tokens": 9}}])
    with serving(lambda *_: completion("four") | next(replies)) as server:
        engine = over(server, tokenizer=str(folder))
        (counted,) = engine.generate([engine.render(ASKED[0])], Decoding(max_tokens=32))
        (recorded,) = engine.generate([engine.render(ASKED[0])], Decoding(max_tokens=32))
    assert (counted.tokens, recorded.tokens) == (4, 9)


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"message": {"content": ""}, "finish_reason": "stop"}, ""),
        ({"message": {"content": "half \ud83d"}}, "half ?"),
        ({"message": {"content": ["four"]}}, None),
        ({"message": "four"}, None),
        ({"text": "four"}, None),
        ({}, None),
    ],
)
def test_odd_answers(choice: Any, text: str | None) -> None:
    with serving(lambda *_: {"choices": [choice]}) as server:
        engine = over(server)
        prompt = engine.render(ASKED[0])
        if text is not None:
            assert engine.generate([prompt], Decoding())[0].text == text
            return
        with pytest.raises(InputError, match="sent a malformed reply: no text; check that"):
            engine.generate([prompt], Decoding())


def test_describe(local: HFEngine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    with serving(Model(local)) as server:
        about = over(server, tokenizer=str(folder)).describe()
        assert about == {
            "engine": "openai",
            "base_url": server.base_url,
            "served": "org/tiny",
            "tokenizer": str(folder),
            "strict": False,
            "template": local.describe()["template"],
            "versions": {"server": "0.99.1"},
        }
        assert over(server).describe()["template"] == "server"
    assert over(server).describe()["versions"] == {}  # it is gone

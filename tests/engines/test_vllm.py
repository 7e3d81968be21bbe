"""The vLLM engine against a stand-in for the module ``vllm``; `make serve-tests` has a real one."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from transferscope.core.errors import InputError, MissingExtra
from transferscope.core.records import Decoding, Generation, NoAnswer
from transferscope.engines import HFEngine, VLLMEngine, VLLMOptions
from transferscope.engines.prompt_form import PromptForm

from ..conftest import byte_tokenizer, tiny_llama

ASKED = [{"role": "user", "content": "What is 2 + 2?"}]
END = 2


class Stub:
    """Finishes requests in reverse order, two per step, by what ``answer`` says of a request."""

    def __init__(self, **how: Any) -> None:
        self.how = how
        self.model_config = SimpleNamespace(max_model_len=how.get("max_model_len", 1024))
        self.waiting: list[tuple[str, dict[str, Any], Any, Any]] = []
        self.aborted: list[str] = []

    def add_request(self, name: str, prompt: Any, params: Any, lora_request: Any = None) -> str:
        self.waiting.append((name, prompt, params, lora_request))
        return name

    def step(self) -> list[Any]:
        done, self.waiting = self.waiting[-2:], self.waiting[:-2]
        return [self.output(*each) for each in reversed(done)]

    def abort_request(self, names: list[str]) -> None:
        self.aborted += names

    def output(self, name: str, prompt: Any, params: Any, lora: Any) -> Any:
        ids = prompt["prompt_token_ids"]
        asked.append((ids, params, lora))
        rows = [None, *({id_: SimpleNamespace(logprob=-id_ / 10)} for id_ in ids[1:])]
        told = [answer(ids)]
        return SimpleNamespace(request_id=name, finished=True, outputs=told, prompt_logprobs=rows)


asked: list[Any] = []


def answer(ids: list[int], **fields: Any) -> Any:
    told = {"text": f"after {len(ids)}", "token_ids": [7, 8, END]}
    return SimpleNamespace(**told | {"finish_reason": "stop", "stop_reason": None} | fields)


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> list[Stub]:
    """The stand-in; the list gets every model that is loaded."""
    loaded: list[Stub] = []

    class LLM:
        def __init__(self, **how: Any) -> None:
            if how.get("gpu_memory_utilization") == 0.01:
                raise ValueError("No available memory for the cache blocks.\nTry more.")
            self.llm_engine = Stub(**how)
            loaded.append(self.llm_engine)

    module, lora, request = (ModuleType(n) for n in ("vllm", "vllm.lora", "vllm.lora.request"))
    module.LLM, module.SamplingParams = LLM, SimpleNamespace  # type: ignore[attr-defined]
    request.LoRARequest = lambda *how: how  # type: ignore[attr-defined]
    for each in (module, lora, request):
        monkeypatch.setitem(sys.modules, each.__name__, each)
    asked.clear()
    return loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = byte_tokenizer()
    model = tiny_llama(0, len(tokenizer), bos_token_id=1, eos_token_id=END)
    model.generation_config.eos_token_id = [END, 5]
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def test_how_the_model_is_loaded(vllm: list[Stub], folder: Path) -> None:
    options = VLLMOptions.parse({"tensor_parallel_size": "2", "enforce_eager": "yes"})
    engine = VLLMEngine(str(folder), options, dtype="bfloat16", form=PromptForm(template=False))
    (loaded,) = vllm
    assert loaded.how == {
        "model": str(folder),
        "tokenizer": str(folder),
        "dtype": "bfloat16",
        "generation_config": "vllm",
        "trust_remote_code": False,
        "seed": 0,
        "tensor_parallel_size": 2,
        "enforce_eager": True,
    }
    about = engine.describe()
    assert (about["engine"], about["dtype"], about["context"]) == ("vllm", "bfloat16", 1024)
    assert (about["template"], about["chat_template"]) == ("off", "off")
    assert engine.render(ASKED) == "What is 2 + 2?"


def test_answers_and_how_they_ended(
    vllm: list[Stub], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = VLLMEngine(str(folder), dtype="float32")
    local = HFEngine(str(folder), dtype="float32")
    prompt = engine.render(ASKED)
    assert prompt == local.render(ASKED)
    ends = iter(
        [
            {},
            {"finish_reason": "length", "token_ids": [7, 8]},
            {"stop_reason": 5, "token_ids": [7, 5]},
            {"stop_reason": "#", "text": "four", "token_ids": [7, 9]},
            {"finish_reason": "length", "text": "four#", "token_ids": [7, 9]},
        ]
    )
    monkeypatch.setattr(Stub, "step", one_at_a_time)
    monkeypatch.setattr(sys.modules[__name__], "answer", lambda ids: told(ids, next(ends)))
    told = lambda ids, fields: ANSWER(ids, **fields)  # noqa: E731
    found = engine.generate([prompt] * 5, Decoding(max_tokens=9, stop=("#",)))
    text = f"after {len(local.encode(prompt))}"
    assert found == [
        Generation(text, 2, "stop", (7, 8)),
        Generation(text, 2, "length", (7, 8)),
        Generation(text, 1, "stop", (7,)),
        Generation("four", 2, "stop_string", (7, 9)),
        Generation("four", 2, "stop_string", (7, 9)),
    ]
    ids, params, _ = asked[0]
    assert ids == local.encode(prompt)
    assert (params.temperature, params.max_tokens, params.seed) == (0.0, 9, None)
    assert params.stop_token_ids == [END, 5]


ANSWER = answer


def one_at_a_time(self: Stub) -> list[Any]:
    return [self.output(*self.waiting.pop(0))]


def test_samples_of_a_prompt_have_their_own_seeds(vllm: list[Stub], folder: Path) -> None:
    engine = VLLMEngine(str(folder), dtype="float32")
    prompts = [engine.render(ASKED)] * 3
    ticks: list[Any] = []
    engine.generate(prompts, Decoding(0.7, seed=3), tick=lambda *told: ticks.append(told))
    assert len({params.seed for _, params, _ in asked}) == 3
    assert ticks == [("generate", done, 3) for done in (1, 2, 3)]


def test_choices_are_summed_over_the_continuation(vllm: list[Stub], folder: Path) -> None:
    engine = VLLMEngine(str(folder), dtype="float32")
    local = HFEngine(str(folder), dtype="float32")
    start, after = local._encode_pair("What? ", "four")
    (nats,) = engine.loglikelihoods([("What? ", "four")])
    assert nats == pytest.approx(-sum(after) / 10)
    assert asked[0][0] == [*start, *after]
    assert asked[0][1].prompt_logprobs == 0


def test_what_does_not_fit_fails_alone(vllm: list[Stub], folder: Path) -> None:
    engine = VLLMEngine(str(folder), dtype="float32")
    prompts = ["short", "long " * 300, "short too"]
    found = dict(engine.generate_each(prompts, Decoding(max_tokens=8), nth=[0, 0, 0]))
    assert isinstance(found[0], Generation)
    assert isinstance(found[2], Generation)
    assert found[1] == NoAnswer(
        "a prompt of 1500 tokens and an answer of 8 exceed the context of 1024", too_long=True
    )
    with pytest.raises(InputError, match="exceed the context of 1024; allow shorter answers"):
        engine.generate(prompts, Decoding(max_tokens=8))


def test_a_reply_that_is_none_has_no_score(
    vllm: list[Stub], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = VLLMEngine(str(folder), dtype="float32")
    aborted = lambda ids: ANSWER(ids, finish_reason="abort")  # noqa: E731
    monkeypatch.setattr(sys.modules[__name__], "answer", aborted)
    ((_, found),) = engine.generate_each(["x"], Decoding(), nth=[0])
    assert found == NoAnswer("vLLM ended it with finish_reason 'abort'")


def test_who_stops_listening_stops_the_requests(vllm: list[Stub], folder: Path) -> None:
    engine = VLLMEngine(str(folder), dtype="float32")
    answers = engine.generate_each([f"prompt {at}" for at in range(6)], Decoding(), nth=[0] * 6)
    next(answers)
    answers.close()
    assert len(vllm[0].aborted) == 5


def adapter(folder: Path, base: Path, **config: Any) -> Path:
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    told = {"peft_type": "LORA", "r": 12, "base_model_name_or_path": str(base)} | config
    (folder / "adapter_config.json").write_text(json.dumps(told))
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    save_file({name: torch.zeros(12, 32)}, folder / "adapter_model.safetensors")
    return folder


def test_an_adapter_is_a_request_on_its_base(
    vllm: list[Stub], folder: Path, tmp_path: Path
) -> None:
    path = adapter(tmp_path / "lora", folder)
    engine = VLLMEngine(str(path), dtype="float32")
    assert (vllm[0].how["enable_lora"], vllm[0].how["max_lora_rank"]) == (True, 16)
    engine.generate(["x"], Decoding())
    assert asked[0][2] == ("adapter", 1, str(path))
    for number, config in enumerate(({"r": 1024}, {"peft_type": "LOHA"})):
        other = adapter(tmp_path / f"other{number}", folder, **config)
        with pytest.raises(InputError, match=r"vLLM serves only LoRA adapters .*use --engine hf"):
            VLLMEngine(str(other), dtype="float32")


def test_what_vllm_refuses_is_one_line(vllm: list[Stub], folder: Path) -> None:
    with pytest.raises(InputError, match=r"could not load it: No available memory for the cache"):
        VLLMEngine(str(folder), VLLMOptions(gpu_memory_utilization=0.01), dtype="float32")


def test_without_vllm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingExtra, match=r"engine vllm needs .*'transferscope\[vllm\]'"):
        VLLMEngine(str(folder), dtype="float32")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"gpus": "2"}, "engine vllm has no option 'gpus'; use tensor_parallel_size"),
        ({"max_model_len": "0"}, "--engine-args max_model_len: can't be used; use a whole number"),
        ({"max_model_len": "2k"}, "use a whole number above 0"),
        ({"gpu_memory_utilization": "90"}, "use a number above 0, at most 1"),
        ({"gpu_memory_utilization": "most"}, "use a number above 0, at most 1"),
        ({"enforce_eager": "maybe"}, "use yes or no"),
    ],
)
def test_options_that_cant_be_used(given: dict[str, str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        VLLMOptions.parse(given)
    assert told in str(caught.value)


def test_options_are_read_from_text() -> None:
    given = {"max_num_seqs": "8", "gpu_memory_utilization": "0.5", "enforce_eager": "no"}
    chosen = {"max_num_seqs": 8, "gpu_memory_utilization": 0.5, "enforce_eager": False}
    assert VLLMOptions.parse(given).chosen() == chosen
    assert VLLMOptions.parse({}).chosen() == {}

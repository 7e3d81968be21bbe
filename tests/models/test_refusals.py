"""Models whose files don't hold what they should: told in one line, never filled with random."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from transferscope.core.errors import InputError
from transferscope.core.records import Decoding
from transferscope.engines import HFEngine
from transferscope.models import (
    find_model,
    load_adapted,
    load_model,
    load_tokenizer,
    parameter_count,
)
from transferscope.probe.hidden import hidden_shift
from transferscope.probe.tokens import token_shift

from ..conftest import byte_tokenizer, tiny_llama

Tensors = dict[str, torch.Tensor]
Q_PROJ = "model.layers.0.self_attn.q_proj"


@pytest.fixture
def copied(tiny_model: Path, tmp_path: Path) -> Path:
    """A folder of the tiny model that a test may break."""
    shutil.copytree(tiny_model, tmp_path / "copy")
    return tmp_path / "copy"


def rewritten(path: Path, change: Callable[[Tensors], Any]) -> None:
    """The file with ``change`` applied to its tensors in place."""
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def refusal(folder: Path, **options: Any) -> str:
    """The one line that loading ends with."""
    with pytest.raises(InputError) as caught:
        load_model(str(folder), **options)
    assert caught.value.place
    assert caught.value.remedy
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_weights_are_counted_and_named(
    copied: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def without_two(tensors: Tensors) -> None:
        del tensors["model.norm.weight"], tensors[f"{Q_PROJ}.weight"]

    rewritten(copied / "model.safetensors", without_two)
    with caplog.at_level(logging.WARNING):
        assert f"lacks weights (2 in all, first {Q_PROJ}.weight)" in refusal(copied)
    assert "LOAD REPORT" not in caplog.text + "".join(capfd.readouterr())


def test_weights_of_another_shape_are_named(copied: Path) -> None:
    def narrow(tensors: Tensors) -> None:
        tensors["lm_head.weight"] = tensors["lm_head.weight"][:9].clone()

    rewritten(copied / "model.safetensors", narrow)
    assert "(1 in all, first lm_head.weight: (9, 32) instead of (259, 32))" in refusal(copied)


def test_tied_and_superfluous_weights_are_fine(tmp_path: Path) -> None:
    model = tiny_llama(0, 259, tie_word_embeddings=True)
    model.save_pretrained(tmp_path)
    assert "lm_head.weight" not in load_file(tmp_path / "model.safetensors")
    rewritten(tmp_path / "model.safetensors", lambda tensors: tensors.update(extra=torch.ones(2)))
    found = load_model(str(tmp_path))
    assert found.lm_head.weight.equal(model.model.embed_tokens.weight)


@pytest.mark.parametrize("size", [0, 5000])
def test_a_file_cut_short_is_named(copied: Path, size: int) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    assert refusal(copied).startswith(f"{weights}: is not a complete safetensors file")
    with pytest.raises(InputError, match="is not a complete safetensors file"):
        parameter_count(str(copied))


def test_an_index_that_names_an_absent_shard(tmp_path: Path) -> None:
    tiny_llama(0, 259).save_pretrained(tmp_path, max_shard_size="30KB")
    shard = sorted(tmp_path.glob("*.safetensors"))[1]
    shard.unlink()
    assert shard.name in refusal(tmp_path)
    assert "download the missing file" in refusal(tmp_path)


@pytest.mark.parametrize("device", ["nowhere", "meta", "cuda:99"])
def test_a_device_that_is_not_there(tiny_model: Path, device: str) -> None:
    expected = f"--device-map: this machine has no device '{device}'; use auto, cpu"
    assert refusal(tiny_model, device_map=device).startswith(expected)


@pytest.fixture
def adapter(tiny_model: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes an adapter trained on a Llama of these sizes that names the tiny model as its base."""
    from peft import LoraConfig, get_peft_model

    def make(**sizes: Any) -> Path:
        config = LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
        base = tiny_llama(0, 259, **{"num_key_value_heads": 2} | sizes)
        folder = tmp_path / "adapter"
        get_peft_model(base, config).save_pretrained(folder)
        path = folder / "adapter_config.json"
        settings = json.loads(path.read_text()) | {"base_model_name_or_path": str(tiny_model)}
        path.write_text(json.dumps(settings))
        return folder

    return make


LAYER = "base_model.model.model.layers"


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (
            {"hidden_size": 64},
            f"have the base's shapes (4 in all, first {LAYER}.0.self_attn.q_proj",
        ),
        ({"num_hidden_layers": 3}, f"match nothing in the base (2 in all, first {LAYER}.2"),
        ({"num_hidden_layers": 1}, f"lacks weights for this base (2 in all, first {LAYER}.1"),
    ],
)
def test_an_adapter_of_another_base(
    adapter: Callable[..., Path], sizes: dict[str, int], message: str
) -> None:
    said = refusal(adapter(**sizes))
    assert message in said
    assert "set base_model_name_or_path" in said


def test_an_adapter_whose_keys_match_nothing(adapter: Callable[..., Path]) -> None:
    folder = adapter()

    def renamed(tensors: Tensors) -> None:
        for key in list(tensors):
            tensors[key.replace("self_attn", "attention")] = tensors.pop(key)

    rewritten(folder / "adapter_model.safetensors", renamed)
    assert "lacks weights for this base (4 in all" in refusal(folder)
    with pytest.raises(InputError, match="lacks weights for this base"):
        load_adapted(find_model(str(folder)))


def test_other_broken_adapters(adapter: Callable[..., Path]) -> None:
    folder = adapter()
    path = folder / "adapter_model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert refusal(folder).startswith(f"{path}: is not a complete safetensors file")
    path.write_bytes(whole)
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"peft_type": "NEWER"}))
    assert "unknown name 'NEWER'" in refusal(folder)


def test_an_unforeseen_configuration(copied: Path) -> None:
    config = copied / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"hidden_size": "x"}))
    assert "'hidden_size' expected int, got str" in refusal(copied)


def test_an_unforeseen_tokenizer(copied: Path) -> None:
    (copied / "tokenizer.json").write_text('{"x": 1}')
    with pytest.raises(
        InputError, match=r"could not load: KeyError: .*; copy or download the model"
    ):
        load_tokenizer(str(copied))


def test_a_vocabulary_smaller_than_the_tokenizers() -> None:
    pair = tiny_llama(0, 100), byte_tokenizer()
    told = r"the tokenizer produces id \d+, but the model has only 100 tokens; use the tokenizer"
    with pytest.raises(InputError, match=f"base: {told}"):
        hidden_shift(pair, pair, ["à", "é", "ü"])
    with pytest.raises(InputError, match=f"base: {told}"):
        token_shift(pair, pair, [("a", "ü")])
    engine = HFEngine.from_loaded(*pair, name="small")
    with pytest.raises(InputError, match=f"small: {told}"):
        engine.generate(["ü"], Decoding(max_tokens=2))
    with pytest.raises(InputError, match=f"small: {told}"):
        engine.loglikelihoods([("a", "ü")])

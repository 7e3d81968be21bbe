"""Names to models: what resolves, what is refused, and what a fingerprint sees."""

import json
import shutil
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.models import find_model, fingerprint, load_model, load_tokenizer
from transferscope.models.loading import _content


def test_a_folder_loads_in_evaluation_mode(tiny_model: Path) -> None:
    source = find_model(str(tiny_model))
    model = load_model(source, dtype="bfloat16")
    assert not model.training
    assert str(model.dtype) == "torch.bfloat16"
    assert load_tokenizer(source).pad_token == "<|pad|>"


def test_hub_ids_resolve_without_a_network() -> None:
    assert find_model("owner/name").weights == "owner/name"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no config.json and no adapter_config.json; name a model folder"),
        ({"adapter_config.json": "{}"}, "names no base model; set base_model_name_or_path"),
        ({"adapter_config.json": "{"}, "not valid JSON"),
        ({"adapter_config.json": '{"base_model_name_or_path": "HERE"}'}, "names an adapter as its"),
        ({"config.json": "[]"}, "config.json: not a JSON object; copy or download it again"),
        ({"config.json": "{"}, "config.json: not valid JSON"),
        ({"model_world_size_2_rank_0.pt": ""}, "python -m verl.model_merger merge"),
    ],
)
def test_folders_that_are_no_model(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text.replace("HERE", str(tmp_path)))
    with pytest.raises(InputError) as caught:
        find_model(str(tmp_path))
    assert message in str(caught.value)


def test_an_adapter_is_loaded_onto_its_base(tiny_model: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
    get_peft_model(load_model(str(tiny_model)), config).save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "adapter_config.json").read_text())
    saved["base_model_name_or_path"] = str(tiny_model)
    (tmp_path / "adapter_config.json").write_text(json.dumps(saved))
    source = find_model(str(tmp_path))
    assert (source.weights, source.adapter) == (str(tiny_model), str(tmp_path))
    base, tuned = load_model(str(tiny_model)), load_model(source)
    layers = [m.model.layers[0].self_attn for m in (base, tuned)]
    assert not layers[0].q_proj.weight.equal(layers[1].q_proj.weight)
    assert layers[0].k_proj.weight.equal(layers[1].k_proj.weight)
    assert fingerprint(source) != fingerprint(find_model(str(tiny_model)))


def test_one_changed_byte_changes_the_fingerprint(tiny_model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    before = fingerprint(find_model(str(copy)))
    assert before == fingerprint(find_model(str(tiny_model)))
    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert fingerprint(find_model(str(copy))) != before


def test_of_large_files_every_stride_is_sampled(tmp_path: Path) -> None:
    path = tmp_path / "w.bin"
    path.write_bytes(bytes(1000))
    before = _content(path, whole=100, stride=100, block=10)
    changed = bytearray(1000)
    changed[250:400] = bytes([1]) * 150  # longer than a stride: at least one block sees it
    path.write_bytes(changed)
    assert _content(path, whole=100, stride=100, block=10) != before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "model: the model's name is empty; name a model"),
        (" ", "model: the model's name is empty"),
        ("~nouser/x", "~nouser/x: is not a model name: Could not determine home directory"),
        ("x" * 300, "is not a model name: .*File name too long"),
        ("a\0b", r"unknown model 'a\\x00b'"),
    ],
)
def test_what_is_no_name(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        find_model(name)

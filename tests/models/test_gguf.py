"""A user's GGUF file as a model."""

import json
from pathlib import Path

import pytest
import torch

from transferscope.cli import main
from transferscope.core.errors import InputError
from transferscope.models import find_model, fingerprint, load_model, load_tokenizer
from transferscope.runs import read_run

from ..conftest import tiny_llama
from .test_embedded import write_gguf

SUITE = """name = "small"
source = "math"
scale = "unit"
[groups]
math = ["chains"]
[benchmarks.chains]
pack = "mini"
metric = "accuracy"
chance = 0.0
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A GGUF file, and an empty cache."""
    monkeypatch.setenv("TRANSFERSCOPE_CACHE", str(tmp_path / "cache"))
    write_gguf(tiny_llama(1, 260, num_key_value_heads=2, tie_word_embeddings=True), path(tmp_path))
    return path(tmp_path)


def path(folder: Path) -> Path:
    return folder / "Tiny.F32.gguf"


def test_its_weights_are_the_models(file: Path, tmp_path: Path) -> None:
    source = find_model(str(file))
    assert Path(source.weights).parent == tmp_path / "cache"
    weights = load_model(str(file)).state_dict()
    expected = tiny_llama(1, 260, num_key_value_heads=2, tie_word_embeddings=True).state_dict()
    assert all(torch.equal(weights[name], weight) for name, weight in expected.items())
    tokenizer = load_tokenizer(str(file))
    assert tokenizer.decode(tokenizer.encode("n\u00e9!")) == "n\u00e9!"


def test_it_is_converted_once_and_again_when_it_changes(file: Path) -> None:
    first = find_model(str(file))
    (Path(first.weights) / "kept").touch()
    moved = file.rename(file.with_name("moved.GGUF"))
    assert find_model(str(moved)).weights == first.weights
    write_gguf(tiny_llama(2, 260, num_key_value_heads=2, tie_word_embeddings=True), file)
    other = find_model(str(file))
    assert other.weights != first.weights
    assert fingerprint(other) != fingerprint(first)


def test_it_is_evaluated_and_may_be_an_adapters_base(file: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    (tmp_path / "small.toml").write_text(SUITE)
    adapted = get_peft_model(load_model(str(file)), LoraConfig(r=2, target_modules=["q_proj"]))
    adapted.save_pretrained(tmp_path / "adapter")
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = str(file)
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    found = []
    for model in (file, tmp_path / "adapter"):
        out = tmp_path / f"run-{model.name}"
        suite = ("--suite", str(tmp_path / "small.toml"), "--limit", "2", "--dtype", "float32")
        main(["eval", str(model), *suite, "--template", "off", "--out", str(out)])
        found.append(read_run(out))
    plain, with_adapter = found
    assert plain.manifest.model.name == str(file)
    # A fresh adapter changes nothing.
    assert plain.responses("chains") == with_adapter.responses("chains")
    assert plain.manifest.model.fingerprint != with_adapter.manifest.model.fingerprint


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is not a GGUF file; name a GGUF file, a model folder or a hub id"),
        (b"PK\x03\x04 a zip", "is not a GGUF file"),
        (b"GGUF\x03\x00\x00\x00", "could not load: "),
    ],
)
def test_what_is_no_whole_file_is_one_line(
    content: bytes, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFERSCOPE_CACHE", str(tmp_path / "cache"))
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(content)
    with pytest.raises(InputError) as caught:
        find_model(str(broken))
    assert told in str(caught.value)
    assert str(broken) in str(caught.value)
    left = tmp_path / "cache"
    assert not left.exists() or list(left.iterdir()) == []


def test_a_cut_file_is_one_line(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"Tiny\.F32\.gguf: could not load"):
        find_model(str(file))
    with pytest.raises(InputError, match="unknown model"):
        find_model(str(tmp_path / "nowhere.gguf"))

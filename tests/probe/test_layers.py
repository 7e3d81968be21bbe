"""Layers one at a time against transformers' own list, bit by bit, over architectures."""

import weakref

import numpy as np
import pytest
import torch
import transformers as tf
from peft import LoraConfig, get_peft_model

from transferscope.models import load_model
from transferscope.probe import layers
from transferscope.probe.hidden import features
from transferscope.probe.layers import find_taps, pooled_layers
from transferscope.probe.model_pairs import padded

from .conftest import tiny_llama

IDS = [[5, 9, 60, 7, 7, 31, 90, 12, 44, 8], [11, 12, 13], [80]]
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 94,
    "initializer_range": 0.5,
    "pad_token_id": 0,
}
MADE = {
    "llama": lambda: tf.LlamaForCausalLM(tf.LlamaConfig(**SIZES)),
    "qwen3": lambda: tf.Qwen3ForCausalLM(tf.Qwen3Config(**SIZES, head_dim=8)),
    "gemma2, embedding scaled": lambda: tf.Gemma2ForCausalLM(tf.Gemma2Config(**SIZES, head_dim=8)),
    "granite, embedding scaled": lambda: tf.GraniteForCausalLM(
        tf.GraniteConfig(**SIZES, embedding_multiplier=3.0)
    ),
    "cohere, parallel blocks": lambda: tf.CohereForCausalLM(tf.CohereConfig(**SIZES)),
    "gpt2, learned positions": lambda: tf.GPT2LMHeadModel(
        tf.GPT2Config(n_embd=32, n_layer=3, n_head=4, vocab_size=94)
    ),
    "bloom, embedding normed": lambda: tf.BloomForCausalLM(
        tf.BloomConfig(hidden_size=32, n_layer=3, n_head=4, vocab_size=94)
    ),
    "neox": lambda: tf.GPTNeoXForCausalLM(
        tf.GPTNeoXConfig(**{k: v for k, v in SIZES.items() if k != "num_key_value_heads"})
    ),
    "opt, biased": lambda: tf.OPTForCausalLM(
        tf.OPTConfig(
            hidden_size=32,
            word_embed_proj_dim=16,
            ffn_dim=64,
            num_hidden_layers=3,
            num_attention_heads=4,
            vocab_size=94,
        )
    ),
}


def made(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MADE[name]().eval()


def summed(state_BTD):
    return state_BTD.float().sum(1).numpy()


def listed(model, batch):
    with torch.inference_mode():
        return model(**batch, output_hidden_states=True, use_cache=False).hidden_states


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", MADE)
def test_layers_are_those_of_transformers_bit_by_bit(name, dtype):
    model = made(name).to(dtype)
    batch = padded(IDS, pad=0, device="cpu")
    expected = [summed(state) for state in listed(model, batch)]
    taps = find_taps(model, IDS[0][:8])
    assert taps is not None
    assert len(taps) == 4
    hooks = sum(len(m._forward_hooks) for m in model.modules())
    with torch.inference_mode():
        found = pooled_layers(model, batch, taps, summed)
    assert all(map(np.array_equal, found, expected))
    assert sum(len(m._forward_hooks) for m in model.modules()) == hooks


@pytest.mark.parametrize("name", ["llama", "gemma2, embedding scaled", "cohere, parallel blocks"])
def test_only_one_layers_states_are_alive(name, monkeypatch):
    monkeypatch.setitem(SIZES, "num_hidden_layers", 8)
    model = made(name)
    taps = find_taps(model, IDS[0][:8])
    alive, seen = [], []

    def pool(state_BTD):
        alive.append(sum(ref() is not None for ref in seen))
        seen.append(weakref.ref(state_BTD))
        return summed(state_BTD)

    with torch.inference_mode():
        pooled_layers(model, padded(IDS, pad=0, device="cpu"), taps, pool)
    assert len(alive) == 9
    # Of the earlier layers: the block's own input and the embeddings, which the body itself holds.
    assert max(alive) <= 2


def test_adapters_and_device_maps_move_nothing(tmp_path):
    tiny_llama(0).save_pretrained(tmp_path)
    mapped = load_model(str(tmp_path), device_map="auto")
    config = LoraConfig(r=2, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    adapted = get_peft_model(tiny_llama(0), config).eval()
    batch = padded(IDS, pad=0, device="cpu")
    for model in (mapped, adapted.get_base_model()):
        taps = find_taps(model, IDS[0])
        assert taps is not None
        with torch.inference_mode():
            found = pooled_layers(model, batch, taps, summed)
        expected = [summed(state) for state in listed(model, batch)]
        assert all(map(np.array_equal, found, expected))


def test_a_block_that_is_used_twice_is_told_apart_by_its_calls():
    model = tiny_llama(0)
    model.model.layers[1] = model.model.layers[0]
    batch = padded(IDS, pad=0, device="cpu")
    expected = [summed(state) for state in listed(model, batch)]
    taps = find_taps(model, IDS[0])
    assert taps is not None
    assert taps[1].module is model.model.layers[0]
    with torch.inference_mode():
        assert all(map(np.array_equal, pooled_layers(model, batch, taps, summed), expected))


def test_states_that_no_module_gives_are_taken_from_the_list():
    model = tiny_llama(0)
    expected = features(model, IDS)
    forward = model.model.forward

    def copying(*args, **kwargs):
        output = forward(*args, **kwargs)
        if output.hidden_states is not None:
            output.hidden_states = tuple(state + 1 for state in output.hidden_states)
        return output

    model.model.forward = copying
    assert find_taps(model, IDS[0]) is None
    np.testing.assert_allclose(features(model, IDS), expected + 1, atol=1e-5)


def test_states_changed_in_place_are_taken_from_the_list():
    model = tiny_llama(0)
    forward = model.model.forward

    def changing(*args, **kwargs):
        output = forward(*args, **kwargs)
        if output.hidden_states is not None:
            output.hidden_states[1].add_(1)
        return output

    model.model.forward = changing
    assert find_taps(model, IDS[0]) is None


def test_a_batch_that_goes_another_way_falls_back():
    model = tiny_llama(0)
    batch = padded(IDS, pad=0, device="cpu")
    taps = find_taps(model, IDS[0])
    gone = layers.Tap(torch.nn.Identity(), 0, given=False)
    expected = [summed(state) for state in listed(model, batch)]
    with torch.inference_mode():
        found = pooled_layers(model, batch, (*taps[:-1], gone), summed)
    assert all(map(np.array_equal, found, expected))

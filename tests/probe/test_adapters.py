"""An adapter and its base are one loaded model; tuning may have added tokens."""

import gc
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, PromptTuningConfig, get_peft_model

from transferscope.core.errors import InputError
from transferscope.models import load_model
from transferscope.probe import opened
from transferscope.probe.hidden import hidden_shift
from transferscope.probe.tokens import token_shift

from .conftest import tiny_llama, word_tokenizer

ROWS = [("w1 w2", "w3 w4 w5"), ("w7", "w8 w9")]


@pytest.fixture(scope="module", params=[["q_proj", "down_proj"], ["q_proj", "lm_head"]])
def adapter(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapter")
    tiny_llama(0).save_pretrained(folder / "base")
    word_tokenizer().save_pretrained(folder / "base")
    base = load_model(str(folder / "base"))
    config = LoraConfig(r=2, target_modules=request.param, init_lora_weights=False)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        adapted = get_peft_model(base, config)
    adapted.peft_config["default"].base_model_name_or_path = str(folder / "base")
    adapted.save_pretrained(str(folder / "tuned"), save_embedding_layers=False)
    merged = PeftModel.from_pretrained(load_model(str(folder / "base")), str(folder / "tuned"))
    merged.merge_and_unload().save_pretrained(folder / "merged")
    word_tokenizer().save_pretrained(folder / "merged")
    return {name: str(folder / name) for name in ("base", "tuned", "merged")}


def test_one_loaded_model_gives_what_two_give(adapter, texts, monkeypatch):
    expected_hidden = hidden_shift(adapter["base"], adapter["merged"], texts)
    expected = token_shift(adapter["base"], adapter["merged"], ROWS)
    loads = []
    load = opened.load_adapted
    monkeypatch.setattr(opened, "load_adapted", lambda *a, **k: loads.append(a) or load(*a, **k))
    monkeypatch.setattr(opened, "load_model", None)  # must not be called
    found = hidden_shift(adapter["base"], adapter["tuned"], texts)
    assert len(loads) == 1
    # W x + B A x against (W + B A) x: float32 rounding.
    assert found.d_layerwise == pytest.approx(expected_hidden.d_layerwise, rel=1e-4)
    for sequential in (False, True):
        tokens = token_shift(adapter["base"], adapter["tuned"], ROWS, sequential=sequential)
        assert tokens.mean.js == pytest.approx(expected.mean.js, abs=1e-5)
        assert tokens.mean.entropy_base == pytest.approx(expected.mean.entropy_base, abs=1e-5)
        assert tokens.mean.js > 1e-4
    assert len(loads) == 3
    gc.collect()


def test_an_adapter_against_another_base_is_two_models(adapter, tmp_path):
    tiny_llama(5).save_pretrained(tmp_path)
    word_tokenizer().save_pretrained(tmp_path)
    assert opened.adapter_on(adapter["base"], adapter["tuned"]) is not None
    assert opened.adapter_on(str(tmp_path), adapter["tuned"]) is None
    assert opened.adapter_on(adapter["tuned"], adapter["tuned"]) is None
    same = token_shift(adapter["tuned"], adapter["merged"], ROWS)
    assert same.mean.js == pytest.approx(0.0, abs=1e-6)


def test_a_base_spelt_otherwise_is_the_same_base(adapter, tmp_path, monkeypatch):
    base = Path(adapter["base"])
    (tmp_path / "link").symlink_to(base)
    monkeypatch.chdir(base.parent)
    for spelt in ("base", "./base", f"../{base.parent.name}/base/", str(tmp_path / "link")):
        assert opened.adapter_on(spelt, adapter["tuned"]) is not None
        assert opened.adapter_on(spelt, adapter["merged"]) is None


def test_a_vocabulary_that_tuning_resized(base, texts):
    words = [f"w{i}" for i in range(90)]
    model = tiny_llama(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model.resize_token_embeddings(99)
    tuned = model, word_tokenizer([*words, "added"])
    assert hidden_shift(base, tuned, texts).d_layerwise == 0.0
    found = token_shift(base, tuned, ROWS)
    assert 0 < found.mean.lost_mass < 1


def test_device_map_reaches_the_model(adapter, texts):
    found = hidden_shift(adapter["base"], adapter["merged"], texts, device_map="auto")
    alone = hidden_shift(adapter["base"], adapter["merged"], texts)
    np.testing.assert_allclose(found.d_layerwise, alone.d_layerwise, rtol=1e-6)
    tokens = token_shift(adapter["base"], adapter["merged"], ROWS, device_map="auto")
    assert tokens == token_shift(adapter["base"], adapter["merged"], ROWS)


def test_loading_an_adapter_says_nothing(adapter):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        load_model(adapter["tuned"])
    assert [str(warning.message) for warning in said] == []


def loaded(adapter, name):
    """A pair of a loaded PEFT model and its tokenizer."""
    model = PeftModel.from_pretrained(load_model(adapter["base"]), adapter[name])
    return model, word_tokenizer()


def test_a_loaded_adapter_against_a_base(adapter, texts):
    named = adapter["base"], adapter["tuned"]
    tokens, hidden = token_shift(*named, ROWS), hidden_shift(*named, texts)
    assert hidden.d_layerwise > 0
    pair = loaded(adapter, "tuned")
    inside = pair[0].get_base_model(), pair[1]
    base = load_model(adapter["base"]), pair[1]
    # The base by name, loaded, the PEFT model itself, and the very model that the adapter is in.
    for given in (adapter["base"], base, pair, inside):
        assert token_shift(given, pair, ROWS).mean.js == pytest.approx(tokens.mean.js, abs=1e-6)
        found = hidden_shift(given, pair, texts)
        assert found.d_layerwise == pytest.approx(hidden.d_layerwise, rel=1e-5)


def test_an_adapter_that_learns_a_prompt_is_refused(adapter, texts):
    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    model = get_peft_model(load_model(adapter["base"]), config)
    with pytest.raises(InputError, match="learns a prompt"):
        hidden_shift(adapter["base"], (model, word_tokenizer()), texts)

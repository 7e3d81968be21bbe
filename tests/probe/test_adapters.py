"""An adapter and its base are one loaded model; tuning may have added tokens."""

import gc
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file

from transferscope.core.errors import InputError
from transferscope.models import brings_weights, load_model
from transferscope.probe import model_pairs
from transferscope.probe.hidden import hidden_shift
from transferscope.probe.tokens import token_positions, token_shift
from transferscope.probe.weights import matrix_changes, weights_shift

from .conftest import WORDS, tiny_llama, word_tokenizer

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
    load = model_pairs.load_adapted
    monkeypatch.setattr(
        model_pairs, "load_adapted", lambda *a, **k: loads.append(a) or load(*a, **k)
    )
    monkeypatch.setattr(model_pairs, "load_model", None)  # must not be called
    found = hidden_shift(adapter["base"], adapter["tuned"], texts)
    assert len(loads) == 1
    # W x + B A x against (W + B A) x: float32 rounding.
    assert found.d_layerwise == pytest.approx(expected_hidden.d_layerwise, rel=1e-4)
    for sequential in (False, True):
        tokens = token_shift(adapter["base"], adapter["tuned"], ROWS, sequential=sequential)
        assert tokens.js == pytest.approx(expected.js, abs=1e-5)
        assert tokens.entropy_base == pytest.approx(expected.entropy_base, abs=1e-5)
        assert tokens.js > 1e-4
    assert len(loads) == 3
    gc.collect()


def test_an_adapter_against_another_base_is_two_models(adapter, tmp_path):
    tiny_llama(5).save_pretrained(tmp_path)
    word_tokenizer().save_pretrained(tmp_path)
    assert model_pairs.adapter_on(adapter["base"], adapter["tuned"]) is not None
    assert model_pairs.adapter_on(str(tmp_path), adapter["tuned"]) is None
    assert model_pairs.adapter_on(adapter["tuned"], adapter["tuned"]) is None
    same = token_shift(adapter["tuned"], adapter["merged"], ROWS)
    assert same.js == pytest.approx(0.0, abs=1e-6)


def test_a_base_spelt_otherwise_is_the_same_base(adapter, tmp_path, monkeypatch):
    base = Path(adapter["base"])
    (tmp_path / "link").symlink_to(base)
    monkeypatch.chdir(base.parent)
    for spelt in ("base", "./base", f"../{base.parent.name}/base/", str(tmp_path / "link")):
        assert model_pairs.adapter_on(spelt, adapter["tuned"]) is not None
        assert model_pairs.adapter_on(spelt, adapter["merged"]) is None


def test_a_vocabulary_that_tuning_resized(base, texts):
    words = [f"w{i}" for i in range(90)]
    model = tiny_llama(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model.resize_token_embeddings(99)
    tuned = model, word_tokenizer([*words, "added"])
    assert hidden_shift(base, tuned, texts).d_layerwise == 0.0
    found = token_shift(base, tuned, ROWS)
    assert 0 < found.lost_mass < 1


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
        assert token_shift(given, pair, ROWS).js == pytest.approx(tokens.js, abs=1e-6)
        found = hidden_shift(given, pair, texts)
        assert found.d_layerwise == pytest.approx(hidden.d_layerwise, rel=1e-5)


def test_an_adapter_that_learns_a_prompt_is_refused(adapter, texts):
    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    model = get_peft_model(load_model(adapter["base"]), config)
    with pytest.raises(InputError, match="a prompt-learning adapter"):
        hidden_shift(adapter["base"], (model, word_tokenizer()), texts)


def with_more_tokens(folder, *, tied=False, trained=(), save="auto"):
    """A base, an adapter that was trained with two tokens more, and the two merged."""
    base = str(folder / "base")
    tiny_llama(0, tie_word_embeddings=tied).save_pretrained(base)
    word_tokenizer().save_pretrained(base)
    model = load_model(base)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model.resize_token_embeddings(96, mean_resizing=False)
        config = LoraConfig(
            r=2, target_modules=["q_proj"], init_lora_weights=False, modules_to_save=trained or None
        )
        adapted = get_peft_model(model, config)
        wrapped = ".modules_to_save.default" if trained else ""
        with torch.no_grad():  # all tokens were trained, the base's too
            for name, module in adapted.named_modules():
                if name.endswith((f"embed_tokens{wrapped}", f"lm_head{wrapped}")):
                    module.weight += 0.1 * torch.randn(96, 32)
    adapted.peft_config["default"].base_model_name_or_path = base
    adapted.save_pretrained(str(folder / "tuned"), save_embedding_layers=save)
    adapted.merge_and_unload().save_pretrained(folder / "merged")
    for name in ("tuned", "merged"):
        word_tokenizer([*WORDS, "one", "two"]).save_pretrained(folder / name)
    return base, str(folder / "tuned"), str(folder / "merged")


@pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`")
@pytest.mark.parametrize(
    "made",
    [
        {},
        {"tied": True},
        {"trained": ["embed_tokens", "lm_head"]},
        {"trained": ["embed_tokens", "lm_head"], "save": False},
    ],
)
def test_an_adapter_with_more_tokens_than_its_base(tmp_path, texts, made):
    base, tuned, merged = with_more_tokens(tmp_path, **made)
    assert load_model(tuned).get_input_embeddings().weight.shape == (96, 32)
    assert model_pairs.adapter_on(base, tuned) is None
    expected = hidden_shift(base, merged, texts)
    found = hidden_shift(base, tuned, texts)
    # W + B A by PEFT here and there: float32 rounding.
    assert found.d_layerwise == pytest.approx(expected.d_layerwise, rel=1e-4)
    alone = token_positions(base, base, ROWS)
    whole = token_positions(base, merged, ROWS)
    for sequential in (False, True):
        positions = token_positions(base, tuned, ROWS, sequential=sequential)
        # The base's side is the base's own, not the resized one's.
        np.testing.assert_array_equal(positions.entropy_base_N, alone.entropy_base_N)
        np.testing.assert_array_equal(positions.rank_base_N, alone.rank_base_N)
        np.testing.assert_allclose(positions.js_N, whole.js_N, rtol=1e-4, atol=1e-6)
        assert positions.lost_mass_N.min() > 0  # the tokens that only the tuned model has
    weights, theirs = weights_shift(base, tuned), weights_shift(base, merged)
    assert weights.changed_share == pytest.approx(theirs.changed_share, abs=1e-4)
    changes = {m.name: m for m in matrix_changes(base, merged).rows}
    for ours in matrix_changes(base, tuned).rows:
        if ours.name in changes:
            other = changes[ours.name].delta_squared
            assert ours.delta_squared == pytest.approx(other, rel=1e-3, abs=1e-9), ours.name
    assert set(weights.resized) >= set(theirs.resized) > set()


@pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`")
def test_new_tokens_that_the_adapter_does_not_bring_are_no_random_numbers(tmp_path):
    _, tuned, _ = with_more_tokens(tmp_path)
    file = f"{tuned}/adapter_model.safetensors"
    kept = {n: t for n, t in load_file(file).items() if "lm_head" not in n}
    save_file(kept, file, metadata={"format": "pt"})
    told = "the adapter has embeddings for 96 tokens but no output layer of that size; save the"
    with pytest.raises(InputError, match=told):
        load_model(tuned)


def test_an_adapter_that_can_t_be_told_is_opened_beside_its_base(adapter):
    tuned = Path(adapter["tuned"])
    assert not brings_weights(str(tuned))
    file = tuned / "adapter_model.safetensors"
    held = file.read_bytes()
    try:
        file.write_bytes(held[:50])
        with pytest.raises(InputError, match="is not a complete safetensors file"):
            model_pairs.adapter_on(adapter["base"], adapter["tuned"])
        file.unlink()  # pickled, say
        assert brings_weights(str(tuned))
    finally:
        file.write_bytes(held)

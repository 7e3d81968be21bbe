"""LoRA adapters as PEFT saves them, by its defaults, against what PEFT itself adds to weights."""

import json
import time

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from transferscope.core.errors import InputError
from transferscope.models import find_model, load_model
from transferscope.probe.adapters import matches
from transferscope.probe.weights import matrix_changes, weights_shift

from .. import conftest as shared

EMBED, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def saved_pair(folder, *, tied=False, **config):
    """Folders of a tiny Llama and an adapter on it, and what PEFT adds to every weight."""
    made = shared.tiny_llama(0, 94, initializer_range=0.5, tie_word_embeddings=tied)
    made.save_pretrained(folder / "base")
    base = load_model(str(folder / "base"))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        adapted = get_peft_model(base, LoraConfig(init_lora_weights=False, **config))
    adapted.peft_config["default"].base_model_name_or_path = str(folder / "base")
    adapted.save_pretrained(str(folder / "tuned"))
    added = {
        f"{name}.weight": module.get_delta_weight("default").detach()
        for name, module in adapted.base_model.model.named_modules()
        if "base_layer" in dict(module.named_children())
    }
    return str(folder / "base"), str(folder / "tuned"), added


def squares(changes):
    return {m.name: m.delta_squared for m in changes.rows if m.delta_squared}


def expected(added):
    # our product and PEFT's are float32, rounded when added to the base
    return pytest.approx({k: float(d.pow(2).sum()) for k, d in added.items()}, rel=1e-4)


@pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`")
@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`")
@pytest.mark.parametrize(
    ("tied", "target"),
    [
        (False, ["embed_tokens", "q_proj"]),
        (False, ["lm_head", "embed_tokens"]),
        (True, ["lm_head", "q_proj"]),
        (True, ["embed_tokens"]),
    ],
)
def test_embeddings_and_heads_as_peft_saves_them(tmp_path, tied, target):
    base, tuned, added = saved_pair(tmp_path, tied=tied, r=2, target_modules=target)
    assert any("base_layer" in n for n in load_file(f"{tuned}/adapter_model.safetensors"))
    assert (HEAD in load_file(f"{base}/model.safetensors")) is not tied
    shift = matrix_changes(base, tuned)
    assert squares(shift) == expected(added)
    assert (shift.only_base, shift.only_tuned, shift.resized) == ((), (), ())
    assert (HEAD in {m.name for m in shift.rows}) is (not tied or "lm_head" in target)


@pytest.mark.filterwarnings("ignore:The following alpha_pattern keys did not match")
def test_patterns_are_held_as_peft_holds_them(tmp_path):
    base, tuned, added = saved_pair(
        tmp_path,
        r=2,
        lora_alpha=3,
        target_modules=["q_proj", "k_proj", "down_proj"],
        rank_pattern={"k_proj": 4},
        alpha_pattern={r"layers\.0.*(q|k)_proj": 20, "q_proj": 5, "own_proj": 50, "layers.1": 7},
    )
    assert squares(matrix_changes(base, tuned)) == expected(added)


def test_a_pattern_s_first_match_wins_over_whole_parts_of_a_name():
    assert matches("q_proj", "model.layers.0.q_proj", place="x")
    assert matches(r"layers\.[0-3]\..*_proj", "model.layers.0.q_proj", place="x")
    assert not matches("proj", "model.layers.0.q_proj", place="x")
    assert not matches("q_proj", "model.layers.0.q_proj.inner", place="x")


@pytest.mark.parametrize(
    "pattern",
    ["(q+)+x", "(.*)*x", "(a|aa){9,}", ".*.*.*.*x", "(a|a)(a|a)(a|a)", "(", "a" * 999, r"(a)\1"],
)
def test_a_pattern_that_could_run_for_years_is_refused(pattern):
    start = time.monotonic()
    with pytest.raises(InputError, match=r"config: can't evaluate the pattern .*; merge it") as err:
        matches(pattern, "q" * 60, place="config")
    assert time.monotonic() - start < 1
    assert len(str(err.value)) < 300


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"trainable_token_indices": [1]}, "trainable_token_indices is not supported: the change"),
        ({"lora_bias": True}, "lora_bias is not supported"),
        ({"lora_alpha": "many"}, "'many' is not a valid lora_alpha"),
        ({"alpha_pattern": [1]}, "'alpha_pattern' is not a JSON object"),
        ({"peft_type": "IA3"}, "peft_type 'IA3' is not supported, only LORA"),
    ],
)
def test_what_is_no_product_is_named(tmp_path, setting, message):
    base, tuned, _ = saved_pair(tmp_path, r=2, target_modules=["q_proj"])
    file = tmp_path / "tuned" / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | setting))
    with pytest.raises(InputError, match=message):
        weights_shift(base, tuned)


def test_factors_of_another_shape_are_named(tmp_path):
    base, tuned, _ = saved_pair(tmp_path, r=2, target_modules=["q_proj"])
    file = f"{find_model(tuned).adapter}/adapter_model.safetensors"
    held = {n: t[:, :-1].contiguous() for n, t in load_file(file).items()}
    save_file(held, file)
    with pytest.raises(InputError, match=r"don't give \(32, 32\); name the adapter's own base"):
        weights_shift(base, tuned)
    held = {n.replace("lora_A", "lora_magnitude_vector"): t for n, t in held.items()}
    save_file(held, file)
    with pytest.raises(InputError, match="is not a LoRA factor; merge it"):
        weights_shift(base, tuned)

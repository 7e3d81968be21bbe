"""Heads against the logits of tiny models, of architectures that scale or cap them too."""

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
)

from transferscope.core.errors import InputError
from transferscope.models import load_model
from transferscope.probe.heads import final_states, find_head
from transferscope.probe.tokens import token_shift

from .conftest import tiny_llama

IDS = [5, 9, 60, 7, 7, 31, 90, 12, 44, 8]
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 94,
    "initializer_range": 0.5,
    "pad_token_id": 0,
}


def granite():
    return GraniteForCausalLM(GraniteConfig(**SIZES, logits_scaling=8.0))


def cohere():
    return CohereForCausalLM(CohereConfig(**SIZES, logit_scale=0.25))


def gemma2():
    return Gemma2ForCausalLM(Gemma2Config(**SIZES, head_dim=8, final_logit_softcapping=3.0))


def states_and_logits(model):
    ids = torch.tensor([IDS])
    with torch.inference_mode():
        return final_states(model, {"input_ids": ids})[0], model(ids).logits[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_plain_head_is_the_models_output_layer(dtype):
    model = tiny_llama(0).to(dtype)
    head = find_head(model, IDS, side="base")
    assert head is model.lm_head
    hidden, logits = states_and_logits(model)
    assert hidden.shape == (len(IDS), 32)
    with torch.inference_mode():
        torch.testing.assert_close(head(hidden), logits)  # its tolerance is the dtype's rounding


@pytest.mark.parametrize("made", [granite, cohere, gemma2])
def test_scaled_and_capped_logits_are_reproduced(made):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = made().eval()
    hidden, logits = states_and_logits(model)
    with torch.inference_mode():
        head = find_head(model, IDS, side="base")
        assert (model.lm_head(hidden) - logits).abs().max() > 0.1  # the plain layer is wrong
        torch.testing.assert_close(head(hidden), logits, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(head(hidden[3:5]), logits[3:5], atol=1e-5, rtol=1e-5)
    assert torch.equal(states_and_logits(model)[1], logits)  # the model is as it was


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("size", [0.02, 0.2, 2.0])
def test_a_cap_far_above_the_logits_is_seen(dtype, size):
    # tanh(x / 30) * 30 bends a logit of 2 by 0.15 %: less than bfloat16 rounds.
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Gemma2ForCausalLM(
            Gemma2Config(**SIZES | {"initializer_range": size}, head_dim=8)
        ).eval()
    assert model.config.final_logit_softcapping == 30.0
    model = model.to(dtype)
    hidden, logits = states_and_logits(model)
    with torch.inference_mode():
        head = find_head(model, IDS, side="base")
        assert head is not model.lm_head
        assert torch.equal(head(hidden), logits)
        large = head(64 / size * hidden)
        assert model.lm_head(64 / size * hidden).abs().max() > 60
    assert large.abs().max() <= 30
    assert torch.equal(states_and_logits(model)[1], logits)  # the model is as it was


def test_masked_entries_of_a_vocabulary_leave_the_others_checked():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = granite().eval()
    model.lm_head.bias = torch.nn.Parameter(torch.zeros(94))
    with torch.no_grad():
        model.lm_head.bias[90:] = -torch.inf
    hidden, logits = states_and_logits(model)
    with torch.inference_mode():
        head = find_head(model, IDS, side="base")
        assert head is not model.lm_head
        torch.testing.assert_close(head(hidden), logits, atol=1e-5, rtol=1e-5)


def capped():
    """A Llama with capped logits: its own forward is needed."""
    model = tiny_llama(0)
    plain = model.forward

    def forward(*args, **kwargs):
        output = plain(*args, **kwargs)
        output.logits = torch.tanh(output.logits)
        return output

    model.forward = forward
    return model


def test_a_forward_set_on_the_body_survives():
    model = capped()
    body = model.base_model
    body.forward = hooked = body.forward  # as accelerate sets one on the instance
    find_head(model, IDS, side="base")
    assert vars(body)["forward"] is hooked


def test_an_error_in_the_head_leaves_the_body_as_it_was():
    model = capped()
    head = find_head(model, IDS, side="base")
    assert "forward" not in vars(model.base_model)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        head(torch.zeros(3, 31))
    assert "forward" not in vars(model.base_model)


def test_only_the_first_8_tokens_are_tried():
    model = tiny_llama(0)
    assert find_head(model, [*IDS[:8], 10**6], side="base") is model.lm_head
    with pytest.raises(IndexError):
        find_head(model, [*IDS[:7], 10**6], side="base")


def test_logits_that_are_not_finite_are_left_to_the_probe():
    model = tiny_llama(0)
    with torch.no_grad():
        model.lm_head.weight[3] = float("nan")
    assert find_head(model, IDS, side="base") is model.lm_head


def test_a_model_without_a_body_is_refused():
    model = tiny_llama(0)
    model.base_model_prefix = "nowhere"  # then base_model is the model itself
    with pytest.raises(
        InputError, match="the tuned model's logits can't be computed from its final"
    ):
        find_head(model, IDS, side="tuned")


@pytest.mark.parametrize("spread", [0.02, 0.5])  # as fresh weights are, and with sharp attention
def test_a_bidirectional_model_is_refused(tmp_path, tokenizer, spread):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            vocab_size=94,
            initializer_range=spread,
        )
        BertForMaskedLM(config).save_pretrained(tmp_path)
    model = load_model(str(tmp_path))  # transformers takes it for a causal model
    told = "the tuned model is bidirectional: a position's state depends on later tokens; compare"
    for ids in (IDS, [5, 6], [0, 0, 0]):
        with pytest.raises(InputError, match=told):
            find_head(model, ids, side="tuned")
    with pytest.raises(InputError, match="the base model is bidirectional"):
        token_shift((model, tokenizer), (model, tokenizer), [("w1 w2", "w3 w4")])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_experts_that_round_by_their_company_are_causal(dtype):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MixtralForCausalLM(
            MixtralConfig(**SIZES, num_local_experts=4, num_experts_per_tok=2)
        ).eval()
    model = model.to(dtype)
    assert find_head(model, IDS, side="base") is model.lm_head


def test_two_passes_of_the_body_are_all():
    model, passes = tiny_llama(0), []
    model.base_model.register_forward_hook(lambda _module, given, output: passes.append(output))
    find_head(model, IDS, side="base")
    assert [output.last_hidden_state.shape for output in passes] == [(1, 8, 32)] * 2

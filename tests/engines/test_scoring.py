"""Continuations and a head in float32: against the model's own logits, row by row."""

import functools

import pytest
import torch

from transferscope.engines.scoring import float32_head, score

from .test_decode import kinds

IDS = torch.tensor([[3, 4, 5, 6, 7], [8, 9, 10, 11, 12]])
PAIRS = [
    ([3, 4, 5], [6, 7]),
    ([8], [9]),
    ([3, 4, 5], [10]),
    ([10, 11], [12, 13, 14]),
    ([3, 4, 5], [6]),
    ([3, 4, 9, 12], [2, 2]),
]


def by_hand(model, prompt, after):
    """One forward pass over the whole row."""
    with torch.no_grad():
        logp_TV = model(torch.tensor([[*prompt, *after]])).logits[0].double().log_softmax(-1)
    return sum(float(logp_TV[len(prompt) - 1 + i, token]) for i, token in enumerate(after))


@pytest.mark.parametrize("kind", ["full", "window", "state"])
def test_scores_equal_a_pass_over_every_row(kind):
    model = kinds()[kind]
    # float32 sums in another order.
    assert score(model, PAIRS, pad=0) == pytest.approx(
        [by_hand(model, *pair) for pair in PAIRS], abs=2e-5
    )


def test_a_prompt_is_read_once_for_all_its_choices(tiny_model, monkeypatch):
    read = []
    forward = tiny_model.forward

    def counted(*args, **options):
        read.append(tuple(options["input_ids"].shape))
        return forward(*args, **options)

    monkeypatch.setattr(tiny_model, "forward", functools.wraps(forward)(counted))
    score(tiny_model, [([3, 4, 5], [6]), ([3, 4, 5], [7]), ([3, 4, 5], [8, 9, 10])], pad=0)
    assert read == [(1, 3), (1, 2)]


def test_a_wrapped_model(tiny_model):
    from peft import LoraConfig, get_peft_model

    expected = score(tiny_model, PAIRS, pad=0)
    wrapped = get_peft_model(tiny_model, LoraConfig(r=2, target_modules=["q_proj"])).eval()
    # An untrained adapter adds zero.
    assert score(wrapped, PAIRS, pad=0) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("bias", [False, True])
def test_the_head_is_exact_inside_only(tiny_model, bias):
    head = torch.nn.Linear(32, 32, bias=bias)
    tiny_model.set_output_embeddings(head)
    tiny_model.to(torch.bfloat16)
    with torch.no_grad():
        hidden = tiny_model.model(IDS).last_hidden_state.float()
        expected = hidden @ head.weight.float().T + (head.bias.float() if bias else 0.0)
        with float32_head(tiny_model):
            inside = tiny_model(IDS).logits
        outside = tiny_model(IDS).logits
    assert (inside.dtype, outside.dtype) == (torch.float32, torch.bfloat16)
    torch.testing.assert_close(inside, expected, atol=1e-5, rtol=1e-5)
    assert not torch.equal(outside.float(), inside)
    assert head.weight.dtype == torch.bfloat16


def test_the_head_is_multiplied_once(tiny_model, monkeypatch):
    """By float32 weights alone, not also by its own."""
    tiny_model.to(torch.bfloat16)
    multiplied, linear = [], torch.nn.functional.linear
    head = tiny_model.lm_head.weight

    def counted(given, weight, bias=None):
        if torch.equal(weight.float(), head.float()):
            multiplied.append(weight.dtype)
        return linear(given, weight, bias)

    monkeypatch.setattr(torch.nn.functional, "linear", counted)
    with float32_head(tiny_model):
        tiny_model(IDS)
    assert multiplied == [torch.float32]


def test_an_error_inside_gives_the_head_back(tiny_model):
    tiny_model.to(torch.bfloat16)
    with pytest.raises(ZeroDivisionError), float32_head(tiny_model):
        raise ZeroDivisionError
    assert tiny_model(IDS).logits.dtype == torch.bfloat16


def test_a_float32_head_is_left_alone(tiny_model):
    before = tiny_model(IDS).logits
    with float32_head(tiny_model):
        assert "forward" not in vars(tiny_model.lm_head)
        assert torch.equal(tiny_model(IDS).logits, before)


def test_a_head_that_is_no_matrix_is_left_alone(tiny_model):
    tiny_model.set_output_embeddings(torch.nn.Sequential(tiny_model.lm_head, torch.nn.Tanh()))
    tiny_model.to(torch.bfloat16)
    with float32_head(tiny_model):
        logits = tiny_model(IDS).logits
    assert logits.dtype == torch.bfloat16
    assert logits.abs().max() <= 1.0

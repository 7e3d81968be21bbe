import json
import math
from dataclasses import fields

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from transferscope.core.errors import InputError
from transferscope.probe import model_pairs
from transferscope.probe.divergences import compared, divergences, masked_divergences
from transferscope.probe.heads import drop_body, find_head
from transferscope.probe.token_kinds import token_kind
from transferscope.probe.tokens import POSITIONS, token_shift

from .conftest import tiny_llama, word_tokenizer

ROWS = [
    ("w1 w2 w3", "w4 w5"),
    ([{"role": "user", "content": "w9"}], " ".join(f"w{i}" for i in range(45))),
    ("w8", "w8"),
    ("w8", ""),
]


def by_full_logits(base, tuned, tokenizer, rows):
    """Means over texts of means over tokens, from whole logits of one text at a time, float64."""
    texts = []
    for prompt, response in rows:
        plain = prompt if isinstance(prompt, str) else f"user {prompt[0]['content']} w7"
        head = tokenizer(plain)["input_ids"]
        tail = tokenizer(response)["input_ids"]
        if not tail:
            continue
        with torch.no_grad():
            z = [
                model(torch.tensor([head + tail])).logits[0, len(head) - 1 : -1].double().numpy()
                for model in (base, tuned)
            ]
        b, t = (log_softmax(x, axis=1) for x in z)
        m = np.log((np.exp(b) + np.exp(t)) / 2)
        at = (np.arange(len(tail)), tail)
        rank_b, rank_t = (1 + (x > x[at][:, None]).sum(1) for x in z)
        js = ((np.exp(b) * (b - m) + np.exp(t) * (t - m)) / 2).sum(1)
        texts.append(
            {
                "kl_tuned_base": (np.exp(t) * (t - b)).sum(1).mean(),
                "kl_base_tuned": (np.exp(b) * (b - t)).sum(1).mean(),
                "js": js.mean(),
                "entropy_base": -(np.exp(b) * b).sum(1).mean(),
                "entropy_tuned": -(np.exp(t) * t).sum(1).mean(),
                "log_ratio": (t - b)[at].mean(),
                "rank_shift": (rank_b - rank_t).mean(),
                "shifted_share": (js > 0.1).mean(),
            }
        )
    return {name: np.mean([text[name] for text in texts]) for name in texts[0]}


@pytest.mark.parametrize("batch_tokens", [1, 10_000])
def test_equals_full_logits(base, tuned, batch_tokens):
    found = token_shift(base, tuned, ROWS, batch_tokens=batch_tokens)
    for name, value in by_full_logits(base[0], tuned[0], base[1], ROWS).items():
        assert getattr(found, name) == pytest.approx(value, abs=2e-5), name
    assert (found.prefix, found.n_texts, found.n_tokens, found.n_skipped) == (
        "shared",
        3,
        48,
        1,
    )
    assert found.shifted_tokens
    assert sum(token.count for token in found.shifted_tokens) <= 48


@pytest.mark.parametrize("kind", ["plain", "capped"])
def test_the_heads_part_does_not_grow_with_the_text(base, tokenizer, kind):
    model = tiny_llama(1) if kind == "plain" else Capped.of(1)
    given = []
    model.lm_head.register_forward_hook(lambda _module, args, out: given.append(out.numel()))
    largest = []
    for length in (POSITIONS + 2, 3 * POSITIONS):
        given.clear()
        response = " ".join(f"w{i % 90}" for i in range(length))
        found = token_shift(base, (model, tokenizer), [("w1", response)])
        assert found.n_tokens == length
        largest.append(max(given))
    assert largest == [POSITIONS * 94] * 2


def test_identical_models_do_not_differ_at_all(base):
    # Same weights, same batches: the logits are equal bit by bit and every formula is exact at 0.
    found = token_shift(base, base, ROWS)
    assert found.kl_tuned_base == found.kl_base_tuned == found.js == 0.0
    assert found.log_ratio == found.rank_shift == found.shifted_share == 0.0
    assert found.shifted_tokens == ()
    assert found.entropy_base == found.entropy_tuned > 0


def test_swapping_the_models_swaps_the_numbers(base, tuned):
    one, two = token_shift(base, tuned, ROWS), token_shift(tuned, base, ROWS)
    assert one.kl_tuned_base == pytest.approx(two.kl_base_tuned, abs=1e-6)
    assert one.js == pytest.approx(two.js, abs=1e-6)
    assert one.log_ratio == pytest.approx(-two.log_ratio, abs=1e-6)
    assert one.rank_shift == -two.rank_shift


def test_divergences_by_hand():
    # base (1/2, 1/4, 1/4), tuned (1/4, 1/2, 1/4)
    base = torch.tensor([[0.5, 0.25, 0.25]]).log() + 7
    tuned = torch.tensor([[0.25, 0.5, 0.25]]).log() - 3
    found = divergences(base, tuned, torch.tensor([2]))
    kl = math.log(2) / 4
    m = [0.375, 0.375, 0.25]
    js = sum(
        sum(p * math.log(p / q) for p, q in zip(side, m, strict=True)) / 2
        for side in ([0.5, 0.25, 0.25], [0.25, 0.5, 0.25])
    )
    assert found.kl_tuned_base_N.item() == pytest.approx(kl, abs=1e-6)
    assert found.kl_base_tuned_N.item() == pytest.approx(kl, abs=1e-6)
    assert found.js_N.item() == pytest.approx(js, abs=1e-6)
    assert found.entropy_base_N.item() == pytest.approx(1.5 * math.log(2), abs=1e-6)
    assert found.log_ratio_N.item() == pytest.approx(0.0, abs=1e-6)
    assert (found.rank_base_N.item(), found.rank_tuned_N.item()) == (2, 2)  # a tie shares a rank


def test_equal_logits_and_disjoint_distributions():
    flat = torch.zeros(1, 8)
    same = divergences(flat, flat, torch.tensor([5]))
    assert same.kl_tuned_base_N.item() == same.js_N.item() == 0.0
    assert same.rank_base_N.item() == 1
    left, right = torch.tensor([[200.0, -200.0]]), torch.tensor([[-200.0, 200.0]])
    apart = divergences(left, right, torch.tensor([0]))
    assert apart.js_N.item() == pytest.approx(math.log(2), abs=1e-6)
    assert apart.kl_tuned_base_N.item() == pytest.approx(400.0)
    assert apart.log_ratio_N.item() == pytest.approx(-400.0)


def test_tiny_shifts_are_not_lost_in_rounding():
    generator = torch.Generator().manual_seed(0)
    base = 3 * torch.randn(4, 50_000, generator=generator)
    tuned = base + 1e-3 * torch.randn(4, 50_000, generator=generator)
    found = divergences(base, tuned, torch.zeros(4, dtype=torch.long))
    b, t = (log_softmax(x.double().numpy(), axis=1) for x in (base, tuned))
    kl = (np.exp(t) * (t - b)).sum(1)  # about 5e-7 nats
    np.testing.assert_allclose(found.kl_tuned_base_N.numpy(), kl, atol=2e-8)
    np.testing.assert_allclose(found.js_N.numpy(), kl / 4, rtol=1e-2)


def logs(*probabilities):
    """Logits of one position, shifted: -inf where the probability is 0."""
    return torch.tensor([probabilities]).log() + 3


def by_hand(base, tuned):
    """Both KLs, JS and both entropies, term by term with 0 log 0 = 0."""

    def kl(p, q):
        return sum(
            0.0 if a == 0 else math.inf if b == 0 else a * math.log(a / b)
            for a, b in zip(p, q, strict=True)
        )

    m = [(a + b) / 2 for a, b in zip(base, tuned, strict=True)]
    ones = [1.0] * len(m)
    js = (kl(base, m) + kl(tuned, m)) / 2
    return kl(tuned, base), kl(base, tuned), js, -kl(base, ones), -kl(tuned, ones)


@pytest.mark.parametrize(
    ("base", "tuned"),
    [
        ((0.5, 0.25, 0.25, 0.0), (0.25, 0.5, 0.25, 0.0)),  # masked in both
        ((0.5, 0.5, 0.0, 0.0), (0.25, 0.25, 0.5, 0.0)),  # a token that only tuned allows
        ((0.25, 0.25, 0.5, 0.0), (0.5, 0.5, 0.0, 0.0)),  # and only the base
        ((0.5, 0.5, 0.0, 0.0), (0.5, 0.0, 0.5, 0.0)),  # both ways
        ((1.0, 0.0), (0.0, 1.0)),
        ((1.0, 0.0), (1.0, 0.0)),
    ],
)
def test_masked_entries_of_the_vocabulary_by_hand(base, tuned):
    # A row without masked entries beside it goes the fast way.
    flat = torch.zeros(1, len(base))
    sides = [torch.cat([flat, logs(*side), flat]) for side in (base, tuned)]
    found = compared(*sides, torch.zeros(3, dtype=torch.long))
    names = ("kl_tuned_base", "kl_base_tuned", "js", "entropy_base", "entropy_tuned")
    for name, value in zip(names, by_hand(base, tuned), strict=True):
        assert found[f"{name}_N"][1].item() == pytest.approx(value, abs=1e-6), name
        expected = math.log(len(base)) if "entropy" in name else 0.0
        assert found[f"{name}_N"][[0, 2]].tolist() == pytest.approx([expected] * 2, abs=1e-6)
    assert found["log_ratio_N"][1].item() == pytest.approx(
        -math.inf if tuned[0] == 0 else math.log(tuned[0] / base[0]), abs=1e-6
    )
    assert found["rank_base_N"][1].item() == 1 + sum(p > base[0] for p in base)


def test_masked_rows_equal_the_fast_ones_where_nothing_is_masked():
    generator = torch.Generator().manual_seed(0)
    base, tuned = (3 * torch.randn(6, 500, generator=generator) for _ in range(2))
    tokens = torch.arange(6)
    fast, slow = divergences(base, tuned, tokens), masked_divergences(base, tuned, tokens)
    for field in fields(fast):
        torch.testing.assert_close(getattr(slow, field.name), getattr(fast, field.name))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_and_plus_infinity_stay_nan(bad):
    base = torch.tensor([[0.0, bad, -math.inf], [0.0, 1.0, -math.inf]])
    found = compared(base, torch.zeros(2, 3), torch.tensor([0, 0]))
    assert found["entropy_base_N"].isnan().tolist() == [True, False]
    assert found["kl_base_tuned_N"].isnan().tolist() == [True, False]


def masked(model, *words):
    """The model with these words' logits at -inf."""
    model.lm_head.bias = torch.nn.Parameter(torch.zeros(94))
    with torch.no_grad():
        model.lm_head.bias[[4 + word for word in words]] = -torch.inf
    return model


def test_a_masked_vocabulary_is_measured(tokenizer):
    pairs = [(masked(tiny_llama(seed), 80, 81), tokenizer) for seed in (0, 1)]
    found = token_shift(*pairs, ROWS)
    cut = []
    for seed in (0, 1):
        model = tiny_llama(seed)
        forward = model.forward

        def without(*args, forward=forward, **kwargs):
            output = forward(*args, **kwargs)
            output.logits[..., [84, 85]] = -500  # p = 1e-217: no different in float32
            return output

        model.forward = without
        cut.append(model)
    for name, value in by_full_logits(*cut, tokenizer, ROWS).items():
        assert getattr(found, name) == pytest.approx(value, abs=2e-5), name
    assert (found.n_infinite, "infinite" in found.to_json()) == (0, False)


def test_an_infinite_kl_says_so(base, tokenizer):
    tuned = masked(tiny_llama(1), 80), tokenizer
    found = token_shift(base, tuned, [("w1", "w2 w80 w3")])
    assert (found.kl_base_tuned, found.log_ratio, found.n_infinite) == (None, None, 3)
    assert (found.value("kl_base_tuned"), found.value("log_ratio")) == (math.inf, -math.inf)
    assert all(map(math.isfinite, (found.kl_tuned_base, found.js, found.entropy_tuned)))
    document = found.to_json()
    assert (document["kl_base_tuned"], document["n_infinite"]) == (None, 3)
    assert document["infinite"] == {"kl_base_tuned": "inf", "log_ratio": "-inf"}
    json.dumps(document, allow_nan=False)
    swapped = token_shift(tuned, base, [("w1", "w2 w80 w3")]).to_json()
    assert [point["kl_tuned_base"] for point in swapped["curve"]] == [None] * 3
    json.dumps(swapped, allow_nan=False)
    with pytest.raises(InputError, match="response 1 has a token to which both models give"):
        token_shift(tuned, tuned, [("w1", "w80")])


class Capped(torch.nn.Module):
    """Stands for heads whose model caps the logits after them, as Gemma 2 does."""

    @staticmethod
    def of(seed):
        model = tiny_llama(seed)
        forward = model.forward

        def capped(*args, **kwargs):
            output = forward(*args, **kwargs)
            output.logits = 2 * torch.tanh(output.logits / 2)
            return output

        model.forward = capped
        return model


def test_a_capped_head_goes_through_the_models_own_forward(base, tokenizer):
    capped = Capped.of(1)
    found = token_shift(base, (capped, tokenizer), ROWS)
    for name, value in by_full_logits(base[0], capped, tokenizer, ROWS).items():
        assert getattr(found, name) == pytest.approx(value, abs=2e-5), name


def test_a_head_that_cannot_be_reproduced_is_refused():
    model = tiny_llama(1)
    calls = []
    forward = model.forward

    def moody(*args, **kwargs):
        output = forward(*args, **kwargs)
        calls.append(1)
        output.logits = output.logits * len(calls) * 3
        return output

    model.forward = moody
    with pytest.raises(InputError, match="base model's logits"):
        find_head(model, [5, 6, 7], side="base")


def test_refusals(base, tuned, tokenizer):
    with pytest.raises(InputError, match="different tokenizers"):
        token_shift(base, (tuned[0], word_tokenizer(["x"])), ROWS)
    moved = word_tokenizer(["w1", "w0", *[f"w{i}" for i in range(2, 90)]])
    with pytest.raises(
        InputError, match=r"different tokenizers.*is 4 in the base's, 5 in the other"
    ):
        token_shift(base, (tuned[0], moved), ROWS)
    with pytest.raises(InputError, match="no response has a token"):
        token_shift(base, tuned, [("w1", ""), ("w2", "")])
    with pytest.raises(InputError, match="prompt of response 1"):
        token_shift(base, tuned, [("", "w1")])
    with pytest.raises(InputError, match="prefix"):
        token_shift(base, tuned, ROWS, prefix="mine")
    with pytest.raises(InputError, match="can't unload a base that was given loaded"):
        token_shift(base, tuned, ROWS, sequential=True)
    refusing = word_tokenizer(chat_template="{{ raise_exception('no messages here') }}")
    with pytest.raises(InputError, match="can't render messages of user: no messages here"):
        token_shift((base[0], refusing), (tuned[0], refusing), ROWS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_logits_that_are_not_finite_name_the_response(base, tokenizer, value):
    broken = tiny_llama(1)
    with torch.no_grad():
        broken.model.embed_tokens.weight[4 + 80] = value
    with pytest.raises(InputError, match="response 2 are not finite"):
        token_shift(base, (broken, tokenizer), [("w1", "w2"), ("w80", "w3")])


def test_one_model_with_a_template_is_enough(base, tuned):
    bare = (base[0], word_tokenizer(chat_template=None))
    assert token_shift(bare, tuned, ROWS, prefix="base").n_texts == 3


def test_without_any_template_messages_are_their_contents(base, tuned):
    bare = word_tokenizer(chat_template=None)
    pair = (base[0], bare), (tuned[0], bare)
    messages = [{"role": "system", "content": "w1"}, {"role": "user", "content": "w2"}]
    assert token_shift(*pair, [(messages, "w3")]) == token_shift(*pair, [("w1\n\nw2", "w3")])


def test_kinds_of_tokens():
    assert [token_kind(t) for t in (" Therefore", "\n\n", " **", "42", " apples")] == [
        *("logical", "logical", "logical", "content", "content")
    ]


def test_padded_vocabularies_are_compared_on_their_common_part(base, tokenizer):
    wide = tiny_llama(1, vocab_size=99)

    class Narrow(torch.nn.Module):
        def forward(self, ids):
            output = wide(ids)
            output.logits = output.logits[..., :94]
            return output

    found = token_shift(base, (wide, tokenizer), ROWS)
    for name, value in by_full_logits(base[0], Narrow(), tokenizer, ROWS).items():
        assert getattr(found, name) == pytest.approx(value, abs=2e-5), name
    ids = tokenizer("w8")["input_ids"] * 2
    alone = token_shift(base, (wide, tokenizer), [("w8", "w8")])
    with torch.no_grad():
        p = wide(torch.tensor([ids])).logits[0, 0].softmax(0)
    assert alone.lost_mass == pytest.approx(float(p[94:].sum()), rel=1e-4)
    assert token_shift((wide, tokenizer), base, [("w8", "w8")]).lost_mass == alone.lost_mass


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_one_after_the_other_equals_side_by_side(base, tuned, tmp_path, monkeypatch, dtype):
    for name, (model, words) in (("base", base), ("tuned", tuned)):
        model.save_pretrained(tmp_path / name)
        words.save_pretrained(tmp_path / name)
    paths = [str(tmp_path / name) for name in ("base", "tuned")]
    whole = token_shift(*paths, ROWS, dtype=dtype, batch_tokens=40)
    loaded = []
    load = model_pairs.open_model

    def watched(model, *, dtype, device_map):
        for before in loaded:  # nothing but the output layer is left of the first model
            left = sum(p.numel() for p in before.parameters())
            assert left == before.get_output_embeddings().weight.numel()
        loaded.append(load(model, dtype=dtype))
        return loaded[-1]

    monkeypatch.setattr(model_pairs, "open_model", watched)
    apart = token_shift(*paths, ROWS, dtype=dtype, batch_tokens=40, sequential=True)
    assert len(loaded) == 2
    for name, value in whole.to_json().items():
        if isinstance(value, float):
            assert getattr(apart, name) == pytest.approx(value, abs=1e-5), name
    assert apart.shifted_tokens == whole.shifted_tokens


def test_a_capped_head_survives_without_its_body(base, tokenizer):
    capped = Capped.of(1)
    ids = [5, 6, 7]
    head = find_head(capped, ids, side="base")
    with torch.inference_mode():
        states = capped.base_model(torch.tensor([ids])).last_hidden_state[0]
        before = head(states)
        drop_body(capped)
        assert torch.equal(head(states), before)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_side_of_a_tokenizer_changes_nothing(base, tuned, side):
    tokenizer = word_tokenizer()
    tokenizer.padding_side = side
    rows = [("w1 w2", "w3 w4 w5"), ("w6", "w7"), ("w8 w9 w10", "w11")]
    for row in (base, tuned):
        assert row[1] is not tokenizer
    together = token_shift((base[0], tokenizer), (tuned[0], tokenizer), rows, batch_tokens=10_000)
    for name, value in by_full_logits(base[0], tuned[0], base[1], rows).items():
        assert getattr(together, name) == pytest.approx(value, abs=2e-5), name

import copy
import math
import weakref

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from transformers import GPT2Config, GPT2LMHeadModel

from transferscope.core.errors import InputError
from transferscope.core.shard import WHOLE, Shard
from transferscope.models import ModelSource
from transferscope.probe import model_pairs
from transferscope.probe.hidden import features, hidden_features, hidden_shift
from transferscope.probe.tokens import token_shift

from .conftest import tiny_llama, word_tokenizer


def one_by_one(pair, texts, pick):
    """Features of every text alone, without padding: (L+1, N, D)."""
    model, tokenizer = pair
    rows = []
    for text in texts:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        with torch.no_grad():
            states = model(input_ids=ids, output_hidden_states=True).hidden_states
        rows.append(torch.stack([pick(state[0]) for state in states]).numpy())
    return np.stack(rows, axis=1)


@pytest.mark.parametrize(
    ("pooling", "pick"), [("mean", lambda s: s.mean(0)), ("last", lambda s: s[-1])]
)
@pytest.mark.parametrize("batch_tokens", [1, 60, 10_000])
def test_batches_and_padding_change_nothing(base, texts, pooling, pick, batch_tokens):
    model, tokenizer = base
    # In float64: torch's float32 attention takes exp to 20 units in the last place, and with
    # another number of threads other ones.
    model = copy.deepcopy(model).double()
    ids = tokenizer(texts)["input_ids"]
    ours = features(model, ids, pooling=pooling, batch_tokens=batch_tokens)
    np.testing.assert_allclose(
        ours, one_by_one((model, tokenizer), texts, pick), rtol=1e-6, atol=2e-6
    )


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_side_and_order_of_texts(base, tuned, texts, side):
    tokenizer = word_tokenizer()
    tokenizer.padding_side = side
    here = hidden_shift((base[0], tokenizer), tuned, texts[::-1], batch_tokens=40)
    there = hidden_shift(base, tuned, texts)
    assert here.d_layerwise == pytest.approx(there.d_layerwise, rel=1e-4)
    assert here.layers[1].cka == pytest.approx(there.layers[1].cka, abs=1e-4)


def test_one_forward_pass_per_batch_and_model(texts, tokenizer):
    models = [tiny_llama(0), tiny_llama(1)]
    passes = [0, 0]

    def counted(number):
        def hook(_module, _args, output):
            # Two more passes over 8 tokens of the longest text find out where the layers are.
            passes[number] += output.last_hidden_state.shape[:2] != (1, 8)

        return hook

    for number, model in enumerate(models):
        model.model.register_forward_hook(counted(number))
    lengths = [len(text.split()) for text in texts]
    hidden_shift((models[0], tokenizer), (models[1], tokenizer), texts, batch_tokens=50)
    n_batches = len(model_pairs.batches(lengths, batch_tokens=50))
    assert n_batches > 1
    assert passes == [n_batches, n_batches]


def released_states(model, ids, layer):
    """A pass for one layer, all texts in one batch padded on the left by hand: (N, D)."""
    width = min(128, max(map(len, ids)))  # padding=True, max_length=128, truncation=True
    rows = torch.zeros((len(ids), width), dtype=torch.long)
    mask = torch.zeros_like(rows)
    for row, sequence in enumerate(ids):
        cut = sequence[:128]
        rows[row, width - len(cut) :] = torch.tensor(cut)
        mask[row, width - len(cut) :] = 1
    with torch.no_grad():
        output = model(input_ids=rows, attention_mask=mask, output_hidden_states=True)
    return output.hidden_states[layer].mean(dim=1).numpy().astype(np.float64)  # padding included


def released_shift(base_ND, tuned_ND):
    """(dm1, dm2) by scikit-learn's PCA of the base, the largest loading made positive."""
    pca = PCA(n_components=2, svd_solver="full").fit(base_ND)
    moved = pca.transform(tuned_ND).mean(0) - pca.transform(base_ND).mean(0)
    largest = [axis[np.argmax(np.abs(axis))] for axis in pca.components_]
    return [dm if loading > 0 else -dm for dm, loading in zip(moved, largest, strict=True)]


@pytest.mark.parametrize("more", [["w1", "w2", "w3"] * 60, []])  # 180 tokens: cut; none: shorter
def test_authors_pooling_is_the_released_procedure(base, tuned, texts, more):
    texts = [*texts, *([" ".join(more)] if more else [])]
    ids = [[4 + int(word[1:]) for word in text.split()] for text in texts]
    dm = [
        released_shift(*(released_states(pair[0], ids, layer) for pair in (base, tuned)))
        for layer in range(3)
    ]
    first, second = zip(*dm, strict=True)
    paper = math.hypot(sum(first) / 3, sum(second) / 3)
    most = math.hypot(sum(map(abs, first)) / 3, sum(map(abs, second)) / 3)
    layerwise = sum(math.hypot(*pair) for pair in dm) / 3
    found = hidden_shift(base, tuned, texts, pooling="authors", batch_tokens=300)
    # Float32 sums over 128 positions in another order.
    assert [(layer.dm1, layer.dm2) for layer in found.layers] == [
        pytest.approx(pair, abs=1e-4) for pair in dm
    ]
    assert found.d_paper == pytest.approx(paper, abs=1e-4)
    assert found.d_paper_max == pytest.approx(most, abs=1e-4)
    assert found.d_layerwise == pytest.approx(layerwise, abs=1e-4)
    assert paper < most < layerwise  # nothing here is 0 or equal by accident
    assert layerwise > 0.01


def test_a_model_against_itself(base, texts):
    found = hidden_shift(base, base, texts)
    assert found.d_paper == found.d_paper_max == found.d_layerwise == 0.0
    assert [(layer.cka, layer.rel_l2) for layer in found.layers] == [(1.0, 0.0)] * 3


def test_equal_texts_give_no_distance(base, tuned):
    found = hidden_shift(base, tuned, ["w1 w2 w3"] * 5, batch_tokens=6)
    assert found.d_layerwise is None
    assert "no axis to project on" in found.undefined_reason
    assert found.layers[1].rel_l2 > 0.1


def test_max_tokens_cuts(base, tuned, texts):
    short = [" ".join(text.split()[:4]) for text in texts]
    assert hidden_shift(base, tuned, texts, max_tokens=4) == hidden_shift(base, tuned, short)


def starting_tokenizer():
    """Adds <s> in front, as Llama's does."""
    from tokenizers import processors

    tokenizer = word_tokenizer(["<s>", "w1", "w2", "w3"])
    tokenizer.bos_token = "<s>"
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.convert_tokens_to_ids("<s>"))]
    )
    return tokenizer


def test_a_start_token_that_a_prompt_carries_is_not_doubled(base, tuned):
    words = starting_tokenizer()
    pairs = (base[0], words), (tuned[0], words)
    assert words("<s> w1")["input_ids"] == [4, 4, 5]
    bare, rendered = ["w1", "w2 w3", "w3 w1 w2"], ["<s> w1", "w2 w3", "<s> w3 w1 w2"]
    assert hidden_shift(*pairs, rendered) == hidden_shift(*pairs, bare)
    as_released = [hidden_shift(*pairs, given, pooling="authors") for given in (rendered, bare)]
    assert as_released[0] != as_released[1]  # the released script adds one to every text
    with pytest.raises(InputError, match="text 2 has no tokens"):
        hidden_shift(*pairs, ["w1", "", "w2"])


def test_a_text_longer_than_the_model_reads_is_refused(tokenizer):
    pair = tiny_llama(0, max_position_embeddings=6), tokenizer
    texts = ["w1", "w2 w3", "w1 w2 w3 w4 w5 w6 w7", "w1"]
    told = r"base: text 3 has 7 tokens; the model's context length is 6; shorten the text, or tr"
    for shard in (WHOLE, Shard(1, 4)):  # the longest text is in the first shard
        with pytest.raises(InputError, match=told):
            hidden_features(pair, pair, texts, shard=shard, batch_tokens=1)
    assert hidden_shift(pair, pair, texts, max_tokens=6).n_texts == 4
    with pytest.raises(
        InputError, match="text 2 has 7 tokens; the model's context length is 6; sho"
    ):
        token_shift(pair, pair, [("w1", "w2"), ("w1 w2 w3 w4 w5", "w6 w7")])


def test_base_is_released_before_tuned_is_loaded(monkeypatch, texts, tokenizer):
    loaded = []

    def load(name, *, dtype, device_map):
        assert all(ref() is None for ref in loaded), "two models in memory"
        model = tiny_llama(len(loaded))
        loaded.append(weakref.ref(model))
        return model

    monkeypatch.setattr(model_pairs, "load_model", load)
    monkeypatch.setattr(model_pairs, "load_tokenizer", lambda name: tokenizer)
    monkeypatch.setattr(model_pairs, "find_model", lambda name: ModelSource(name, name))
    hidden_shift("one", "two", texts)
    assert len(loaded) == 2


def test_refusals(base, tuned, texts):
    with pytest.raises(InputError, match=r"different tokenizers.*only in the base"):
        hidden_shift(base, (tuned[0], word_tokenizer(["other"])), texts)
    with pytest.raises(InputError, match="text 2 has no tokens"):
        hidden_shift(base, tuned, ["w1", "", "w2"])
    with pytest.raises(InputError, match="too few"):
        hidden_shift(base, tuned, ["w1", "w2"])
    with pytest.raises(InputError, match="pooling"):
        hidden_shift(base, tuned, texts, pooling="median")
    with pytest.raises(InputError, match="authors"):
        hidden_shift(base, tuned, texts, pooling="authors", max_tokens=7)
    broken = tiny_llama(3)
    with torch.no_grad():
        broken.model.embed_tokens.weight[4] = float("nan")  # w0
    with pytest.raises(InputError, match="text 1 are not finite"):
        hidden_shift(base, (broken, base[1]), texts)


def test_authors_padding_is_as_wide_as_the_longest_text(base):
    """Three texts of 1, 2 and 4 tokens: means over 4 positions, in every shard."""
    ids = [[5], [6, 7], [4, 5, 6, 7]]
    found = features(base[0], ids, pooling="authors")
    np.testing.assert_allclose(found[0, 2], released_states(base[0], ids, 0)[2], atol=1e-6)
    np.testing.assert_allclose(found[2], released_states(base[0], ids, 2), atol=1e-5)
    texts = ["w1", "w2 w3", "w0 w1 w2 w3"]
    whole = hidden_features(base, base, texts, pooling="authors").base_LND
    np.testing.assert_allclose(whole, found, atol=1e-6)
    for number in (1, 2, 3):
        options = {"pooling": "authors", "batch_tokens": 4, "shard": Shard(number, 3)}
        part = hidden_features(base, base, texts, **options)
        np.testing.assert_allclose(part.base_LND, whole[:, part.text_N], atol=1e-5)


def test_authors_padding_needs_a_model_that_reads_it(texts, tokenizer):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=94, n_positions=64)
        pair = GPT2LMHeadModel(config).eval(), tokenizer
    told = "base: pooling 'authors' pads texts to 70 tokens, but the context length is 64; use"
    with pytest.raises(InputError, match=told):
        hidden_shift(pair, pair, [*texts, " ".join(["w1"] * 70)], pooling="authors")
    assert hidden_shift(pair, pair, texts, pooling="authors").d_layerwise == 0.0
    assert hidden_shift(pair, pair, texts).d_layerwise == 0.0

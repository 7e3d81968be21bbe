"""Packed responses against rows apart: log-probabilities, gradients, and models that can't."""

import pytest
import torch
from transformers import LlamaConfig, MistralConfig, Qwen2Config
from trl.trainer.utils import add_fused_lm_head

from transferscope.train.prompt_packing import (
    pack,
    packed_scores,
    packing_agrees,
    regrouped,
    scored,
    window_of,
)

from ..conftest import tiny_llama

# Left-padded prompts of two groups, right-padded responses of 1 to 4 tokens, one of them empty.
PROMPTS = [[0, 5, 6], [7, 8, 9], [0, 5, 6], [7, 8, 9], [0, 5, 6]]
RESPONSES = [[11, 12, 2], [13, 2], [14], [15, 16, 17, 2], []]
KEEP = 4


def batch():
    ids = [p + r + [0] * (KEEP - len(r)) for p, r in zip(PROMPTS, RESPONSES, strict=True)]
    mask = [
        [int(t > 0) for t in p] + [1] * len(r) + [0] * (KEEP - len(r))
        for p, r in zip(PROMPTS, RESPONSES, strict=True)
    ]
    return torch.tensor(ids), torch.tensor(mask)


@pytest.fixture
def model():
    made = tiny_llama(0, 40, initializer_range=0.5)
    add_fused_lm_head(made, temperature=0.7, outputs=("log_probs", "entropy"))
    return made


def by_hand(model, ids, mask):
    """log p of every response token / 0.7, one row without padding at a time."""
    found = torch.zeros(len(ids), KEEP)
    for row in range(len(ids)):
        real = ids[row][mask[row].bool()]
        n = int(mask[row, -KEEP:].sum())
        if n:
            logits = model(real[None]).logits[0, -n - 1 : -1] / 0.7
            found[row, :n] = logits.log_softmax(-1).gather(1, real[-n:, None])[:, 0]
    return found


def test_log_probabilities_and_gradients_are_those_of_rows_apart(model) -> None:
    ids, mask = batch()
    packed = pack(ids, mask, KEEP)
    found = packed.unpack(scored(model, packed).log_probs, KEEP)
    expected = by_hand(model, ids, mask)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    weight = torch.linspace(-1, 1, found.numel()).view_as(found)
    gradients = []
    for value in (found, expected):
        model.zero_grad()
        (value * weight).sum().backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_the_prompt_stands_there_once(model) -> None:
    packed = pack(*batch(), KEEP)
    # 1 + (1+3) + (1+1) + (1+0) and 2 + (1+2) + (1+4)
    assert packed.ids_GW.shape == (2, 10)
    assert packed.position_GW[0, :8].tolist() == [0, 1, 2, 3, 4, 1, 2, 1]
    assert packed.ids_GW[0, :8].tolist() == [5, 6, 11, 12, 2, 6, 14, 6]
    assert packed.length_B.tolist() == [3, 2, 1, 4, 0]


def test_a_model_that_ignores_the_mask_is_found_out(model) -> None:
    ids, mask = batch()
    assert packing_agrees(model, ids, mask, KEEP)

    def deaf(**given):
        if given["attention_mask"].ndim == 4:
            given["attention_mask"] = None
        return model(**given)

    assert not packing_agrees(deaf, ids, mask, KEEP)

    def unable(**given):
        if given["attention_mask"].ndim == 4:
            raise ValueError("two dimensions, please")
        return model(**given)

    assert not packing_agrees(unable, ids, mask, KEEP)


def test_rows_of_one_prompt_come_to_lie_together() -> None:
    prompts = torch.tensor([[1], [2], [1], [3], [2], [1]])
    row = torch.arange(6)
    parts = [
        {
            "prompt_ids": prompts[at : at + 2],
            "row": row[at : at + 2],
            "n": 7,
            "all": torch.tensor(4),
        }
        for at in (0, 2, 4)
    ]
    found = regrouped(parts)
    assert [part["row"].tolist() for part in found] == [[0, 2], [5, 1], [4, 3]]
    assert [part["prompt_ids"].flatten().tolist() for part in found] == [[1, 1], [1, 2], [2, 3]]
    assert {part["n"] for part in found} == {7}
    assert all(int(part["all"]) == 4 for part in found)


def test_a_sequence_longer_than_the_models_window_is_not_packed(model) -> None:
    # The window counts places in the sequence; a packed row's last response is far from its prompt.
    ids, mask = batch()
    packed = packed_scores(model, ids, mask, KEEP, rows=2, window=10)
    torch.testing.assert_close(packed.log_probs_BK, by_hand(model, ids, mask), rtol=1e-5, atol=1e-5)
    assert packed.entropy_BK is None
    assert packed_scores(model, ids, mask, KEEP, window=10) is not None
    assert packed_scores(model, ids, mask, KEEP, window=9) is None


def test_the_window_is_read_off_the_configuration() -> None:
    assert window_of(MistralConfig(sliding_window=32)) == 32
    assert window_of(MistralConfig(sliding_window=None)) is None
    assert window_of(Qwen2Config(use_sliding_window=False, sliding_window=32)) is None
    assert window_of(LlamaConfig()) is None

"""Sampling with shared prompts against plain forward passes: enumeration and greedy limits."""

import copy
import functools

import pytest
import torch

from transferscope.engines.decode import chooser, decode
from transferscope.engines.roomy_layer import ROOM, RoomyLayer

from ..conftest import tiny_llama

END = 2
OPTIONS = {"ends": [END], "pad": 0}


def sample(model, prompts, *, temperature=1.0, **options):
    return decode(model, prompts, choose=chooser(temperature), **options)


@pytest.fixture(scope="module")
def model():
    return tiny_llama(0, 40, initializer_range=0.5).eval()


def greedy(model, prompt, max_tokens):
    ids = list(prompt)
    for _ in range(max_tokens):
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        if ids[-1] == END:
            break
    return ids[len(prompt) :]


def test_the_cold_limit_is_greedy_decoding_row_by_row(model) -> None:
    prompts = [[5], [5], [7, 8, 9, 10], [7, 8, 9, 10], [11, 12]] * 3
    # An end token for the likeliest first token of one prompt makes rows leave at different steps.
    first = greedy(model, [11, 12], 1)[0]
    found = sample(model, prompts, max_tokens=12, temperature=1e-4, ends=[END, first], pad=0)
    for prompt, answer in zip(prompts, found, strict=True):
        expected = greedy(model, prompt, 12)
        if first in expected:
            expected = expected[: expected.index(first) + 1]
        assert answer == expected
    assert {len(answer) for answer in found} >= {1}


def test_samples_follow_the_softmax(model) -> None:
    # One token: 6,000 draws against the distribution; chi-square with 39 cells stays below its
    # 1 - 1e-6 quantile (about 97).
    rows = 6000
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = sample(model, [[5, 6]] * rows, max_tokens=1, temperature=0.7, **OPTIONS)
    with torch.no_grad():
        p = (model(torch.tensor([[5, 6]])).logits[0, -1] / 0.7).softmax(0)
    counts = torch.bincount(torch.tensor([row[0] for row in found]), minlength=40)
    expected = p * rows
    large = expected > 5
    chi = ((counts - expected)[large] ** 2 / expected[large]).sum()
    assert chi < 97


def test_answers_end_at_the_end_token_or_the_limit(model) -> None:
    prompts = [[3 + n % 4, 9] for n in range(40)]
    with torch.random.fork_rng():
        torch.manual_seed(1)
        found = sample(model, prompts, max_tokens=30, **OPTIONS)
    assert all(END not in row[:-1] for row in found)
    assert all(row[-1] == END or len(row) == 30 for row in found)
    assert len({len(row) for row in found}) > 3


def test_one_seed_one_answer_and_the_weights_stay(model) -> None:
    before = copy.deepcopy(model.state_dict())
    drawn = []
    for _ in range(2):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            drawn.append(sample(model, [[5]] * 6, max_tokens=9, **OPTIONS))
    assert drawn[0] == drawn[1]
    assert len(set(map(tuple, drawn[0]))) > 1
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


LONG = [3, 4, 5, 6, 7, 8, 9]
"""What prompts share: read once."""
PROMPTS = [[*LONG, 5], [*LONG, 11, 12, 13], [*LONG, 5], [*LONG, 11], [*LONG, 11, 12, 14, 9]]


def kinds():
    """A model with full attention, one with windows of 6, and one that keeps a recurrent state."""
    from transformers import Gemma2Config, Gemma2ForCausalLM, MambaConfig, MambaForCausalLM

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 40, "pad_token_id": 0}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        window = Gemma2Config(
            **sizes, **heads, intermediate_size=64, sliding_window=6, initializer_range=0.5
        )
        state = MambaConfig(**sizes, state_size=4, initializer_range=0.5)
        return {
            "full": tiny_llama(0, 40, initializer_range=0.5).eval(),
            "window": Gemma2ForCausalLM(window).eval(),
            "state": MambaForCausalLM(state).eval(),
        }


@pytest.mark.parametrize("kind", ["full", "window", "state"])
def test_shared_beginnings_change_no_answer(kind: str) -> None:
    model = kinds()[kind]
    options = {"max_tokens": 10, "temperature": 0.0, "ends": [END], "pad": 0}
    together = sample(model, PROMPTS, **options)
    assert together == [greedy(model, prompt, 10) for prompt in PROMPTS]


def test_a_shared_beginning_is_read_once(model, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    forward = model.forward

    def counted(*args, **options):
        read.append(tuple(options["input_ids"].shape))
        return forward(*args, **options)

    monkeypatch.setattr(model, "forward", functools.wraps(forward)(counted))
    sample(model, PROMPTS, max_tokens=1, ends=[END], pad=0)
    assert read == [(1, 7), (4, 4)]  # seven shared tokens once, then four different prompts


def test_stopped_rows_leave(model) -> None:
    free = sample(model, PROMPTS, max_tokens=8, temperature=0.0, **OPTIONS)
    halted = sample(
        model,
        PROMPTS,
        max_tokens=8,
        temperature=0.0,
        stopped=lambda answers: [len(answer) == 2 for answer in answers],
        **OPTIONS,
    )
    assert halted == [answer[:2] for answer in free]
    assert any(len(answer) > 2 for answer in free)


def test_a_cache_grows_in_place_and_loses_rows() -> None:
    """Against plain concatenation; several times its room, rows selected on the way."""
    layer, held = RoomyLayer(), torch.empty(3, 2, 0, 4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for width in (5, 1, ROOM, 1, 1, ROOM, 2):
            new = torch.randn(len(held), 2, width, 4)
            held = torch.cat([held, new], dim=2)
            keys, values = layer.update(new, -new)
            assert torch.equal(keys, held)
            assert torch.equal(values, -held)
            if len(held) == 3 and held.shape[2] > ROOM:
                rows = torch.tensor([2, 0])
                layer.batch_select_indices(rows)
                held = held[rows]
    assert (layer.get_seq_length(), len(held)) == (held.shape[2], 2)


def test_a_step_copies_no_cache() -> None:
    layer = RoomyLayer()
    layer.update(torch.zeros(2, 1, 3, 4), torch.zeros(2, 1, 3, 4))
    before = layer.keys.data_ptr()
    for _ in range(ROOM):
        layer.update(torch.ones(2, 1, 1, 4), torch.ones(2, 1, 1, 4))
    assert layer.keys.data_ptr() == before


def test_the_head_reads_contiguous_states(model) -> None:
    """Else torch copies a frozen head once for every row."""
    seen = []
    hook = model.lm_head.register_forward_pre_hook(
        lambda _, given: seen.append((given[0].shape[1], given[0].is_contiguous()))
    )
    sample(model, PROMPTS, max_tokens=3, ends=[END], pad=0)
    hook.remove()
    assert len(seen) >= 3
    assert set(seen) == {(1, True)}

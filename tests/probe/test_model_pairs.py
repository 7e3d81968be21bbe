"""Models and tokenizers opened three ways, and batches worked out by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.models import find_model
from transferscope.probe.heads import final_states
from transferscope.probe.model_pairs import (
    batches,
    open_model,
    open_tokenizer,
    pad_id,
    padded,
    require_same_tokenizer,
)

from .conftest import tiny_llama, word_tokenizer


def test_a_name_or_a_source_is_loaded(tiny_model):
    for named in (str(tiny_model), find_model(str(tiny_model))):
        model = open_model(named, dtype="bfloat16")
        assert (model.dtype, model.training) == (torch.bfloat16, False)
        assert open_tokenizer(named).decode(open_tokenizer(named).encode("né")) == "né"


def test_a_loaded_pair_is_used_as_it_is(tokenizer):
    model = tiny_llama(0).train()
    opened = open_model((model, tokenizer), dtype="bfloat16")
    assert opened is model
    assert (opened.dtype, opened.training) == (torch.float32, False)
    assert open_tokenizer((model, tokenizer)) is tokenizer


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["a", "b"], "2 tokens occur only in the base's, 1 only in the tuned model's"),
        (["b", "d", "c", "e"], "token 'c' is 5 in the base's, 6 in the other"),
        (["c", "b", "d"], "token 'b' is 4 in the base's, 5 in the other"),
    ],
)
def test_different_tokenizers_are_told_apart(words, reason):
    base = word_tokenizer(["b", "c", "d"])
    with pytest.raises(InputError, match=rf"different tokenizers \({reason}\); compare a model"):
        require_same_tokenizer(base, word_tokenizer(words))


def test_tokens_that_tuning_added_are_allowed():
    base, tuned = word_tokenizer(["b", "c"]), word_tokenizer(["b", "c", "d"])
    require_same_tokenizer(base, tuned)
    with pytest.raises(InputError, match="1 tokens occur only in the base's"):
        require_same_tokenizer(tuned, base)  # the other way round a token is lost


def test_equal_tokenizers_need_not_be_one_object(tokenizer):
    other = word_tokenizer(chat_template=None)
    assert other is not tokenizer
    assert other.get_vocab() == tokenizer.get_vocab()
    require_same_tokenizer(tokenizer, other)


@pytest.mark.parametrize(
    ("lengths", "batch_tokens", "expected"),
    [
        ([], 8, []),
        ([3, 9, 1, 4], 8, [[1], [3, 0], [2]]),  # 9 alone; 2 x 4; a third would make 3 x 4
        ([2, 2, 2], 4, [[0, 1], [2]]),
        ([5, 5], 1, [[0], [1]]),
        ([1, 2, 3], 100, [[2, 1, 0]]),
    ],
)
def test_batches_by_hand(lengths, batch_tokens, expected):
    assert batches(lengths, batch_tokens=batch_tokens) == expected


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 120))
def test_batches_hold_every_text_once_within_the_budget(lengths, batch_tokens):
    made = batches(lengths, batch_tokens=batch_tokens)
    flat = [index for batch in made for index in batch]
    assert sorted(flat) == list(range(len(lengths)))
    assert [lengths[i] for i in flat] == sorted(lengths, reverse=True)
    for batch in made:
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= batch_tokens


def test_padding_by_hand():
    ids = [[5, 6, 7], [8]]
    right = padded(ids, pad=2, device="cpu")
    assert right["input_ids"].tolist() == [[5, 6, 7], [8, 2, 2]]
    assert right["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    left = padded(ids, pad=2, device="cpu", left_to=4)
    assert left["input_ids"].tolist() == [[2, 5, 6, 7], [2, 2, 2, 8]]
    assert left["attention_mask"].tolist() == [[0, 1, 1, 1], [0, 0, 0, 1]]


def test_padding_on_the_right_leaves_the_states_of_real_tokens():
    model, ids = tiny_llama(0), [[5, 6, 7, 8, 9], [11, 12]]
    with torch.inference_mode():
        together = final_states(model, padded(ids, pad=0, device="cpu"))
        alone = final_states(model, padded(ids[1:], pad=0, device="cpu"))
    # Wider batches sum in another order: float32 rounding.
    torch.testing.assert_close(together[1, :2], alone[0], atol=1e-5, rtol=1e-5)


def test_padding_token_else_end_token_else_0():
    tokenizer = word_tokenizer(["w1"])
    tokenizer.pad_token = "w1"
    assert pad_id(tokenizer) == 4
    tokenizer.pad_token = None
    assert pad_id(tokenizer) == 2
    tokenizer.eos_token = None
    assert pad_id(tokenizer) == 0

"""Tiny random Llamas and a word tokenizer: real code paths in milliseconds."""

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = [f"w{i}" for i in range(90)]
CHAT = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}w7"


def word_tokenizer(words=WORDS, chat_template=CHAT):
    vocab = {word: i for i, word in enumerate(["<pad>", "<unk>", "</s>", "user", *words])}
    inner = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="</s>",
        chat_template=chat_template,
    )


def tiny_llama(seed, vocab_size=94):
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        initializer_range=0.5,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="session")
def tokenizer():
    return word_tokenizer()


@pytest.fixture(scope="session")
def base(tokenizer):
    return tiny_llama(0), tokenizer


@pytest.fixture(scope="session")
def tuned(tokenizer):
    return tiny_llama(1), tokenizer


@pytest.fixture(scope="session")
def texts():
    return [" ".join(f"w{(7 * i + 3 * j) % 90}" for j in range(1 + 3 * i)) for i in range(9)]

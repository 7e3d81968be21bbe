"""Pairs of tiny Llamas that read words: real code paths in milliseconds."""

import pytest

from .. import conftest as shared

WORDS = [f"w{i}" for i in range(90)]
CHAT = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}w7"


def word_tokenizer(words=WORDS, chat_template=CHAT):
    vocab = ["<pad>", "<unk>", "</s>", "user", *words]
    return shared.word_tokenizer(vocab, end="</s>", chat_template=chat_template)


def tiny_llama(seed, vocab_size=94, **settings):
    return shared.tiny_llama(seed, vocab_size, initializer_range=0.5, **settings)


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

"""Pairs of tiny Llamas that read words: real code paths in milliseconds."""

import json

import pytest

from transferscope.cli import main
from transferscope.core.records import Outcome, Response
from transferscope.core.suite import load_suite
from transferscope.runs import Manifest, RunWriter

from .. import conftest as shared

WORDS = [f"w{i}" for i in range(90)]
CHAT = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}w7"


LABELLED = [
    {"prompt": f"w{i} w2", "response": f"w{i} w{i + 1} w3", "benchmark": "chains", "group": "math"}
    for i in range(1, 9)
]


def word_tokenizer(words=WORDS, chat_template=CHAT):
    vocab = ["<pad>", "<unk>", "</s>", "user", *words]
    return shared.word_tokenizer(vocab, end="</s>", chat_template=chat_template)


def tiny_llama(seed, vocab_size=94, **settings):
    return shared.tiny_llama(seed, vocab_size, initializer_range=0.5, **settings)


def rounded(found):
    """Texts, counts and numbers to four digits: workers and batches round float32 differently."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    if isinstance(found, list):
        return [rounded(value) for value in found]
    return pytest.approx(found, rel=1e-4, abs=1e-5) if isinstance(found, float) else found


def a_run_of(model, folder):
    """A run folder in which ``model`` (a ModelRef) answered two prompts."""
    manifest = Manifest(model, load_suite("mini").model_dump(mode="json"), "hash")
    with RunWriter.open(folder, manifest) as writer:
        outcomes = [Outcome("chains", str(i), 1.0) for i in range(2)]
        texts = [Response(str(i), 0, f"w{i} w2", f"w{i} w3") for i in range(2)]
        writer.write_benchmark("chains", outcomes, texts)
    return folder


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


@pytest.fixture(scope="session")
def paths(base, tuned, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    for name, (model, words) in (("base", base), ("tuned", tuned)):
        model.save_pretrained(folder / name)
        words.save_pretrained(folder / name)
    return [str(folder / name) for name in ("base", "tuned")]


@pytest.fixture(scope="session")
def rows(tmp_path_factory):
    """A file that ``--texts``, ``--responses`` and ``--prompts`` read."""
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    lines = [json.dumps(row | {"text": row["prompt"]}) for row in LABELLED]
    file.write_text("\n".join(lines))
    return file


@pytest.fixture
def probe(paths, capsys):
    """``transferscope probe WHAT BASE TUNED ...``: stdout (its JSON with ``--json``), stderr."""

    def run(what, *arguments):
        main(["probe", what, *paths, *map(str, arguments)])
        out, err = capsys.readouterr()
        return (json.loads(out) if "--json" in arguments else out), err

    return run

"""What tests of several rooms share: tiny random Llamas, in memory and in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock  # noqa: F401 - the first lock must not count against a test's deadline
import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

# Spinning threads of parallel jobs ruin each other; set before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A busy machine is no failure; pytest-timeout ends what hangs.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
if "MUTANT_UNDER_TEST" in os.environ:  # a run per mutant (tools/mutants.py), none to be explained
    settings.register_profile(
        "mutants",
        settings.get_profile("suite"),
        max_examples=20,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
    )
    settings.load_profile("mutants")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_llama(seed: int, vocab_size: int, **settings: Any) -> LlamaForCausalLM:
    """Two random layers in float32; the global generator is left as it was."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 4, "vocab_size": vocab_size, "pad_token_id": 0}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(LlamaConfig(**sizes | settings)).eval()


def word_tokenizer(
    vocab: list[str], *, end: str, chat_template: str | None = None
) -> PreTrainedTokenizerFast:
    """One token a word; ``vocab`` holds ``<pad>``, ``<unk>`` and ``end`` too."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.WordLevel({w: i for i, w in enumerate(vocab)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        unk_token="<unk>",
        pad_token="<pad>",
        eos_token=end,
        chat_template=chat_template,
    )


def torchrun(processes: int, script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """``script`` on several processes of this machine, on a port that is free."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc_per_node={processes}", str(script), *map(str, arguments)]
    # The launcher would set the number of threads and say so.
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=env
    )


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, any text; ids 0 to 2 pad, start and end a message."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocab = ["<|pad|>", "<|im_start|>", "<|im_end|>"]
    vocab += sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE({token: i for i, token in enumerate(vocab)}, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="<|pad|>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        chat_template=CHATML,
    )


@pytest.fixture(scope="session", autouse=True)
def float32_machine() -> Iterator[None]:
    """Tests compute alike on every kind of processor: this one multiplies no bfloat16."""
    from transferscope.models import precision

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision, "processor_multiplies", lambda: False)
        yield


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """``install(kind, name, value, **modules)``: a distribution whose entry point names ``value``.

    ``modules`` are its files' text by module name.
    """
    from transferscope.core.plugins import plugins

    site = tmp_path / "site"

    def write(kind: str, name: str, value: str, **modules: str) -> None:
        info = site / f"{kind}_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {kind}-{name}\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[transferscope.{kind}]\n{name} = {value}\n")
        for module, text in modules.items():
            (site / f"{module}.py").write_text(text)
        monkeypatch.syspath_prepend(site)
        plugins.cache_clear()

    before = set(sys.modules)
    yield write
    for module in set(sys.modules) - before:
        if (site / f"{module}.py").is_file():
            del sys.modules[module]
    plugins.cache_clear()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random Llama that reads any text byte by byte."""
    tokenizer = byte_tokenizer()
    model = tiny_llama(0, len(tokenizer), num_key_value_heads=2, bos_token_id=1, eos_token_id=2)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

"""A base that stays loaded gives, to the last bit, what loading it for every probe gives."""

import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model

from transferscope.core.errors import InputError
from transferscope.models import load_model
from transferscope.probe import kept_base
from transferscope.probe.hidden import hidden_shift
from transferscope.probe.kept_base import KeptBase
from transferscope.probe.tokens import token_shift

ROWS = [("w1 w2", "w3 w4 w5"), ("w7", "w8 w9")]


@pytest.fixture(scope="module")
def models(paths, tmp_path_factory):
    """The base, two adapters on it and another whole model."""
    folder = tmp_path_factory.mktemp("adapters")
    base, tuned = paths
    for seed in (1, 2):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            config = LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
            adapted = get_peft_model(load_model(base), config)
        adapted.peft_config["default"].base_model_name_or_path = base
        adapted.save_pretrained(str(folder / f"adapter-{seed}"), save_embedding_layers=False)
    return base, [str(folder / "adapter-1"), tuned, str(folder / "adapter-2")]


@pytest.fixture
def loads(monkeypatch):
    """Names of the models that were loaded, in order."""
    seen = []

    def load(name, **options):
        seen.append(Path(name).name)
        return load_model(name, **options)

    monkeypatch.setattr(kept_base, "load_model", load)
    return seen


def measured(base, tuned, texts):
    return hidden_shift(base, tuned, texts), token_shift(base, tuned, ROWS)


def test_one_load_of_the_base_serves_adapters_and_whole_models(models, texts, loads):
    base, others = models
    apart = [measured(base, tuned, texts) for tuned in others]
    kept = KeptBase(base)
    for tuned, (hidden, tokens) in zip(others, apart, strict=True):
        with kept.beside(tuned) as pair:
            found = measured(*pair(), texts)
        assert found == (hidden, tokens)
        assert tokens.js > 1e-6
    assert loads == ["base", "tuned"]
    before, after = load_model(base).state_dict(), kept._base[0].state_dict()
    assert before.keys() == after.keys()  # no adapter is left in it
    assert all(torch.equal(before[name], after[name]) for name in before)
    kept.release()
    with kept.beside(others[0]) as pair:
        pair()
    assert loads == ["base", "tuned", "base"]


def test_nothing_is_loaded_before_a_probe_asks(models, loads):
    base, others = models
    with KeptBase(base).beside(others[0]):
        pass
    assert loads == []


def test_an_error_frees_the_base(models, texts, loads, tmp_path):
    base, others = models
    shutil.copytree(others[0], tmp_path / "broken")
    config = tmp_path / "broken" / "adapter_config.json"
    config.write_text(config.read_text().replace('"q_proj"', '"k_proj"'))
    kept = KeptBase(base)
    with (
        pytest.raises(InputError, match="the adapter lacks weights for this base"),
        kept.beside(str(tmp_path / "broken")) as pair,
    ):
        hidden_shift(*pair(), texts)
    with kept.beside(others[0]) as pair:
        found = hidden_shift(*pair(), texts)
    assert found == hidden_shift(base, others[0], texts)
    assert loads == ["base", "base"]

"""Linear layers on weights that oneDNN has laid out: the same products, from less work."""

from pathlib import Path

import pytest
import torch
from torch import nn

from transferscope.core.records import Decoding
from transferscope.engines import HFEngine, hf
from transferscope.engines.packed_linear import PackedLinear, pack_linears
from transferscope.models import find_model, load_model

from ..conftest import byte_tokenizer, tiny_llama

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this build of torch has no oneDNN"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama whose head shares its weight with the embeddings."""
    tokenizer = byte_tokenizer()
    made = tmp_path_factory.mktemp("models") / "tied"
    sizes = {"num_key_value_heads": 2, "bos_token_id": 1, "eos_token_id": 2}
    tiny_llama(0, len(tokenizer), tie_word_embeddings=True, **sizes).save_pretrained(made)
    tokenizer.save_pretrained(made)
    return made


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 9, 60])
def test_the_product_is_the_layers(dtype: torch.dtype, rows: int) -> None:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        layer = nn.Linear(40, 24, bias=rows == 9).to(dtype)
        given_BTD = torch.randn(rows, 2, 40).to(dtype)
        packed = PackedLinear(layer, keep=False)
        torch.testing.assert_close(packed(given_BTD), layer(given_BTD))
        assert torch.equal(packed.weight, layer.weight)  # for who reads it
        assert "weight" not in dict(packed.named_parameters())
        with pytest.raises(TypeError, match="was given"):
            packed(given_BTD.double())


def test_all_layers_are_packed_and_a_shared_head_keeps_its_weight(folder: Path) -> None:
    model = load_model(find_model(str(folder)))
    layers = sum(type(module) is nn.Linear for module in model.modules())
    assert pack_linears(model) == layers == 2 * 7 + 1
    head = model.get_output_embeddings()
    assert head.weight is model.get_input_embeddings().weight
    assert pack_linears(model) == 0  # nothing is left to do
    half = load_model(find_model(str(folder)), dtype="float16")
    assert pack_linears(half) == 0


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_answers_and_scores_are_those_of_plain_layers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    packed = HFEngine(str(folder), dtype=dtype)
    assert isinstance(packed.model.get_output_embeddings(), PackedLinear)
    monkeypatch.setattr(hf, "pack_linears", lambda model: 0)
    plain = HFEngine(str(folder), dtype=dtype)
    prompts = ["What is 2 + 3?", "Name a colour.", "Name a colour of the sky."]
    decoding = Decoding(max_tokens=12)
    assert packed.generate(prompts, decoding) == plain.generate(prompts, decoding)
    pairs = [(prompt, end) for prompt in prompts for end in (" yes", " no")]
    assert packed.loglikelihoods(pairs) == pytest.approx(plain.loglikelihoods(pairs), abs=1e-4)

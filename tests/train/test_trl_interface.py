"""What the arms take from inside TRL and accelerate. A version that changes it is named here.

TRL's private methods move between minor versions, so ``pyproject.toml`` pins one. Raise the pin
only with this test green and after reading the changes to the methods that it names.
"""

import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from accelerate import Accelerator
from trl import GRPOTrainer, SFTTrainer
from trl.trainer.utils import add_fused_lm_head

from transferscope.train.surrogate import _trainer_class

IMAGES = (
    "pixel_values image_grid_thw num_images pixel_attention_mask spatial_shapes num_tiles "
    "image_sizes token_type_ids mm_token_type_ids image_position_ids"
)
OVERRIDDEN: dict[tuple[type, str], str] = {
    (GRPOTrainer, "_generate_single_turn"): (
        "prompt_ids images multimodal_fields num_generations has_tool_images"
    ),
    (GRPOTrainer, "_generate_and_score_completions"): "inputs",
    (GRPOTrainer, "_get_per_token_logps_and_entropies"): (
        "model input_ids attention_mask logits_to_keep batch_size compute_entropy "
        f"compute_aux_loss {IMAGES}"
    ),
    (GRPOTrainer, "_prepare_inputs"): "generation_batch",
    (GRPOTrainer, "_compute_loss"): "model inputs",
    (GRPOTrainer, "create_model_card"): "model_name dataset_name tags",
    (SFTTrainer, "training_step"): "args kwargs",
    (SFTTrainer, "create_model_card"): "model_name dataset_name tags",
}
"""Parameters, without ``self``, of each method that an arm replaces and of those it calls."""
SET_BY: dict[str, tuple[Any, str]] = {
    "_buffered_inputs": (GRPOTrainer.__init__, "self._buffered_inputs = "),
    "_step": (GRPOTrainer.__init__, "self._step = "),
    "eos_token_ids": (GRPOTrainer.__init__, "self.eos_token_ids = "),
    "fused_lm_head": (add_fused_lm_head, "fused_lm_head"),
    "_original_forward": (Accelerator.prepare_model, "._original_forward = "),
}
"""Attributes that an arm reads, with the code that sets each."""


def changed(owner: type, name: str, expected: str) -> str | None:
    """What is different about a method, in a sentence; ``None`` where nothing is."""
    where = f"{owner.__module__}.{owner.__name__}.{name}"
    method = getattr(owner, name, None)
    if method is None:
        return f"{where} no longer exists"
    found = " ".join(list(inspect.signature(method).parameters)[1:])
    return None if found == expected else f"{where} now takes ({found})"


@pytest.mark.parametrize(("owner", "name"), OVERRIDDEN)
def test_an_overridden_method_is_as_it_was(owner: type, name: str) -> None:
    assert changed(owner, name, OVERRIDDEN[owner, name]) is None


@pytest.mark.parametrize("name", SET_BY)
def test_an_attribute_that_is_read_is_still_set(name: str) -> None:
    function, text = SET_BY[name]
    where = f"{function.__module__}.{function.__qualname__}"
    assert text in inspect.getsource(function), f"{where} no longer sets {name}"


def test_every_override_of_the_surrogate_is_in_the_table() -> None:
    own = {name for name in vars(_trainer_class()) if not name.startswith("__")}
    overrides = {name for name in own if hasattr(GRPOTrainer, name)}
    assert overrides == {name for owner, name in OVERRIDDEN if owner is GRPOTrainer}


def test_a_method_that_changed_is_named() -> None:
    class Other:
        def _compute_loss(self, model: object, batch: object) -> None: ...

    assert str(changed(Other, "_compute_loss", "model inputs")).endswith(
        "Other._compute_loss now takes (model batch)"
    )
    assert str(changed(Other, "_gone", "x")).endswith("Other._gone no longer exists")


def test_the_pin_is_the_installed_minor_version() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    (pin,) = (p for p in project["project"]["optional-dependencies"]["train"] if "trl" in p)
    bounds = re.fullmatch(r"trl>=(\d+)\.(\d+),<(\d+)\.(\d+)", pin)
    assert bounds is not None, pin
    major, minor, *below = map(int, bounds.groups())
    assert below == [major, minor + 1]
    assert version("trl").split(".")[:2] == [str(major), str(minor)]

"""The classic recipe: TRL's SFTTrainer on the teacher's accepted solutions.

The loss (docs/science.md section 6 with q = teacher, w = 1, beta = 0) is the mean of -log pi(token)
over the step's response tokens. It includes the end token and excludes the prompt. The arm
``off-policy-sft`` has the same loss in the surrogate's trainer. Comparing the two shows that the
result does not depend on the trainer.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.records import Tick, no_tick
from .arm import run_arm, training_arguments
from .arm_config import ArmConfig
from .query_prompts import prompt_ids
from .query_sources import queries_of, responses_of
from .step_log import StepLog, over_processes

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer


def train_sft(config: ArmConfig, out: str | Path, *, tick: Tick = no_tick) -> Path:
    """Train ``config``'s arm on worked solutions, write the model to ``out``, and return ``out``.

    A complete arm is skipped. An interrupted one is resumed, and its result is the same, bit for
    bit. Raises :class:`InputError` as :func:`.arm.run_arm` does, and if the teacher has too few
    answers.
    """
    return run_arm(config, Path(out), tick=tick, build=build_trainer)


def teacher_rows(config: ArmConfig, tokenizer: PreTrainedTokenizerBase) -> list[dict[str, Any]]:
    """Build the rows in training order: ``input_ids``, ``completion_mask`` (0 prompt, 1 response).

    The prompt ids are the same as those that the RL arm generates from. The response ends with the
    end token.
    """
    rows = []
    queries = queries_of(config)
    for query, responses in zip(queries, responses_of(config, queries), strict=True):
        prompt = prompt_ids(query.prompt, tokenizer)
        for text in responses:
            response = [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
            mask = [0] * len(prompt) + [1] * len(response)
            rows.append({"input_ids": prompt + response, "completion_mask": mask})
    return rows


def build_trainer(
    config: ArmConfig,
    checkpoints: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    log: StepLog,
) -> Trainer:
    """Build the SFT trainer for ``config`` on ``model``, ready to start."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    class CountingSFTTrainer(SFTTrainer):  # type: ignore[misc]
        """An SFTTrainer that reports to the log how many tokens a step trains on."""

        def training_step(self, model: Any, inputs: dict[str, Any], *args: Any) -> Any:
            labels = inputs["labels"]
            tokens = int((labels[:, 1:] != -100).sum())
            log.count(*over_processes(self.accelerator, (len(labels), tokens, 0, tokens)))
            return super().training_step(model, inputs, *args)

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            """Write no model card into checkpoints."""

    arguments = SFTConfig(
        **training_arguments(config, checkpoints),
        loss_type="nll",
        completion_only_loss=True,
        packing=False,
        max_length=None,
    )
    return CountingSFTTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(teacher_rows(config, tokenizer)),
        processing_class=tokenizer,
        callbacks=[log],
    )

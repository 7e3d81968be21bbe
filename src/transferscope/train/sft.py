"""The classic recipe: TRL's SFTTrainer on the teacher's accepted solutions.

Loss (docs/science.md section 6 with q = teacher, w = 1, beta = 0): mean over the step's response
tokens of -log pi(token), the end token included, the prompt not. The arm ``off-policy-sft`` has
the same loss on the surrogate's trainer; this one shows that nothing hangs on the trainer.
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
    """Train ``config``'s arm on worked solutions into the model folder ``out``; returns it.

    Skipped when complete, resumed when interrupted (the result is the same, bit for bit). Raises
    :class:`InputError` as :func:`.arm.run_arm` does, and for a teacher without enough answers.
    """
    return run_arm(config, Path(out), tick=tick, build=build_trainer)


def teacher_rows(config: ArmConfig, tokenizer: PreTrainedTokenizerBase) -> list[dict[str, Any]]:
    """The rows in training order: ``input_ids`` and ``completion_mask`` (0 prompt, 1 response).

    The prompt's ids are those the RL arm generates from; the response ends in the end token.
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
    """The SFT trainer of ``config`` on ``model``, ready to start."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    class CountingSFTTrainer(SFTTrainer):  # type: ignore[misc]
        """Tells the log how many tokens a step trains on."""

        def training_step(self, model: Any, inputs: dict[str, Any], *args: Any) -> Any:
            labels = inputs["labels"]
            tokens = int((labels[:, 1:] != -100).sum())
            log.count(*over_processes(self.accelerator, (len(labels), tokens, 0, tokens)))
            return super().training_step(model, inputs, *args)

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            """Checkpoints carry no card."""

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

"""The on-policy RL arm: TRL's GRPOTrainer with the shared grader as its reward.

Group-relative advantages (reward minus the group's mean, over its standard deviation) and the
``dapo`` loss: token-level, summed over all response tokens of the step and divided by their number;
clip 0.20/0.28 as in the paper's configuration, though with one update per batch of rollouts the
ratio is 1 and never clipped. A response that didn't finish earns nothing. With ``beta`` > 0 the KL
to the base is the bias-corrected per-token estimate, whose gradient is that of the reverse KL.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.records import Message, Tick, no_tick
from ..grade.maths import is_correct
from ..models import find_model
from .arm import run_arm, training_arguments
from .config import ArmConfig
from .log import StepLog
from .prompts import messages
from .queries import make_queries

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer

CLIP = (0.20, 0.28)
"""Lower and upper clip of the probability ratio (the paper's configuration)."""


def train_grpo(config: ArmConfig, out: str | Path, *, tick: Tick = no_tick) -> Path:
    """Train ``config``'s arm on its own graded rollouts into the model folder ``out``; returns it.

    Skipped when complete, resumed when interrupted (rollouts are drawn at every step and the
    random state is part of a checkpoint). Raises :class:`InputError` as :func:`.arm.run_arm` does,
    for fewer than two rollouts, and for ``beta`` > 0 on an adapter, whose base would become the
    reference.
    """
    if config.rollouts < 2:
        raise InputError(
            "an advantage is relative to its group, which has one rollout",
            place="rollouts",
            remedy="use 2 or more",
        )
    if config.beta > 0 and find_model(config.model).adapter is not None:
        raise InputError(
            "beta > 0 needs a reference, which can't be loaded from an adapter",
            place=config.model,
            remedy="merge the adapter into a model folder first",
        )
    return run_arm(config, Path(out), tick=tick, build=build_trainer)


def rewards(
    completions: Sequence[Sequence[Message]],
    completion_ids: Sequence[Sequence[int]],
    gold: Sequence[str],
    *,
    ends: Sequence[int],
) -> list[float]:
    """1.0 for a finished response that the grader accepts, else 0.0.

    A response is finished when its last id is one of ``ends``.
    """
    return [
        float(ids[-1] in ends and is_correct(completion[-1]["content"], answer))
        for completion, ids, answer in zip(completions, completion_ids, gold, strict=True)
    ]


def build_trainer(
    config: ArmConfig,
    checkpoints: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    log: StepLog,
) -> Trainer:
    """The GRPO trainer of ``config`` on ``model``, ready to start."""
    from datasets import Dataset
    from trl import GRPOConfig

    ends: list[int] = []

    def correct(
        completions: list[Any], completion_ids: list[Any], gold: list[str], **_: Any
    ) -> list[float]:
        return rewards(completions, completion_ids, gold, ends=ends)

    arguments = GRPOConfig(
        **training_arguments(config, checkpoints),
        num_generations=config.rollouts,
        steps_per_generation=config.accumulation,
        num_iterations=1,
        max_completion_length=config.max_tokens,
        temperature=config.temperature,
        top_p=1.0,
        top_k=0,
        beta=config.beta,
        use_bias_correction_kl=config.beta > 0,
        importance_sampling_level="token",
        loss_type="dapo",
        scale_rewards="group",
        epsilon=CLIP[0],
        epsilon_high=CLIP[1],
        mask_truncated_completions=False,
        remove_unused_columns=False,
    )
    queries = make_queries(config.queries, seed=config.seed)
    trainer = _trainer_class()(
        model=model,
        reward_funcs=correct,
        args=arguments,
        train_dataset=Dataset.from_list(
            [{"prompt": messages(query.prompt), "gold": query.gold} for query in queries]
        ),
        processing_class=tokenizer,
        callbacks=[log],
        log=log,
    )
    ends.extend(trainer.eos_token_ids)
    return trainer


def drop_flat_groups(batch: dict[str, Any], parts: int = 1) -> dict[str, Any]:
    """The rows of a scored batch whose advantage is not 0, without the columns only others used.

    Rows without an advantage have no gradient but cost a whole backward pass. The number of tokens
    that the loss is divided by stays that of the whole batch, so the gradient is unchanged. The
    rows come out as a positive multiple of ``parts``, for which some without advantage may stay.
    """
    keep = batch["advantages"] != 0
    kept = int(keep.sum())
    wanted = max(parts, -(-kept // parts) * parts)
    keep[(~keep).nonzero()[: wanted - kept, 0]] = True
    rows = {
        key: value[keep] if getattr(value, "ndim", 0) > 0 else value for key, value in batch.items()
    }
    begin = int(rows["prompt_mask"].any(dim=0).int().argmax())
    end = int(rows["completion_mask"].any(dim=0).sum())
    for key in ("prompt_ids", "prompt_mask"):
        rows[key] = rows[key][:, begin:]
    for key in ("completion_ids", "completion_mask"):
        rows[key] = rows[key][:, :end]
    return rows


def _trainer_class() -> Any:
    import torch
    from trl import GRPOTrainer

    class SamplingGRPOTrainer(GRPOTrainer):  # type: ignore[misc]
        """Draws rollouts from a bfloat16 copy, drops rows without gradient, counts tokens.

        The copy is refreshed before each batch of rollouts. Under autocast the float32 weights
        would be cast again for every token.
        """

        def __init__(self, *, model: Any, log: StepLog, args: Any, **options: Any) -> None:
            self._log = log
            self._copy = copy.deepcopy(model) if args.bf16 else None
            if self._copy is not None:
                # Parameters only: module.to() would round the rotary frequencies as well.
                for parameter in self._copy.parameters():
                    parameter.data = parameter.data.to(torch.bfloat16)
            super().__init__(model=model, args=args, **options)

        def _generate_single_turn(self, *args: Any, **options: Any) -> Any:
            if self._copy is None:
                return super()._generate_single_turn(*args, **options)
            with torch.no_grad():
                for mine, master in zip(
                    self._copy.parameters(), self.model.parameters(), strict=True
                ):
                    mine.copy_(master)
            trained: Any = self.model_wrapped
            self.model_wrapped: Any = self._copy
            try:
                return super()._generate_single_turn(*args, **options)
            finally:
                self.model_wrapped = trained

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            batch = super()._generate_and_score_completions(inputs)
            generated = int(batch["completion_mask"].sum())
            if self.beta == 0:
                batch = drop_flat_groups(batch, self.args.steps_per_generation)
            trained = int(batch["completion_mask"].sum())
            self._log.count(responses=len(inputs), generated=generated, trained=trained)
            return batch

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            """Checkpoints carry no card."""

    return SamplingGRPOTrainer

"""All arms except the classic one: a single surrogate loss on TRL's GRPOTrainer.

    L = - E_x E_{y ~ q(.|x)} [ w(x, y) * log pi(y|x) ] + beta * KL(pi || pi_start)

(docs/science.md section 6.) The arms differ in q and in w. q is the policy's own samples or a
teacher's text. w is 1 for a correct answer and 0 for a wrong one, or the group-relative advantage
(reward minus the group's mean, divided by its standard deviation) of the grader's reward or of coin
flips.

The loss is TRL's ``dapo``: the sum over all response tokens of the step, divided by their number.
If w is 1 or 0, it is divided by the number of tokens with weight 1. It is then the mean over
correct responses, and the size of a step does not depend on the accuracy. With one update per batch
of responses the probability ratio is 1 where its gradient is taken. The gradient is therefore that
of -w * log pi, from whichever source the response came, and the paper's clip of 0.20/0.28 never
takes effect. A sample that did not finish has a reward of 0. With ``beta`` > 0 the KL to the start
is the bias-corrected per-token estimate, whose gradient is that of the reverse KL.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.records import Message, Tick, no_tick
from ..grade.maths import is_correct
from .arm import run_arm, training_arguments
from .arm_config import ArmConfig
from .query_prompts import messages
from .query_sources import queries_of, responses_of
from .step_log import StepLog, over_processes

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer

CLIP = (0.20, 0.28)
"""The lower and upper clip of the probability ratio (the paper's configuration)."""


def train_surrogate(config: ArmConfig, out: str | Path, *, tick: Tick = no_tick) -> Path:
    """Train ``config``'s arm, write the model to ``out``, and return ``out``.

    A complete arm is skipped. An interrupted one is resumed: responses are drawn at every step, and
    the random state is part of a checkpoint. Raises :class:`InputError` as :func:`.arm.run_arm`
    does, and if there are too few queries or teacher responses.
    """
    return run_arm(config, Path(out), tick=tick, build=build_trainer)


def rewards(
    completions: Sequence[Sequence[Message]],
    completion_ids: Sequence[Sequence[int]],
    gold: Sequence[str],
    *,
    ends: Sequence[int],
) -> list[float]:
    """Return 1.0 for every finished response that the grader accepts, else 0.0.

    A response is finished if its last id is one of ``ends``.
    """
    return [
        float(ids[-1] in ends and is_correct(completion[-1]["content"], answer))
        for completion, ids, answer in zip(completions, completion_ids, gold, strict=True)
    ]


def training_rows(config: ArmConfig) -> list[dict[str, Any]]:
    """Build one row per query in training order: ``prompt``, ``gold``, teacher's ``responses``."""
    queries = queries_of(config)
    rows = [{"prompt": messages(query.prompt), "gold": query.gold} for query in queries]
    if config.recipe.sampler == "teacher":
        for row, responses in zip(rows, responses_of(config, queries), strict=True):
            row["responses"] = responses
    return rows


def build_trainer(
    config: ArmConfig,
    checkpoints: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    log: StepLog,
) -> Trainer:
    """Build the trainer for ``config`` on ``model``, ready to start."""
    from datasets import Dataset
    from trl import GRPOConfig

    own = config.recipe.sampler == "policy"
    shared = training_arguments(config, checkpoints)
    arguments = GRPOConfig(
        **shared,
        num_generations=config.rollouts,
        steps_per_generation=shared["gradient_accumulation_steps"],
        num_iterations=1,
        max_completion_length=config.max_tokens,
        temperature=config.temperature if own else 1.0,
        top_p=1.0,
        top_k=0,
        beta=config.beta,
        use_bias_correction_kl=config.beta > 0,
        importance_sampling_level="token",
        loss_type="dapo",
        scale_rewards="group",
        reward_weights=[0.0, 1.0] if config.recipe.weight == "coin" else [1.0],
        epsilon=CLIP[0],
        epsilon_high=CLIP[1],
        mask_truncated_completions=False,
        remove_unused_columns=False,
    )
    return _trainer_class()(
        model=model,
        config=config,
        args=arguments,
        train_dataset=Dataset.from_list(training_rows(config)),
        processing_class=tokenizer,
        callbacks=[log],
        log=log,
    )


def drop_weightless(batch: dict[str, Any], parts: int = 1, *, at_least: int = 0) -> dict[str, Any]:
    """Drop the rows of a scored batch whose weight is 0, and the columns that only they used.

    Rows without weight have no gradient but cost a full backward pass. The number of tokens that
    the loss is divided by does not change, and neither does the gradient. The number of remaining
    rows is a positive multiple of ``parts`` and not below ``at_least``. Some rows without weight
    are kept if that requires it.
    """
    keep = batch["advantages"] != 0
    kept = int(keep.sum())
    wanted = max(parts, -(-max(kept, at_least) // parts) * parts)
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

    from ..engines.decode import chooser, decode
    from .prompt_packing import packed_scores, packing_agrees, regrouped, window_of
    from .sampler import SamplingCopy

    class SurrogateTrainer(GRPOTrainer):  # type: ignore[misc]
        """GRPO with the sampler and the weight of the arm's recipe.

        Samples are drawn from a copy of the policy in the precision of the arithmetic, which is
        refreshed every ``refresh_every`` steps. Rows without a gradient are dropped, and tokens are
        counted.
        """

        def __init__(
            self, *, model: Any, config: ArmConfig, log: StepLog, args: Any, **options: Any
        ) -> None:
            self._config, self._log = config, log
            self._packs: bool | None = None
            self._copy = None
            if config.recipe.sampler == "policy" and (args.bf16 or config.refresh_every > 1):
                self._copy = SamplingCopy(model, torch.bfloat16 if args.bf16 else torch.float32)
            functions = [self.correct, *([self.coin] if config.recipe.weight == "coin" else [])]
            super().__init__(model=model, reward_funcs=functions, args=args, **options)
            if self._copy is not None:  # made before the trainer moved the policy
                self._copy.model.to(self.accelerator.device)

        def correct(self, completions: Any, completion_ids: Any, gold: Any, **_: Any) -> Any:
            """Return the grader's reward, which is logged in every arm."""
            self._earned = rewards(completions, completion_ids, gold, ends=self.eos_token_ids)
            return self._earned

        def coin(self, completions: Any, **_: Any) -> list[float]:
            """Flip a coin for every response, regardless of its text."""
            # Seeded by step and process, so that a resumed run flips the same coins.
            at = (self._config.seed, self.state.global_step, self.accelerator.process_index)
            rng = random.Random(f"transferscope-coin-{at}")
            return [float(rng.random() < 0.5) for _ in completions]

        def _generate_single_turn(self, *args: Any, **options: Any) -> Any:
            if self._config.recipe.sampler == "teacher":
                return self._taught, None
            if self._copy is None:
                return super()._generate_single_turn(*args, **options)
            if self.state.global_step % self._config.refresh_every == 0:
                self._copy.renew(self.model)
            prompts = args[0] if args else options["prompt_ids"]
            tokenizer = self.processing_class
            answers = decode(
                self._copy.model,
                prompts,
                max_tokens=self._config.max_tokens,
                choose=chooser(self._config.temperature),
                ends=self.eos_token_ids,
                pad=tokenizer.pad_token_id,
            )
            return answers, None

        def _prepare_inputs(self, generation_batch: Any) -> Any:
            """Keep a group's rows together; TRL shuffles rows across the step's parts."""
            buffered = "_buffered_inputs"
            before = getattr(self, buffered)
            inputs = super()._prepare_inputs(generation_batch)
            if self.model.training and (fresh := getattr(self, buffered)) is not before:
                setattr(self, buffered, parts := regrouped(fresh))
                inputs = parts[self._step % self.args.steps_per_generation]
            return inputs

        def _scores(  # noqa: PLR0917 - TRL's signature
            self,
            model: Any,
            input_ids: Any,
            attention_mask: Any,
            logits_to_keep: int,
            batch_size: int | None = None,
            compute_entropy: bool = False,
            **others: Any,
        ) -> Any:
            """Read a group's prompt only once, if a test shows that the model supports it."""
            given = (model, input_ids, attention_mask, logits_to_keep)
            plain = {"compute_entropy": compute_entropy, **others}
            if any(value is not None and value is not False for value in others.values()):
                return super()._get_per_token_logps_and_entropies(*given, batch_size, **plain)
            if self._packs is None:
                bare = self.accelerator.unwrap_model(model)
                # accelerate keeps the forward without autocast here. Asking it to unwrap the model
                # would remove TRL's head as well.
                self._packs = packing_agrees(getattr(bare, "_original_forward", bare), *given[1:])
            found = None
            if self._packs:
                window, rows = window_of(self.model.config), batch_size or len(input_ids)
                with self.accelerator.autocast():
                    found = packed_scores(*given, rows=rows, window=window, entropy=compute_entropy)
            if found is None:
                return super()._get_per_token_logps_and_entropies(*given, batch_size, **plain)
            return found.log_probs_BK, found.entropy_BK, None

        def _get_per_token_logps_and_entropies(self, *args: Any, **options: Any) -> Any:
            found = self._scores(*args, **options)
            self._log_probs = found[0].detach()
            return found

        def _compute_loss(self, model: Any, inputs: Any) -> Any:
            """Log -w * log pi: TRL's loss has the same gradient but another value."""
            loss = super()._compute_loss(model, inputs)
            weight = inputs["advantages"][:, None] * inputs["completion_mask"]
            part = self.accelerator.reduce((weight * -self._log_probs).sum(), reduction="sum")
            self._log.add_loss(float(part) / max(1.0, float(inputs["num_items_in_batch"])))
            return loss

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            if self._config.recipe.sampler == "teacher":
                self._taught = self._responses(inputs)
            batch = super()._generate_and_score_completions(inputs)
            if self._config.recipe.weight == "correct":
                weight = torch.tensor(self._earned, device=batch["advantages"].device)
                batch["advantages"] = weight
                weighted = (batch["completion_mask"] * (weight != 0)[:, None]).sum()
                batch["num_items_in_batch"] = self.accelerator.gather(weighted).sum()
            tokens = int(batch["completion_mask"].sum())  # all responses, before any is dropped
            if self.beta == 0:
                # Every process must keep the same number of rows: TRL gathers them for its log.
                kept = self.accelerator.gather((batch["advantages"] != 0).sum())
                parts = self.args.steps_per_generation
                batch = drop_weightless(batch, parts, at_least=int(kept.max()))
            trained = int(batch["completion_mask"].sum())
            own = self._config.recipe.sampler == "policy"
            counts = (len(inputs), tokens, tokens if own else 0, trained)
            self._log.count(*over_processes(self.accelerator, counts))
            return batch

        def _responses(self, inputs: Any) -> list[list[int]]:
            """Return the ids of the teacher's response for every row of this process.

            TRL repeats a query ``num_generations`` times and distributes the rows to the processes
            in order. A row's index in its group is its global index modulo the group's size.
            """
            first = self.accelerator.process_index * len(inputs)
            texts = [
                row["responses"][(first + at) % self.num_generations]
                for at, row in enumerate(inputs)
            ]
            tokenizer = self.processing_class
            ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
            return [[*row, tokenizer.eos_token_id] for row in ids]

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            """Write no model card into checkpoints."""

    return SurrogateTrainer

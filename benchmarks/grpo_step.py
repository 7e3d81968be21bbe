"""A step of on-policy RL: ours beside stock TRL, same model, queries, batch and loss.

    nice -n 5 .venv/bin/python benchmarks/grpo_step.py

*Stock*: TRL's GRPOTrainer with the same configuration and reward, in bf16 autocast and in float32;
the faster one counts. *Ours*: the arm ``on-policy-rl-no-kl`` at its own precision (float32 masters,
bf16 arithmetic). 6 queries x 8 rollouts x at most 48 tokens; the first step of each way warms up
and doesn't count. Tokens are those that were generated. That dropping rows without weight and
accumulating leaves the gradient is tested in ``tests/train/test_surrogate.py``. FLOPs: 2 per weight
and token generated, 6 per weight and token in a forward and backward pass.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from probe_hidden import gemm_flops
from transformers import TrainerCallback

from transferscope.models import load_model, load_tokenizer
from transferscope.train import DEMO, train_arm
from transferscope.train.arm import _quiet, training_arguments
from transferscope.train.step_log import FILE, read_steps
from transferscope.train.surrogate import CLIP, rewards, training_rows

STEPS, MODEL = 4, "smollm2-135m"
ARM = DEMO["on-policy-rl-no-kl"].model_copy(update={"steps": STEPS, "save_every": 100})


class Clock(TrainerCallback):
    """Seconds and generated tokens of every step of a stock trainer."""

    def __init__(self) -> None:
        self.steps: list[dict[str, float]] = []

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self.began = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.spent = time.perf_counter() - self.began

    def on_log(self, *_: Any, logs: dict[str, Any] | None = None, **__: Any) -> None:
        if logs and "completions/mean_length" in logs:
            tokens = logs["completions/mean_length"] * ARM.rows_per_step
            self.steps.append({"seconds": self.spent, "tokens": tokens, "trained": tokens})


def ours(folder: Path) -> list[dict[str, float]]:
    train_arm(ARM, folder / "ours")
    return [
        {"seconds": s["seconds"], "tokens": s["tokens_generated"], "trained": s["tokens_trained"]}
        for s in read_steps(folder / "ours" / FILE)
    ]


def stock(folder: Path, *, bf16: bool) -> list[dict[str, float]]:
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import GRPOConfig, GRPOTrainer

    tokenizer = load_tokenizer(MODEL)

    def correct(completions: Any, completion_ids: Any, gold: Any, **_: Any) -> list[float]:
        return rewards(completions, completion_ids, gold, ends=[tokenizer.eos_token_id])

    shared = training_arguments(ARM, folder / "stock") | {"bf16": bf16}
    with _quiet():
        clock = Clock()
        trainer = GRPOTrainer(
            model=load_model(MODEL),
            reward_funcs=[correct],
            args=GRPOConfig(
                **shared,
                num_generations=ARM.rollouts,
                steps_per_generation=shared["gradient_accumulation_steps"],
                max_completion_length=ARM.max_tokens,
                temperature=ARM.temperature,
                top_k=0,
                beta=0.0,
                loss_type="dapo",
                epsilon=CLIP[0],
                epsilon_high=CLIP[1],
            ),
            train_dataset=Dataset.from_list(training_rows(ARM)),
            processing_class=tokenizer,
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)  # stdout is for the document
        trainer.train()
    return clock.steps


def rate(steps: list[dict[str, float]]) -> dict[str, float]:
    counted = steps[1:]
    seconds = sum(s["seconds"] for s in counted)
    return {
        "seconds_a_step": round(seconds / len(counted), 1),
        "tokens_a_second": round(sum(s["tokens"] for s in counted) / seconds, 1),
        "share_of_tokens_trained": round(
            sum(s["trained"] for s in counted) / sum(s["tokens"] for s in counted), 2
        ),
    }


def main() -> None:
    weights = sum(p.numel() for p in load_model(MODEL).parameters())
    with tempfile.TemporaryDirectory() as scratch:
        found = {
            "ours": ours(Path(scratch)),
            "stock_bf16": stock(Path(scratch) / "bf16", bf16=True),
            "stock_fp32": stock(Path(scratch) / "fp32", bf16=False),
        }
    rates = {name: rate(steps) for name, steps in found.items()}
    fastest = max(rates[name]["tokens_a_second"] for name in ("stock_bf16", "stock_fp32"))
    ratio = rates["ours"]["tokens_a_second"] / fastest
    counted = found["ours"][1:]
    flops = sum(weights * (2 * s["tokens"] + 6 * s["trained"]) for s in counted)
    speed = flops / sum(s["seconds"] for s in counted)
    document = {
        "queries_x_rollouts_x_tokens": [ARM.queries_per_step, ARM.rollouts, ARM.max_tokens],
        "threads": torch.get_num_threads(),
        **rates,
        "times_the_faster_stock": round(ratio, 2),
        "reached": ratio >= 1.5,
        # Rollouts and the loss are bf16, over float32 weights.
        "share_of_gemm_speed": {
            str(dtype).removeprefix("torch."): round(speed / gemm_flops(dtype), 2)
            for dtype in (torch.float32, torch.bfloat16)
        },
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()

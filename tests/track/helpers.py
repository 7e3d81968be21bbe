"""A two-benchmark suite and TRL's trainer on a tiny model, for one process and several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from transferscope.core.suite import parse_suite

SUITE = parse_suite(
    """
name = "slice"
source = "math"
[groups]
math = ["fractions"]
other = ["sequences"]
[benchmarks.fractions]
pack = "mini"
[benchmarks.sequences]
pack = "mini"
""",
    place="slice.toml",
)


def trainer(model: Path, out: Path, steps: int = 4, **options: Any) -> SFTTrainer:
    """Four steps of two rows; checkpoints at 2 and 4, a log at every step."""
    rows = [{"prompt": f"{i} + 1", "completion": f" {i + 1}"} for i in range(16)]
    arguments = SFTConfig(
        output_dir=str(out),
        max_steps=steps,
        per_device_train_batch_size=2,
        learning_rate=3e-3,
        lr_scheduler_type="constant",
        save_steps=2,
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        disable_tqdm=True,
        seed=3,
    )
    return SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(model),
        **options,
    )

"""Off-policy SFT at 14B with LLaMA-Factory: the paper's published setting as launch files.

Full fine-tuning on a teacher's accepted responses: lr 5e-5, batch size 512, 2 epochs (from their
configuration; the text says 1.5), cosine schedule with warm-up 0.1 (arXiv 2507.00432;
docs/science.md section 6). The keys are those of LLaMA-Factory 0.9.5, and the tests parse them with
its own parser.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.files import read_json_lines, write_atomically, write_json
from ...grade.maths import is_correct
from ..queries import Query
from ..query_sources import is_finished
from .launch_folder import claim

VERSION = "0.9.5"
"""The version of LLaMA-Factory for which the settings are checked."""
BATCH, EPOCHS, LEARNING_RATE = 512, 2.0, 5e-5
DATASET = "transferscope"
HEAD = "# Off-policy SFT, the paper's setting"


def settings(
    model: str, *, template: str, nodes: int = 1, gpus: int = 8, max_tokens: int = 16_384
) -> dict[str, Any]:
    """Return LLaMA-Factory's training settings by key.

    Raises :class:`InputError` if the batch can't be divided evenly among the GPUs.
    """
    processes = nodes * gpus
    if BATCH % processes:
        what = f"a batch of {BATCH} can't be divided evenly among {processes} GPUs"
        raise InputError(what, remedy=f"use a number of GPUs that divides {BATCH}")
    return {
        "model_name_or_path": model,
        "trust_remote_code": False,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full",
        "deepspeed": "zero3.json",
        "dataset_dir": ".",
        "dataset": DATASET,
        "template": template,
        "cutoff_len": max_tokens,
        "preprocessing_num_workers": 16,
        "output_dir": "checkpoints",
        "logging_steps": 1,
        "save_steps": 50,
        "save_only_model": True,
        "report_to": "none",
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": BATCH // processes,
        "learning_rate": LEARNING_RATE,
        "num_train_epochs": EPOCHS,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.1,  # a fraction since transformers 5, which has no warmup_ratio
        "bf16": True,
        "seed": 0,
    }


ZERO3: Mapping[str, Any] = {
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "zero_allow_untested_optimizer": True,
    "bf16": {"enabled": "auto"},
    "zero_optimization": {
        "stage": 3,
        "overlap_comm": True,
        "contiguous_gradients": True,
        "reduce_bucket_size": "auto",
        "stage3_prefetch_bucket_size": "auto",
        "stage3_param_persistence_threshold": "auto",
        "stage3_gather_16bit_weights_on_model_save": True,
    },
}


def _yaml(value: Any) -> str:
    """Format a value; YAML 1.1 reads 5e-05 as a string, so a float needs a decimal point."""
    return f"{value:.1e}" if isinstance(value, float) and value < 1e-3 else json.dumps(value)


def export_llamafactory(
    queries: Sequence[Query],
    teacher: Path,
    out: Path,
    *,
    model: str,
    template: str = "qwen3",
    nodes: int = 1,
    gpus: int = 8,
) -> list[Path]:
    """Write ``sft.yaml``, ``zero3.json``, ``dataset_info.json``, ``train.json``; return the paths.

    The training data are the ``teacher``'s responses to ``queries`` (``transferscope distill``)
    that are finished and that the grader accepts. Raises :class:`InputError` if there are none, and
    if ``out`` has files with these names that no export wrote.
    """
    golds = {query.prompt: query.gold for query in queries}
    given = settings(model, template=template, nodes=nodes, gpus=gpus)
    rows = []
    for place, row in read_json_lines(teacher, remedy="name the file that distill wrote"):
        prompt, response = row.get("prompt"), row.get("response")
        if not isinstance(prompt, str) or not isinstance(response, str):
            raise InputError(
                "no prompt and response", place=place, remedy="use a file that distill wrote"
            )
        # a response that was cut off has no ending to learn
        if is_finished(row, place) and prompt in golds and is_correct(response, golds[prompt]):
            rows.append({"instruction": prompt, "input": "", "output": response})
    if not rows:
        what = "contains no finished and correct response to these queries"
        raise InputError(what, place=str(teacher), remedy="distill more responses")
    names = ("sft.yaml", "zero3.json", "dataset_info.json", "train.json")
    claim(out, names, head=HEAD)
    lines = [
        f"{HEAD}: llamafactory-cli train sft.yaml",
        f"# The keys are checked against LLaMA-Factory {VERSION}'s parser. Install that version,",
        "# or check them for yours. The run itself needs the GPUs.",
    ]
    lines += [f"{key}: {_yaml(value)}" for key, value in given.items()]
    write_atomically(out / "sft.yaml", "\n".join(lines) + "\n")
    write_json(out / "zero3.json", dict(ZERO3))
    write_json(out / "dataset_info.json", {DATASET: {"file_name": "train.json"}})
    write_atomically(out / "train.json", json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    return [out / name for name in names]

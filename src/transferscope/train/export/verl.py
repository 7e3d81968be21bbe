"""On-policy RL at 14B with verl: the paper's published setting as a launch file.

GRPO with DAPO's clip, without KL and entropy terms: 512 prompts x 16 rollouts, mini-batches of 32
prompts, lr 1e-6, clip 0.20/0.28, answers of up to 20,480 tokens with an overlong buffer of 4,096,
140 steps (arXiv 2507.00432; docs/science.md section 6). The keys are those of verl 0.9.1, and the
tests compose them with its own schema.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from ...core.errors import InputError, MissingExtra
from ...core.files import write_atomically, write_filled
from ..queries import Query
from ..query_prompts import messages
from .launch_folder import claim

STEPS, PROMPTS, ROLLOUTS, MINI_BATCH = 140, 512, 16, 32
PROMPT_TOKENS, ANSWER_TOKENS, OVERLONG = 2_048, 20_480, 4_096
VALIDATION = 64
"""The number of queries set aside for the validation file that verl requires."""

HEAD = "#!/usr/bin/env bash\n# On-policy RL, the paper's setting, by verl"

REWARD = '''"""verl's reward: transferscope's grader, as in evaluation and rejection sampling."""

from transferscope.grade.maths import is_correct


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **_):
    """Return 1.0 for a response that the grader accepts, else 0.0."""
    return float(is_correct(solution_str, ground_truth))
'''


def overrides(
    model: str, *, nodes: int = 1, gpus: int = 8, tensor_parallel: int = 2
) -> dict[str, str]:
    """Return verl's settings by key; ``$HERE`` stands for the folder of the launch file."""
    actor, rollout = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"
    overlong = "+reward.reward_kwargs.overlong_buffer_cfg"
    values: dict[str, object] = {
        "data.train_files": "$HERE/train.parquet",
        "data.val_files": "$HERE/val.parquet",
        "data.train_batch_size": PROMPTS,
        "data.max_prompt_length": PROMPT_TOKENS,
        "data.max_response_length": ANSWER_TOKENS,
        "data.filter_overlong_prompts": True,
        "algorithm.adv_estimator": "grpo",
        "algorithm.norm_adv_by_std_in_grpo": True,
        "algorithm.use_kl_in_reward": False,
        "actor_rollout_ref.model.path": model,
        "actor_rollout_ref.model.enable_gradient_checkpointing": True,
        "actor_rollout_ref.model.use_remove_padding": True,
        f"{actor}.optim.lr": "1e-6",
        f"{actor}.ppo_mini_batch_size": MINI_BATCH,
        f"{actor}.use_dynamic_bsz": True,
        f"{actor}.ppo_max_token_len_per_gpu": PROMPT_TOKENS + ANSWER_TOKENS,
        f"{actor}.clip_ratio_low": 0.20,
        f"{actor}.clip_ratio_high": 0.28,
        f"{actor}.loss_agg_mode": "token-mean",
        f"{actor}.entropy_coeff": 0,
        f"{actor}.use_kl_loss": False,
        f"{actor}.ulysses_sequence_parallel_size": min(4, gpus),
        f"{actor}.fsdp_config.param_offload": True,
        f"{actor}.fsdp_config.optimizer_offload": True,
        f"{rollout}.name": "vllm",
        f"{rollout}.n": ROLLOUTS,
        f"{rollout}.temperature": 1.0,
        f"{rollout}.tensor_model_parallel_size": min(tensor_parallel, gpus),
        f"{rollout}.gpu_memory_utilization": 0.8,
        f"{rollout}.max_num_batched_tokens": PROMPT_TOKENS + ANSWER_TOKENS,
        "reward.custom_reward_function.path": "$HERE/reward.py",
        "reward.custom_reward_function.name": "compute_score",
        "reward.reward_manager.name": "dapo",
        f"{overlong}.enable": True,
        f"{overlong}.len": OVERLONG,
        f"{overlong}.penalty_factor": 1.0,
        f"{overlong}.log": False,
        "+reward.reward_kwargs.max_resp_len": ANSWER_TOKENS,
        "trainer.total_training_steps": STEPS,
        "trainer.total_epochs": 100,  # total_training_steps ends training first
        "trainer.nnodes": nodes,
        "trainer.n_gpus_per_node": gpus,
        "trainer.save_freq": 20,
        "trainer.test_freq": -1,
        "trainer.val_before_train": False,
        "trainer.logger": "[console]",
        "trainer.project_name": "transferscope",
        "trainer.experiment_name": "on-policy-rl",
        "trainer.default_local_dir": "$HERE/checkpoints",
    }
    return {key: str(value) for key, value in values.items()}


def export_verl(
    queries: Sequence[Query],
    out: Path,
    *,
    model: str,
    nodes: int = 1,
    gpus: int = 8,
) -> list[Path]:
    """Write ``run.sh``, ``reward.py``, ``train.parquet`` and ``val.parquet``; return the paths.

    Raises :class:`InputError` for too few queries and if ``out`` has files with these names that no
    export wrote, and :class:`MissingExtra` without pyarrow.
    """
    if len(queries) < PROMPTS + VALIDATION:  # verl drops a batch that isn't full
        what = (
            f"{len(queries)} queries are too few for a batch of {PROMPTS} and {VALIDATION} that are"
        )
        remedy = f"give {PROMPTS + VALIDATION} or more"
        raise InputError(f"{what} set aside for validation", remedy=remedy)
    names = ("run.sh", "reward.py", "train.parquet", "val.parquet")
    claim(out, names, head=HEAD)
    given = overrides(model, nodes=nodes, gpus=gpus)
    lines = [
        f"{HEAD} 0.9.1: pip install verl vllm transferscope",
        "# The settings are checked against verl's schema. The run itself needs the GPUs.",
        "set -euo pipefail",
        'HERE="$(cd "$(dirname "$0")" && pwd)"',
        "python3 -m verl.trainer.main_ppo \\",
        *(f"  {_quoted(key, value)} \\" for key, value in given.items()),
        '  "$@"',
    ]
    write_atomically(out / "run.sh", "\n".join(lines) + "\n")
    (out / "run.sh").chmod(0o755)
    write_atomically(out / "reward.py", REWARD)
    _write_parquet(out / "train.parquet", queries[VALIDATION:])
    _write_parquet(out / "val.parquet", queries[:VALIDATION])
    return [out / name for name in names]


def _quoted(key: str, value: str) -> str:
    """Quote ``key=value`` for the shell; only $HERE is expanded."""
    if value.startswith("$HERE"):
        return f'{shlex.quote(key)}="{value}"'
    return shlex.quote(f"{key}={value}")


def _write_parquet(path: Path, queries: Sequence[Query]) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("train", needed_for="writing Parquet") from None
    rows = [
        {
            "data_source": "transferscope",
            "prompt": [dict(message) for message in messages(query.prompt)],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": query.gold},
            "extra_info": {"index": query.id, "split": path.stem},
        }
        for query in queries
    ]
    table = pyarrow.Table.from_pylist(rows)
    write_filled(path, lambda file: parquet.write_table(table, file))

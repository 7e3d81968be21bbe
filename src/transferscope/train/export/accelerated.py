"""accelerate's configurations for our own arms on several GPUs: FSDP2 and ZeRO-3.

accelerate launch --config_file fsdp2.yaml -m transferscope train on-policy-rl --out ARM
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...core.files import make_folder, write_atomically


def configurations(*, nodes: int = 1, gpus: int = 8) -> dict[str, dict[str, Any]]:
    """File name to settings, as accelerate's own configuration classes take them."""
    shared: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE",
        "debug": False,
        "downcast_bf16": "no",
        "machine_rank": 0,
        "main_training_function": "main",
        "mixed_precision": "bf16",
        "num_machines": nodes,
        "num_processes": nodes * gpus,
        "rdzv_backend": "static",
        "same_network": True,
        "use_cpu": False,
    }
    fsdp = {
        "fsdp_version": 2,
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_cpu_ram_efficient_loading": True,
        "fsdp_offload_params": False,
        "fsdp_reshard_after_forward": True,
        "fsdp_state_dict_type": "FULL_STATE_DICT",
        "fsdp_activation_checkpointing": True,
    }
    zero = {
        "zero_stage": 3,
        "zero3_init_flag": True,
        "zero3_save_16bit_model": True,
        "gradient_accumulation_steps": "auto",
        "offload_optimizer_device": "none",
        "offload_param_device": "none",
    }
    return {
        "fsdp2.yaml": shared | {"distributed_type": "FSDP", "fsdp_config": fsdp},
        "zero3.yaml": shared | {"distributed_type": "DEEPSPEED", "deepspeed_config": zero},
    }


def export_accelerate(out: Path, *, nodes: int = 1, gpus: int = 8) -> list[Path]:
    """``fsdp2.yaml`` and ``zero3.yaml`` in ``out``; returns them."""
    make_folder(out)
    for name, given in configurations(nodes=nodes, gpus=gpus).items():
        write_atomically(out / name, "\n".join(_yaml(given)) + "\n")
    return [out / name for name in configurations()]


def _yaml(given: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in given.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_yaml(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {json.dumps(value)}")
    return lines

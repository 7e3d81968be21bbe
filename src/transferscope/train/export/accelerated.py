"""accelerate's configurations for our own arms on several GPUs: DDP, and FSDP2 and ZeRO-3.

accelerate launch --config_file ddp.yaml -m transferscope train on-policy-rl --out ARM

DDP keeps a whole copy of the model in every process and drives every arm; of the other two see
`sharding`. On several machines the same command is given on each, with its number.
"""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.files import write_atomically
from .launch_folder import claim

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
PORT = 29_500
"""accelerate's own default, at which the first machine is asked."""

HEAD = "# accelerate's settings for the arms of transferscope\n"

SHARDED = """\
# The weights are sharded: for the arm classic-sft, or a training of your own. All other arms read
# whole weights and refuse this file; they take ddp.yaml.
"""

SEVERAL = """\
# One file for all machines; on machine K of {nodes} (K = 0 to {last}, 0 is {main_ip}):
#     accelerate launch --config_file {name} --machine_rank K -m transferscope train ARM --out DIR
# main_process_ip and main_process_port must be reachable from every machine, and DIR must be on a
# disk that all of them share.
"""


def configurations(
    *, nodes: int = 1, gpus: int = 8, main_ip: str | None = None
) -> dict[str, dict[str, Any]]:
    """File name to settings, as accelerate's own configuration classes take them.

    ``gpus`` are those of one machine, ``main_ip`` is the address of the first one. Raises
    :class:`InputError` for several machines without it, and for what is no address.
    """
    if main_ip and not _is_address(main_ip):
        what = f"{main_ip[:60]!r} is neither a host's name nor an address"
        raise InputError(what, place="--main-ip", remedy="give one like 10.0.0.7 or node-0")
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
    launcher = {}
    if nodes > 1:
        if not main_ip:
            what = f"{nodes} machines must know the address of the first"
            raise InputError(what, place="--nodes", remedy="give it: --main-ip ADDRESS")
        shared |= {"main_process_ip": main_ip, "main_process_port": PORT}
        # DeepSpeed's own launchers want ssh and a host file; this one is started on each machine.
        launcher = {"deepspeed_multinode_launcher": "standard"}
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
        **launcher,
    }
    return {
        "ddp.yaml": shared | {"distributed_type": "MULTI_GPU" if nodes * gpus > 1 else "NO"},
        "fsdp2.yaml": shared | {"distributed_type": "FSDP", "fsdp_config": fsdp},
        "zero3.yaml": shared | {"distributed_type": "DEEPSPEED", "deepspeed_config": zero},
    }


def export_accelerate(
    out: Path, *, nodes: int = 1, gpus: int = 8, main_ip: str | None = None
) -> list[Path]:
    """``ddp.yaml``, ``fsdp2.yaml`` and ``zero3.yaml`` in ``out``; returns them.

    Raises as :func:`configurations` does, and :class:`InputError` for other files of these names.
    """
    found = configurations(nodes=nodes, gpus=gpus, main_ip=main_ip)
    claim(out, list(found), head=HEAD)
    for name, given in found.items():
        about = {"nodes": nodes, "last": nodes - 1, "main_ip": main_ip, "name": name}
        head = HEAD if name == "ddp.yaml" else HEAD + SHARDED
        head += SEVERAL.format(**about) if nodes > 1 else ""
        write_atomically(out / name, head + "\n".join(_yaml(given)) + "\n")
    return [out / name for name in found]


def _is_address(text: str) -> bool:
    """It becomes a part of a comment, too: nothing else may stand in it."""
    if _HOST.fullmatch(text):
        return True
    try:
        return "%" not in text and ip_address(text).version == 6
    except ValueError:
        return False


def _yaml(given: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in given.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_yaml(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {json.dumps(value)}")
    return lines

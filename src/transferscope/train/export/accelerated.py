"""accelerate configurations for our own arms on several GPUs: DDP, FSDP2 and ZeRO-3.

accelerate launch --config_file ddp.yaml -m transferscope train on-policy-rl --out ARM

DDP keeps a whole copy of the model in every process and works for every arm. For the limits of the
other two see `sharding`. With several machines, run the same command on each of them, with the
machine's number.
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
"""The port of the first machine; this is accelerate's own default."""

HEAD = "# accelerate's settings for the arms of transferscope\n"

SHARDED = """\
# The weights are sharded. Use this file for the arm classic-sft, or for your own training. All
# other arms need whole weights and refuse this file: use ddp.yaml for them.
"""

SEVERAL = """\
# Use this file on all machines. On machine K of {nodes} (K = 0 to {last}, 0 is {main_ip}) run:
#     accelerate launch --config_file {name} --machine_rank K -m transferscope train ARM --out DIR
# main_process_ip and main_process_port must be reachable from every machine, and DIR must be on a
# disk that all of them share.
"""


def configurations(
    *, nodes: int = 1, gpus: int = 8, main_ip: str | None = None
) -> dict[str, dict[str, Any]]:
    """Return the settings for each file name, as accelerate's own configuration classes take them.

    ``gpus`` is the number per machine, and ``main_ip`` the address of the first machine. Raises
    :class:`InputError` if ``main_ip`` is invalid, or missing with several machines.
    """
    if main_ip and not _is_address(main_ip):
        what = f"{main_ip[:60]!r} is neither a host name nor an IP address"
        raise InputError(what, place="--main-ip", remedy="give a value like 10.0.0.7 or node-0")
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
            what = f"{nodes} machines need the address of the first one"
            raise InputError(what, place="--nodes", remedy="add --main-ip ADDRESS")
        shared |= {"main_process_ip": main_ip, "main_process_port": PORT}
        # DeepSpeed's own launchers need ssh and a host file; this one is started on each machine.
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
    """Write ``ddp.yaml``, ``fsdp2.yaml`` and ``zero3.yaml`` to ``out``; return their paths.

    Raises as :func:`configurations` does, and :class:`InputError` if ``out`` has files with these
    names that no export wrote.
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
    """Check strictly: the address also becomes part of a comment in the file."""
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

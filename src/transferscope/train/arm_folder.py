"""What an arm's folder holds, and whose it is. Imports none of the training libraries.

OUT/
  arm.started.json   the configuration and hashes of the files that it names, written
                   before the first step: another one is refused (see `arm_identity`)
  queries.without-evaluation.jsonl
                   the queries, where the evaluation asks some of those given or the teacher's
                   file has no answer to them
  steps.jsonl        one line per step (see `step_log`)
  checkpoints/       the last sealed checkpoint; removed at the end
  .arm.lock        held while a process trains here
  at/STEP/           the model after a step that the configuration asks to keep
  config.json, model.safetensors, tokenizer...   the tuned model, float32; with lora_rank
                   adapter_config.json and adapter_model.safetensors in their place
  arm.json           configuration, base, versions, cost; written last: the arm is complete
"""

from __future__ import annotations

from pathlib import Path

from ..core.errors import InputError
from ..core.files import check_folder, is_scratch

COMPLETE = "arm.json"
"""Written last into an arm's folder."""
STARTED = "arm.started.json"
DECONTAMINATED = "queries.without-evaluation.jsonl"
LOCK = ".arm.lock"


def is_complete(out: str | Path) -> bool:
    """Whether ``out`` holds a finished arm."""
    return (Path(out) / COMPLETE).is_file()


def refuse_foreign(out: Path) -> None:
    """Raise :class:`InputError` where ``out`` is neither new nor an arm's."""
    check_folder(out)
    # One look at the folder: another process of the same arm may be claiming it.
    held = {path.name: path for path in out.iterdir()} if out.is_dir() else {}
    if COMPLETE in held or STARTED in held:
        return
    empty = held.pop("checkpoints", None)  # of a process that is ahead of the first one
    for before in (DECONTAMINATED, LOCK):  # written before the folder is claimed
        held.pop(before, None)
    scratch = (STARTED, DECONTAMINATED)
    strange = [p for p in held.values() if not any(is_scratch(p, of=name) for name in scratch)]
    if strange or (empty is not None and any(empty.iterdir())):
        raise InputError("is not empty", place=str(out), remedy="name another --out")

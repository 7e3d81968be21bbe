"""Checkpoints that survive a kill at any moment.

transformers writes a checkpoint file by file into its final folder. Here a checkpoint is valid only
once it is sealed. The seal lists its files and their sizes, and is written last and atomically. The
previous checkpoint is removed only after that, so from the first checkpoint on a sealed one exists
at every moment. A partly written folder has no seal, or a file of the wrong size, and is skipped
and removed. Under a launcher every process adds the state of its random generators, and the
checkpoint is sealed once all of them have written theirs.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerState, TrainingArguments

from ..core.errors import InputError
from ..core.files import make_folder, read_json, write_atomically, write_json
from ..models.adapting import ADAPTER_CONFIG

SEAL = "sealed.json"
_NAME = re.compile(r"checkpoint-[0-9]+")


def newest(folder: Path) -> Path | None:
    """Return the latest sealed, intact checkpoint, or ``None``, and remove all others."""
    good = sorted((path for path in _checkpoints(folder) if _unharmed(path)), key=_step)
    chosen = good[-1] if good else None
    _remove(path for path in _checkpoints(folder) if path != chosen)
    return chosen


def refuse_other_processes(checkpoint: Path, processes: int) -> None:
    """Raise :class:`InputError` if ``checkpoint`` was written by a different number of processes.

    Every process has its own random draws and its own share of a step's rows, so the resumed
    training would differ from an uninterrupted one.
    """
    before = len(list(checkpoint.glob("rng_state*.pth")))  # one per process
    if before != processes:
        raise InputError(
            f"this arm was started with {_counted(before)} and can't resume with {processes}",
            place=str(checkpoint),
            remedy=f"resume with {_counted(before)}, or name another --out",
        )


class SealCheckpoints(TrainerCallback):  # type: ignore[misc]
    """Seals every checkpoint after it is written, then removes the earlier ones."""

    def on_save(self, args: TrainingArguments, state: TrainerState, *_: Any, **__: Any) -> None:
        """Seal the checkpoint; the trainer calls this in every process after writing its part."""
        args.distributed_state.wait_for_everyone()  # others may still be writing
        if not state.is_world_process_zero:
            return
        folder = Path(args.output_dir)
        current = folder / f"checkpoint-{state.global_step}"
        sizes = {path.name: path.stat().st_size for path in current.iterdir() if path.is_file()}
        write_json(current / SEAL, sizes)
        _remove(path for path in _checkpoints(folder) if path != current)


class KeepModels(TrainerCallback):  # type: ignore[misc]
    """Calls ``save(folder/STEP, scratch folder)`` after each of ``steps`` in every process."""

    def __init__(
        self, folder: Path, steps: Collection[int], save: Callable[[Path, Path], None]
    ) -> None:
        self.folder, self.steps, self.save = folder, steps, save

    def on_step_end(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Save the model; a step that is repeated after a kill writes the same model again."""
        if state.global_step in self.steps:
            self.save(self.folder / str(state.global_step), self.folder / ".staged")


def save_model(
    model: Any,
    tokenizer: Any,
    out: Path,
    *,
    staged: Path,
    weights: Mapping[str, Any] | None = None,
) -> None:
    """Save the model and its tokenizer to ``out``; every file there is complete or absent.

    If the model has adapters, only the arm's own adapter is saved. ``weights`` replace the model's
    own weights, which are incomplete if they are sharded.
    """
    from peft import PeftModel

    shutil.rmtree(staged, ignore_errors=True)
    # With beta > 0 TRL keeps the start as a second adapter, "ref". It is not part of the result.
    own: dict[str, Any] = {}
    if isinstance(model, PeftModel):
        own["selected_adapters"] = ["default"]
    if weights is not None:
        own["state_dict"] = weights
    model.save_pretrained(staged, **own)
    if isinstance(model, PeftModel):
        _sort_sets(staged / ADAPTER_CONFIG, model.peft_config["default"])
    tokenizer.save_pretrained(staged)
    make_folder(out)
    for path in sorted(staged.iterdir()):
        there = out / path.name
        if there.is_dir():  # replace() can't overwrite a folder that holds files
            shutil.rmtree(there)
        path.replace(there)
    staged.rmdir()


def _sort_sets(file: Path, config: Any) -> None:
    """Sort the sets (``target_modules``) that PEFT writes in the order of the process's hash seed.

    The same arm then has the same file and the same fingerprint, however often it is resumed.
    """
    saved = read_json(file)
    for key in (key for key, value in vars(config).items() if isinstance(value, set)):
        saved[key] = sorted(saved[key])
    write_atomically(file, json.dumps(saved, indent=2, sort_keys=True))


def _checkpoints(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()]


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _counted(processes: int) -> str:
    return f"{processes} process{'' if processes == 1 else 'es'}"


def _unharmed(path: Path) -> bool:
    try:
        sizes = read_json(path / SEAL)
        return bool(sizes) and all(
            (path / name).stat().st_size == size for name, size in sizes.items()
        )
    except (OSError, InputError):
        return False


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        (path / SEAL).unlink(missing_ok=True)
        shutil.rmtree(path)

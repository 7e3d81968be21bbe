"""Runs an arm around its trainer: start or resume, train, save, mark as complete.

The weights are kept in float32: at these learning rates many updates are smaller than one step of
bfloat16 and would be lost in it.
"""

from __future__ import annotations

import gc
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.files import holding, make_folder, read_json, write_json
from ..core.records import Tick
from ..models import ModelSource, find_model, fingerprint, load_model, load_tokenizer, reading
from .arm_config import ArmConfig
from .arm_folder import COMPLETE, LOCK, STARTED, is_complete, refuse_foreign
from .arm_identity import inputs_of, refuse_another, with_recorded_precision
from .checkpoints import (
    KeepModels,
    SealCheckpoints,
    newest,
    refuse_other_processes,
    save_model,
)
from .query_prompts import require_template
from .sharding import processes, refuse_sharded, whole_weights
from .step_log import FILE, StepLog, read_steps
from .warm_start import adapter_of, refuse_start

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer

SCHEMA = 1
_PACKAGES = ("transferscope", "torch", "transformers", "trl", "accelerate", "datasets")

Build = Callable[
    [ArmConfig, Path, "PreTrainedModel", "PreTrainedTokenizerBase", StepLog], "Trainer"
]
"""``build(config, checkpoints, model, tokenizer, log)`` returns a trainer, ready to start."""


def run_arm(config: ArmConfig, out: Path, *, tick: Tick, build: Build) -> Path:
    """Train the arm, write it to ``out``, and return ``out``; a finished arm is left unchanged.

    After a kill the same call resumes from the last sealed checkpoint with the same data. Under a
    launcher (``torchrun``) the processes share the work, and the first one writes. The model is
    released from memory at the end. Raises :class:`InputError` if ``out`` belongs to another
    configuration, contains other files, was started with another number of processes or is in use
    by another command, if the weights are sharded but the arm needs them whole, and if the arm
    can't train from its start.
    """
    config = with_recorded_precision(config, out / COMPLETE, out / STARTED)
    config_json = config.model_dump(mode="json")
    record = {"schema": SCHEMA, "config": config_json, "inputs": inputs_of(config)}
    if _is_done(out, record):
        if _is_first():  # a kill may have come between the record and the removal
            shutil.rmtree(out / "checkpoints", ignore_errors=True)
        return out
    refuse_sharded(config)
    config.accumulation(processes())  # raises before a model is loaded
    source = find_model(config.model)
    refuse_start(config, adapter_of(config.model), place=config.model)
    make_folder(out)
    with holding(out / LOCK, wait=False) if _is_first() else nullcontext(True) as alone:
        if not alone:
            what = f"another process is training this arm (it holds {LOCK})"
            raise InputError(what, place=str(out), remedy="wait for it, or name another --out")
        if _is_done(out, record):  # another process has finished it meanwhile
            return out
        make_folder(out / "checkpoints")
        try:
            _train(config, source, out, record, tick=tick, build=build)
        finally:
            # Trainer, model and callbacks refer to each other. Until they are collected, weights,
            # gradients and optimizer would stay in memory next to the next stage's models.
            gc.collect()
        if _is_first():
            _complete(config, source, out, record)
    return out


def _is_done(out: Path, record: dict[str, Any]) -> bool:
    """Return whether the arm is complete; raise if ``out`` belongs to another arm."""
    refuse_foreign(out)
    for name in (COMPLETE, STARTED):
        refuse_another(out / name, record)
    return is_complete(out)


def _complete(config: ArmConfig, source: ModelSource, out: Path, record: dict[str, Any]) -> None:
    """Record that the arm is complete, with its cost, and remove the checkpoints."""
    steps = read_steps(out / FILE, finished=True)
    totals = ("tokens_generated", "tokens_trained", "seconds", "cpu_seconds")
    write_json(
        out / COMPLETE,
        record
        | {
            "base": config.model,
            "base_fingerprint": fingerprint(source),
            "versions": {name: version(name) for name in _PACKAGES},
            "cost": {
                name: sum(step[name] for step in steps)
                for name in totals
                if all(name in step for step in steps)
            },
        },
    )
    shutil.rmtree(out / "checkpoints", ignore_errors=True)  # the same command may be removing it


def _train(
    config: ArmConfig,
    source: ModelSource,
    out: Path,
    record: dict[str, Any],
    *,
    tick: Tick,
    build: Build,
) -> None:
    """Train from the start or the last sealed checkpoint, and save the model."""
    from transformers import PrinterCallback

    checkpoints = out / "checkpoints"
    with _quiet():
        tokenizer = load_tokenizer(source)
        require_template(tokenizer, name=source.name)
        model = trainable_model(config, source)
        log = StepLog(out / FILE, config.arm, tick=tick)
        trainer = build(config, checkpoints, model, tokenizer, log)
        if _is_first():  # last, so that a wrong model, query file or teacher claims no folder
            write_json(out / STARTED, record)

        def save(folder: Path, staged: Path) -> None:
            weights = whole_weights(trainer)  # by all processes
            if _is_first():
                save_model(model, tokenizer, folder, staged=staged, weights=weights)

        trainer.remove_callback(PrinterCallback)  # stdout belongs to the caller
        trainer.add_callback(SealCheckpoints())
        trainer.add_callback(KeepModels(out / "at", config.kept_steps, save))
        with trainer.accelerator.main_process_first():
            last = newest(checkpoints)
        if last is not None:
            refuse_other_processes(last, trainer.args.world_size)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        save(out, checkpoints / "final")


def trainable_model(config: ArmConfig, source: ModelSource) -> PreTrainedModel:
    """Load the arm's start with all weights trainable, or only adapters on frozen weights.

    If the start is an adapter, it is trained further with ``lora_rank`` and merged first without.
    """
    if not config.lora_rank:
        return load_model(source, placed=False)
    from peft import LoraConfig, PeftModel, get_peft_model

    model = load_model(replace(source, adapter=None), placed=False)
    if source.adapter is None:
        # The adapters' random half is drawn here, so that one seed always gives the same start.
        with _seeded(config.seed):
            adapters = LoraConfig(
                r=config.lora_rank,
                lora_alpha=2 * config.lora_rank,
                target_modules="all-linear",
                task_type="CAUSAL_LM",
            )
            model = get_peft_model(model, adapters)
            base = config.model
    else:
        there = read_json(Path(source.adapter) / "adapter_config.json")
        with reading(source.name, source.adapter):
            model = PeftModel.from_pretrained(model, source.adapter, is_trainable=True)
        base = str(there["base_model_name_or_path"])
    # Record the name, not this machine's cache folder, so that the adapter can be shared.
    model.peft_config["default"].base_model_name_or_path = base
    return model


def training_arguments(config: ArmConfig, checkpoints: Path) -> dict[str, Any]:
    """Return the fields that TRL's configurations of all arms share."""
    import torch

    count = processes()
    parts = config.accumulation(count)
    return {
        "output_dir": str(checkpoints),
        "max_steps": config.steps,
        "per_device_train_batch_size": config.rows_per_step // count // parts,
        "gradient_accumulation_steps": parts,
        "activation_checkpointing": False,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "constant",
        "optim": "adamw_torch",
        "weight_decay": 0.0,
        "max_grad_norm": config.max_grad_norm,
        "bf16": config.precision == "bf16",
        "use_cpu": not torch.cuda.is_available(),
        "seed": config.seed,
        "data_seed": config.seed,
        "save_strategy": "steps",
        "save_steps": config.save_every,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": [],
        "disable_tqdm": True,
        "log_level": "error",
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": False,
        "shuffle_dataset": False,
        "train_sampling_strategy": "sequential",  # the default shuffles regardless of TRL's setting
    }


def _is_first() -> bool:
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence progress bars and notices of the libraries, then restore the caller's settings."""
    import datasets
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    data_bars = not datasets.are_progress_bars_disabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            # TRL 1.16 asks transformers 5.23 for an attribute by its old name, once per rollout.
            warnings.filterwarnings(
                "ignore", "`is_gradient_checkpointing` is deprecated", category=FutureWarning
            )
            # PEFT asks the hub for the base's vocabulary. Ours has no hub id, and is not resized.
            for message in ("Unable to fetch remote file", "Could not find a config file in"):
                warnings.filterwarnings("ignore", message, category=UserWarning)
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
        if data_bars:
            datasets.enable_progress_bars()

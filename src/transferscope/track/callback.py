"""A callback for any Trainer of transformers or TRL that evaluates and measures KL to the base.

    trainer = SFTTrainer(model=model, args=args, train_dataset=data)
    trainer.add_callback(TransferCallback(trainer, base="BASE", out="transfer", every=100))
    trainer.train()

Every ``every`` steps the current model answers a slice of the suite, and its answers are compared
with the base's answers to the same questions; KL is measured along the base's answers. Rows go to
``OUT/trace.jsonl``, run folders to ``OUT/runs``, and metrics named ``transfer/...`` to the
Trainer's reporters.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..compare import compare_runs
from ..core.errors import InputError
from ..core.files import check_folder
from ..core.records import ModelRef
from ..core.suite import Suite, load_suite
from ..core.token_shift import TokenShift
from ..engines import HFEngine
from ..evaluate import check_model, evaluate, evaluate_model
from ..models import find_model, fingerprint, load_tokenizer
from ..probe.texts import run_responses
from ..probe.tokens import token_shift
from ..report import words
from ..runs import Run, pair, read_run
from .looks import Look, joint_bounds, look_of, too_few
from .trace_folder import check_unused, cut_back, step_runs
from .trace_rows import FILE, Row, row_of, write_rows

logger = logging.getLogger(__name__)


class TransferCallback(TrainerCallback):  # type: ignore[misc]
    """Measures transfer every ``every`` steps and at the end.

    ``base`` names the model that training starts from; its tokenizer is used if the Trainer has no
    ``processing_class``. The model answers ``items`` questions per benchmark of ``suite`` (a name,
    a file or a :class:`Suite`), chosen with ``seed``; ``data`` is the folder with the files of real
    benchmarks. KL is measured on ``kl_items`` answers per benchmark (0: not at all). This loads the
    base, unless the model is an adapter that can be switched off. Only the first process measures
    while the others wait; a stop applies to every process.

    ``allowed_loss`` in points stops the training once a group other than the source is shown to
    have lost more. A harmless training, in which no group ever loses more, is stopped with a
    probability of at most 5 %, however many looks it has. Showing a small loss takes many items: if
    twice ``allowed_loss`` can't be shown, a warning says so when the training begins
    (docs/tracking.md).

    ``out`` belongs to one training: at step 0 it must hold no steps; a resumed training continues
    it.

    Raises :class:`InputError` for an invalid base, suite or number, and for a model whose weights
    are sharded over processes (use :func:`trace` on its checkpoints). When the training begins,
    raises it for an ``out`` with another training's steps or a base run with other settings.
    """

    def __init__(
        self,
        trainer: Any,
        *,
        base: str,
        out: str | Path,
        suite: str | Suite = "mini",
        items: int = 10,
        every: int = 100,
        kl_items: int = 2,
        allowed_loss: float | None = None,
        data: str | Path | None = None,
        seed: int = 0,
    ) -> None:
        if every < 1 or items < 2:
            what = f"every is {every} and items is {items}"
            raise InputError(what, remedy="set every to at least 1 and items to at least 2")
        if allowed_loss is not None and allowed_loss < 0:
            remedy = "set it to 0 points or more"
            raise InputError(f"allowed_loss is {allowed_loss}", remedy=remedy)
        accelerator = trainer.accelerator
        sharded = {"FSDP", "DEEPSPEED", "MEGATRON_LM"}
        if str(accelerator.distributed_type).rpartition(".")[2] in sharded:
            raise InputError(
                "the model's weights are sharded over processes",
                remedy="run `transferscope trace` on its checkpoints",
            )
        self.suite = suite if isinstance(suite, Suite) else load_suite(suite)
        self.options: dict[str, Any] = {"n": items, "seed": seed, "data": data}
        check_model(base, self.suite, **self.options)
        check_folder(Path(out), remedy="name another folder as out")
        self.trainer, self.base, self.out = trainer, base, Path(out)
        # transformers' own Trainer may be given encoded rows and no tokenizer.
        self.tokenizer = trainer.processing_class or load_tokenizer(find_model(base))
        self.every, self.kl_items, self.allowed_loss = every, kl_items, allowed_loss
        self.rows: list[Row] = []
        self._base_run: Run | None = None
        self._looks: dict[int, Look | None] = {}
        self._planned = 1

    def on_train_begin(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: Any
    ) -> None:
        """Let the base answer first; a resumed training reads its earlier answers and rows."""
        if not state.is_world_process_zero:
            return
        out = self.out / "runs" / "base"
        if state.global_step == 0:
            check_unused(self.out)
            # Before the first step the model is the base, with the same arithmetic as later steps.
            self._answer(out, ModelRef(self.base, fingerprint=fingerprint(find_model(self.base))))
            self.rows = []
        else:
            self.rows = cut_back(self.out, state.global_step, state.log_history)
            with _aside(None):
                evaluate_model(self.base, self.suite, out, dtype=self._dtype(), **self.options)
        self._base_run = base = read_run(out)
        # A resumed training keeps the plan of its first look, which determines how the error
        # probability is spent.
        planned = next((row.looks for row in self.rows if row.looks), None)
        self._planned = planned or -(-max(1, state.max_steps) // self.every)
        at = step_runs(self.out)
        self._looks = {
            row.step: look_of(pair(base, read_run(at[row.step])), self.suite)
            if row.step in at
            else None
            for row in self.rows
        }
        if self.allowed_loss is not None:
            start = look_of(pair(base, base), self.suite)
            items = int(self.options["n"])
            if told := too_few(start, self.suite, allowed=self.allowed_loss, items=items):
                logger.warning(told)

    def on_step_end(
        self, _args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Measure if a measurement is due at this step."""
        if state.global_step % self.every and state.global_step != state.max_steps:
            return
        if state.is_world_process_zero:
            row = self.measure(state.global_step)
            if self.allowed_loss is not None and (why := self._lost(row)):
                logger.warning(why)
                control.should_training_stop = True
        # The other processes wait here and stop with the first one; otherwise they would deadlock.
        accelerator = self.trainer.accelerator
        stop = torch.tensor(int(control.should_training_stop), device=accelerator.device)
        control.should_training_stop = bool(accelerator.reduce(stop, reduction="sum").item())

    def measure(self, step: int) -> Row:
        """Evaluate, probe, write and log the row of ``step``; call it in the first process.

        Raises :class:`InputError` before ``on_train_begin`` has run.
        """
        if self._base_run is None:
            what = "measure() has no base run to compare with yet"
            raise InputError(what, remedy="call it during training")
        out = self.out / "runs" / f"step-{step}"
        self._answer(out, ModelRef(f"step {step}", base=self.base))
        kl = self._kl()
        run = read_run(out)
        pairing = pair(self._base_run, run)
        (result,) = compare_runs(self._base_run, [run], pairings=[pairing]).tuned
        self._looks[step] = look_of(pairing, self.suite)
        looks = [self._looks[at] for at in sorted(self._looks) if at <= step]
        row = row_of(step, result, kl, joint_bounds(looks, self.suite, planned=self._planned))
        self.rows = [*(r for r in self.rows if r.step != step), row]
        write_rows(self.out / FILE, self.rows)
        self._log(row)
        return row

    def _log(self, row: Row) -> None:
        """Send the row to the Trainer's history and reporters without calling ``Trainer.log``.

        ``Trainer.log`` would mark the step's own log as done, in this process only, and TRL's
        version would add its averaged metrics and reset them.
        """
        state, control = self.trainer.state, self.trainer.control
        logs: dict[str, float] = row.metrics()
        if state.epoch is not None:
            logs["epoch"] = state.epoch
        state.log_history.append({**logs, "step": row.step})
        due = control.should_log
        self.trainer.callback_handler.on_log(self.trainer.args, state, control, logs)
        control.should_log = due

    @property
    def _model(self) -> Any:
        return self.trainer.accelerator.unwrap_model(self.trainer.model)

    def _dtype(self) -> str:
        return str(next(self._model.parameters()).dtype).removeprefix("torch.")

    def _answer(self, out: Path, ref: ModelRef) -> None:
        """Let the current model answer the open questions; refuse another run's folder."""
        model = self._model
        with _aside(model):
            engine = HFEngine.from_loaded(model, self.tokenizer, name=ref.name)
            evaluate(engine, self.suite, out, model_ref=ref, **self.options)

    def _kl(self) -> TokenShift | None:
        if not self.kl_items or self._base_run is None:
            return None
        rows, labels = run_responses(self._base_run, items=self.kl_items)
        now = (self._model, self.tokenizer)
        base = now if hasattr(self._model, "disable_adapter") else self.base
        with _aside(self._model):
            return token_shift(base, now, rows, prefix="base", labels=labels)

    def _lost(self, row: Row) -> str:
        """Return a sentence that names the groups shown to have lost too much; empty if none.

        The loss must also be present at this step: a loss that was recovered doesn't stop the
        training.
        """
        allowed = self.allowed_loss or 0.0
        lost = [
            f"{words.group_name(group)} (the true change fell below {words.number(below)} points)"
            for group, below in (row.lowest or {}).items()
            if below < -allowed and row.gain[group] < -allowed
        ]
        if not lost:
            return ""
        return (
            f"training stops: a true loss of more than {allowed:g} points is shown on "
            f"{' and '.join(lost)} at step {row.step}; this is look {row.look} of {row.looks} "
            "planned, and the bound holds over all looks"
        )


@contextmanager
def _aside(model: Any) -> Iterator[None]:
    """Restore random states and the model's mode afterwards, so that training isn't affected."""
    training = model is not None and model.training
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.no_grad():
        yield
    if model is not None:
        model.train(training)

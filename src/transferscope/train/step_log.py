"""``steps.jsonl``: one line per optimizer step, in the order they happened.

    {"step": 3, "loss": ..., "reward": ..., "reward_std": ..., "grad_norm": ..., ...}

``loss``: the mean over response tokens of -w * log pi, in nats, at the temperature of the gradient,
with w the response's weight; in SFT the mean is over correct responses: their negative
log-likelihood. The term of beta is not in it (see ``kl``), and it is ``null`` where it is no finite
number. TRL's own loss has the same gradient, but its value is that of the weights alone (a constant
-1 in SFT), because the ratio is 1; older logs hold that one.

``reward`` (mean over the step's responses, 0..1; of coin flips in the arm with random
reward), ``correct`` (share that the grader accepts), ``reward_std``, ``flat_groups`` (share of
groups whose rewards are all equal) and, with beta > 0, ``kl``, all ``null`` in classic SFT;
``grad_norm`` (global, before clipping; docs/science.md section 6); ``length`` (mean tokens of the
step's responses, those without weight too); ``tokens_generated``, ``tokens_trained`` (response
tokens in the loss), all three over all processes; ``learning_rate``; ``seconds`` (wall) and,
where the model is on the CPU, ``cpu_seconds`` (all threads of the first process), both without the
writing of checkpoints.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerState, TrainingArguments

from ..core.errors import InputError
from ..core.files import appending, json_lines, read_bytes, write_atomically
from ..core.records import Tick, no_tick

FILE = "steps.jsonl"
_AGAIN = "remove the arm's folder and train again"
_READ = ("grad_norm", "tokens_generated", "tokens_trained", "seconds")
_COUNTED = (*_READ, "cpu_seconds")
_METRICS = {
    "loss": "loss",
    "reward": "reward",
    "correct": "rewards/correct/mean",
    "reward_std": "reward_std",
    "flat_groups": "frac_reward_zero_std",
    "kl": "kl",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
}


class StepLog(TrainerCallback):  # type: ignore[misc]
    """Appends the lines and calls ``tick(arm, step, steps)`` after each.

    ``loss`` is what :meth:`add_loss` was told, else what the trainer reports (classic SFT).

    The trainer reports what it can't log through :meth:`count`. A resumed run starts by dropping
    the lines after its checkpoint, which it is about to repeat.
    """

    def __init__(self, path: Path, arm: str, *, tick: Tick = no_tick) -> None:
        self.path, self.arm, self.tick = path, arm, tick
        self._counts = {"responses": 0, "tokens": 0, "generated": 0, "trained": 0}
        self._loss: float | None = None
        self._writes = True
        self._began = (0.0, 0.0)
        self._spent = (0.0, 0.0)

    def count(self, responses: int, tokens: int, generated: int, trained: int) -> None:
        """Add to the current step's responses and their tokens, of those generated and trained on.

        Those of all processes: the first one writes the log (see :func:`over_processes`).
        """
        self._counts["responses"] += responses
        self._counts["tokens"] += tokens
        self._counts["generated"] += generated
        self._counts["trained"] += trained

    def add_loss(self, part: float) -> None:
        """Add a part of the step's loss, which takes the place of what the trainer reports.

        Over all processes and divided by the whole step's tokens already.
        """
        self._loss = part + (self._loss or 0.0)

    def on_train_begin(
        self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any
    ) -> None:
        """Keep only the lines of steps that the checkpoint holds."""
        self._writes = state.is_world_process_zero
        if not self._writes:
            return
        kept = [line for line in read_steps(self.path) if line["step"] <= state.global_step]
        write_atomically(self.path, map(_line, kept))
        self.tick(self.arm, state.global_step, state.max_steps)

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Start the clocks."""
        self._counts, self._loss = dict.fromkeys(self._counts, 0), None
        self._began = (time.perf_counter(), time.process_time())

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Stop the clocks."""
        now = (time.perf_counter(), time.process_time())
        self._spent = (now[0] - self._began[0], now[1] - self._began[1])

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        *__: Any,
        logs: Mapping[str, Any] | None = None,
        **___: Any,
    ) -> None:
        """Append the step's line."""
        if logs is None or "loss" not in logs or not self._writes:
            return  # the summary at the end of training, or another process's
        counts = self._counts
        entry: dict[str, Any] = {"step": state.global_step}
        entry |= {name: _finite(logs.get(key)) for name, key in _METRICS.items()}
        if self._loss is not None:
            entry["loss"] = _finite(self._loss)
        responses = counts["responses"]
        entry["length"] = counts["tokens"] / responses if responses else None
        entry["tokens_generated"] = counts["generated"]
        entry["tokens_trained"] = counts["trained"]
        entry["seconds"], busy = (round(spent, 3) for spent in self._spent)
        if args.device.type == "cpu":  # beside a GPU they would only say how long it was waited for
            entry["cpu_seconds"] = busy
        with appending(self.path) as file:
            file.write(_line(entry).encode())
        self.tick(self.arm, state.global_step, state.max_steps)


def over_processes(accelerator: Any, counts: Sequence[int]) -> list[int]:
    """Every count summed over the processes that train together; all of them must call."""
    import torch

    own = torch.tensor(counts, device=accelerator.device)
    return [int(count) for count in accelerator.reduce(own, reduction="sum")]


def read_steps(path: Path, *, finished: bool = False) -> list[dict[str, Any]]:
    """The lines of a ``steps.jsonl``; a last line cut off by a kill is left out.

    A missing file has no lines. Neither may be where the arm is ``finished``. :class:`InputError`
    when another line than the last is broken or lacks what is read of it.
    """
    if not path.exists() and not finished:
        return []
    *whole, cut = read_bytes(path, remedy=_AGAIN).split(b"\n")  # a whole line ends in a newline
    if finished and cut:
        raise InputError("ends in half a line", place=str(path), remedy=_AGAIN)
    entries = []
    for place, entry in json_lines(whole, path=path, remedy=_AGAIN):
        if (wrong := _fault(entry)) is not None:
            raise InputError(wrong, place=place, remedy=_AGAIN)
        entries.append(entry)
    if finished and not entries:
        raise InputError("holds no step", place=str(path), remedy=_AGAIN)
    return entries


def _fault(entry: Mapping[str, Any]) -> str | None:
    """What is wrong with a line, in words."""
    if not isinstance(entry.get("step"), int):
        return "no number in 'step'"
    for key in _READ:
        if key not in entry:
            return f"no {key!r}"
    for key, value in entry.items():
        if not isinstance(value, int | float | None):
            return f"{key!r} is not a number"
        if isinstance(value, float) and not math.isfinite(value):
            return f"{key!r} is not finite"
        if key in _COUNTED and value is not None and value < 0:
            return f"{key!r} is negative"
    return None


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, allow_nan=False) + "\n"


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None

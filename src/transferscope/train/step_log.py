"""``steps.jsonl``: one line per optimizer step, in order.

    {"step": 3, "loss": ..., "reward": ..., "reward_std": ..., "grad_norm": ..., ...}

``loss`` is the mean over response tokens of -w * log pi, in nats, at the temperature of the
gradient, where w is the response's weight. In SFT the mean is over correct responses, so it is
their negative log-likelihood. The beta term is not included (see ``kl``). A loss that is not finite
is ``null``. TRL's own loss has the same gradient, but because the ratio is 1 its value depends on
the weights alone (a constant -1 in SFT). Older logs contain that value.

- ``reward``: the mean over the step's responses, 0..1; the mean of coin flips in the arm with
  random rewards. ``correct``: the share that the grader accepts. ``reward_std``. ``flat_groups``:
  the share of groups whose rewards are all equal. ``kl``: only with beta > 0. All of these are
  ``null`` in classic SFT.
- ``grad_norm``: the global norm before clipping (docs/science.md section 6).
- ``length``: the mean length of the step's responses in tokens, including those without weight.
  ``tokens_generated``, and ``tokens_trained``: the response tokens in the loss. All three cover all
  processes.
- ``learning_rate``.
- ``seconds``: wall time. ``cpu_seconds``: CPU time of all threads of the first process, only if the
  model is on the CPU. Neither includes writing checkpoints.
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
    """Appends one line per step and calls ``tick(arm, step, steps)`` after each.

    ``loss`` is the sum passed to :meth:`add_loss`, or the trainer's own loss if that was never
    called (classic SFT). The trainer passes counts that it can't log itself to :meth:`count`. A
    resumed run first drops the lines after its checkpoint, because it is about to repeat those
    steps.
    """

    def __init__(self, path: Path, arm: str, *, tick: Tick = no_tick) -> None:
        self.path, self.arm, self.tick = path, arm, tick
        self._counts = {"responses": 0, "tokens": 0, "generated": 0, "trained": 0}
        self._loss: float | None = None
        self._writes = True
        self._began = (0.0, 0.0)
        self._spent = (0.0, 0.0)

    def count(self, responses: int, tokens: int, generated: int, trained: int) -> None:
        """Add responses, their tokens, tokens generated and tokens trained on to the step's counts.

        The counts are totals over all processes, because only the first one writes the log (see
        :func:`over_processes`).
        """
        self._counts["responses"] += responses
        self._counts["tokens"] += tokens
        self._counts["generated"] += generated
        self._counts["trained"] += trained

    def add_loss(self, part: float) -> None:
        """Add a part of the step's loss, which replaces the loss that the trainer reports.

        The part must already be summed over all processes and divided by the whole step's tokens.
        """
        self._loss = part + (self._loss or 0.0)

    def on_train_begin(
        self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any
    ) -> None:
        """Keep only the lines of steps up to the checkpoint."""
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
            return  # the summary at the end of training, or not the first process
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
        if args.device.type == "cpu":  # with a GPU it would only measure the waiting
            entry["cpu_seconds"] = busy
        with appending(self.path) as file:
            file.write(_line(entry).encode())
        self.tick(self.arm, state.global_step, state.max_steps)


def over_processes(accelerator: Any, counts: Sequence[int]) -> list[int]:
    """Sum every count over the processes that train together; all of them must call this."""
    import torch

    own = torch.tensor(counts, device=accelerator.device)
    return [int(count) for count in accelerator.reduce(own, reduction="sum")]


def read_steps(path: Path, *, finished: bool = False) -> list[dict[str, Any]]:
    """Read the lines of a ``steps.jsonl``, without a last line that was cut off by a kill.

    A missing file has no lines. If the arm is ``finished``, a cut-off line and a missing file are
    errors too. Raises :class:`InputError` for any other line that is malformed or lacks a required
    field.
    """
    if not path.exists() and not finished:
        return []
    *whole, cut = read_bytes(path, remedy=_AGAIN).split(b"\n")  # a complete line ends in a newline
    if finished and cut:
        raise InputError("ends with an incomplete line", place=str(path), remedy=_AGAIN)
    entries = []
    for place, entry in json_lines(whole, path=path, remedy=_AGAIN):
        if (wrong := _fault(entry)) is not None:
            raise InputError(wrong, place=place, remedy=_AGAIN)
        entries.append(entry)
    if finished and not entries:
        raise InputError("contains no steps", place=str(path), remedy=_AGAIN)
    return entries


def _fault(entry: Mapping[str, Any]) -> str | None:
    """Describe what is wrong with a line; ``None`` if it is valid."""
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

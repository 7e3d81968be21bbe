from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transferscope.train.log import StepLog, read_steps


def call(log: StepLog, event: str, state: Any, device: str = "cpu", **extra: Any) -> None:
    args = SimpleNamespace(device=SimpleNamespace(type=device))
    getattr(log, event)(args, state, SimpleNamespace(), **extra)


def test_lines_after_the_checkpoint_are_dropped_and_not_doubled(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    ticks: list[tuple[str, int, int]] = []
    state = SimpleNamespace(global_step=0, max_steps=3, is_world_process_zero=True)
    log = StepLog(path, "arm", tick=lambda *tick: ticks.append(tick))
    call(log, "on_train_begin", state)
    for step in (1, 2, 3):
        call(log, "on_step_begin", state)
        log.count(responses=2, tokens=14, generated=10, trained=6)
        state.global_step = step
        call(log, "on_step_end", state)
        call(log, "on_log", state, logs={"loss": float("nan"), "grad_norm": 0.5})
        call(log, "on_log", state, logs={"train_runtime": 1.0})
    with path.open("a") as file:
        file.write('{"step": 4, "lo')  # killed while writing
    lines = read_steps(path)
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert lines[0]["loss"] is None
    assert (lines[0]["length"], lines[0]["tokens_trained"]) == (7.0, 6)
    assert ticks == [("arm", step, 3) for step in (0, 1, 2, 3)]
    state.global_step = 1
    call(StepLog(path, "arm"), "on_train_begin", state)
    assert [line["step"] for line in read_steps(path)] == [1]
    assert path.read_text().count("\n") == 1


@pytest.mark.parametrize(("device", "logged"), [("cpu", True), ("cuda", False)])
def test_cpu_seconds_are_those_of_a_model_on_the_cpu(tmp_path: Path, device, logged) -> None:
    state = SimpleNamespace(global_step=1, max_steps=1, is_world_process_zero=True)
    log = StepLog(tmp_path / "steps.jsonl", "arm")
    for event in ("on_train_begin", "on_step_begin", "on_step_end"):
        call(log, event, state, device)
    call(log, "on_log", state, device, logs={"loss": 1.0})
    assert ("cpu_seconds" in read_steps(tmp_path / "steps.jsonl")[0]) is logged

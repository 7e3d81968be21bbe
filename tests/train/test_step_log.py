from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.train.step_log import StepLog, read_steps


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


STEP = {"step": 1, "grad_norm": 0.5, "tokens_generated": 9, "tokens_trained": 9, "seconds": 1.5}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grad_norm": float("nan")}, "'grad_norm' is not finite"),
        ({"grad_norm": -1}, "'grad_norm' is negative"),
        ({"loss": float("-inf")}, "'loss' is not finite"),
        ({"seconds": float("nan")}, "'seconds' is not finite"),
        ({"seconds": -1.0}, "'seconds' is negative"),
        ({"tokens_trained": "x"}, "'tokens_trained' is not a number"),
        ({"step": None}, "no number in 'step'"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, change: dict, said: str) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (STEP, STEP | change)))
    with pytest.raises(InputError, match=rf"steps\.jsonl:2: {said}; remove the arm's folder"):
        read_steps(path)


@pytest.mark.parametrize("missing", ["grad_norm", "seconds", "tokens_generated"])
def test_a_line_without_what_is_read_of_it_is_named(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "steps.jsonl"
    path.write_text(json.dumps({k: v for k, v in STEP.items() if k != missing}) + "\n")
    with pytest.raises(InputError, match=rf"steps\.jsonl:1: no '{missing}'; remove"):
        read_steps(path)


def test_a_finished_arm_has_a_log(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    assert read_steps(path) == []
    with pytest.raises(InputError, match="no such file"):
        read_steps(path, finished=True)
    path.write_text('{"step": 1, "lo')
    assert read_steps(path) == []
    with pytest.raises(InputError, match=r"steps\.jsonl: ends with an incomplete line; remove"):
        read_steps(path, finished=True)
    path.write_text("")
    with pytest.raises(
        InputError, match=r"steps\.jsonl: contains no steps; remove the arm's folder"
    ):
        read_steps(path, finished=True)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="is a folder, not a file"):
        read_steps(path)
    path.rmdir()
    path.write_text(json.dumps(STEP | {"grad_norm": None}) + "\n")  # no finite one: its own case
    assert len(read_steps(path, finished=True)) == 1

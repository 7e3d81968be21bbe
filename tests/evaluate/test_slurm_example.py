"""The example script of a Slurm array gives, without Slurm, the run of one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from transferscope.cli import main

from ..engines.serving import Server, completion, serving
from .test_merge_shards import content

SCRIPT = Path(__file__).parents[2] / "examples" / "slurm-eval.sh"


@pytest.fixture
def server() -> Server:
    def answer(path: str, payload: object) -> object:
        return {} if payload is None else completion("7")

    with serving(answer) as running:
        yield running


def test_the_script_is_valid() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    done = subprocess.run(["bash", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: slurm-eval.sh MODEL OUT [merge]\n")


def test_shares_and_merge(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of the same name adds the options of a server."""
    toml = 'name = "s"\nsource = "math"\n[groups]\nmath = ["chains"]\n'
    (tmp_path / "s.toml").write_text(toml + '[benchmarks.chains]\npack = "mini"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    asked = ["--limit", "5", "--engine", "openai", "--engine-args", f"base_url={server.base_url}"]
    command = tmp_path / "bin" / "transferscope"
    command.parent.mkdir()
    options = f'[ "$1" = eval ] && set -- "$@" {" ".join(asked)}'
    command.write_text(f'#!/bin/sh\n{options}\nexec {sys.executable} -m transferscope "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "SUITE": "s.toml", "SLURM_ARRAY_TASK_COUNT": "2"}
    for share in ("1", "2"):
        own = {**env, "SLURM_ARRAY_TASK_ID": share}
        subprocess.run(["bash", str(SCRIPT), "org/m", "runs/m"], env=own, check=True)
    subprocess.run(["bash", str(SCRIPT), "org/m", "runs/m", "merge"], env=env, check=True)
    main(["eval", "org/m", "--suite", "s.toml", *asked, "--out", "whole"])
    assert content(Path("runs/m")) == content(Path("whole"))
    parts = {"m.shard-1-of-2", "m.shard-2-of-2"}
    assert {p.name for p in Path("runs").iterdir()} == {"m", *parts}

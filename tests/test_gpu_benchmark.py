"""The script for a GPU machine, tried with tiny models on the processor."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "gpu.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=280, check=False, env=env
    )


def test_all_steps_run_with_tiny_models_and_agree() -> None:
    done = run("--small")
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["failed"] == []
    steps = {"products", "evaluation", "packed_grpo_rows", "probes", "large_probes"}
    assert steps <= report.keys()
    assert report["evaluation"]["by_way"]["float32"]["equal_answers"] == 1.0
    assert len(report["evaluation"]["checks"]) == 4
    assert report["packed_grpo_rows"]["gradient_norm"][0] > 0.0
    assert report["probes"]["kl_js_pca_l2"]["cpu"][0] > 0.0
    assert report["large_probes"]["probe_tokens"]["times_two_bare_passes"] > 0.0


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_one_line_says_so() -> None:
    done = run()
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "no GPU" in done.stderr

"""Real servers on loopback, and vLLM in-process, agree with transformers (`make serve-tests`).

Skipped unless ``VLLM_PYTHON`` names a Python that has vLLM.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "engine_agreement.py"
PYTHON = os.environ.get("VLLM_PYTHON", "")
SECONDS = 1800
NATS = 1e-3
"""Largest difference of a choice's log-likelihood in float32."""

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="VLLM_PYTHON names no Python that has vLLM"),
    pytest.mark.timeout(SECONDS),
]


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    """What the benchmark measures, by engine."""
    items = os.environ.get("SERVE_ITEMS", "3")
    command = [sys.executable, str(SCRIPT), "--items", items, "--without-bfloat16"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, timeout=SECONDS - 60, check=False
    )
    assert done.returncode == 0
    return {row["engine"]: row for row in json.loads(done.stdout)["rows"]}


@pytest.mark.parametrize(
    "engine", ["vllm", "openai, vLLM server, ids", "openai, vLLM server, chat"]
)
def test_the_same_answers_and_finishes_as_hf(rows: dict[str, Any], engine: str) -> None:
    row = rows[engine]
    assert row["dtype"] == "float32"
    assert row["equal_answers"] == row["answers"] > 0
    assert row["equal_finishes"] == row["answers"]


@pytest.mark.parametrize("engine", ["vllm", "openai, vLLM server, ids"])
def test_the_same_choices_as_hf(rows: dict[str, Any], engine: str) -> None:
    row = rows[engine]
    assert row["choices"] > 0
    assert row["max_difference"] < NATS

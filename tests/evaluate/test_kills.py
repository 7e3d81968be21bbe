"""A killed evaluation, resumed, repeats at most one batch and ends in the same folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kill_runs.py")


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork here")
def test_a_kill_at_any_moment_costs_at_most_one_batch(tmp_path: Path) -> None:
    """Before every step that changes a file, and at 100 random moments."""
    command = [sys.executable, str(SCRIPT), str(tmp_path), "100", "20261129"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["once"] == {"sums": 18, "more": 10, "colours": 14}
    trials = found["trials"]
    assert len(trials) == found["steps"] + 100
    assert found["steps"] > 70  # journal lines, flushes, renames, removals
    assert [trial for trial in trials if not (trial["resumed"] and trial["same"])] == []
    # One process at a time is killed, so at most one batch of ONE benchmark is repeated.
    repeated = [sum(trial["repeated"].values()) for trial in trials]
    assert min(repeated) == 0
    assert max(repeated) <= found["batch"]
    # The kills are spread over the whole evaluation.
    random = [trial for trial in trials if trial["kind"] == "random"]
    assert sum(trial["killed"] for trial in random) >= 40
    reached = {trial["asked_before"] // 14 for trial in random if trial["killed"]}
    assert reached >= {0, 1, 2}
    assert all(trial["killed"] for trial in trials if trial["kind"] == "step")

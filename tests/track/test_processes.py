"""TransferCallback where two processes train: the first measures, both end at the same step."""

from __future__ import annotations

import json
from pathlib import Path

from ..conftest import torchrun

SCRIPT = """
import json
import sys
from pathlib import Path

root, model, out = sys.argv[1:]
sys.path.insert(0, root)
from tests.track.helpers import SUITE, trainer
from transferscope import TransferCallback

out = Path(out)
found = trainer(Path(model), out / "run")
callback = TransferCallback(
    found, base=model, out=out / "transfer", suite=SUITE, items=2, every=1, allowed_loss=0.0
)
callback._lost = lambda row: row.step == 3
found.add_callback(callback)
found.train()
rank = found.accelerator.process_index
history = [entry for entry in found.state.log_history if "loss" in entry]
(out / f"rank{rank}.json").write_text(json.dumps([found.state.global_step, history]))
# Left to the interpreter's end, gloo's threads now and then abort the process.
found.accelerator.end_training()
"""


def test_both_processes_stop_at_the_step_that_lost(tiny_model: Path, tmp_path: Path) -> None:
    script = tmp_path / "launch.py"
    script.write_text(SCRIPT)
    root = Path(__file__).parents[2]
    done = torchrun(2, script, str(root), str(tiny_model), str(tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (json.loads((tmp_path / f"rank{i}.json").read_text()) for i in (0, 1))
    assert first[0] == second[0] == 3
    for _, history in (first, second):
        assert [entry["step"] for entry in history] == [1, 2, 3]
    assert [a["loss"] for a in first[1]] == [b["loss"] for b in second[1]]
    rows = (tmp_path / "transfer" / "trace.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == [1, 2, 3]

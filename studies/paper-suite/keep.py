"""Keep a run without texts and without the made-up rows: what the study commits.

    .venv/bin/python studies/paper-suite/keep.py RUN NAME

writes studies/paper-suite/runs/NAME, in which the model is called NAME.
"""

import sys
from dataclasses import replace
from pathlib import Path

from transferscope.runs import RunWriter, read_run
from transferscope.runs.writer import claimed

MADE_UP = "GPQA-Diamond"


def main() -> None:
    """Copy outcomes and scores of the run that the command line names."""
    path, name = Path(sys.argv[1]), sys.argv[2]
    run = read_run(path)
    metrics = {b: found for b, found in run.manifest.metrics.items() if b != MADE_UP}
    model = replace(run.manifest.model, name=name)
    kept = replace(run.manifest, model=model, metrics=metrics, complete={}, status="running")
    out = Path(__file__).parent / "runs" / name
    with claimed(out), RunWriter.open(out, kept) as writer:
        for benchmark, outcomes in run.by_benchmark.items():
            if benchmark != MADE_UP:
                writer.write_benchmark(benchmark, outcomes)
    for lock in out.glob(".run.*"):
        lock.unlink()


if __name__ == "__main__":
    main()

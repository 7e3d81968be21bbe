"""Every command on results, over a cohort of 20 models x 12 benchmarks x 500 items.

Seconds are for one command after start-up: reading the run folders, the numbers, and the text it
prints, as the command line does it. Growth is measured by halving models and items; 2.0 is linear.
*Large* is a cohort of 5,000 items, and a pair of plain JSONL files of 60,000 answers each, with
scores alone and with texts: every command in a fresh process, with its processor time and
its peak memory (VmHWM), twice: the smaller numbers count. ``--beside`` measures another version
there in the same run, given its ``src`` folder (``git worktree add ../before COMMIT``).
``--only-large`` skips the rest. Prints one JSON object.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/compare.py [--beside ../before/src] [--only-large]
"""

import argparse
import contextlib
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from transferscope.cli import main
from transferscope.core.records import ModelRef, Outcome, Response
from transferscope.core.suite import load_suite
from transferscope.runs import Manifest, RunWriter

MODELS, ITEMS, MANY = 20, 500, 5_000
TASKS = (
    *("gsm8k", "math_500", "arc_challenge", "hellaswag", "winogrande", "boolq", "piqa"),
    *("openbookqa", "truthfulqa_mc2", "mmlu", "ifeval", "triviaqa"),
)
"""Benchmarks that the taxonomy knows, so that foreign rows of them are compared."""
TIMES = 2
LIMIT_SECONDS = 3.0
POLICY = """
[guards.other]
margin = 2.0
[guards.non]
margin = 2.0
"""


def write_run(folder: Path, name: str, items: int, gain: float, *, texts: bool) -> None:
    """A run on the mini suite: independent 0/1 answers, ``gain`` above one half."""
    suite = load_suite("mini")
    draw = random.Random(name)
    manifest = Manifest(ModelRef(name), suite.model_dump(mode="json"), suite.hash)
    with RunWriter.open(folder, manifest) as writer:
        for benchmark in suite.benchmarks:
            outcomes = [
                Outcome(benchmark, f"{at:05}", float(draw.random() < 0.5 + gain), message_hash="m")
                for at in range(items)
            ]
            answers = [
                Response(o.id, 0, f"Question {o.id}?", f"{name} says {o.score}. " * 8)
                for o in outcomes
            ]
            writer.write_benchmark(benchmark, outcomes, answers if texts else ())


def cohort(folder: Path, models: int, items: int, *, texts: bool) -> list[str]:
    """Paths of the base and ``models`` tuned runs."""
    names = ["base", *(f"tuned-{at:02}" for at in range(models))]
    for at, name in enumerate(names):
        write_run(folder / name, name, items, 0.01 * at, texts=texts)
    return [str(folder / name) for name in names]


def score_table(folder: Path) -> str:
    """The cohort's scores as the CSV that ``index`` reads."""
    draw = random.Random(0)
    lines = ["model,base,group,benchmark,score,n"]
    for model in ("base", *(f"tuned-{at:02}" for at in range(MODELS))):
        base = "" if model == "base" else "base"
        for group, benchmarks in load_suite("mini").groups.items():
            lines += [
                f"{model},{base},{group},{b},{draw.uniform(30, 70):.1f},{ITEMS}" for b in benchmarks
            ]
    (folder / "scores.csv").write_text("\n".join(lines))
    return str(folder / "scores.csv")


def timed(*arguments: str) -> float:
    """Seconds of one command; an exit code of 0, 1 (regressed) or 3 (inconclusive) is an answer."""
    start = time.perf_counter()
    quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with quiet[0], quiet[1]:
        try:
            code = main(list(arguments))
        except SystemExit as stop:
            code = stop.code
    assert code in (None, 0, 1, 3), (arguments, code)
    return time.perf_counter() - start


def alone(command: str, runs: list[str], source: Path | None = None) -> dict[str, float]:
    """Seconds and peak memory of a command in a fresh process; ``source``: of that version."""
    environment = os.environ | ({} if source is None else {"PYTHONPATH": str(source)})
    done = subprocess.run(
        [sys.executable, __file__, "--one", command, *runs],
        capture_output=True,
        check=True,
        env=environment,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def answers(file: Path, *, gain: float, texts: bool) -> str:
    """Plain JSONL of :data:`MANY` answers to each of the :data:`TASKS`; its path."""
    draw = random.Random(file.name)
    with file.open("w") as lines:
        for task in TASKS:
            for at in range(MANY):
                right = float(draw.random() < 0.5 + gain)
                row = {"id": f"{at:05}", "benchmark": task, "score": right}
                if texts:
                    row["prompt"] = f"Question {at} of {task}?"
                    row["response"] = f"Step by step, {at} is so. " * 4 + f"The answer is {at}."
                    row |= {"finish": "stop", "tokens": 40}
                lines.write(json.dumps(row) + "\n")
    return str(file)


def one(command: str, runs: list[str]) -> dict[str, float]:
    start = time.process_time()
    seconds = timed(command, *runs)
    cpu = time.process_time() - start
    status = Path("/proc/self/status").read_text()  # ru_maxrss would count the parent's peak
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
    return {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "peak_mb": round(peak)}


def written(folder: Path, source: Path | None) -> list[str]:
    """The large cohort, written by the package in ``source`` (or this one); its paths."""
    env = os.environ | ({"PYTHONPATH": str(source)} if source else {})
    command = [sys.executable, __file__, "--write", str(folder)]
    return json.loads(subprocess.run(command, env=env, capture_output=True, check=True).stdout)


def large(beside: Path | None) -> dict[str, object]:
    """``compare`` and ``rank`` of many answers, and of another version in turns."""
    versions = {"this": None} if beside is None else {"this": None, "beside": beside}
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        # Each version writes its own: an old one can't read the folders of a new one.
        runs = {version: written(Path(scratch) / version, src) for version, src in versions.items()}
        cases: dict[str, tuple[str, list[str] | None]] = {
            "compare": ("compare", None),
            "rank": ("rank", None),
        }
        for kind in ("scores", "texts"):
            pair = [
                answers(Path(scratch) / f"{name}-{kind}.jsonl", gain=gain, texts=kind == "texts")
                for name, gain in (("base", 0.0), ("tuned", 0.02))
            ]
            cases[f"compare of two JSONL files, {kind}"] = ("compare", pair)
        for name, (command, inputs) in [*cases.items()] * TIMES:
            for version, source in versions.items():
                row = alone(command, inputs or runs[version], source)
                found.setdefault(name, {}).setdefault(version, []).append(row)
    return {"items": MANY} | {
        command: {
            version: {key: min(row[key] for row in rows) for key in rows[0]}
            for version, rows in of_command.items()
        }
        for command, of_command in found.items()
    }


def report() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "policy.toml").write_text(POLICY)
        runs = cohort(folder / "whole", MODELS, ITEMS, texts=False)
        told = cohort(folder / "told", MODELS, ITEMS, texts=True)
        table = score_table(folder)
        # start-up: libraries are loaded here
        timed("compare", *runs[:2], "--html", str(folder / "a.html"))
        timed("rank", *runs[:2])
        policy = ("--policy", str(folder / "policy.toml"))
        seconds = {
            "compare": timed("compare", *runs),
            "compare --html": timed("compare", *runs, "--html", str(folder / "a.html")),
            "compare, answers kept": timed("compare", *told),
            "rank": timed("rank", *runs),
            "gate": timed("gate", *runs[:2], *policy, "--previous", runs[2]),
            "index": timed("index", table),
            "published": timed("published"),
        }
        fewer = timed("compare", *runs[: 1 + MODELS // 2])
        shorter = timed("compare", *cohort(folder / "half", MODELS, ITEMS // 2, texts=False))
        return {
            "models": MODELS,
            "benchmarks": 12,
            "items": ITEMS,
            "seconds": {name: round(value, 2) for name, value in seconds.items()},
            "under_3_s": all(value < LIMIT_SECONDS for value in seconds.values()),
            "growth_with_models": round(seconds["compare"] / fewer, 2),
            "growth_with_items": round(seconds["compare"] / shorter, 2),
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--only-large", action="store_true")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        found: object = cohort(options.write, MODELS, MANY, texts=False)
    elif options.one:
        found = one(options.one[0], options.one[1:])
    else:
        found = ({} if options.only_large else report()) | {"large": large(options.beside)}
    print(json.dumps(found, indent=None if options.one else 1), file=sys.__stdout__)

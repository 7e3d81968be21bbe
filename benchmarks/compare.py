"""Every command on results, over a cohort of 20 models x 12 benchmarks x 500 items.

Seconds are for one command after start-up: reading the run folders, the numbers, and the text it
prints, as the command line does it. Growth is measured by halving models and items; 2.0 is linear.

``large`` are commands in a process of their own, start-up included, with their peak memory: two
JSONL files of 60,000 answers each, with and without texts, and run folders of 20 models x 12
benchmarks x 5,000 items. ``reading``: those folders alone, read and paired.

Prints one JSON object. With ``--before`` another checkout is measured as well, in the same run.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/compare.py [--large] [--before CHECKOUT]
"""

import argparse
import contextlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from transferscope.cli import main
from transferscope.core.records import ModelRef, Outcome, Response
from transferscope.core.suite import load_suite
from transferscope.runs import Manifest, RunWriter

MODELS, ITEMS = 20, 500
LARGE_ITEMS = 5_000
KNOWN = (
    *("gsm8k", "math_500", "arc_challenge", "hellaswag", "winogrande", "boolq", "piqa"),
    *("openbookqa", "truthfulqa_mc2", "mmlu", "ifeval", "triviaqa"),
)
"""Tasks that foreign results may name."""
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


def answers(file: Path, *, gain: float, texts: bool) -> str:
    """Plain JSONL of 12 benchmarks x :data:`LARGE_ITEMS` answers; its path."""
    draw = random.Random(file.name)
    with file.open("w") as lines:
        for benchmark in KNOWN:
            for at in range(LARGE_ITEMS):
                right = draw.random() < 0.5 + gain
                row = {"id": f"{at:05}", "benchmark": benchmark, "score": float(right)}
                if texts:
                    row["prompt"] = f"Question {at} of {benchmark}?"
                    row["response"] = f"Step by step: {at} is so. " * 4 + f"The answer is {at}."
                    row |= {"finish": "stop", "tokens": 40}
                lines.write(json.dumps(row) + "\n")
    return str(file)


def alone(*arguments: str) -> dict[str, float]:
    """Seconds and peak memory of a process of its own."""
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1, 3), arguments
    seconds = time.perf_counter() - start
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(used.ru_maxrss / 1024, 1),
    }


def read_and_pair(folders: list[str]) -> None:
    from transferscope.runs import pair, read_run

    base, *tuned = map(read_run, folders)
    pairings = [pair(base, run) for run in tuned]
    assert all(len(pairing.benchmarks) == 12 for pairing in pairings)


def large() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as scratch:
        folder, command = Path(scratch), ("-m", "transferscope")
        pairs = {
            kind: [
                answers(folder / f"{name}-{kind}.jsonl", gain=gain, texts=kind == "texts")
                for name, gain in (("base", 0.0), ("tuned", 0.02))
            ]
            for kind in ("scores", "texts")
        }
        runs = cohort(folder / "large", MODELS, LARGE_ITEMS, texts=False)
        return {
            "items": LARGE_ITEMS,
            "compare of two JSONL files, scores": alone(*command, "compare", *pairs["scores"]),
            "compare of two JSONL files, texts": alone(*command, "compare", *pairs["texts"]),
            "reading": alone(__file__, "--read", *runs),
            "compare": alone(*command, "compare", *runs),
            "rank": alone(*command, "rank", *runs),
        }


def before(checkout: Path, arguments: list[str]) -> dict[str, object]:
    """What this script prints with the package of another checkout."""
    found = subprocess.run(
        [sys.executable, __file__, *arguments],
        env={**os.environ, "PYTHONPATH": str(checkout / "src")},
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(found.stdout)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", action="store_true", help="the large cases alone")
    parser.add_argument("--before", type=Path, help="a checkout to measure as well")
    parser.add_argument("--read", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read_and_pair(options.read)
        sys.exit()
    found = {"large": large()} if options.large else report() | {"large": large()}
    if options.before:
        found = {
            "now": found,
            "before": before(options.before, ["--large"] if options.large else []),
        }
    print(json.dumps(found, indent=1), file=sys.__stdout__)

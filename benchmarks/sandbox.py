"""What the sandbox costs: trivial solutions a second, beside bare Python.

Bare Python starts an interpreter (`python -I -S -c CODE`) for every test, with no limit and no
isolation; the sandbox is launched once for a solution and runs it in a fresh process for every
test. Both run the same program with two workers, in turns, and the median round counts.

Prints one JSON object: milliseconds of one solution alone (launch, test, end), solutions a second
by the number of tests, and the ratio to bare Python (above 1: the sandbox is faster).

    .venv/bin/python benchmarks/sandbox.py [--solutions 60] [--rounds 3]
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from transferscope.grade.program_output import same_lines
from transferscope.grade.programs import Case, Outcome, judged
from transferscope.grade.sandbox import Program, jail
from transferscope.grade.sandbox.jail import interpreter

WORKERS = 2
CODE = "print(int(input()) * 2)"
TESTS = (1, 10)


def bare(tests: int) -> None:
    command = [interpreter(), "-I", "-S", "-c", CODE]
    for n in range(tests):
        done = subprocess.run(command, input=f"{n}\n", capture_output=True, text=True, check=True)
        assert done.stdout == f"{2 * n}\n"


def sandboxed(tests: int) -> None:
    cases = [Case(f"{n}\n", f"{2 * n}\n") for n in range(tests)]
    assert judged(Program(CODE), lambda: cases, same_lines).outcome is Outcome.PASSED


def alone(run: Callable[[int], None], times: int = 15) -> float:
    """Median milliseconds of one solution with one test."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run(1)
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def rate(run: Callable[[int], None], tests: int, solutions: int) -> float:
    """Solutions a second with all workers."""
    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(run, [tests] * solutions))
    return solutions / (time.perf_counter() - start)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--solutions", type=int, default=60)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    held = jail()
    rates: dict[str, dict[int, float]] = {"sandbox": {}, "bare": {}}
    for tests in TESTS:
        rounds = [
            (rate(sandboxed, tests, given.solutions), rate(bare, tests, given.solutions))
            for _ in range(given.rounds)
        ]
        rates["sandbox"][tests], rates["bare"][tests] = map(
            statistics.median, zip(*rounds, strict=True)
        )
    print(
        json.dumps(
            {
                "sandbox": "root's" if held.as_root else "user namespace",
                "cpus": os.cpu_count(),
                "load_before": round(os.getloadavg()[0], 1),
                "workers": WORKERS,
                "milliseconds_alone": {
                    "sandbox": round(alone(sandboxed), 1),
                    "bare": round(alone(bare), 1),
                },
                "solutions_per_second": {
                    name: {f"{tests} tests": round(value, 1) for tests, value in found.items()}
                    for name, found in rates.items()
                },
                "ratio_to_bare": {
                    f"{tests} tests": round(rates["sandbox"][tests] / rates["bare"][tests], 2)
                    for tests in TESTS
                },
            }
        )
    )


if __name__ == "__main__":
    main()

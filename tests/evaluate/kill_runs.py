"""Kill evaluations, resume them, and print as JSON what came of it. Run by test_kills.py.

A process of its own, without threads, so that every evaluation can run in a forked child: at a kill
no handler runs and no buffer is written. Usage: kill_runs.py FOLDER RANDOM_KILLS SEED
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from transferscope.core.records import Decoding, ModelRef
from transferscope.core.suite import parse_suite
from transferscope.engines import FakeEngine, asking
from transferscope.evaluate import evaluate
from transferscope.runs.journal import Journal
from transferscope.tasks import Benchmark, Item

BATCH = 4
SUITE = parse_suite(
    """
    name = "killed"
    source = "math"
    [groups]
    math = ["sums", "more"]
    other = ["colours"]
    [benchmarks]
    sums = {pack = "tiny", repeats = 2}
    more = {pack = "tiny"}
    colours = {pack = "tiny"}
    """,
    place="killed.toml",
)


def sums(n: Any, *, seed: int, data: Any) -> list[Item]:
    return [Item(f"s{i}", f"sums {i}", gold=str(i), cluster=f"c{i // 3}") for i in range(9)]


def more(n: Any, *, seed: int, data: Any) -> list[Item]:
    return [Item(f"m{i}", f"more {i}", gold=str(i)) for i in range(10)]


def colours(n: Any, *, seed: int, data: Any) -> list[Item]:
    return [Item(f"c{i}", f"colours {i}", choices=("blue", "grey")) for i in range(7)]


def right(item: Item, reply: str) -> float:
    return float(item.gold is None or reply == item.gold)


ASKS = Decoding(temperature=0.5, max_tokens=4)
PACKS = {
    "tiny": {
        "sums": Benchmark(
            about="", items=sums, grade=right, decoding=ASKS, twins={"blind": lambda *_: 1.0}
        ),
        "more": Benchmark(about="", items=more, grade=right, decoding=ASKS),
        "colours": Benchmark(about="", items=colours, grade=right),
    }
}


class Logged(FakeEngine):
    """Answers a batch after a moment; writes every request into a log at once."""

    def __init__(self, log: Path) -> None:
        super().__init__(lambda prompt: prompt.split()[2])
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def _asked(self, prompts: Any) -> None:
        # The benchmark is the second word: "user: sums 3".
        os.write(self._log, "".join(f"{prompt.split()[1]}\n" for prompt in prompts).encode())
        time.sleep(0.002)

    def generate(self, prompts: Any, decoding: Any, **given: Any) -> Any:
        self._asked(prompts)
        return super().generate(prompts, decoding, **given)

    def loglikelihoods(self, pairs: Any, **given: Any) -> Any:
        self._asked([prompt for prompt, _ in pairs])
        return super().loglikelihoods(pairs, **given)


def run(folder: Path) -> None:
    engine = Logged(folder / "log")
    evaluate(engine, SUITE, folder / "run", model_ref=ModelRef("m"), seed=3, packs=PACKS)


class Steps:
    """Counts the calls that change a file; exits like a kill before a given one."""

    def __init__(self, last: int | None = None) -> None:
        self.made, self._last = 0, last
        # A kill, unlike a power cut, loses nothing that was written.
        os.fsync = lambda _: None
        for owner, name in ((os, "fsync"), (os, "truncate"), (Journal, "add")):
            self._count(owner, name)
        for name in ("replace", "unlink", "mkdir"):
            self._count(Path, name)

    def _count(self, owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def counted(*given: Any, **options: Any) -> Any:
            self.made += 1
            if self.made == self._last:
                os._exit(9)
            return real(*given, **options)

        setattr(owner, name, counted)


def child(folder: Path, last: int | None = None) -> int:
    """Start the evaluation in a child; return its process id."""
    if (process := os.fork()) == 0:
        code = 1
        try:
            steps = Steps(last)
            run(folder)
            (folder / "steps").write_text(str(steps.made))
            code = 0
        finally:
            os._exit(code)
    return process


def ended(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def files(folder: Path) -> dict[str, str]:
    found = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    return {name: path.read_text() for name, path in found.items() if name != ".run.lock"}


def asked(folder: Path) -> Counter[str]:
    log = folder / "log"
    return Counter(log.read_text().split()) if log.exists() else Counter()


def main(root: Path, kills: int, seed: int) -> None:
    asking.CHUNK = asking.PAIRS = BATCH
    (root / "whole").mkdir()
    started = time.perf_counter()
    assert ended(child(root / "whole")) == 0
    took = time.perf_counter() - started
    whole, once = files(root / "whole" / "run"), asked(root / "whole")
    steps = int((root / "whole" / "steps").read_text())
    rng = random.Random(seed)
    trials = []
    for number in range(steps + kills):
        folder = root / str(number)
        folder.mkdir()
        process = child(folder, number + 1 if number < steps else None)
        if number >= steps:
            time.sleep(rng.uniform(0.0, took))
            os.kill(process, signal.SIGKILL)
        code = ended(process)
        before = asked(folder)
        again = ended(child(folder))
        repeated = {name: n - once[name] for name, n in asked(folder).items()}
        trials.append(
            {
                "kind": "step" if number < steps else "random",
                "killed": code != 0,
                "asked_before": sum(before.values()),
                "repeated": repeated,
                "resumed": again == 0,
                "same": files(folder / "run") == whole,
            }
        )
    print(json.dumps({"steps": steps, "batch": BATCH, "once": once, "trials": trials}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

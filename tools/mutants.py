"""Mutation checks: how many small changes of the statistics and the gate do their tests notice?

For each module of tools/mutants.toml, mutmut changes one expression at a time and runs the tests
that the file lists for it. Results are kept in .mutants/, so a stopped check resumes. Survivors
must be listed with a reason in tests/mutants.md. The exit code is 1 if fewer than 90 % of a
module's mutants die, or if a survivor is not listed.

    python tools/mutants.py                        # all modules (`make mutants`)
    python tools/mutants.py core/exact_margin      # one module
    python tools/mutants.py core/stats --fresh     # after its code has changed
    python tools/mutants.py core/stats --again     # survivors only, after its tests have changed
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = Path("src") / "transferscope"
WANTED = 90.0
"""Percent of the mutants that must die."""
CONFIG = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["{module}"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-k", "not ({slow})"]
do_not_mutate_patterns = ['raise \\w+', '@dataclass', '\\bcache\\b']
use_git_change_detection = false
timeout_multiplier = 4.0
timeout_constant = 5.0
"""
"""Messages of errors are left out: the tests match the part that matters."""


def prepare(module: str, tests: Sequence[str], slow: Sequence[str], folder: Path) -> None:
    """Copy the sources and tests for mutmut, with its settings; ``slow`` tests are left out."""
    left_out = shutil.ignore_patterns("__pycache__")
    for name in ("src", "tests", "docs", "benchmarks"):
        if not (folder / name).exists():
            shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    for name in ("README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    path = str(PACKAGE / f"{module}.py")
    added = CONFIG.format(module=path, tests=json.dumps(list(tests)), slow=" or ".join(slow))
    (folder / "pyproject.toml").write_text(settings + added, encoding="utf-8")


def forget_survivors(meta: Path, folder: Path) -> None:
    """Take the tests as they are now, and mark the mutants that they have not killed yet."""
    if meta.is_file():
        found = json.loads(meta.read_text(encoding="utf-8"))
        codes = found["exit_code_by_key"]
        found["exit_code_by_key"] = {k: c if c not in (0, 33) else None for k, c in codes.items()}
        meta.write_text(json.dumps(found), encoding="utf-8")
    for name in ("tests", "mutants/tests"):
        shutil.rmtree(folder / name, ignore_errors=True)
    # Which tests reach which function is found out anew.
    (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)


def run(
    module: str,
    tests: Sequence[str],
    slow: Sequence[str],
    *,
    fresh: bool = False,
    again: bool = False,
) -> dict[str, str]:
    """State of every mutant of a module by name: killed, survived, timeout or no tests."""
    folder = ROOT / ".mutants" / module.replace("/", ".")
    meta = folder / "mutants" / PACKAGE / f"{module}.py.meta"
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    if again:
        forget_survivors(meta, folder)
    if again or not (folder / "pyproject.toml").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        prepare(module, tests, slow, folder)
    paths = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}  # mutmut sets its own
    environment |= {"PATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    with (folder / "mutmut.log").open("w", encoding="utf-8") as log:
        subprocess.run(
            [sys.executable, "-m", "mutmut", "run", "--max-children", str(os.cpu_count() or 1)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    return {name: state(code) for name, code in codes.items()}


def state(code: int | None) -> str:
    """What mutmut's exit code of the tests means."""
    if code is None:
        return "not checked"
    return {0: "survived", 33: "no tests", 34: "skipped", 36: "timeout", -24: "timeout"}.get(
        code, "killed"
    )


def report(module: str, states: dict[str, str], reasons: str) -> bool:
    """Print the counts and the survivors; whether the module passes."""
    counts = Counter(states.values())
    if counts["not checked"]:
        place = f".mutants/{module.replace('/', '.')}/mutmut.log"
        print(f"{module}: {counts['not checked']} mutants not checked; see {place}")
        return False
    died = counts["killed"] + counts["timeout"]
    share = 100.0 * died / max(1, len(states) - counts["skipped"])
    listed = ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
    print(f"{module}: {share:.1f} % of {len(states)} mutants died ({listed})")
    left = [name for name, found in states.items() if found not in ("killed", "timeout", "skipped")]
    unlisted = [name for name in left if f"`{short(name)}`" not in reasons]
    for name in unlisted:
        print(f"  {states[name]}: {short(name)}")
    return share >= WANTED and not unlisted


def short(name: str) -> str:
    """``core.exact_margin.x__near__mutmut_9`` without the package's name."""
    return name.removeprefix("transferscope.")


def main(arguments: Sequence[str]) -> int:
    """Check the named modules, or all of them."""
    chosen = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text(encoding="utf-8"))
    listed, slow = chosen["tests"], chosen["slow"]["names"]
    fresh, again = "--fresh" in arguments, "--again" in arguments
    modules = [name for name in arguments if not name.startswith("--")] or list(listed)
    reasons = (ROOT / "tests" / "mutants.md").read_text(encoding="utf-8")
    good = True
    for module in modules:
        start = time.monotonic()
        states = run(module, listed[module], slow, fresh=fresh, again=again)
        good &= report(module, states, reasons)
        print(f"  {time.monotonic() - start:.0f} s", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

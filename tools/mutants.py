"""Mutation checks: how many small changes of the statistics and the gate do their tests notice?

For each module of tools/mutants.toml, mutmut changes one expression at a time and runs the tests
that the file lists for it. Results are kept in .mutants/, so a stopped check resumes. Survivors
must be listed with a reason in tests/mutants.md. The exit code is 1 if fewer than 90 % of a
module's mutants die, or if a survivor is not listed.

    python tools/mutants.py                        # all modules (`make mutants`)
    python tools/mutants.py core/exact_margin      # one module
    python tools/mutants.py core/stats --fresh     # after its code or its tests have changed
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
pytest_add_cli_args = ["-p", "no:cacheprovider"]
do_not_mutate_patterns = ['raise \\w+', '@dataclass', '\\bcache\\b']
use_git_change_detection = false
timeout_multiplier = 4.0
timeout_constant = 5.0
"""
"""Messages of errors are left out: the tests match the part that matters."""


def prepare(module: str, tests: Sequence[str], folder: Path) -> None:
    """A copy of the sources and tests that mutmut may change."""
    for name in ("src", "tests", "docs", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    path = str(PACKAGE / f"{module}.py")
    added = CONFIG.format(module=path, tests=json.dumps(list(tests)))
    (folder / "pyproject.toml").write_text(settings + added, encoding="utf-8")


def run(module: str, tests: Sequence[str], *, fresh: bool) -> dict[str, str]:
    """State of every mutant of a module by name: killed, survived, timeout or no tests."""
    folder = ROOT / ".mutants" / module.replace("/", ".")
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    if not (folder / "pyproject.toml").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        prepare(module, tests, folder)
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
    meta = folder / "mutants" / PACKAGE / f"{module}.py.meta"
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
    listed = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text(encoding="utf-8"))["tests"]
    fresh = "--fresh" in arguments
    modules = [name for name in arguments if name != "--fresh"] or list(listed)
    reasons = (ROOT / "tests" / "mutants.md").read_text(encoding="utf-8")
    good = True
    for module in modules:
        start = time.monotonic()
        good &= report(module, run(module, listed[module], fresh=fresh), reasons)
        print(f"  {time.monotonic() - start:.0f} s", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""README's tables of commands hold in an install without extras: it works, or names the extra.

A bare install is simulated in one other process: there only the packages can be found that the
project's own dependencies bring.
"""

import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
RUNNER = """
import contextlib, io, json, sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
from packaging.utils import canonicalize_name

kept, commands = json.load(sys.stdin)
hidden = {
    module
    for module, brought_by in packages_distributions().items()
    if not {canonicalize_name(name) for name in brought_by} & set(kept)
}


class Bare:
    find_distributions = PathFinder.find_distributions
    invalidate_caches = PathFinder.invalidate_caches

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            return None
        return PathFinder.find_spec(name, path, target)


sys.meta_path[:] = [Bare if finder is PathFinder else finder for finder in sys.meta_path]
from transferscope.cli import main

found = []
for command in commands:
    err, code = io.StringIO(), 0
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        try:
            main(command)
        except SystemExit as stop:
            code = stop.code
    found.append([code, err.getvalue()])
print(json.dumps([found, sorted(hidden)]))
"""
COMMANDS: dict[str, list[tuple[str, str]]] = {
    "demo": [("demo --out demo", "all")],
    "compare": [
        ("compare base.jsonl tuned.jsonl --replicates 200 --html a.html --md a.md --csv a.csv", ""),
        ("compare base.jsonl tuned.parquet", "parquet"),
    ],
    "eval": [
        ("eval smollm2-135m --suite mini --out run", "eval"),
        ("eval smollm2-135m --suite mini --out run --dry-run", "eval"),
        ("eval m --out run --engine openai --engine-args base_url=http://localhost:9/v1", "eval"),
    ],
    "probe": [
        ("probe hidden a b --texts answers.jsonl", "probe"),
        ("probe tokens a b --responses answers.jsonl", "probe"),
        ("probe weights a b", "probe"),
    ],
    "study": [("study study.toml --out study", "all")],
    "index": [("index scores.csv", "")],
    "gate": [("gate base.jsonl tuned.jsonl --policy policy.toml --replicates 200", "")],
    "rank": [("rank base.jsonl tuned.jsonl --replicates 200", "")],
    "plan": [("plan --effect 2 --discordance 0.15", "")],
    "audit": [("audit answers.jsonl --base answers.jsonl", "")],
    "score": [
        ("score math answers.jsonl", ""),
        ("score math formulas.jsonl", "grade"),
        ("score choice choices.jsonl", ""),
        ("score qa answers.jsonl", ""),
        ("score ifeval prompts.jsonl --gold instructions.jsonl", "eval"),
        ("score mctaco yes.txt --gold gold.tsv", ""),
    ],
    "import": [("import base.jsonl --out imported", ""), ("import base.jsonl --explain", "")],
    "data": [("data --suite paper", ""), ("data --suite paper --download", "eval")],
    "tasks": [("tasks", ""), ("tasks --json", ""), ("tasks check", "eval")],
    "published": [("published --html page.html", "")],
    # Not in the tables, but told what to install in one step, too.
    "train": [("train off-policy-sft --out arm", "train")],
}
"""Every command of README's tables in the forms that they name, each with the extra it needs."""
MORE = {"train"}


def bare_packages() -> set[str]:
    """What `pip install transferscope` brings, the project itself and pip."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found, todo = {"transferscope", "pip"}, [*project["dependencies"]]
    while todo:
        wanted = Requirement(todo.pop())
        name = canonicalize_name(wanted.name)
        if name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            found.add(name)
            try:
                todo += requires(name) or []
            except PackageNotFoundError:
                pytest.fail(f"{name} is not installed")
    return found


def write_inputs(folder: Path) -> None:
    def lines(name: str, *rows: dict[str, object]) -> None:
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    for name, right in (("base.jsonl", 60), ("tuned.jsonl", 70)):
        counts = {"gsm8k": right, "boolq": 60}
        lines(
            name,
            *(
                {"benchmark": benchmark, "id": str(at), "score": int(at < count)}
                for benchmark, count in counts.items()
                for at in range(120)
            ),
        )
    (folder / "tuned.parquet").write_bytes(b"PAR1")
    answer = {"id": "1", "prompt": "p", "response": "The answer is 12", "gold": "12"}
    lines("answers.jsonl", answer)
    lines("choices.jsonl", answer | {"response": "The answer is (B).", "gold": "B"})
    lines("formulas.jsonl", answer | {"response": "$\\sqrt{8}$", "gold": "2\\sqrt{2}"})
    lines("prompts.jsonl", {"id": "1", "prompt": "Use no comma.", "response": "Yes."})
    asked = {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    lines("instructions.jsonl", {"key": 1, "prompt": "Use no comma."} | asked)
    (folder / "gold.tsv").write_text("s\tq\ta\tyes\tEvent Duration\n")
    (folder / "yes.txt").write_text("yes\n")
    (folder / "policy.toml").write_text("[guards.retention]\nmargin = 20\n")
    (folder / "study.toml").write_text('name = "x"\nbase = "smollm2-135m"\n[arms.off-policy-sft]\n')
    (folder / "scores.csv").write_text(
        "model,base,group,benchmark,score\nb,,math,x,30\nb,,non,y,50\nt,b,math,x,40\nt,b,non,y,49\n"
    )


@cache
def readme_rows() -> dict[str, tuple[str, str]]:
    """Every command of README's tables: its line there, and the extra in the last column."""
    found = {}
    for line in (ROOT / "README.md").read_text().splitlines():
        if match := re.match(r"\| `transferscope (\w+)", line):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found[match[1]] = (line, cells[2].strip("`[]") if len(cells) > 2 else "")
    return found


def test_each_command_works_or_names_its_extra(tmp_path: Path) -> None:
    write_inputs(tmp_path)
    listed = [(command, extra) for group in COMMANDS.values() for command, extra in group]
    handed = json.dumps([sorted(bare_packages()), [command.split() for command, _ in listed]])
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=handed,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    found, hidden = json.loads(done.stdout)
    assert {"torch", "transformers", "lm_eval", "trl", "peft", "math_verify"} <= {*hidden}
    for (command, extra), (code, err) in zip(listed, found, strict=True):
        if extra:
            assert code == 2, command
            needs = f"packages that are not installed; run: pip install 'transferscope[{extra}]'"
            assert needs in err, command
            assert err.count("\n") == 1, command
        else:
            assert code == 0, (command, err)
    for name in ("a.html", "a.md", "a.csv", "page.html"):
        assert (tmp_path / name).is_file(), name


def test_readmes_tables_say_so() -> None:
    rows = readme_rows()
    assert set(COMMANDS) - MORE == set(rows)
    for name, (line, extra) in rows.items():
        wanted = {needed for _, needed in COMMANDS[name] if needed}
        if extra:
            assert wanted == {extra}, name
        else:  # said in the row itself
            assert all(f"`[{needed}]`" in line for needed in wanted), name
            assert bool(wanted) is ("`[" in line), name


def test_every_extra_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for _, extra in (pair for group in COMMANDS.values() for pair in group):
        assert not extra or extra in project["optional-dependencies"]

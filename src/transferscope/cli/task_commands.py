"""Commands on benchmarks: list them, and check that they grade their own answers correctly."""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from ..core.errors import InputError
from .shared import Int, Json, print_json, say, tasks_app
from .tables import print_table

if TYPE_CHECKING:
    from ..tasks import Benchmark, Validation


@tasks_app.default
def list_tasks(*, as_json: Json = False) -> None:
    """List the benchmarks of all packs, including those of plugins."""
    from ..tasks import all_packs

    found = [
        {"pack": pack, "benchmark": name, "about": benchmark.about, **benchmark.method()}
        for pack, benchmarks in all_packs().items()
        for name, benchmark in benchmarks.items()
    ]
    if as_json:
        print_json(found)
        return
    print_table(
        ("pack", "benchmark", "answer", "asks for"),
        [(row["pack"], row["benchmark"], _answer(row), row["about"]) for row in found],
    )
    there = "installed" if find_spec("lm_eval") is not None else "not installed"
    say(f"lm-eval's own tasks ({there}): transferscope eval MODEL --tasks NAME,NAME --out RUN")


DRAWN = 200
"""Items of a benchmark to check if any number can be drawn."""


@tasks_app.command
def check(
    suite: str = "mini",
    *,
    data: Path | None = None,
    limit: Annotated[Int | None, Parameter(validator=Number(gte=1))] = None,
    seed: Annotated[Int, Parameter(validator=Number(gte=0, lt=1_000_000))] = 0,
    as_json: Json = False,
) -> None:
    """Check a suite's graders on its gold answers and on altered ones; exit 1 if a grader is wrong.

    Benchmarks of lm-eval are skipped, because lm-eval grades them.

    Parameters
    ----------
    suite
        A built-in suite, a pack, or a suite file.
    data
        Folder with the data files of real benchmarks.
    limit
        Items per benchmark. Default: all that a file has, else 200.
    seed
        Random seed for the items.
    """
    from ..tasks import FILE_PACKS, validate

    rows = []
    for pack, name, benchmark, chance in _chosen(suite):
        most = None if pack in FILE_PACKS else DRAWN
        items = benchmark.items(limit or most, seed=seed, data=data)
        found = validate(benchmark, items, chance=chance)
        rows.append((pack, name, found))
    if as_json:
        told = [
            {"pack": pack, "benchmark": name, "passed": found.passed, **asdict(found)}
            for pack, name, found in rows
        ]
        print_json(told)
    else:
        heads = ("pack", "benchmark", "items", "golds", "wrong", "constant", "guess", "faults")
        counts = frozenset({"items", "golds", "wrong", "constant", "guess", "faults"})
        print_table(heads, [_checked(*row) for row in rows], right=counts)
    for _, name, found in rows:
        for fault in found.faults:
            say(f"{name}: {fault}")
        if found.n_faults > len(found.faults):
            say(f"{name}: {found.n_faults - len(found.faults)} more faults")
    if not all(found.passed for *_, found in rows):
        sys.exit(1)


def _chosen(suite: str) -> list[tuple[str, str, Benchmark, float | None]]:
    """Pack, name, benchmark and chance level for each benchmark of ``suite`` but lm-eval's."""
    from ..core.suite import BUILT_IN, load_suite
    from ..tasks import LM_EVAL, all_packs, find_benchmark

    packs = all_packs()
    if suite in packs and suite not in BUILT_IN:
        return [(suite, name, benchmark, None) for name, benchmark in packs[suite].items()]
    chosen = load_suite(suite)
    own = {
        name: benchmark
        for name, benchmark in chosen.benchmarks.items()
        if benchmark.pack.partition(":")[0] != LM_EVAL
    }
    if not own:
        remedy = "name a suite with benchmarks from a Python pack"
        raise InputError("contains only lm-eval tasks", place=f"suite {suite}", remedy=remedy)
    place = f"suite {chosen.name} [benchmarks.{{}}]"
    return [
        (b.pack, name, find_benchmark(b.pack, name, packs, place=place.format(name)), b.chance)
        for name, b in own.items()
    ]


def _answer(row: dict[str, Any]) -> str:
    if row["method"] == "multiple_choice":
        return "a choice"
    return f"{row['max_tokens']} tokens"


def _checked(pack: str, name: str, found: Validation) -> tuple[str, ...]:
    shares = ["" if s is None else f"{100 * s:.0f} %" for s in (found.constant, found.guess)]
    counts = (found.items, found.golds, found.wrong)
    return (pack, name, *map(str, counts), *shares, str(found.n_faults))

"""Damaged files of other harnesses: an import ends in a run or in one line."""

import json
import random
import shutil
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.runs.importers import import_results

FIXTURES = Path(__file__).parent / "fixtures"
JUNK = [
    None,
    [],
    {},
    "x",
    "",
    -1,
    1e999,
    float("nan"),
    10**400,
    True,
    [[None]],
    {"a": 1},
    "\x1b[31m",
]


def paths_in(value, path=()):
    if path:
        yield path
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key, below in [(key, value[key]) for key in keys]:
        yield from paths_in(below, (*path, key))


def damage(raw, draw):
    """One value anywhere is gone, or something else."""
    *above, last = draw.choice(list(paths_in(raw)))
    inner = raw
    for key in above:
        inner = inner[key]
    if draw.random() < 0.2:
        del inner[last]
    else:
        inner[last] = draw.choice(JUNK)
    return json.dumps(raw)


@pytest.mark.parametrize("kind", ["evalscope", "opencompass", "helm"])
def test_a_damaged_value_ends_in_a_run_or_in_one_line(tmp_path, kind):
    draw = random.Random(kind)
    for at in range(15):
        folder = Path(shutil.copytree(FIXTURES / kind, tmp_path / f"in{at}"))
        file = draw.choice(sorted([*folder.rglob("*.json"), *folder.rglob("*.jsonl")]))
        text = file.read_text()
        if file.suffix == ".json":
            file.write_text(damage(json.loads(text), draw))
        else:
            first, *rest = text.splitlines()
            file.write_text("\n".join([damage(json.loads(first), draw), *rest]) + "\n")
        said = folder.name
        try:
            import_results(folder, tmp_path / f"out{at}")
        except InputError as err:
            said = str(err)
        assert folder.name in said
        assert "\n" not in said

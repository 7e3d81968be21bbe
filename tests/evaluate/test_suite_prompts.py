from __future__ import annotations

import pytest

from transferscope.core.errors import InputError
from transferscope.core.suite import Benchmark, Suite, load_suite
from transferscope.evaluate.suite_prompts import suite_prompts
from transferscope.tasks import mini


def small(pack: str = "mini", name: str = "chains") -> Suite:
    groups = {"math": (name,), "non": ("temporal",)}
    benchmarks = {name: Benchmark(pack=pack), "temporal": Benchmark(pack="mini", repeats=2)}
    return Suite(name="small", source="math", groups=groups, benchmarks=benchmarks)


def test_every_item_is_asked_once() -> None:
    expected = [
        item.draft.prompt for name in ("chains", "temporal") for item in mini.items(name, 3, seed=5)
    ]
    assert suite_prompts(small(), n=3, seed=5) == expected
    assert len(suite_prompts(small())) == 2 * mini.HELD_OUT


def test_what_a_run_would_raise() -> None:
    with pytest.raises(InputError, match="unknown pack 'magic'"):
        suite_prompts(small("magic"))
    with pytest.raises(InputError, match="data files are missing: headqa_en"):
        suite_prompts(load_suite("real"))

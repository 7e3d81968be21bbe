"""Packs of other distributions; the one of the documents is run as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from transferscope.cli import main
from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef
from transferscope.core.suite import load_suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import evaluate
from transferscope.runs import read_run
from transferscope.tasks import PACKS, all_packs, find_benchmark

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def test_the_documents_example_runs(
    install: Callable[..., None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (code,), (entry, suite) = blocks("python"), blocks("toml")
    group, name, value = re.findall(
        r'entry-points\."transferscope\.(\w+)"\]\n(\w+) = "(.*)"', entry
    )[0]
    install(group, name, value, my_benchmarks=code)
    monkeypatch.chdir(tmp_path)
    Path("geography.toml").write_text(suite)
    main(["tasks", "check", "geography.toml"])
    out = capsys.readouterr().out
    assert re.search(r"mine +capitals +4 +4 +8 +0", out)
    assert re.search(r"mine +countries +1 +1 +2 +100 % +33 % +0", out)
    main(["tasks", "check", "mine"])
    assert capsys.readouterr().out == out
    main(["tasks"])
    assert re.search(r"mine +capitals +32 tokens +capitals of Europe", capsys.readouterr().out)
    engine = FakeEngine(
        lambda prompt: "It is Paris." if "France" in prompt else "It is Rome.",
        lambda _, option: -float(len(option)),
    )
    run = read_run(evaluate(engine, load_suite("geography.toml"), "run", model_ref=ModelRef("m")))
    assert [(o.id, o.score) for o in run.by_benchmark["capitals"]] == [
        ("France", 1.0),
        ("Italy", 1.0),
        ("Norway", 0.0),
        ("Spain", 0.0),
    ]
    assert run.responses("countries")["1", 0].response == "Rome"  # the shortest


def test_a_plugin_takes_over_no_name_and_must_be_a_pack(install: Callable[..., None]) -> None:
    install("benchmarks", "mini", "my_taken:PACK", my_taken="PACK = {}")
    assert all_packs()["mini"] is PACKS["mini"]
    install("benchmarks", "odd", "my_odd:PACK", my_odd="PACK = {'a': 3}")
    with pytest.raises(InputError, match="plugin 'odd': not a pack of benchmarks; its entry point"):
        all_packs()


def test_unknown_names_are_told() -> None:
    with pytest.raises(
        InputError, match="here: unknown pack 'max'; use one of authors, fixed, lm-eval, mini, pap"
    ):
        find_benchmark("max", "a", PACKS, place="here")
    with pytest.raises(InputError, match="pack mini has no benchmark 'chain'; did you mean 'chai"):
        find_benchmark("mini", "chain", PACKS, place="here")

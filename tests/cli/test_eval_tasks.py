"""``eval --tasks``: tasks of lm-eval from the command line, grouped by a map, resumed, compared."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("lm_eval")

from transferscope.cli import main
from transferscope.evaluate import dry_run
from transferscope.runs import read_run

from ..evaluate.lm_eval_tasks import write_tasks


def test_from_tasks_to_a_comparison(
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_tasks(Path("tasks").absolute(), n=6)
    Path("map.toml").write_text('[tasks.local_sums]\ngroup = "math"\nmetrics = ["exact_match"]\n')
    command = ["eval", str(tiny_model), "--tasks", "mmlu,local_sums", "--include-path", "tasks"]
    monkeypatch.setattr(dry_run, "SECONDS", 0.1)
    main([*command, "--out", "run", "--limit", "3", "--dry-run"])
    out, err = capsys.readouterr()
    assert [line.split()[:3] for line in out.splitlines()[1:3]] == [
        ["other", "mmlu", "6"],
        ["unmapped", "local_sums", "3"],
    ]
    assert "tasks in no known group: local_sums; name their group with --map" in err
    assert not Path("run").exists()
    main([*command, "--out", "run", "--limit", "3", "--map", "map.toml"])
    assert "no known group" not in capsys.readouterr().err
    before = read_run(Path("run"))
    assert before.manifest.suite["groups"] == {"other": ["mmlu"], "math": ["local_sums"]}
    assert {n: len(o) for n, o in before.by_benchmark.items()} == {"mmlu": 6, "local_sums": 3}
    main([*command, "--out", "run", "--limit", "4", "--map", "map.toml"])
    after = read_run(Path("run"))
    assert set(before.outcomes) < set(after.outcomes)
    assert len(after.outcomes) == 12
    with pytest.raises(SystemExit):
        main([*command, "--out", "run", "--limit", "4"])  # another group: another suite
    assert "contains a run with a different suite" in capsys.readouterr().err

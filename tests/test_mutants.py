"""The mutation checks: what counts as dead, when a module passes, and that the lists exist."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("mutants", ROOT / "tools" / "mutants.py")
mutants = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(mutants)


def test_listed_modules_and_tests_exist() -> None:
    listed = mutants.tomllib.loads((ROOT / "tools" / "mutants.toml").read_text())["tests"]
    assert {"core/stats", "core/noninferiority", "compare/gate", "compare/guards"} <= set(listed)
    for module, tests in listed.items():
        assert (ROOT / mutants.PACKAGE / f"{module}.py").is_file()
        assert tests
        assert all((ROOT / test).is_file() for test in tests)


def test_tests_left_out_exist() -> None:
    chosen = mutants.tomllib.loads((ROOT / "tools" / "mutants.toml").read_text())
    files = {test for tests in chosen["tests"].values() for test in tests}
    written = "".join((ROOT / test).read_text() for test in files)
    assert [name for name in chosen["slow"]["names"] if f"def {name}" not in written] == []


def test_survivors_are_checked_again_with_the_tests_as_they_are(tmp_path: Path) -> None:
    meta = tmp_path / "stats.py.meta"
    meta.write_text(json.dumps({"exit_code_by_key": {"a": 1, "b": 0, "c": 33, "d": 36, "e": None}}))
    for name in ("tests", "mutants/tests"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "mutants" / "mutmut-stats.json").touch()
    mutants.forget_survivors(meta, tmp_path)
    found = json.loads(meta.read_text())["exit_code_by_key"]
    assert found == {"a": 1, "b": None, "c": None, "d": 36, "e": None}
    assert [path.name for path in tmp_path.iterdir() if path != meta] == ["mutants"]
    assert list((tmp_path / "mutants").iterdir()) == []
    mutants.forget_survivors(tmp_path / "none", tmp_path)  # nothing was checked yet


def test_exit_codes() -> None:
    codes = {0: "survived", 1: "killed", 3: "killed", 33: "no tests", 36: "timeout", -24: "timeout"}
    assert {code: mutants.state(code) for code in codes} == codes
    assert mutants.state(None) == "not checked"


def states(killed: int, survived: int) -> dict[str, str]:
    names = [f"transferscope.core.stats.x_mean__mutmut_{k}" for k in range(killed + survived)]
    return {name: "survived" if k < survived else "killed" for k, name in enumerate(names)}


def test_a_module_passes_with_nine_tenths_dead_and_every_survivor_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = "| `core.stats.x_mean__mutmut_0` | a | b |"
    assert mutants.report("core/stats", states(9, 1), listed)
    assert "90.0 % of 10 mutants died (9 killed, 1 survived)" in capsys.readouterr().out
    assert not mutants.report("core/stats", states(9, 1), "")
    assert "survived: core.stats.x_mean__mutmut_0\n" in capsys.readouterr().out
    both = listed + "`core.stats.x_mean__mutmut_1`"
    assert not mutants.report("core/stats", states(8, 2), both)


def test_an_unfinished_check_does_not_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert not mutants.report("core/stats", {"a": "not checked", "b": "killed"}, "")
    assert "1 mutants not checked; see .mutants/core.stats/mutmut.log" in capsys.readouterr().out

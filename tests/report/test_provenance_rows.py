from __future__ import annotations

from transferscope.report.provenance_rows import provenance_rows
from transferscope.report.views import Grid


def test_what_differs_comes_first_and_what_is_shared_once() -> None:
    found = provenance_rows(
        {
            "note": "x",
            "base": {"seed": 0, "versions": {"torch": "2.1", "numpy": "2.0"}, "stop": ["a", None]},
            "tuned": {"seed": 0, "versions": {"torch": "2.2", "numpy": "2.0"}, "stop": ["a", None]},
        }
    )
    assert found.whole.rows == (("note", "x"),)
    assert found.differing == Grid(("", "base", "tuned"), (("versions.torch", "2.1", "2.2"),))
    assert found.shared.rows == (("seed", "0"), ("versions.numpy", "2.0"), ("stop", "a, –"))


def test_many_runs_are_rows() -> None:
    runs = {f"run-{at}": {"seed": at, "dtype": "bf16"} for at in range(9)}
    found = provenance_rows(runs)
    assert found.differing.head == ("run", "seed")
    assert found.differing.rows[8] == ("run-8", "8")
    assert found.shared.rows == (("dtype", "bf16"),)


def test_a_key_that_one_run_lacks_differs() -> None:
    found = provenance_rows({"a": {"x": 1}, "b": {}})
    assert found.differing.rows == (("x", "1", ""),)
    assert provenance_rows({}).differing.rows == ()

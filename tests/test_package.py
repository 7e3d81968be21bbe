"""The package's promise to those who import it: nothing heavy, and its public names exist."""

import subprocess
import sys

import pytest

import transferscope

HEAVY = ("torch", "transformers", "numpy", "scipy", "pydantic", "cyclopts", "rich", "lm_eval")


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, transferscope; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint(HEAVY)
    assert "transferscope" in loaded


def test_public_names_resolve() -> None:
    for name in transferscope.__all__:
        assert getattr(transferscope, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = transferscope.nothing_of_this_name

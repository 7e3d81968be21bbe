"""The package's promise to those who import it: nothing heavy, and its public names exist."""

import shutil
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
@pytest.mark.parametrize(("ensurepip", "told"), [(1, "has no pip"), (0, "setting up")])
def test_setup_gives_an_environment_without_pip_one_or_says_how(
    tmp_path: Path, ensurepip: int, told: str
) -> None:
    """As uv makes them: `python -m pip` fails there, and ensurepip may not be shipped."""
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    lines = ["#!/bin/sh", '[ "$1" = -c ] && exit 0', f'[ "$2" = ensurepip ] && exit {ensurepip}']
    python.write_text("\n".join([*lines, "exit 1", ""]))
    python.chmod(0o755)
    makefile = Path(__file__).parents[1] / "Makefile"
    (tmp_path / "pyproject.toml").touch()
    done = subprocess.run(
        ["make", "-f", str(makefile), "setup", "VENV=venv", f"PYTHON={sys.executable}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert told in done.stdout
    remedy = "uv pip install pip --python venv/bin/python" in done.stdout
    assert remedy is (ensurepip == 1)

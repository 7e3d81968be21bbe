"""The prose linter: what it reads of a file, what it flags, and where."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("proselint")

SCRIPT = Path(__file__).parents[1] / "tools" / "prose.py"
SPEC = importlib.util.spec_from_file_location("prose", SCRIPT)
prose = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(prose)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


PYTHON = '''"""The whole
way."""
# It hangs on the seed.
name = "stands"
pattern = r"it goes on"
help_text = "It goes " "on."
message = f"Of the {name} shard."
kind = "Of the 24 models, 3 failed."


def f():
    """There is no reason. ``it stands`` and :func:`goes on`."""
    raise InputError("x is no number", remedy="fine")
'''


def test_python_s_docstrings_comments_and_messages_are_read(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(PYTHON)
    done = run(file)
    assert done.returncode == 1
    found = [line.removeprefix(f"{file}:").split(" -> ")[0] for line in done.stdout.splitlines()]
    assert found == [
        "1: house: 'whole way'",
        "3: house: 'hangs on'",
        "6: house: 'goes on'",
        "7: house: 'Of the shard.'",
        "13: house: 'is no number'",
    ]
    assert "5 complaints in 1 files" in done.stderr


def test_markdown_s_code_and_addresses_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    text = "# A page\n\nIt `stands` [here](stands.md).\n\n```\nit stands\n```\n"
    file.write_text(text)
    assert run(file).returncode == 0
    file.write_text(
        text + "\n| a | Of the base |\n\nA sentence that\nstands for itself goes\non. verily\n"
    )
    done = run(file)
    assert done.returncode == 1
    assert [line.split(":")[1] for line in done.stdout.splitlines()] == ["12", "13"]
    assert "'verily' is archaic" in done.stdout  # proselint's own check


def test_a_template_s_text_is_read_and_its_code_is_not(tmp_path: Path) -> None:
    file = tmp_path / "page.html.j2"
    file.write_text('<style>.stands {}</style>\n<p title="x">{{ stands }}</p>\n<b>It stands</b>\n')
    assert [line.split(":")[1] for line in run(file).stdout.splitlines()] == ["3"]


def test_lines_keep_their_numbers() -> None:
    assert prose.python_prose(PYTHON).count("\n") == PYTHON.count("\n")
    assert prose.blank("a `b\nc` d", prose.re.compile("`[^`]*`")) == "a   \n   d"


def test_every_pattern_reads_and_none_flags_its_own_advice() -> None:
    style = prose.tomllib.loads(SCRIPT.with_suffix(".toml").read_text(encoding="utf-8"))
    checks = prose.house_checks(style["rule"])
    assert len(checks) > 30
    for check in checks:
        assert list(check.check(f"\n{check.message}\n")) == []


def test_this_repository_passes() -> None:
    done = run()
    assert done.stdout == ""
    assert done.returncode == 0

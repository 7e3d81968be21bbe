"""The report package costs nothing until a page is asked for."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_report_loads_nothing_heavy() -> None:
    code = (
        "import sys, transferscope.report; "
        "print([m for m in ('torch', 'transformers', 'numpy', 'altair', 'jinja2', 'rich') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

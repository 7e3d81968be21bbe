"""docs/api.md is what the docstrings say, and the notebook runs."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_page_is_up_to_date():
    command = [sys.executable, str(ROOT / "tools" / "api_page.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.filterwarnings("ignore")
def test_the_notebook_ends_in_its_decision():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    place = {"metadata": {"path": str(ROOT / "examples")}}
    nbclient.NotebookClient(notebook, timeout=200, kernel_name="python3", resources=place).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = [
        output.get("text") or output["data"]["text/plain"]
        for cell in code
        for output in cell.outputs
    ]
    assert "INCONCLUSIVE" in shown[-2]
    assert shown[-1].startswith("non against base: the lower bound, -5.0")
    assert "Gained 25.8 points on math" in shown[2]
    charts = [o for c in code for o in c.outputs if "vega" in str(o.get("data", {}))]
    assert len(charts) == 1

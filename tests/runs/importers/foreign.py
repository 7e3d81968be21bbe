"""What the tests of other harnesses' formats share."""

import json
import shutil
from pathlib import Path

from transferscope.core.taxonomy import load_taxonomy
from transferscope.runs.importers import find_importer

FIXTURES = Path(__file__).parent / "fixtures"


def laid(name, folder):
    """A copy of the fixture, to be changed."""
    return Path(shutil.copytree(FIXTURES / name, folder))


def read(path):
    """The results at ``path`` as an import finds them, and every benchmark's samples."""
    results = find_importer(path)[1].read(path, load_taxonomy())
    return results, {name: list(of()) for name, of in results.samples.items()}


def edit(path, change):
    """``change`` alters a JSON document in place, or returns another."""
    raw = json.loads(path.read_text())
    path.write_text(json.dumps(change(raw) or raw, indent=4))

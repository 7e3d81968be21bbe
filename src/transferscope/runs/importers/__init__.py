"""Foreign results as run folders, or as runs in memory."""

from .detection import IMPORTERS, find_importer, read_results
from .foreign_run import Importer, Results, Sample
from .in_memory import open_run, put_together
from .into_folder import Imported, import_results

__all__ = [
    "IMPORTERS",
    "Imported",
    "Importer",
    "Results",
    "Sample",
    "find_importer",
    "import_results",
    "open_run",
    "put_together",
    "read_results",
]

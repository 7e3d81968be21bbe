"""The command that publishes the documents' JSON schemas."""

from __future__ import annotations

from .shared import app, print_json


@app.command
def schema(name: str | None = None) -> None:
    """JSON schema of a document that a command prints or a study writes.

    Parameters
    ----------
    name
        The document; without a name, all of them are listed.
    """
    from ..documents.catalog import DOCUMENTS, json_schema

    if name is not None:
        print_json(json_schema(name))
        return
    for known, (_, where) in DOCUMENTS.items():
        print(f"{known:14} {where}")

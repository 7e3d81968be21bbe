"""Every document by the name that ``transferscope schema`` takes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..core.errors import InputError
from ..core.nearest import did_you_mean

DOCUMENTS: dict[str, tuple[str, str]] = {
    "comparison": ("documents.comparison:Comparison", "compare --json; a study's comparison.json"),
    "gate": ("documents.gate_result:GateResult", "gate --json"),
    "ranking": ("documents.ranking:Ranking", "rank --json"),
    "hidden-shift": ("core.hidden_shift:HiddenShift", "probe hidden --json; shift.json"),
    "token-shift": ("core.token_shift:TokenShift", "probe tokens --json; shift.json"),
    "weight-shift": ("core.weight_shift:WeightShift", "probe weights --json"),
    "claims": ("documents.study_results:Claims", "a study's claims.json"),
    "arms": ("documents.study_results:Arms", "a study's arms.json"),
    "predictors": ("documents.study_results:Predictors", "a study's predictors.json"),
    "run-manifest": ("documents.run_manifest:Manifest", "a run folder's run.json"),
}
"""Maps each name to the location of the model and to what contains such a document."""


def document_type(name: str) -> Any:
    """The model with this name. Raises :class:`InputError` with similar names if it is unknown."""
    if name not in DOCUMENTS:
        raise InputError(f"unknown document {name!r}", remedy=did_you_mean(name, DOCUMENTS))
    module, _, attribute = DOCUMENTS[name][0].partition(":")
    return getattr(import_module(f"transferscope.{module}"), attribute)


def json_schema(name: str) -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a document as it is written."""
    from pydantic import TypeAdapter

    found = TypeAdapter(document_type(name)).json_schema(mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name}
    return {**head, **{key: value for key, value in found.items() if key != "title"}}

"""Results as typed documents: the same models define what is written and validate what is read.

A document is a frozen pydantic dataclass (:mod:`transferscope.core.typed_record`), defined once:
the mathematics in ``core`` fills it in, commands print it, files store it, and the report reads its
attributes. No list of fields is written twice, and no dictionary is passed between packages.
Documents are dataclasses rather than a ``BaseModel`` because dataclasses take fields by position,
work with :func:`dataclasses.replace`, and are all that the records of ``core`` need. Records of
arrays (features, positions, item scores) stay plain dataclasses, because they are never written.

``schema`` is a document's version. A file of an older version is migrated (:mod:`.migrations`) or
refused with its version. A document that is a list (claims, arms, predictors) has no field for a
version; a list is version 1.
"""

from __future__ import annotations

from .catalog import DOCUMENTS, json_schema
from .read_document import read_document, validated

__all__ = ["DOCUMENTS", "json_schema", "read_document", "validated"]

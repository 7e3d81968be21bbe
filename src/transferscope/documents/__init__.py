"""Results as documents: what is written is the model, what is read is validated by it.

A document is a frozen pydantic dataclass (:mod:`transferscope.core.typed_record`). There is one
definition of each: the mathematics in ``core`` fill it, commands print it, files hold it, and the
report reads its attributes. So no list of fields is written twice, and no dictionary goes from room
to room. Dataclasses rather than ``BaseModel``: they take their fields by position, work with
:func:`dataclasses.replace`, and records of ``core`` need nothing else. Records of arrays (features,
positions, item scores) stay plain dataclasses, as they are never written.

``schema`` is a document's version. A file of an older version is migrated (:mod:`.migrations`) or
refused by its number. A document that is a list (claims, arms, predictors) has no place for a
number: as a list it is version 1.
"""

from __future__ import annotations

from .catalog import DOCUMENTS, json_schema
from .read_document import read_document, validated

__all__ = ["DOCUMENTS", "json_schema", "read_document", "validated"]

"""A probe's JSON in a study's folder, checked: what the report reads is there and is a number.

Files of older versions lack what was measured later: those fields may be missing or null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ..core.errors import InputError
from ..core.files import read_json

REMEDY = "remove the file and start the study again"

Shape: TypeAlias = "str | list[Shape] | dict[str, Shape]"
"""``"number"`` (finite), ``"number?"`` (or null), ``"text"``; a list of one shape; an object by
key, where ``key?`` may be missing or null and ``*`` is every key."""

_AXES: Shape = {"layer": "number", **dict.fromkeys(("dm1", "dm2", "cka", "rel_l2"), "number?")}
_PART: Shape = {"kl_tuned_base": "number?", "kl_base_tuned": "number?", "rank_shift": "number?"}
_MORE = ("js", "log_ratio", "entropy_base", "entropy_tuned", "n_texts", "n_tokens")
SHAPES: Mapping[str, Shape] = {
    "hidden": {
        "d_layerwise": "number?",
        "layers": [_AXES],
        **dict.fromkeys(("d_paper?", "d_paper_max?", "n_texts?"), "number"),
    },
    "tokens": {
        "kl_tuned_base": "number?",
        "kl_base_tuned": "number?",
        "rank_shift": "number",
        "shifted_share": "number",
        **{f"{key}?": "number" for key in _MORE},
        "prefix?": "text",
        "infinite?": {"*": "text"},
        "groups?": {"*": _PART},
        "benchmarks?": {"*": _PART},
        "curve?": [{"first": "number", "js": "number"}],
        "shifted_tokens?": [
            {"token": "text", "kind?": "text", "mean_shift": "number", "count": "number"}
        ],
    },
    "weights": {
        "changed_share": "number",
        "changed_bf16_share": "number",
        "relative_norm": "number?",
        "stable_rank": "number?",
    },
}


def read_probe(path: Path, kind: str) -> dict[str, Any]:
    """What probe ``kind`` left in ``path``.

    Raises :class:`InputError` with the file and the first field that can't be read.
    """
    found = read_json(path, remedy=REMEDY)
    if (wrong := _fault(found, SHAPES[kind])) is not None:
        raise InputError(f"no probe wrote {wrong!r} so", place=str(path), remedy=REMEDY)
    return found


def _fault(value: Any, shape: Shape, at: str = "") -> str | None:
    """Where in ``value`` the first thing of another shape stands."""
    if isinstance(shape, str):
        if shape == "text":
            return None if isinstance(value, str) else at
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fine = math.isfinite(value) if number else value is None and shape.endswith("?")
        return None if fine else at
    if isinstance(shape, list):
        if not isinstance(value, list):
            return at
        faults = (_fault(each, shape[0], f"{at}[{n}]") for n, each in enumerate(value))
    elif not isinstance(value, dict):
        return at
    elif "*" in shape:
        faults = (_fault(each, shape["*"], f"{at}.{key}") for key, each in value.items())
    else:
        faults = (_field(value, key, sub, f"{at}.".lstrip(".")) for key, sub in shape.items())
    return next((found for found in faults if found is not None), None)


def _field(value: Mapping[str, Any], key: str, shape: Shape, before: str) -> str | None:
    name = key.removesuffix("?")
    if name not in value or (value[name] is None and name != key):
        return None if name != key else before + name
    return _fault(value[name], shape, before + name)

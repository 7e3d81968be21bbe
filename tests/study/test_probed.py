"""A probe's file in a study's folder is what the report can read, or is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.study.probed import read_probe

LAYER = {"layer": 0, "dm1": 0.1, "dm2": None, "cka": None, "rel_l2": 0.5}
PART = {"kl_tuned_base": 0.1, "kl_base_tuned": None, "rank_shift": 0.0}
FOUND: dict[str, dict[str, Any]] = {
    "hidden": {"d_layerwise": None, "layers": [LAYER, LAYER]},
    "tokens": {
        **PART,
        "shifted_share": 0,
        "benchmarks": {"chains": PART},
        "groups": None,
        "infinite": {"kl_base_tuned": "inf"},
        "curve": [{"first": 0, "js": 0.1}],
        "shifted_tokens": [{"token": "a", "mean_shift": 1.0, "count": 2}],
    },
    "weights": {
        "changed_share": 0.5,
        "changed_bf16_share": 0.5,
        "relative_norm": 1e-3,
        "stable_rank": None,
    },
}


def read(path: Path, kind: str, document: Any) -> dict[str, Any]:
    path.write_text(json.dumps(document))
    return read_probe(path, kind)


@pytest.mark.parametrize("kind", FOUND)
def test_what_a_probe_wrote_is_read_as_it_is(tmp_path: Path, kind: str) -> None:
    found = FOUND[kind]
    assert read(tmp_path / "a.json", kind, found) == found
    for broken in ({}, dict.fromkeys(found), dict.fromkeys(found, "<b>x")):
        with pytest.raises(InputError, match=r"a\.json: no probe wrote '\w+' so; remove the file"):
            read(tmp_path / "a.json", kind, broken)


@pytest.mark.parametrize(
    ("kind", "change", "place"),
    [
        ("hidden", {"layers": [LAYER, LAYER | {"cka": "x"}]}, "layers[1].cka"),
        ("hidden", {"layers": [{"layer": 0}]}, "layers[0].dm1"),
        ("hidden", {"layers": [1]}, "layers[0]"),
        ("hidden", {"d_layerwise": float("nan")}, "d_layerwise"),
        ("hidden", {"d_paper": True}, "d_paper"),
        ("tokens", {"benchmarks": {"a": PART | {"rank_shift": "x"}}}, "benchmarks.a.rank_shift"),
        ("tokens", {"groups": []}, "groups"),
        ("tokens", {"groups": {"math": None}}, "groups.math"),
        ("tokens", {"curve": [{"first": 0}]}, "curve[0].js"),
        ("tokens", {"shifted_tokens": {}}, "shifted_tokens"),
        ("weights", {"stable_rank": float("inf")}, "stable_rank"),
    ],
)
def test_the_first_wrong_field_is_named(
    tmp_path: Path, kind: str, change: dict[str, Any], place: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.json", kind, FOUND[kind] | change)
    assert f"no probe wrote {place!r} so" in str(caught.value)

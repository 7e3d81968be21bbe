"""A file is what its document writes, or the first thing that is not is named in one line."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.core.hidden_shift import HiddenShift
from transferscope.core.token_shift import TokenShift
from transferscope.core.typed_record import plain
from transferscope.core.weight_shift import WeightShift
from transferscope.documents import read_document, validated
from transferscope.documents.catalog import document_type
from transferscope.documents.comparison import Comparison
from transferscope.documents.study_results import Claims

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES

LISTS = ("claims", "arms", "predictors")
STUDIES = [
    path
    for name in LISTS
    for path in sorted((Path(__file__).parents[2] / "studies").rglob(f"{name}.json"))
]
REMEDY = "remove the file and start the study again"
LAYER = {"layer": 0, "dm1": 0.1, "dm2": None, "cka": None, "rel_l2": 0.5}
MEANS: dict[str, Any] = {
    "n_texts": 3,
    "n_tokens": 9,
    "kl_tuned_base": 0.1,
    "kl_base_tuned": None,
    "js": 0.2,
    "log_ratio": -0.1,
    "rank_shift": 0.0,
    "shifted_share": 0,
}
FOUND: dict[type, dict[str, Any]] = {
    HiddenShift: {
        "n_texts": 3,
        "d_paper": None,
        "d_paper_max": None,
        "d_layerwise": None,
        "layers": [LAYER, LAYER],
    },
    TokenShift: {
        **MEANS,
        "prefix": "base",
        "benchmarks": {"chains": MEANS},
        "infinite": {"kl_base_tuned": "inf"},
        "shifted_tokens": [{"token": "a", "mean_shift": 1.0, "count": 2, "kind": "content"}],
    },
    WeightShift: {
        "entries": 10,
        "changed_share": 0.5,
        "changed_bf16_share": 0.5,
        "relative_norm": 1e-3,
        "stable_rank": None,
    },
}
"""Probes' files of the time before documents had a version."""


def read(path: Path, kind: type, document: Any) -> Any:
    path.write_text(json.dumps(document))
    return read_document(kind, path, remedy=REMEDY)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"run-manifest"}))
def test_what_was_written_is_read_as_it_was(name: str, tmp_path: Path) -> None:
    made = CASES[name](tmp_path)
    kind = document_type(name.removesuffix("-infinite").split("-without")[0].split("-of-")[0])
    path = tmp_path / "a.json"
    path.write_text(json.dumps(plain(made), allow_nan=False))
    found = read_document(kind, path, remedy=REMEDY)
    assert plain(found) == plain(made)
    if isinstance(made, Comparison):  # texts stay in the run folders
        bare = tuple(replace(result, flipped=()) for result in made.tuned)
        assert repr(found.tuned) == repr(bare)


@pytest.mark.parametrize("kind", FOUND)
def test_a_file_without_a_version_is_migrated(kind: type, tmp_path: Path) -> None:
    found = read(tmp_path / "a.json", kind, FOUND[kind])
    document = found.to_json()
    assert document["schema"] == 1
    missing = FOUND[kind].keys() - document.keys()
    assert not missing
    if kind is HiddenShift:
        assert found.n_layers_averaged == 2
    if kind is TokenShift:
        assert found.value("kl_base_tuned") == float("inf")
        assert (found.entropy_base, found.benchmarks["chains"].entropy_tuned) == (None, None)


@pytest.mark.parametrize("kind", FOUND)
def test_a_broken_file_is_one_line_with_the_remedy(kind: type, tmp_path: Path) -> None:
    fields = dict.fromkeys(FOUND[kind])
    for broken in ({}, fields, dict.fromkeys(fields, "<b>x"), [], None, 3, "x"):
        with pytest.raises(InputError) as caught:
            read(tmp_path / "a.json", kind, broken)
        line = str(caught.value)
        assert line.startswith(f"{tmp_path / 'a.json'}: ")
        assert line.endswith(REMEDY)
        assert "\n" not in line


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        (HiddenShift, {"layers": [LAYER, LAYER | {"cka": "x"}]}, "field 'layers[1].cka': input"),
        (HiddenShift, {"layers": [{"layer": 0}]}, "field 'layers[0].dm1' is missing (and 3 more)"),
        (HiddenShift, {"layers": [1]}, "field 'layers[0]': input should be an object"),
        (HiddenShift, {"layers": {"a": 1}}, "field 'layers': input should be a valid array"),
        (HiddenShift, {"d_layerwise": float("nan")}, "field 'd_layerwise' is not a finite number"),
        (HiddenShift, {"d_paper": True}, "field 'd_paper': input should be a valid number"),
        (HiddenShift, {"n_texts": 1.5}, "field 'n_texts': input should be a valid integer"),
        (HiddenShift, {"colour": 1}, "unknown field 'colour'"),
        (HiddenShift, {"schema": 2}, "schema version 2; this transferscope reads version 1"),
        (HiddenShift, {"schema": True}, "schema version True; this transferscope"),
        (
            TokenShift,
            {"benchmarks": {"a": MEANS | {"rank_shift": "x"}}},
            "field 'benchmarks.a.rank_shift': input should be a valid number",
        ),
        (TokenShift, {"groups": []}, "field 'groups': input should be an object"),
        (TokenShift, {"groups": {"math": None}}, "field 'groups.math': input should be an object"),
        (TokenShift, {"curve": [{"first": 0}]}, "field 'curve[0].last' is missing"),
        (TokenShift, {"shifted_tokens": {}}, "field 'shifted_tokens': input should be"),
        (TokenShift, {"infinite": {"js": "much"}}, "field 'infinite.js': input should be 'inf'"),
        (TokenShift, {"groups": {"a\x1b[31m": 1}}, "field 'groups.a⟨U+001B⟩[31m': input"),
        (WeightShift, {"stable_rank": float("inf")}, "field 'stable_rank' is not a finite number"),
    ],
)
def test_the_first_fault_is_named(
    tmp_path: Path, kind: type, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.json", kind, FOUND[kind] | change)
    assert said in str(caught.value)


def test_a_comparison_without_a_version_is_refused_by_name(tmp_path: Path) -> None:
    document = plain(CASES["comparison"](tmp_path))
    del document["schema"]
    with pytest.raises(InputError, match="has no schema version: an older transferscope"):
        read(tmp_path / "a.json", Comparison, document)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: "/".join(path.parts[-2:]))
def test_the_reference_studies_are_read(path: Path) -> None:
    found = read_document(document_type(path.stem), path, remedy=REMEDY)
    assert plain(found) == json.loads(path.read_text())


def test_what_is_derived_is_computed_anew(tmp_path: Path) -> None:
    document = plain(CASES["comparison"](tmp_path))
    row = next(r for r in document["tuned"][0]["benchmarks"] if r["benchmark"] == "chat")
    said, row["standing"] = row["standing"], "gain"
    found = read(tmp_path / "a.json", Comparison, document)
    assert said == "loss"
    assert {r.benchmark: r.standing for r in found.tuned[0].benchmarks}["chat"] == "loss"


def test_deep_and_huge_values_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for text in ("[" * 5000, '{"a":' * 400 + "1" + "}" * 400, '[{"runs": 1' + "0" * 400 + "}]"):
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            read_document(Claims, path, remedy=REMEDY)
        assert len(str(caught.value)) < 300 + len(str(path))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.sampled_from(list(FOUND)), st.data())
def test_no_value_ends_in_another_error(kind: type, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from([*FOUND[kind], "schema", "groups", "curve", "x"]))
    document = FOUND[kind] | {key: data.draw(json_values)}
    try:
        found = validated(kind, document, place="a.json", remedy=REMEDY)
    except InputError as err:
        said = str(err)
    else:
        said = json.dumps(plain(found), allow_nan=False)
    assert "\n" not in said

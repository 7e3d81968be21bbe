"""run.json is hostile input: every field of a wrong type is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef
from transferscope.runs.manifest import Manifest, read_manifest, write_manifest

SUITE = {
    "name": "s",
    "source": "g",
    "groups": {"g": ["b"]},
    "benchmarks": {"b": {"pack": "p"}},
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    manifest = Manifest(ModelRef("m", base="b0"), SUITE, "hash", seed=3, limit=40)
    write_manifest(tmp_path, manifest)
    again = read_manifest(tmp_path)
    assert again.identity() == manifest.identity()
    assert again.model == manifest.model
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"engine": None}, "field 'engine' has the wrong type"),
        ({"versions": []}, "field 'versions' has the wrong type"),
        ({"decoding": []}, "field 'decoding' has the wrong type"),
        ({"seed": "abc"}, "field 'seed' has the wrong type"),
        ({"suite_hash": None}, "field 'suite_hash' has the wrong type"),
        ({"model": {"name": ["m"]}}, "field 'model.name' is not a string"),
        ({"complete": {"b": {"outcomes_bytes": 3}}}, "field 'complete.b' lacks"),
        ({"complete": {"b": 3}}, "field 'complete.b' lacks"),
        ({"metrics": {"b": {"acc": 1.5}}}, "field 'metrics.b' holds no scores within 0..1"),
        ({"metrics": {"b": "acc"}}, "field 'metrics.b' holds no scores within 0..1"),
        ({"metrics": []}, "field 'metrics' has the wrong type"),
        ({"schema": 99}, "schema version 99, this version of transferscope reads 1"),
        ({"mystery": 1}, "unknown field 'mystery'"),
        ({"suite": {"name": "s"}}, "not a valid manifest"),
    ],
)
def test_wrong_fields_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    write_manifest(tmp_path, Manifest(ModelRef("m"), SUITE, "hash"))
    path = tmp_path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError) as caught:
        read_manifest(tmp_path)
    assert message in str(caught.value)
    assert "run.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[" * 200_000)
    with pytest.raises(InputError, match="not valid JSON"):
        read_manifest(tmp_path)

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
        ({"engine": None}, "field 'engine': input should be an object"),
        ({"versions": []}, "field 'versions': input should be an object"),
        ({"decoding": []}, "field 'decoding': input should be an object"),
        ({"seed": "abc"}, "field 'seed': input should be a valid integer"),
        ({"suite_hash": None}, "field 'suite_hash': input should be a valid string"),
        ({"model": {"name": ["m"]}}, "field 'model.name': input should be a valid string"),
        ({"complete": {"b": {"outcomes_bytes": 3}}}, "field 'complete.b.n' is missing"),
        ({"complete": {"b": 3}}, "field 'complete.b': input should be an object"),
        ({"metrics": {"b": {"acc": 1.5}}}, "field 'metrics.b.acc': input should be less than"),
        ({"metrics": {"b": "acc"}}, "field 'metrics.b': input should be an object"),
        ({"metrics": []}, "field 'metrics': input should be an object"),
        ({"schema": 99}, "schema version 99; this transferscope reads version 1"),
        ({"mystery": 1}, "unknown field 'mystery'"),
        ({"suite": {"name": "s"}}, "field 'suite.source' is missing"),
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

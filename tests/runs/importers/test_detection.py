"""Every fixture of every format is claimed by exactly one importer."""

import gzip
import json
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.runs.importers import IMPORTERS, find_importer, import_results

FIXTURES = Path(__file__).parent / "fixtures"
PLAIN = ("jsonl", "json", "parquet", "csv")
"""Formats of any file with that ending: asked last."""


def qwen(folder):
    file = folder / "tiny" / "gsm8k" / "test_cot_-1_seed0_t0.0_s0_e-1.jsonl"
    file.parent.mkdir(parents=True)
    row = {"idx": 0, "question": "1+1?", "gt_cot": "", "gt": "2", "code": ["2"], "score": [True]}
    file.write_text(json.dumps(row) + "\n")
    metrics = file.with_name(f"{file.stem}_cot_metrics.json")
    metrics.write_text('{"num_samples": 1, "num_scores": 1, "acc": 100.0}')
    return [folder, file, metrics]


def evalplus(folder):
    file = folder / "tiny_eval_results.json"
    sample = {"base_status": "pass", "plus_status": "pass", "solution": ""}
    results = {"date": "2026-11-28 08:00", "hash": "fe58", "eval": {"HumanEval/0": [sample]}}
    folder.mkdir(parents=True)
    file.write_text(json.dumps(results))
    return [folder, file]


def lighteval(folder):
    """Where lighteval puts them: ``results/MODEL`` is a place of OpenCompass, too."""
    for model in ("tiny", "acme/tiny"):
        target = folder / "results" / model
        target.mkdir(parents=True)
        shutil.copy(next((FIXTURES / "lighteval").glob("results_*.json")), target)
    file = next(folder.rglob("results_*.json"))
    return [folder, folder / "results", folder / "results" / "acme", file, file.parent]


def cases(tmp_path):
    run = FIXTURES / "opencompass" / "20261128_080000"
    scope = FIXTURES / "evalscope" / "20261128_080000"
    found = {
        "lighteval": [FIXTURES / "lighteval", *lighteval(tmp_path / "lighteval")],
        "evalscope": [
            *(FIXTURES / "evalscope", scope, scope / "reports", scope / "reviews"),
            *(*scope.glob("reports/*/*"), *scope.glob("reviews/*/*")),
        ],
        "opencompass": [
            *(FIXTURES / "opencompass", run, run / "results", run / "summary"),
            *(*run.glob("results/*/*"), *run.glob("summary/*")),
        ],
        "helm": [FIXTURES / "helm", *(FIXTURES / "helm").rglob("*.json")],
        "evalplus": evalplus(tmp_path / "evalplus"),
        "qwen-math": qwen(tmp_path / "qwen"),
        "lm-eval": [p for p in (FIXTURES / "lm_eval").iterdir() if p.is_dir()],
        "inspect": [
            *(FIXTURES / "inspect").rglob("*.eval"),
            *(FIXTURES / "inspect").rglob("*.json"),
        ],
        "eee": [p for p in (FIXTURES / "eee").iterdir() if p.is_dir()],
    }
    assert all(found.values())
    return found


def test_exactly_one_importer_claims_every_fixture(tmp_path):
    importers = {
        name: import_module(f"transferscope.runs.importers.{module}").IMPORTER
        for name, module in IMPORTERS.items()
        if name not in PLAIN
    }
    for name, paths in cases(tmp_path).items():
        for path in paths:
            claimed = [other for other, importer in importers.items() if importer.accepts(path)]
            assert claimed == [name], path
            assert find_importer(path)[0] == name


def test_a_folder_of_pointers_says_so(tmp_path):
    (tmp_path / "results_x.parquet").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match=r"x.parquet: is a Git LFS pointer.*: git lfs pull"):
        find_importer(tmp_path)


def test_plain_files_are_nobody_elses(tmp_path):
    table = tmp_path / "scores.csv"
    table.write_text("benchmark,score\ngsm8k,0.5\n")
    lines = tmp_path / "rows.jsonl"
    lines.write_text('{"id": 1, "score": 1}\n')
    assert [find_importer(path)[0] for path in (table, lines)] == ["csv", "jsonl"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("report.json", b"", "is empty"),
        ("results_x.json.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("report.json", b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        ("report.json", b'{"anything": 1}', "no 'score' .*, only anything"),
    ],
)
def test_what_nobody_reads_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        import_results(tmp_path / name, tmp_path / "out")

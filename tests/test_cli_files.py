"""Import and export by the command line, on what the real tools wrote."""

import json
from pathlib import Path

import pytest

from transferscope.runs import read_run

from .test_cli import run

FIXTURES = Path(__file__).parent / "runs" / "importers" / "fixtures"


def test_import_writes_a_run_folder_and_lists_what_has_no_group(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    path = str(FIXTURES / "lm_eval" / "base")
    code, text, err = run(capsys, "import", path, "--out", str(out))
    assert code == 0
    imported = read_run(out)
    total = sum(len({o.id for o in found}) for found in imported.by_benchmark.values())
    assert text.startswith(f"lm-eval: {len(imported.by_benchmark)} benchmarks, {total:,} items ->")
    again = tmp_path / "again"
    code, text, _ = run(capsys, "import", path, "--out", str(again), "--json")
    document = json.loads(text)
    assert code == 0
    assert document["format"] == "lm-eval"
    assert sum(document["benchmarks"].values()) == total
    for name in document["unmapped"]:
        assert f"{name}: in no group; map it with --map" in err


def test_a_folder_with_files_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    path = str(FIXTURES / "lm_eval" / "base")
    code, _, err = run(capsys, "import", path, "--out", str(tmp_path))
    assert code == 2
    assert "is not empty; name another folder: --out RUN" in err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_export_compares_as_what_it_was_made_from(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    base, tuned = (str(FIXTURES / "lm_eval" / name) for name in ("base", "tuned"))
    exported = str(tmp_path / "eee")
    assert run(capsys, "export", "eee", tuned, "--out", exported)[0] == 0
    options = ("--replicates", "200", "--json")
    changes = []
    for path in (tuned, exported):
        code, out, _ = run(capsys, "compare", base, path, *options)
        assert code == 0
        rows = json.loads(out)["tuned"][0]["benchmarks"]
        changes.append({row["benchmark"]: (row["delta"], row["n"], row["p"]) for row in rows})
    assert changes[0] == changes[1] != {}


def test_wrong_format_and_missing_path_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for argv, message in (
        (["nowhere", "--out", str(tmp_path / "r")], "nowhere: no such file or folder"),
        ([str(tmp_path), "--out", str(tmp_path / "r"), "--format", "excel"], "unknown format"),
    ):
        code, _, err = run(capsys, "import", *argv)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1
    assert not (tmp_path / "r").exists()


def test_score_prints_metrics_flags_and_what_has_no_gold(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "answers.jsonl"
    rows = [
        {"id": "a", "response": "The answer is 4", "gold": "4", "label": True},
        {"id": "b", "response": "The answer is 5", "finish": "length"},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    code, text, err = run(capsys, "score", "math", str(file))
    assert code == 0
    assert text.splitlines()[0] == "math: 1 of 2 lines have a gold"
    assert "accuracy            100.0 %" in text
    assert "label agreement     100.0 %" in text
    assert "truncated               1  flagged" in text
    assert "without a gold: 'b'" in err
    code, text, _ = run(capsys, "score", "math", str(file), "--json")
    assert json.loads(text)["metrics"] == {"accuracy": 1.0}
    code, _, err = run(capsys, "score", "maths", str(file))
    assert code == 2
    assert "unknown grader 'maths'; use one of math, choice" in err

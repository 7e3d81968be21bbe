"""Import and export by the command line, on what the real tools wrote."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from transferscope.runs import RunWriter, read_run
from transferscope.runs.writer import claimed

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
        assert f"{name}: belongs to no group; assign one with --map" in err


def test_a_folder_with_files_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    path = str(FIXTURES / "lm_eval" / "base")
    code, _, err = run(capsys, "import", path, "--out", str(tmp_path))
    assert code == 2
    assert "is not empty; name another folder: --out RUN" in err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_killed_import_is_finished_by_the_same_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = str(FIXTURES / "lm_eval" / "base"), tmp_path / "run"
    real, left = RunWriter.write_benchmark, iter([True, True])

    def dies(*args: Any, **options: Any) -> None:
        next(left)  # StopIteration at the third benchmark
        real(*args, **options)

    monkeypatch.setattr(RunWriter, "write_benchmark", dies)
    run(capsys, "import", path, "--out", str(out))
    monkeypatch.undo()
    code, _, err = run(capsys, "compare", str(out), path)
    assert code == 2
    told = "unfinished run (2 benchmarks are done); start the same command again: it resumes where"
    assert told in err
    assert run(capsys, "import", path, "--out", str(out))[0] == 0
    whole = tmp_path / "whole"
    assert run(capsys, "import", path, "--out", str(whole))[0] == 0
    assert (out / "outcomes.jsonl").read_bytes() == (whole / "outcomes.jsonl").read_bytes()
    assert read_run(out).manifest.complete == read_run(whole).manifest.complete
    (tmp_path / "new").mkdir()
    for folder in (out, tmp_path / "new"):
        with claimed(folder):  # by the first of two commands
            code, _, err = run(capsys, "import", path, "--out", str(folder))
        assert code == 2
        assert f"{folder.name}: process {os.getpid()} on " in err
        assert "is writing to it; wait for it to finish, or name another folder: --out DIR" in err


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
    assert text.splitlines()[0] == "math: 1 of 2 lines have a reference answer"
    assert "accuracy            100.0 %" in text
    assert "label agreement     100.0 %" in text
    assert "truncated               1  flagged" in text
    assert "without a reference answer: 'b'" in err
    code, text, _ = run(capsys, "score", "math", str(file), "--json")
    assert json.loads(text)["metrics"] == {"accuracy": 1.0}
    code, _, err = run(capsys, "score", "maths", str(file))
    assert code == 2
    assert "unknown grader 'maths'; use one of math, choice" in err


def test_explain_lists_what_is_taken_for_what_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "base.csv"
    file.write_text("benchmark,score,n\nBoolQ,0.7,200\nwikitext,0.6,60\ngsm8kx,0.5,100\n")
    code, out, err = run(capsys, "import", "--explain", str(file))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "1 of 3 tasks are in no group and will not be judged:" in lines
    assert '  "gsm8kx" = "gsm8k"' in lines
    # Unmapped first, then what is left out, then the rest.
    order = [line.split()[0] for line in lines if " unmapped " in line or " non " in line]
    assert order == ["gsm8kx", "wikitext", "BoolQ"]
    assert "50 %" in next(line for line in lines if line.startswith("BoolQ"))
    assert "wikitext: left out, not comparable" in out
    assert [path.name for path in tmp_path.iterdir()] == ["base.csv"]
    code, out, _ = run(capsys, "import", str(file), "--explain", "--json")
    document = json.loads(out)
    assert (code, document["unmapped"]) == (0, ["gsm8kx"])
    assert document["tasks"][0]["map"] == '[aliases]\n"gsm8kx" = "gsm8k"'
    assert document["tasks"][0]["chance"] is None


def test_explain_folds_subjects_and_hides_control_characters(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    subjects = ("anatomy", "virology", "astronomy", "marketing")
    rows = "".join(f"mmlu_{name},0.5,10\n" for name in subjects)
    file = tmp_path / "base.csv"
    file.write_text("benchmark,score,n\n" + rows + "\x1b[31mred,0.5,10\n")
    code, out, _ = run(capsys, "import", "--explain", str(file))
    assert code == 0
    # Four subjects of 10 items in one row; cells fold at 80 columns.
    assert sum(line.startswith("mmlu_") for line in out.splitlines()) == 1
    assert "3 more" in out
    assert " 40 " in out
    assert "\x1b" not in out


def test_import_without_out_or_with_both_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(FIXTURES / "lm_eval" / "base")
    code, _, err = run(capsys, "import", path)
    assert code == 2
    assert "add --out RUN, or preview the import with --explain" in err
    code, _, err = run(capsys, "import", path, "--explain", "--out", str(tmp_path / "r"))
    assert code == 2
    assert "--explain writes nothing" in err
    assert not (tmp_path / "r").exists()


def test_an_import_adds_to_a_run_and_files_of_one_model_are_compared_together(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for model, scores in (("base", (0.8, 0.5)), ("tuned", (0.7, 0.45))):
        for task, score in zip(("boolq", "arc_challenge"), scores, strict=True):
            results = {
                "results": {task: {"acc,none": score, "acc_stderr,none": 0.01}},
                "configs": {},
                "config": {"model_args": f"pretrained=acme/{model}"},
            }
            (tmp_path / f"{model}_{task}.json").write_text(json.dumps(results))
    for task in ("boolq", "arc_challenge"):
        path = str(tmp_path / f"base_{task}.json")
        assert run(capsys, "import", path, "--out", str(tmp_path / "base"))[0] == 0
    tuned = [str(tmp_path / f"tuned_{task}.json") for task in ("boolq", "arc_challenge")]
    code, text, err = run(capsys, "compare", str(tmp_path / "base"), *tuned, "--json")
    (result,) = json.loads(text)["tuned"]
    deltas = {row["benchmark"]: round(row["delta"], 6) for row in result["benchmarks"]}
    assert (code, deltas) == (0, {"boolq": -10.0, "arc_challenge": -5.0})
    assert "joined with" in err
    path = str(tmp_path / "tuned_boolq.json")
    code, _, err = run(capsys, "import", path, "--out", str(tmp_path / "base"))
    assert code == 2
    assert "contains a run with a different model: it has acme/base, requested acme/tuned" in err


def test_what_holds_for_both_inputs_is_said_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "wide.csv"
    file.write_text("model,gsm8k,average\nbase,60,60\ntuned,70,70\n")
    code, _, err = run(capsys, "compare", f"{file}::base", f"{file}::tuned")
    assert code == 0
    assert err.count("read as one row per model") == 1
    note = "columns left out because they are not benchmarks: average"
    assert f"{file}::base, {file}::tuned: {note}" in err


def test_answers_of_no_benchmark_are_refused_with_the_lines_for_map(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("base", "tuned"):
        (tmp_path / f"{name}.jsonl").write_text('{"id": 1, "score": 1}\n')
    both = [str(tmp_path / f"{name}.jsonl") for name in ("base", "tuned")]
    code, _, err = run(capsys, "compare", *both)
    assert code == 2
    assert "none of its benchmarks is in a group: results; map them in a file for --map" in err
    (tmp_path / "map.toml").write_text('[aliases]\n"results" = "gsm8k"\n')
    assert run(capsys, "compare", *both, "--map", str(tmp_path / "map.toml"))[0] == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gsm8k.json", "", "is empty; copy or download it again"),
        ("gsm8k.jsonl", "", "is empty"),
        ("gsm8k.jsonl", "version https://git-lfs.github.com/spec/v1\n", "run: git lfs pull"),
        ("gsm8k.csv", "version https://git-lfs.github.com/spec/v1\n", "run: git lfs pull"),
        ("gsm8k.json", '{"results": {"gsm', "cut off in the middle of a value"),
        ("gsm8k.json", "version https://git-lfs.github.com/spec/v1\n", "run: git lfs pull"),
        ("gsm8k.eval.x", "version https://git-lfs.github.com/spec/v1\n", "run: git lfs pull"),
        ("gsm8k.json", "<!DOCTYPE html>\n<html>", "is a web page, not the file itself"),
    ],
)
def test_a_damaged_file_is_named_as_what_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content)
    code, _, err = run(capsys, "import", str(tmp_path / name), "--out", str(tmp_path / "run"))
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert not (tmp_path / "run").exists()


def test_plain_answers_of_two_models_from_predictions_to_comparison(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, right in (("base", 30), ("tuned", 10)):
        rows = [
            {
                "input": f"{n}+1?",
                "predict": str(n + (n < right)),
                "label": str(n + 1 - (n >= right)),
            }
            | {"label": str(n + 1)}
            for n in range(40)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        argv = ("score", "math", str(tmp_path / f"{name}.jsonl"), "--field", "prompt=input")
        code, _, err = run(capsys, *argv, "--out", str(tmp_path / f"{name}_graded.jsonl"))
        assert (code, "gold = label" in err) == (0, True)
    code, _, err = run(
        capsys, "compare", *(str(tmp_path / f"{n}.jsonl") for n in ("base", "tuned"))
    )
    assert code == 2
    assert "grade the answers first: transferscope score GRADER FILE --out GRADED.jsonl" in err
    (tmp_path / "map.toml").write_text('[aliases]\nresults = "gsm8k"\n')
    paths = [str(tmp_path / f"{n}_graded.jsonl") for n in ("base", "tuned")]
    code, out, _ = run(
        capsys,
        "compare",
        *paths,
        "--map",
        str(tmp_path / "map.toml"),
        "--json",
        "--replicates",
        "200",
    )
    (row,) = json.loads(out)["tuned"][0]["benchmarks"]
    assert (code, row["base"], row["tuned"], row["n"]) == (0, 75.0, 25.0, 40)
    assert row["flips"]["lost"] == 20


def test_two_models_of_one_table_are_compared_by_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = tmp_path / "scores.csv"
    table.write_text("Model;GSM8K;gsm8k n\nbase;60,5;1319\norg/tuned;70,5;1319\n")
    argv = ("compare", f"{table}::base", f"{table}::tuned", "--json", "--replicates", "200")
    code, out, err = run(capsys, *argv)
    document = json.loads(out)
    (row,) = document["tuned"][0]["benchmarks"]
    assert (code, document["base"], document["tuned"][0]["model"]) == (0, "base", "org/tuned")
    assert (row["base"], row["tuned"], row["n"]) == (60.5, 70.5, 1319)
    assert "scores are percentages (up to 70.5)" in err
    code, _, err = run(capsys, "compare", str(table), f"{table}::tuned")
    assert (code, err.count("\n")) == (2, 1)
    assert f"results of 2 models (base and org/tuned); name one of them: {table}::base" in err


def test_fields_are_named_on_the_command_line_and_by_a_map(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "r.jsonl").write_text('{"nr": 1, "said": "4", "truth": "4", "ok": 1}\n')
    (tmp_path / "map.toml").write_text('[columns]\nresponse = "said"\n')
    path, mapping = str(tmp_path / "r.jsonl"), ("--map", str(tmp_path / "map.toml"))
    argv = ("score", "math", path, *mapping, "--field", "gold=truth", "--json")
    code, out, _ = run(capsys, *argv)
    assert (code, json.loads(out)["metrics"]) == (0, {"accuracy": 1.0})
    code, out, _ = run(capsys, "audit", path, "--field", "response=said", "--json")
    assert (code, json.loads(out)["n"]) == (0, 1)
    fields = ("--field", "id=nr", "--field", "score=ok")
    code, out, _ = run(capsys, "import", path, *fields, "--explain", "--json")
    assert (code, json.loads(out)["tasks"][0]["n"]) == (0, 1)
    code, _, err = run(capsys, "import", path, "--field", "identity=nr", "--explain")
    assert (code, err.count("\n")) == (2, 1)
    assert "unknown field 'identity'" in err


def test_explain_says_in_one_line_which_column_was_taken_for_what(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "r.jsonl").write_text('{"question": "q", "output": "4", "correct": 1}\n')
    code, out, _ = run(capsys, "import", "--explain", str(tmp_path / "r.jsonl"))
    assert code == 0
    said = "read response = output, prompt = question, score = correct;"
    assert said in " ".join(out.split())


@pytest.mark.parametrize(("columns", "widest"), [(None, 80), ("60", 60), ("120", 120), ("x", 80)])
def test_columns_is_honoured_where_output_is_piped(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: str | None,
    widest: int,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    runs = [str(FIXTURES / "lm_eval" / side) for side in ("base", "tuned")]
    code, out, _ = run(capsys, "compare", *runs, "--replicates", "200")
    assert code == 0
    assert widest - 20 < max(map(len, out.splitlines())) <= widest

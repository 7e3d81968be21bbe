"""What somebody else's files may do to a command: nothing but to be named in one line."""

import errno
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from .test_cli import HEADER, TABLE, run

FIXTURES = Path(__file__).parent / "runs" / "importers" / "fixtures"
LOG = FIXTURES / "inspect" / "0.3.285" / "graded.json"
LM_EVAL = FIXTURES / "lm_eval"
Capture = pytest.CaptureFixture[str]


def one_line(capsys: Capture, *argv: object) -> str:
    """The line of a command that ends with exit code 2 and shows nothing else."""
    code, out, err = run(capsys, *map(str, argv))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("transferscope: ")
    assert "--debug" not in err
    assert err[:-1].isprintable()
    return err


def rows(path: Path, *lines: dict[str, Any] | str) -> Path:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def changed_log(path: Path, change: Any) -> Path:
    log = json.loads(LOG.read_text())
    change(log)
    path.write_text(json.dumps(log))
    return path


PIPED = [
    ("import", "{}.jsonl", "--out", "r"),
    ("import", "{}.jsonl", "--explain"),
    ("import", "{}.eval", "--out", "r"),
    ("import", "{}.csv", "--out", "r"),
    ("import", "good.jsonl", "--map", "{}", "--out", "r"),
    ("audit", "{}"),
    ("audit", "good.jsonl", "--base", "{}"),
    ("index", "{}"),
    ("score", "math", "{}"),
    ("score", "qa", "{}"),
    ("score", "ifeval", "good.jsonl", "--gold", "{}"),
    ("score", "mctaco", "good.jsonl", "--gold", "{}"),
    ("compare", "{}", "good.jsonl"),
    ("compare", "good.jsonl", "{}"),
    ("rank", "good.jsonl", "{}"),
    ("gate", "good.jsonl", "good.jsonl", "--policy", "{}"),
    ("export", "eee", "{}", "--out", "r"),
    ("study", "{}.toml"),
    ("train", "off-policy-sft", "--config", "{}", "--out", "r"),
    ("eval", "smollm2-135m", "--suite", "{}.toml", "--out", "r"),
    ("probe", "hidden", "a/b", "a/c", "--texts", "{}"),
    ("probe", "tokens", "a/b", "a/c", "--responses", "{}"),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("argv", PIPED, ids=" ".join)
def test_a_pipe_or_device_is_refused_and_not_waited_for(
    argv: tuple[str, ...], capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows(tmp_path / "good.jsonl", {"id": 1, "score": 1, "prompt": "p", "response": "r"})
    place = next(argument for argument in argv if "{}" in argument)
    pipe = tmp_path / place.format("pipe")
    os.mkfifo(pipe)
    assert "is a pipe, not a file; write its output" in one_line(
        capsys, *(argument.format("pipe") for argument in argv)
    )
    pipe.unlink()
    pipe.symlink_to("/dev/zero")
    assert "is a device, not a file" in one_line(capsys, *(a.format("pipe") for a in argv))
    pipe.unlink()
    pipe.symlink_to(pipe.name)
    assert "Too many levels of symbolic links" in one_line(
        capsys, *(a.format("pipe") for a in argv)
    )


def test_what_lies_in_a_folder_of_results_is_named(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    os.mkfifo(folder / "results_2026.json")
    said = "in/results_2026.json: is a pipe, not a file"
    assert said in one_line(capsys, "import", folder, "--out", tmp_path / "r")
    (folder / "results_2026.json").unlink()
    (folder / "a").mkdir()
    (folder / "a" / "up").symlink_to("..")
    said = "a/up: is a symbolic link to a folder that contains it; remove the link"
    assert said in one_line(capsys, "import", folder, "--out", tmp_path / "r")
    (folder / "a" / "up").unlink()
    scandir = os.scandir

    def shut(path: Any) -> Any:
        if not isinstance(path, int) and Path(path).name == "a":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", shut)
    said = "in/a: not readable: Permission denied; make it readable"
    assert said in one_line(capsys, "import", folder, "--out", tmp_path / "r")
    assert said in one_line(capsys, "compare", folder, folder)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"temperature": float("inf")}, "temperature is infinite"),
        ({"top_p": float("nan")}, "top_p is not a number"),
        ({"seed": -(10**30)}, "seed is -100000… (31 digits)"),
        ({"stop_seqs": [1, float("inf")]}, "stop_seqs.1 is infinite"),
        ({"max_tokens": 10**400}, "max_tokens is infinite"),
    ],
)
def test_a_setting_that_is_no_number_is_named(
    settings: dict[str, Any], said: str, capsys: Capture, tmp_path: Path
) -> None:
    log = changed_log(tmp_path / "log.json", lambda log: log["plan"].update(config=settings))
    told = one_line(capsys, "import", log, "--out", tmp_path / "r")
    assert "log.json: setting decoding." in told
    assert f"{said}; repair the file, or evaluate again" in told
    assert not (tmp_path / "r").exists()


def test_counts_beyond_reason_are_named(capsys: Capture, tmp_path: Path) -> None:
    table = tmp_path / "n.csv"
    table.write_text(f"benchmark,score,n\ngsm8k,0.5,{10**30}\n")
    said = f"n.csv:2: column 'n' holds '{10**30}', not a whole number; repair"
    assert said in one_line(capsys, "import", table, "--out", tmp_path / "r")
    assert said in one_line(capsys, "compare", table, table)
    assert said in one_line(capsys, "import", table, "--explain")
    results = tmp_path / "results_1.json"
    document = {"results": {"gsm8k": {"exact_match,none": 0.5}}, "lm_eval_version": "0.4.9"}
    counts = {"n-samples": {"gsm8k": {"effective": 10**30}}}
    results.write_text(json.dumps(document | counts))
    assert "results_1.json: n 1000000… (31 digits) of gsm8k" in one_line(
        capsys, "import", results, "--out", tmp_path / "r"
    )
    answers = rows(tmp_path / "a.jsonl", {"id": 1, "score": 1, "tokens": 10**30})
    assert "a.jsonl:1: tokens 1000000… (31 digits) is not within" in one_line(
        capsys, "import", answers, "--out", tmp_path / "r2"
    )


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("results", "scores"), 0.5, "results.scores is not a list"),
        (("results", "scores"), {"a": 1}, "results.scores is not a list"),
        (("results", "scores"), [0.5], "has no scores"),
        (("results",), 3, "has no scores"),
        (("eval",), [], "it has no task"),
    ],
)
def test_a_number_where_a_map_belongs(
    place: tuple[str, ...], value: Any, said: str, capsys: Capture, tmp_path: Path
) -> None:
    def change(log: Any) -> None:
        *path, last = place
        for key in path:
            log = log[key]
        log[last] = value

    log = changed_log(tmp_path / "log.json", change)
    assert said in one_line(capsys, "import", log, "--out", tmp_path / "r")


def test_deep_and_double_are_one_line(capsys: Capture, tmp_path: Path) -> None:
    deep: Any = "text"
    for _ in range(900):
        deep = [deep]
    log = changed_log(tmp_path / "log.json", lambda log: log["samples"][0].update(metadata=deep))
    said = "log.json: nested too deeply (beyond 100 levels)"
    assert said in one_line(capsys, "import", log, "--out", tmp_path / "r")
    twice = rows(tmp_path / "a.jsonl", '{"id":1,"score":0.0,"score":1.0}')
    assert "a.jsonl:1: not valid JSON (key 'score' occurs twice" in one_line(
        capsys, "import", twice, "--out", tmp_path / "r"
    )


EVIL = "a\x1b[31mEVIL\x1b]0;title\x07\n\u202eb\x9b2J"


def test_names_reach_the_terminal_without_escape_codes(capsys: Capture, tmp_path: Path) -> None:
    for name in (EVIL, "www.example.com " + "y" * 5_000):
        file = rows(
            tmp_path / "a.jsonl",
            {"id": 1, "score": 1, "benchmark": name, "model": name, "response": name},
            {"id": 2, "score": 0, "benchmark": "gsm8k", "model": name, "response": name},
        )
        shown = []
        for argv in (
            ("import", file, "--out", tmp_path / f"r{len(name)}"),
            ("import", file, "--explain"),
            ("compare", file, file, "--replicates", "200"),
            ("rank", file, file, "--replicates", "200"),
        ):
            code, out, err = run(capsys, *map(str, argv))
            assert code == 0
            shown.append(out + err)
        text = "".join(shown)
        assert all(char.isprintable() for char in text.replace("\n", ""))
        assert "y" * 81 not in text
    column = rows(tmp_path / "b.jsonl", {EVIL: 1, "id": 1, "z" * 300: 2})
    told = one_line(capsys, "import", column, "--out", tmp_path / "r")
    assert "a⟨U+001B⟩[31mEVIL" in told
    assert "z" * 81 not in told


def test_a_zips_member_is_named_without_escape_codes(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(FIXTURES / "inspect" / "0.3.160" / "sums.eval") as old:
        header = old.read("header.json")
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("header.json", header)
        new.writestr(f"samples/\x1b[31m{'m' * 200}.json", "{")
    told = one_line(capsys, "import", path, "--out", tmp_path / "r")
    assert "log.eval/samples/⟨U+001B⟩[31mmmm" in told
    assert "m" * 81 not in told


def test_markdown_and_csv_hold_no_codes_and_no_links(capsys: Capture, tmp_path: Path) -> None:
    model = "=1+www.example.com \x1b[31m@team"
    file = rows(
        tmp_path / "a.jsonl",
        *({"id": at, "score": at % 2, "benchmark": "gsm8k", "model": model} for at in range(9)),
    )
    md, table = tmp_path / "r.md", tmp_path / "r.csv"
    options = ("--replicates", "200", "--md", str(md), "--csv", str(table))
    assert run(capsys, "compare", str(file), str(file), *options)[0] == 0
    text = md.read_text() + table.read_text()
    assert "\x1b" not in text
    assert "www.example" not in md.read_text()
    assert "@team" not in md.read_text()
    assert "'=1+www.example.com ⟨U+001B⟩[31m@team" in table.read_text()


def test_an_output_is_no_input_and_no_part_of_a_run(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = rows(tmp_path / "a.jsonl", {"id": 1, "score": 1, "benchmark": "gsm8k"})
    (tmp_path / "policy.toml").write_text("[guards.math]\nmargin = 2.0\n")
    (tmp_path / "hard").hardlink_to(file)
    (tmp_path / "soft").symlink_to("a.jsonl")
    assert run(capsys, "import", "a.jsonl", "--out", "run")[0] == 0
    before = file.read_bytes()
    gate = ("gate", "a.jsonl", "run", "--policy", "policy.toml")
    compare = ("compare", "a.jsonl", "run")
    sft = ("export", "llamafactory", "a/b")
    (tmp_path / "model" / "checkpoint-1").mkdir(parents=True)
    (tmp_path / "model" / "checkpoint-1" / "config.json").write_text("{}")
    for argv, said in (
        ((*compare, "--md", "a.jsonl"), "a.jsonl: is an input of this command"),
        ((*compare, "--csv", "./x/../a.jsonl"), "is an input of this command"),
        ((*compare, "--html", "soft"), "soft: is an input"),
        ((*compare, "--html", "hard"), "hard: is an input"),
        ((*compare, "--md", "run/report.md"), "is inside the run folder"),
        ((*compare, "--md", "run/responses/a/b.md"), "is inside the run folder"),
        ((*compare, "--md", "new", "--csv", "./new"), "given twice, for --md and --csv; name"),
        ((*compare, "--md", "/dev/null"), "/dev/null: is not a regular file"),
        ((*gate, "--md", "policy.toml"), "policy.toml: is an input of this command"),
        ((*gate, "--junit", "a.jsonl"), "a.jsonl: is an input of this command"),
        ((*gate, "--md", "x", "--junit", "x"), "given twice, for --md and --junit"),
        (("import", "a.jsonl", "--out", "a.jsonl"), "a.jsonl: is an input of this command"),
        (("import", "a.jsonl", "--out", "run/again"), "is inside the run folder"),
        (("export", "eee", "run", "--out", "run"), "run: is an input of this command"),
        (("published", "--html", "run/p.html"), "is inside the run folder"),
        (("probe", "hidden", "a/b", "a/c", "--texts", "run", "--out", "run"), "is an input"),
        (("eval", "smollm2-135m", "--out", "run/below"), "is inside the run folder"),
        (("score", "choice", "a.jsonl", "--out", "run/x.jsonl"), "is inside the run folder"),
        (("score", "qa", "a.jsonl", "--map", "policy.toml", "--out", "policy.toml"), "is an input"),
        (("score", "math", "a.jsonl", "--gold", "hard", "--out", "soft"), "is an input"),
        (
            ("export", "eee", "a.jsonl", "--out", "run"),
            "run: is a run folder; name a different folder",
        ),
        (("export", "accelerate", "--out", "run"), "run: is a run folder"),
        (("export", "verl", "a/b", "--queries", "q", "--out", "run"), "run: is a run folder"),
        (("export", "verl", "a/b", "--queries", "none", "--out", "soft"), "soft: is a file"),
        ((*sft, "--queries", "q", "--teacher", "t", "--out", "run"), "run: is a run folder"),
        ((*sft, "--queries", "q", "--teacher", "none", "--out", "a.jsonl"), "is a file"),
        (("study", "policy.toml", "--out", "run"), "run: is a run folder"),
        (("demo", "--out", "run"), "run: is a run folder"),
        (("trace", "x", "--base", "a/b", "--out", "run"), "run: is a run folder"),
        (("trace", "model", "--base", "a/b", "--out", "model/checkpoint-1"), "is a model folder"),
        (("probe", "tokens", "a/b", "a/c", "--responses", "x", "--out", "run"), "is a run folder"),
        (("probe", "hidden", "a/b", "a/c", "--out", "model/checkpoint-1"), "is a model folder"),
        (("distill", "a/b", "--queries", "q", "--out", "run"), "run: is a run folder"),
        (("train", "classic-sft", "--out", "run"), "run: is not empty; name another --out"),
    ):
        assert said in one_line(capsys, *argv)
    code, _, _ = run(capsys, *gate[:3], "--polcy", "policy.toml", "--md", "a.jsonl")
    assert code == 2
    assert file.read_bytes() == before
    assert Path("/dev/null").is_char_device()
    left = sorted(p.name for p in (tmp_path / "run").iterdir())
    assert left == [".run.lock", "outcomes.jsonl", "run.json"]


def test_a_file_of_an_input_folder_is_no_output(capsys: Capture, tmp_path: Path) -> None:
    base = LM_EVAL / "base"
    results = next(base.glob("*/results_*.json"))
    said = one_line(capsys, "compare", base, LM_EVAL / "tuned", "--md", results)
    assert "is a file of the input" in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("option", ["--json", "--seed=1"])
def test_a_full_disk_behind_the_standard_output_is_one_line(option: str, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(TABLE)
    command = [sys.executable, "-m", "transferscope", "index", "good.csv", option]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    said = "standard output: No space left on device; free some space"
    assert done.stderr.startswith(f"transferscope: {said}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "No space left on device; free some space, or name another place"),
        (errno.EACCES, "Permission denied; change its permissions, or name another place"),
        (errno.EROFS, "Read-only file system; change its permissions, or name another place"),
        (errno.EISDIR, "Is a directory; name another place"),
    ],
)
def test_what_the_system_refuses_has_its_place_and_remedy(
    number: int, remedy: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it happens: here a plain OSError out of a room that foresaw none."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number), "/some/place")

    (tmp_path / "good.csv").write_text(HEADER)
    monkeypatch.setattr("transferscope.core.table_index.index_file", refuse)
    said = one_line(capsys, "index", tmp_path / "good.csv")
    assert said == f"transferscope: /some/place: {remedy}\n"

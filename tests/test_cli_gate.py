"""The gate on the command line: exit codes whatever reads its output, and names of nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .test_cli import run

N = 150
RIGHT = {"PASS": 120, "REGRESSED": 40, "INCONCLUSIVE": 113}
"""Of 150 answers to ``talk``, 120 of the base's: 0, -53 and -4.7 points, against a margin of 6."""
CODE = {"PASS": 0, "REGRESSED": 1, "INCONCLUSIVE": 3}
POLICY = "[guards.talk]\nmargin = 6.0\n"
MAP = '[tasks.sums]\ngroup = "math"\n[tasks.talk]\ngroup = "non"\n'


def answers(path: Path, **right: int) -> None:
    rows = [
        {"benchmark": name, "id": str(at), "score": int(at < count)}
        for name, count in right.items()
        for at in range(N)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    answers(tmp_path / "base.jsonl", sums=75, talk=120)
    for verdict, right in RIGHT.items():
        answers(tmp_path / f"{verdict}.jsonl", sums=100, talk=right)
    (tmp_path / "policy.toml").write_text(POLICY)
    (tmp_path / "map.toml").write_text(MAP)
    return tmp_path


def arguments(verdict: str) -> list[str]:
    named = ["--policy", "policy.toml", "--map", "map.toml", "--replicates", "300"]
    return ["gate", "base.jsonl", f"{verdict}.jsonl", *named]


def piped_shut(folder: Path, argv: list[str], *, stderr_too: bool = False) -> tuple[int, str]:
    """Exit code and stderr of the real command, whose output nobody reads."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "transferscope", *argv],
            stdout=write,
            stderr=write if stderr_too else subprocess.PIPE,
            cwd=folder,
            check=False,
        )
    finally:
        os.close(write)
    return done.returncode, (done.stderr or b"").decode()


@pytest.mark.parametrize("verdict", CODE)
def test_a_closed_pipe_keeps_the_verdicts_exit_code(files: Path, verdict: str) -> None:
    for more in ([], ["--json"]):
        code, err = piped_shut(files, [*arguments(verdict), *more])
        assert (code, err) == (CODE[verdict], "")
    files_asked = ["--md", "gate.md", "--junit", "gate.xml"]
    code, _ = piped_shut(files, [*arguments(verdict), *files_asked], stderr_too=True)
    assert code == CODE[verdict]
    assert verdict in (files / "gate.md").read_text()


@pytest.mark.parametrize("command", ["compare", "rank"])
def test_a_closed_pipe_is_no_error_of_compare_and_rank(files: Path, command: str) -> None:
    argv = [command, "base.jsonl", "PASS.jsonl", "--map", "map.toml", "--replicates", "300"]
    for more in ([], ["--json"]):
        assert piped_shut(files, [*argv, *more]) == (0, "")


def test_json_has_the_contracted_fields(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *arguments("REGRESSED"), "--json")
    found = json.loads(out)
    assert (code, found["exit_code"], found["verdict"]) == (1, 1, "REGRESSED")
    assert found["reasons"] == [
        "talk against base: dropped 53.3 points, more than the margin of 6.0"
    ]
    (guard,) = found["guards"]
    assert {"name", "margin", "change", "bound", "verdict"} <= guard.keys()
    assert found["unguarded"] == ["sums"]
    assert found["unjudged"] == {}


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (
            "[guards.talk]\nmargn = 6\n",
            "policy.toml [guards.talk]: unknown key 'margn'; did you mean 'margin'?",
        ),
        ("[gards.talk]\nmargin = 6\n", "policy.toml: unknown key 'gards'; did you mean 'guards'?"),
        ("[guards.tlak]\nmargin = 6\n", "did you mean 'talk'?"),
        ("[guards.nno]\nmargin = 6\n", "did you mean 'non'?"),
        (POLICY + "[min_ti]\nnoon = 1.0\n", "did you mean 'non'?"),
        ('allow_fewer_items = ["tlak"]\n' + POLICY, "did you mean 'talk'?"),
        ("not toml", "policy.toml: not valid TOML"),
        (None, "no such file"),
    ],
)
def test_a_bad_policy_is_one_line_and_in_the_files(
    files: Path, capsys: pytest.CaptureFixture[str], policy: str | None, said: str
) -> None:
    path = files / "policy.toml"
    path.write_text(policy) if policy is not None else path.unlink()
    code, out, err = run(capsys, *arguments("PASS"), "--md", "gate.md", "--junit", "gate.xml")
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]
    assert (files / "gate.md").read_text().startswith("## NOT JUDGED")
    suite = ElementTree.parse(files / "gate.xml").getroot()
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    (error,) = suite.iter("error")
    assert said in str(error.get("message"))


def test_whatever_goes_wrong_is_in_the_files(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["--md", "gate.md", "--junit=gate.xml"]

    def told() -> str:
        text = (files / "gate.md").read_text() + (files / "gate.xml").read_text()
        (files / "gate.md").unlink()
        (files / "gate.xml").unlink()
        return text

    (files / "PASS.jsonl").write_text("{")
    assert run(capsys, *arguments("PASS"), *asked)[0] == 2
    assert told().count("PASS.jsonl") == 2
    assert run(capsys, *arguments("PASS"), *asked, "--replicates", "5")[0] == 2
    assert told().count("--replicates") == 2
    code, _, err = run(capsys, *arguments("INCONCLUSIVE"), "--junit", "gate.xml", "--md", "no/x.md")
    assert code == 2
    assert "no folder no" in err
    assert "no folder no" in (files / "gate.xml").read_text()

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("transferscope.compare.gate.pair", crash)
    assert run(capsys, *arguments("REGRESSED"), *asked)[0] == 2
    assert told().count("RuntimeError: nobody foresaw this") == 2


@pytest.mark.parametrize("command", ["compare", "rank", "gate"])
def test_a_source_that_is_no_group_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    argv = arguments("REGRESSED")[1:] if command == "gate" else arguments("REGRESSED")[1:3]
    argv += ["--map", "map.toml"] if command != "gate" else []
    code, out, err = run(capsys, command, *argv, "--source", "mth")
    assert (code, out) == (2, "")
    assert err.endswith("--source: no benchmark is in a group 'mth'; did you mean 'math'?\n")
    # a group that exists, but of which the base has nothing
    code, _, err = run(capsys, command, *argv, "--source", "other")
    assert code == 2
    assert "no benchmark of the base is in a group 'other'" in err


def test_import_refuses_such_a_source_too(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "import", "base.jsonl", "--out", "r", "--source", "mth")
    assert code == 2
    assert "did you mean 'math'?" in err


def test_source_names_the_group_of_run_folders_too(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("base", "REGRESSED"):
        argv = ["import", f"{name}.jsonl", "--map", "map.toml", "--out", f"{name}-run"]
        assert run(capsys, *argv)[0] == 0
    options = ["--replicates", "300", "--json"]
    plain = run(capsys, "compare", "base-run", "REGRESSED-run", *options)
    assert json.loads(plain[1])["source"] == "math"
    other = run(capsys, "compare", "base-run", "REGRESSED-run", "--source", "non", *options)
    assert json.loads(other[1])["source"] == "non"
    code, _, err = run(capsys, "compare", "base-run", "REGRESSED-run", "--source", "nno")
    assert code == 2
    assert "did you mean 'non'?" in err


def test_a_new_group_much_like_a_known_one_is_said(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "map.toml").write_text(MAP.replace('"non"', '"nonn"'))
    code, _, err = run(capsys, *arguments("PASS"))
    assert code == 0
    assert "map.toml: group 'nonn' is new; if it is misspelt, write 'non'" in err


def test_benchmarks_in_no_group_come_first(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers(files / "base.jsonl", sums=75, talk=120, quizzes=120, riddles=90)
    answers(files / "PASS.jsonl", sums=75, talk=120, quizzes=10, riddles=93)
    code, out, _ = run(capsys, *arguments("PASS"), "--json", "--junit", "gate.xml")
    found = json.loads(out)
    assert (code, found["verdict"]) == (3, "INCONCLUSIVE")
    assert found["reasons"][0].startswith("quizzes (-73.3 points), riddles (+2.0 points): both")
    assert set(found["unjudged"]) == {"quizzes", "riddles"}
    errors = [case.get("name") for case in ElementTree.parse("gate.xml").getroot() if len(case)]
    assert errors == ["quizzes", "riddles"]
    (files / "policy.toml").write_text('unmapped = "ignore"\n' + POLICY)
    assert run(capsys, *arguments("PASS"))[0] == 0
    (files / "policy.toml").write_text(POLICY + "[guards.quizzes]\nmargin = 6.0\n")
    code, out, _ = run(capsys, *arguments("PASS"), "--json")
    found = json.loads(out)
    assert (code, found["verdict"]) == (1, "REGRESSED")
    assert list(found["unjudged"]) == ["riddles"]
    assert found["reasons"][0].startswith("riddles (+2.0 points): both runs have it")

"""The command line: contracts of its JSON, exit codes, and one line for bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from transferscope.cli import main

HEADER = "model,base,group,benchmark,score\n"
TABLE = HEADER + "b,,math,x,40\nb,,non,y,50\nt,b,math,x,56\nt,b,non,y,46\n"


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(list(argv))
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_published_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "published", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["sigma"]["math"] == pytest.approx(16.122, abs=0.001)
    assert sum(sum(m["agrees"].values()) for m in document["models"]) == 29


def test_published_table_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "published")
    assert code == 0
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "UniReason" in out
    assert "29 of 36" in out


def test_index_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(TABLE)
    code, out, _ = run(capsys, "index", str(path), "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["scale"], document["definition"]) == ("unit", "robust")
    assert document["models"][0]["ti"] == {"non": -50.0}
    code, out, _ = run(capsys, "index", str(path), "--definition", "linear", "--json")
    assert json.loads(out)["scale"] is None
    assert json.loads(out)["models"][0]["ti"] == {"non": -25.0}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["index", "missing.csv"], "missing.csv: no such file; name a CSV file"),
        (["index", "bad.csv"], "bad.csv:2: score '130' is not a percentage; use 0 to 100"),
        (["index", "good.csv", "--scale", "published"], "use --scale unit or cohort"),
        (["index", "good.csv", "--scale", "inches"], "--scale"),
        (["index", "good.csv", "--source", "law"], "no source group 'law'; --source math|non"),
        (["index", "good.csv", "--seed", "-1"], "--seed"),
        (["compare", "nowhere", "neither", "--replicates", "10"], "--replicates"),
        (["compare", "nowhere", "neither"], "nowhere: no such folder; name a run folder"),
        (["compare", "nowhere"], "no tuned run given; transferscope compare BASE TUNED..."),
        (["compare", ".", "."], "no run.json, and no results in a known format"),
        (
            ["eval", "no-such-model", "--out", "r"],
            "unknown model 'no-such-model'; use smollm2-135m",
        ),
        (["eval", "smollm2-135m", "--suite", "maxi", "--out", "r"], "no suite 'maxi'"),
        (["eval", "smollm2-135m", "--limit", "0", "--out", "r"], "--limit: must be at least 1"),
        (["study", "none.toml"], "none.toml: no such file"),
        (["study", "bad.toml"], "bad.toml"),
        (["probe", "hidden", "a/b", "c/d", "--texts", "none.jsonl"], "none.jsonl"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    argv: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.csv").write_text(TABLE)
    (tmp_path / "bad.csv").write_text(HEADER + "b,,math,x,130\n")
    (tmp_path / "bad.toml").write_text("name = 3\n")
    before = sorted(p.name for p in tmp_path.iterdir())
    code, out, err = run(capsys, *argv)
    assert code == 2
    assert out == ""
    assert err.startswith("transferscope: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before


BAD_FILES = {
    "empty": b"",
    "binary": bytes(range(128, 256)),
    "zeros": bytes(50),
    "deep.toml": b"a = " + b"[" * 50_000 + b"]" * 50_000,
    "deep.json": b"[" * 50_000 + b"]" * 50_000,
}
DRY = ("eval", "a/b", "--out", "r", "--dry-run")
DISTILL = ("distill", "smollm2-135m", "--queries", "rows.jsonl")
HIDDEN = ("probe", "hidden", "a/b", "c/d", "--texts")
TOKENS = ("probe", "tokens", "a/b", "c/d", "--responses")
READERS = (("index",), ("study",), HIDDEN, TOKENS, (*DRY, "--suite"))
UNREADABLE = [
    *(((*reader, name), name) for reader in READERS for name in ("missing", "folder", *BAD_FILES)),
    (("compare", "missing", "x"), "missing"),
    *((("compare", f"run of {name}", "x"), f"run of {name}/run.json") for name in BAD_FILES),
    ((*DRY, "--suite", "maxi"), "maxi"),
    (("eval", "nobody", "--out", "r", "--dry-run"), "nobody"),
    (("eval", "folder", "--out", "r", "--dry-run"), "folder"),
    ((*DRY, "--limit", "0"), "--limit"),
    ((*DRY, "--limit", "-1"), "--limit"),
    ((*DRY, "--limit", "many"), "--limit"),
    ((*DRY, "--seed", "-1"), "--seed"),
    ((*DRY, "--limit", "2.5"), "Invalid value for --limit: '2.5' is not a whole number;"),
    (("train", "x", "--steps", "1.5", "--out", "o"), "--steps: '1.5' is not a whole number;"),
    ((*DRY, "--limit", "1e3"), "--limit: '1e3' is not a whole number. Write 1000; see"),
    (("train", "x", "--steps", "1e400", "--out", "o"), "--steps: '1e400' is not a whole number;"),
    (("train", "x", "--learning-rate", "inf", "--out", "o"), "'inf' is not a finite number;"),
    (("rank", "x", "y", "--allowed-loss", "nan"), "--allowed-loss: 'nan' is not a finite number;"),
    (
        ("plan", "--effect", "5 %", "--discordance", "0.2"),
        "--effect: '5 %' is not a finite number;",
    ),
    (("study", "rounded.toml"), "rounded.toml [items]: 1000.0 is not a whole number: write 1000"),
    (
        ("train", "x", "--lora-rank", "8.0", "--out", "o"),
        "--lora-rank: '8.0' is not a whole number. Write 8;",
    ),
    ((*DISTILL, "--out", "o", "--samples", "1.5"), "--samples: '1.5' is not a whole number;"),
    ((*DISTILL, "--out", "o", "--temperature", "inf"), "--temperature"),
    ((*DISTILL, "--out", "o", "--seed", "99999999999"), "--seed"),
    ((*DISTILL, "--out", "rows.jsonl"), "rows.jsonl: is the file with the queries; name another"),
    ((*DISTILL, "--out", "a\0b"), r"a\0b: "),
    ((*DRY[:2], "--out", "x" * 300), "File name too long"),
    (("index", "a\0b"), "the name contains a null character"),
    (("probe", "tokens", "a/b", "c/d"), "give either --responses or --prompts"),
    (("probe", "hidden", "a/b", "c/d"), "give either --texts or --suite"),
    (("probe", "hidden", "a/b", "c/d", "--suite", "maxi"), "no suite 'maxi'"),
    (("probe", "hidden", "a/b", "c/d", "--suite", "mini", "--part", "response"), "no responses"),
    ((*HIDDEN, "texts.jsonl", "--suite", "mini"), "give either --texts or --suite"),
    ((*TOKENS, "rows.jsonl", "--prompts", "rows.jsonl"), "give either --responses or --prompts"),
    (
        ("probe", "tokens", "a/b", "c/d", "--prompts", "rows.jsonl", "--prefix", "shared"),
        "give --prefix tuned or base",
    ),
    ((*TOKENS, "rows.jsonl", "--shard", "3/2", "--out", "o"), "'3/2' is not a shard"),
    ((*TOKENS, "rows.jsonl", "--shard", "1/2"), "add --out DIR"),
    ((*TOKENS, "rows.jsonl", "--out", "rows.jsonl"), "name a different folder"),
    (
        (*TOKENS, "rows.jsonl", "--out", "rows.jsonl/sub"),
        "rows.jsonl: is a file, not a folder; name a folder",
    ),
    ((*HIDDEN, "texts.jsonl", "--shard", "1/2", "--ray", "2", "--out", "o"), "leave one out"),
    (("study", "unknown-suite.toml"), "maxi"),
    (("study", "no-items.toml"), "no-items.toml [items]"),
    (("study", "no-arms.toml"), "no-arms.toml [arms]"),
    (("study", "unknown-arm.toml"), "[arms.x]"),
]


@pytest.fixture(scope="module")
def rubbish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what nobody should name as input."""
    folder = tmp_path_factory.mktemp("rubbish")
    for name, content in BAD_FILES.items():
        (folder / name).write_bytes(content)
        (folder / f"run of {name}").mkdir()
        (folder / f"run of {name}" / "run.json").write_bytes(content)
    (folder / "folder").mkdir()
    (folder / "rows.jsonl").write_text('{"prompt": "a", "response": "b"}')
    (folder / "texts.jsonl").write_text('{"text": "a"}')
    head, arm = 'name = "x"\nbase = "a/b"\n', "[arms.off-policy-sft]\n"
    (folder / "unknown-suite.toml").write_text(f'{head}suite = "maxi"\n{arm}')
    (folder / "no-items.toml").write_text(f"{head}items = 0\n{arm}")
    (folder / "rounded.toml").write_text(f"{head}items = 1e3\n{arm}")
    (folder / "no-arms.toml").write_text(head)
    (folder / "unknown-arm.toml").write_text(f"{head}[arms.x]\n")
    return folder


@pytest.mark.parametrize(
    ("argv", "named"), UNREADABLE, ids=[" ".join(argv) for argv, _ in UNREADABLE]
)
def test_unreadable_input_is_named_in_one_line(
    argv: tuple[str, ...],
    named: str,
    rubbish: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(rubbish)
    before = sorted(rubbish.rglob("*"))
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("transferscope: ")
    assert named in err
    assert "Traceback" not in err
    assert err.count("\n") == 1
    assert sorted(rubbish.rglob("*")) == before


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "transferscope", "index", "none.csv", "--debug"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_help_loads_no_torch() -> None:
    code = (
        "import sys\nfrom transferscope.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split("LOADED")[1].split())
    assert loaded.isdisjoint({"torch", "transformers", "numpy", "scipy", "lm_eval", "pydantic"})
    for command in ("demo", "compare", "eval", "probe", "study", "index", "published"):
        assert command in done.stdout


def test_a_plan_says_the_power_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "plan", "--effect", "5", "--discordance", "0.2")
    said = "658 paired items show a change of 5 points with 80 % power"
    assert (code, out) == (0, f"{said} where 20 % of the answers flip\n")

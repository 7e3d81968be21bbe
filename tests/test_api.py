"""The Python API: the same numbers as the command line, typed, and shown in a few lines."""

import json
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

import transferscope as ts
from transferscope.api import ResultsWarning
from transferscope.cli import main

POLICY = "min_items = 10\n[guards.non]\nmargin = 5.0\n"


def answers(path: Path, model: str, right: dict[str, list[int]]) -> Path:
    """Plain graded answers, a file another tool could have written."""
    rows = [
        {
            "model": model,
            "benchmark": benchmark,
            "id": f"{benchmark}-{at:03}",
            "score": score,
            "prompt": f"Question {at}?",
            "response": f"It is {score}, says {model}.",
        }
        for benchmark, scores in right.items()
        for at, score in enumerate(scores)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Base and tuned: on gsm8k 20 of 60 items are won, on coqa 3 of 60 lost."""
    base = {"gsm8k": [0] * 30 + [1] * 30, "coqa": [1] * 40 + [0] * 20}
    tuned = {"gsm8k": [0] * 10 + [1] * 50, "coqa": [1] * 37 + [0] * 23}
    return (
        answers(tmp_path / "base.jsonl", "base", base),
        answers(tmp_path / "tuned.jsonl", "tuned", tuned),
    )


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> object:
    with suppress(SystemExit):  # a gate says by its exit code what it found
        main([*map(str, arguments), "--json"])
    return json.loads(capsys.readouterr().out)


def test_functions_give_what_the_commands_print(files, tmp_path, capsys):
    base, tuned = files
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    compared = ts.compare(base, str(tuned), replicates=500)
    assert compared.to_json() == printed(capsys, "compare", base, tuned, "--replicates", 500)
    gated = ts.gate(base, tuned, policy, replicates=500)
    command = ("gate", base, tuned, "--policy", policy, "--replicates", 500)
    assert gated.to_json() == printed(capsys, *command)
    ranked = ts.rank(base, tuned, replicates=500)
    assert ranked.to_json() == printed(capsys, "rank", base, tuned, "--replicates", 500)
    planned = ts.plan(5.0, 0.2)
    command = ("plan", "--effect", 5, "--discordance", 0.2)
    assert planned.to_json() == printed(capsys, *command)
    assert ts.audit(tuned).to_json() == printed(capsys, "audit", tuned)
    cohort = printed(capsys, "published")
    assert ts.published().to_json() == {k: v for k, v in cohort.items() if k != "checks"}


def test_runs_at_hand_do_as_well_as_paths(files):
    base, tuned = files
    from_runs = ts.compare(ts.load(base), ts.load(tuned), replicates=200)
    assert from_runs == ts.compare(base, tuned, replicates=200)


def test_one_model_of_a_comparison(files):
    compared = ts.compare(*files, replicates=200)
    assert compared.models == ("tuned",)
    model = compared["tuned"]
    assert model.plane["math"].gain == pytest.approx(100 * 20 / 60)
    assert model.retention.gain == pytest.approx(-5.0)
    assert "math" in model.verdict
    with pytest.raises(KeyError, match="no tuned model 'tund'; did you mean"):
        compared["tund"]


def test_tables_hold_every_item_and_flip(files):
    pandas = pytest.importorskip("pandas")
    compared = ts.compare(*files, replicates=200)
    outcomes = compared.outcomes.to_frame("pandas")
    assert isinstance(outcomes, pandas.DataFrame)
    assert len(outcomes) == 120
    assert outcomes.groupby("benchmark")["tuned"].sum().to_dict() == {"coqa": 37.0, "gsm8k": 50.0}
    flips = compared["tuned"].flips.to_frame("pandas")
    counts = flips.groupby(["benchmark", "change"]).size().to_dict()
    assert counts == {("coqa", "lost"): 3, ("gsm8k", "won"): 20}
    rows = {row["benchmark"]: row for row in compared.benchmarks}
    assert rows["gsm8k"]["delta"] == pytest.approx(100 * 20 / 60)
    assert (rows["coqa"]["lost"], rows["coqa"]["won"]) == (3, 0)
    frame = ts.load(files[0]).outcomes.to_frame("pandas")
    assert frame["score"].sum() == 70


def test_a_repr_is_a_few_lines_and_html_is_escaped(tmp_path):
    hostile = "<script>alert(1)</script>"
    files = [
        answers(tmp_path / f"{name}.jsonl", f"{name}{hostile}", {"gsm8k": [0, 1] * 500})
        for name in ("base", "tuned")
    ]
    run = ts.load(files[0])
    compared = ts.compare(*files, replicates=200)
    shown = (run, run.outcomes, compared, compared[f"tuned{hostile}"], compared.outcomes)
    for one in (*shown, compared.figures):
        assert repr(one).count("\n") < 10
        assert len(repr(one)) < 1000
    for one in (run, run.outcomes, compared, compared.outcomes, compared.benchmarks):
        assert "<script>" not in one._repr_html_()
    assert "&lt;script&gt;" in compared._repr_html_()


def test_the_page_and_the_charts(files, tmp_path):
    altair = pytest.importorskip("altair")
    compared = ts.compare(*files, replicates=200)
    page = compared.save_html(tmp_path / "report.html")
    assert "<h1" in page.read_text()
    assert "plane" in compared.figures
    chart = compared.figures["plane"]
    assert isinstance(chart, altair.TopLevelMixin)
    assert "tuned" in json.dumps(chart.to_dict())
    with pytest.raises(KeyError, match="no figure 'plan'; did you mean 'plane'"):
        compared.figures["plan"]
    with pytest.raises(ts.InputError, match="no folder"):
        compared.save_html(tmp_path / "missing" / "a.html")


def test_what_must_be_known_is_a_warning(tmp_path):
    rows = [{"prompt": f"Question {at}?", "score": at % 2} for at in range(20)]
    path = tmp_path / "gsm8k.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        assert len(ts.load(path).outcomes) == 20
    assert {warning.category for warning in found} == {ResultsWarning}
    assert any("20 items are identified by their prompts" in str(w.message) for w in found)
    assert {Path(warning.filename).name for warning in found} == {Path(__file__).name}


def test_bad_input_is_one_line(files, tmp_path):
    with pytest.raises(ts.InputError, match="no tuned run given"):
        ts.compare(files[0])
    with pytest.raises(ts.InputError, match="nothing: "):
        ts.load(tmp_path / "nothing")


def test_packages_named_as_functions_can_be_called_and_imported(files):
    code = """
import sys
import transferscope as ts
assert "transferscope.compare" not in sys.modules
first = ts.compare(*sys.argv[1:], replicates=200)
import transferscope.compare
from transferscope.compare.gate import gate
assert ts.compare is sys.modules["transferscope.compare"]
second = ts.compare(*sys.argv[1:], replicates=200)
assert first == second
print(first["tuned"].plane["math"].gain > 30)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "True\n", done.stderr


SCRIPT = """
import transferscope as ts

comparison = ts.compare("base", "tuned", seed=1)
gain: float = comparison["tuned"].plane["math"].gain
verdict: str = ts.gate("base", "tuned", "policy.toml").verdict
best: str = ts.rank("base", "tuned").order[0].model
scores: list[float] = [outcome.score for outcome in ts.load("base").outcomes]
shift: float | None = ts.probe_hidden("base", "tuned", ["a text"]).d_paper
"""
WRONG = SCRIPT + 'n: int = comparison["tuned"].plane["math"].gain\nts.compare("base", sed=1)\n'


def test_types_are_visible_to_a_checker(tmp_path):
    pytest.importorskip("mypy")
    source = str(Path(ts.__file__).parents[1])
    (tmp_path / "right.py").write_text(SCRIPT)
    (tmp_path / "wrong.py").write_text(WRONG)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "."],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"MYPYPATH": source, "PATH": "/usr/bin:/bin"},
    )
    faults = [line for line in done.stdout.splitlines() if "error:" in line]
    assert len(faults) == 2, done.stdout
    assert all(line.startswith("wrong.py") for line in faults)

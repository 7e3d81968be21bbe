"""``eval --dry-run``: the table, the document, and the options that only apply with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from transferscope.cli import main
from transferscope.evaluate import dry_run


@pytest.fixture(autouse=True)
def briefly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(dry_run, "SECONDS", 0.1)
    monkeypatch.chdir(tmp_path)


def document(capsys: pytest.CaptureFixture[str], model: Path, *options: str) -> dict[str, Any]:
    main(["eval", str(model), "--dry-run", "--json", "--limit", "5", *options])
    assert not Path("run").exists()
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_the_document(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, tiny_model, "--gpus", "4", "--price-per-hour", "2")
    assert (found["suite"], found["measured"], found["tokens_counted"]) == ("mini", True, True)
    assert len(found["benchmarks"]) == 12
    sums = next(row for row in found["benchmarks"] if row["benchmark"] == "word_problems")
    assert (sums["group"], sums["items"], sums["repeats"], sums["answers"]) == ("math", 5, 1, 5)
    assert sums["limit"] == 96
    assert 0 < sums["answer_tokens"] <= 5 * 96
    assert sums["stderr"] == pytest.approx(50 / 5**0.5)
    assert [group["group"] for group in found["groups"]] == ["math", "other", "non"]
    total = found["total"]
    assert total["answer_tokens"] == sum(row["answer_tokens"] for row in found["benchmarks"])
    assert total["hours"] > 0
    assert total["hours_on_gpus"] == pytest.approx(total["hours"] / 4)
    assert total["dollars"] == pytest.approx(2 * total["hours"])


def test_a_given_speed_replaces_measuring(
    tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--tokens-per-second", "100", "--max-tokens", "10")
    found = document(capsys, tiny_model, *options)
    assert found["measured"] is False
    assert found["speed"] == {"prompt": None, "answer": 100.0}
    assert {row["limit"] for row in found["benchmarks"]} == {0, 10}
    total = found["total"]
    assert total["bound"] is True
    assert total["hours"] == pytest.approx(total["answer_tokens"] / 100 / 3600)


def test_the_table_fits_80_columns(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["eval", str(tiny_model), "--out", "run", "--dry-run", "--gpus", "2"])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    heads, first, *_ = (line.split() for line in out.splitlines())
    assert heads[:6] == ["group", "benchmark", "items", "x", "se", "detects"]
    assert first[:5] == ["math", "word_problems", "40", "1", "7.9"]
    assert "on this machine" in out
    assert "$" not in out


def test_a_model_elsewhere_is_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    main(["eval", "them/model", "--out", "run", "--dry-run"])
    out = capsys.readouterr().out
    assert "time: not measured (only with engine hf and a model on this machine);" in out
    assert "prompts: a quarter of the characters" in out
    assert "< 3.8k" in out


@pytest.mark.parametrize(
    "option",
    [("--gpus", "2"), ("--tokens-per-second", "5"), ("--price-per-hour", "1"), ("--json",)],
)
def test_options_of_the_dry_run_need_it(
    option: tuple[str, ...], tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["eval", str(tiny_model), "--out", "run", *option])
    assert stop.value.code == 2
    assert f"{option[0]}: only applies with --dry-run; remove it" in capsys.readouterr().err
    assert not Path("run").exists()


def test_prompts_are_counted_in_the_form_that_is_asked(
    tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speed = ("--tokens-per-second", "100")
    usual = document(capsys, tiny_model, *speed)["total"]["prompt_tokens"]
    plain = document(capsys, tiny_model, *speed, "--template", "off")["total"]["prompt_tokens"]
    assert plain < usual

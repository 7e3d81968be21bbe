"""A trace's folder belongs to one training, up to the step it is resumed from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from transferscope.cli import main
from transferscope.core.errors import InputError
from transferscope.report.html import render_page
from transferscope.report.trace import check_page
from transferscope.track.trace_folder import check_unused, cut_back
from transferscope.track.trace_rows import REMEDY, Row, read_rows, write_rows


def row(step: int, kl: float = 0.5) -> Row:
    return Row(step, {"math": 1.0}, {"math": (0.0, 2.0)}, None, None, {"math": None}, kl=kl)


def logged(*rows: Row) -> list[dict[str, float]]:
    own = [{"loss": 1.0, "step": found.step} for found in rows]
    return [*own, *({**found.metrics(), "epoch": 1.0, "step": found.step} for found in rows)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name in ("base", "step-2", "step-4"):
        (tmp_path / "out" / "runs" / name).mkdir(parents=True)
    write_rows(tmp_path / "out" / "trace.jsonl", [row(2), row(4)])
    return tmp_path / "out"


def names(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "runs").iterdir())


def test_only_a_base_may_stand_in_a_new_trainings_folder(out: Path) -> None:
    with pytest.raises(InputError, match="holds the steps of another training"):
        check_unused(out)
    (out / "trace.jsonl").unlink()
    with pytest.raises(InputError, match="holds the steps of another training"):
        check_unused(out)  # killed while it answered
    (out / "runs" / "step-2").rmdir()
    (out / "runs" / "step-4").rmdir()
    check_unused(out)
    check_unused(out / "none")


def test_what_lies_beyond_the_resumed_step_goes(out: Path) -> None:
    assert [kept.step for kept in cut_back(out, 3, logged(row(2)))] == [2]
    assert [kept.step for kept in read_rows(out / "trace.jsonl")] == [2]
    assert names(out) == ["base", "step-2"]
    assert cut_back(out, 1, []) == []
    assert names(out) == ["base"]
    assert not (out / "trace.jsonl").exists()
    assert cut_back(out / "none", 5, []) == []


@pytest.mark.parametrize("log", [[], logged(row(2, kl=0.4))])
def test_a_row_that_the_resumed_training_does_not_know_is_refused(out: Path, log: list) -> None:
    with pytest.raises(InputError, match=r"trace\.jsonl: step 2 was measured in a training other"):
        cut_back(out, 2, log)
    assert names(out) == ["base", "step-2", "step-4"]


@pytest.mark.parametrize("content", ["mine\n", "{}\n", ""])
def test_a_trace_is_not_written_over_somebody_elses_files(
    tmp_path: Path, tiny_model: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_model, tmp_path / "all" / "checkpoint-1")
    out = tmp_path / "out"
    out.mkdir()
    argv = ["trace", str(tmp_path / "all"), "--base", str(tiny_model), "--out", str(out)]
    for name, said in (
        ("trace.jsonl", REMEDY),
        ("report.html", "is not a transferscope page; move"),
    ):
        (out / name).write_text(content)
        with pytest.raises(SystemExit):
            main(argv)
        err = capsys.readouterr().err
        assert str(out / name) in err
        assert said in err
        assert [(path.name, path.read_text()) for path in out.iterdir()] == [(name, content)]
        (out / name).unlink()


def test_a_trace_of_ours_is_known(out: Path) -> None:
    page = render_page(
        "probe.html.j2",
        title="t",
        intro="",
        legends=[],
        charts=[],
        grids=[],
        folded=[],
        cloud=None,
        passages=[],
        small="",
    )
    (out / "report.html").write_text(page)
    assert check_page(out) is None  # refuses nothing
    (out / "report.html").write_text("mine")
    with pytest.raises(InputError, match="not a transferscope page"):
        check_page(out)

"""A model folder to a run folder, and when the model is not even loaded."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from transferscope.core.errors import InputError
from transferscope.core.suite import parse_suite
from transferscope.evaluate import evaluate_model
from transferscope.evaluate.backends import ENGINES
from transferscope.models import find_model, fingerprint, precision
from transferscope.runs import read_run

TOML = """
name = "small"
source = "math"
[groups]
math = ["fractions"]
other = ["equations"]
[benchmarks.fractions]
pack = "mini"
chance = 0.3333333333333333
[benchmarks.equations]
pack = "mini"
"""
SUITE = parse_suite(TOML, place="small.toml")
ASKED = {"n": 2, "dtype": "float32", "name": "mine", "base": "theirs"}


class Killed(BaseException):
    """Stands for a kill: nothing in the package may catch it."""


@pytest.fixture(scope="module")
def finished(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("evaluated") / "run"
    return evaluate_model(str(tiny_model), SUITE, out, **ASKED)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were loaded, in order."""
    named: list[str] = []
    real = ENGINES["hf"]

    def counted(options, dtype, form):
        chosen = real(options, dtype, form)

        def open_(model: str):
            named.append(model)
            return chosen.open(model)

        return replace(chosen, open=open_)

    monkeypatch.setitem(ENGINES, "hf", counted)
    return named


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_run_says_what_it_is_of(finished: Path, tiny_model: Path) -> None:
    run = read_run(finished)
    assert (run.manifest.model.name, run.manifest.model.base) == ("mine", "theirs")
    assert run.manifest.model.fingerprint == fingerprint(find_model(str(tiny_model)))
    assert (run.manifest.engine["engine"], run.manifest.engine["dtype"]) == ("hf", "float32")
    assert {name: len(rows) for name, rows in run.by_benchmark.items()} == {
        "fractions": 2,
        "equations": 2,
    }
    assert run.responses("fractions")[("0-0", 0)].prompt.endswith("<|im_start|>assistant\n")


def test_the_name_defaults_to_what_was_asked_for(tiny_model: Path, tmp_path: Path) -> None:
    options = ASKED | {"name": None, "base": None, "n": 1}
    run = read_run(evaluate_model(str(tiny_model), SUITE, tmp_path / "run", **options))
    assert (run.manifest.model.name, run.manifest.model.base) == (str(tiny_model), None)


def test_a_complete_run_costs_no_model_load(
    finished: Path, tiny_model: Path, tmp_path: Path, loads: list[str]
) -> None:
    out = shutil.copytree(finished, tmp_path / "run")
    (out / ".run.lock").unlink()  # the folder may be one that can't be written to
    before = content(out)
    assert evaluate_model(str(tiny_model), SUITE, str(out), **ASKED) == out
    assert loads == []
    assert content(out) == before


def test_an_interrupted_run_loads_the_model_and_goes_on(
    finished: Path, tiny_model: Path, tmp_path: Path, loads: list[str]
) -> None:
    def kill(benchmark: str, done: int, total: int) -> None:
        if benchmark == "equations":
            raise Killed

    out, ticks = tmp_path / "run", []
    with pytest.raises(Killed):
        evaluate_model(str(tiny_model), SUITE, out, tick=kill, **ASKED)
    evaluate_model(str(tiny_model), SUITE, out, tick=lambda *a: ticks.append(a), **ASKED)
    assert loads == [str(tiny_model)] * 2
    assert ticks[0] == ("fractions", 2, 2)  # not asked again
    assert content(out) == content(finished)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"dtype": "bfloat16"}, "a different dtype: it has float32, requested bfloat16"),
        ({"seed": 1}, "a different seed: it has 0, requested 1"),
        ({"n": 1}, "a different limit: it has 2, requested 1; use --limit 2 or more"),
        ({"name": "yours"}, "a different model: it has mine, requested yours"),
        ({"suite": TOML.replace("small", "large")}, "a different suite"),
        ({"engine": "abacus"}, "unknown engine 'abacus'; use one of hf"),
    ],
)
def test_a_run_of_something_else_is_refused(
    finished: Path, tiny_model: Path, other: dict, what: str
) -> None:
    before = content(finished)
    suite = parse_suite(other.pop("suite", TOML), place="suite")
    with pytest.raises(InputError, match=what):
        evaluate_model(str(tiny_model), suite, finished, **(ASKED | other))
    assert content(finished) == before


@pytest.mark.parametrize("at", ["fractions", "equations"])
def test_another_dtype_than_a_begun_runs_is_refused_before_the_model_is_loaded(
    tiny_model: Path, tmp_path: Path, loads: list[str], at: str
) -> None:
    """Killed in its first benchmark, of which answers are kept, or in its second."""

    def kill(benchmark: str, done: int, total: int) -> None:
        ends.append((benchmark, done))
        if ends.count((at, total)) == 2:  # answered, then graded; the commit would come next
            raise Killed

    out, ends = tmp_path / "run", []
    with pytest.raises(Killed):
        evaluate_model(str(tiny_model), SUITE, out, tick=kill, **ASKED)
    before = content(out)
    with pytest.raises(InputError, match="a different dtype: it has float32, requested bfloat16"):
        evaluate_model(str(tiny_model), SUITE, out, **ASKED | {"dtype": "bfloat16"})
    assert loads == [str(tiny_model)]
    assert content(out) == before


def test_changed_weights_are_another_model(
    finished: Path, tiny_model: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(tiny_model, tmp_path / "copy")
    tensors = load_file(copy / "model.safetensors")
    tensors["model.norm.weight"] = tensors["model.norm.weight"] * 2
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="a different model fingerprint"):
        evaluate_model(str(copy), SUITE, finished, **ASKED)


@pytest.mark.parametrize(
    ("model", "engine", "what"),
    [
        ("no-such-model", "hf", "unknown model 'no-such-model'"),
        (None, "abacus", "unknown engine 'abacus'; use one of hf"),
    ],
)
def test_a_wrong_name_leaves_no_folder(
    tiny_model: Path, tmp_path: Path, model: str | None, engine: str, what: str
) -> None:
    with pytest.raises(InputError, match=what):
        evaluate_model(model or str(tiny_model), SUITE, tmp_path / "run", engine=engine, **ASKED)
    assert not (tmp_path / "run").exists()


def test_under_auto_a_run_goes_on_in_its_recorded_dtype(
    tiny_model: Path, tmp_path: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder moved from a machine with bf16 to one without, and back."""

    def kill(benchmark: str, done: int, total: int) -> None:
        if benchmark == "equations":
            raise Killed

    out, asked = tmp_path / "run", {**ASKED, "dtype": "auto", "n": 1}
    monkeypatch.setattr(precision, "processor_multiplies", lambda: True)
    with pytest.raises(Killed):
        evaluate_model(str(tiny_model), SUITE, out, tick=kill, **asked)
    monkeypatch.setattr(precision, "processor_multiplies", lambda: False)
    run = read_run(evaluate_model(str(tiny_model), SUITE, out, **asked))
    assert (run.manifest.engine["dtype"], run.manifest.status) == ("bfloat16", "complete")
    assert len(loads) == 2
    evaluate_model(str(tiny_model), SUITE, out, **asked)
    assert len(loads) == 2  # complete
    with pytest.raises(InputError, match="a different dtype: it has bfloat16, requested float32"):
        evaluate_model(str(tiny_model), SUITE, out, **asked | {"dtype": "float32"})
    fresh = read_run(evaluate_model(str(tiny_model), SUITE, tmp_path / "new", **asked))
    assert fresh.manifest.engine["dtype"] == "float32"

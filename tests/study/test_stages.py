"""The whole way on a random tiny model: every stage runs, resumes, and refuses another study."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.core.files import write_json
from transferscope.core.records import digest, no_tick
from transferscope.models import find_model, load_model, parameter_count, precision
from transferscope.probe.kept_base import KeptBase
from transferscope.probe.texts import run_responses
from transferscope.runs import read_run
from transferscope.runs.manifest import read_manifest
from transferscope.study import (
    StudyConfig,
    demo_study,
    parse_study,
    plan,
    plan_study,
    report_so_far,
    run_study,
    shipped_adapters,
    stages,
)
from transferscope.study.plan import PROBES, probe_path
from transferscope.study.stages import dynamics_of, probe_cell
from transferscope.study.study_config import CostConfig
from transferscope.train import train_arm

SUITE = """
name = "small"
source = "math"
[groups]
math = ["chains"]
other = ["sequences"]
non = ["temporal"]
[benchmarks.chains]
pack = "mini"
[benchmarks.sequences]
pack = "mini"
[benchmarks.temporal]
pack = "mini"
chance = 0.5
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> StudyConfig:
    suite = tmp_path_factory.mktemp("suite") / "small.toml"
    suite.write_text(SUITE)
    text = f"""
name = "tiny"
base = "{tiny_model}"
suite = "{suite}"
items = 4
[arms.off-policy-sft]
steps = 2
keep_every = 1
queries_per_step = 3
rollouts = 2
[arms.on-policy-rl]
steps = 2
queries_per_step = 3
rollouts = 2
max_tokens = 8
[arms.then-sft]
arm = "classic-sft"
init_from = "on-policy-rl"
steps = 1
[probe]
items = 2
"""
    return parse_study(text, place="tiny.toml")


@pytest.fixture(scope="module")
def finished(config: StudyConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    said: list[str] = []
    run_study(config, out, say=said.append)
    planned, begun = said[:23], said[23:]
    assert planned[0].startswith("tiny: 21 stages; minutes as measured")
    assert len(begun) == len(plan_study(config, out).stages) == 21
    assert begun[0].startswith("[1/21] evaluate base: 3 benchmarks x 4 items; about")
    assert begun[-1].startswith("[21/21] report")
    return out


def test_every_stage_leaves_its_result(config: StudyConfig, finished: Path) -> None:
    for name in ("base", "off-policy-sft", "on-policy-rl"):
        run = read_run(finished / "runs" / name)
        assert {b: len(o) for b, o in run.by_benchmark.items()} == {
            "chains": 4,
            "sequences": 4,
            "temporal": 4,
        }
    document = json.loads((finished / "comparison.json").read_text())
    assert [t["model"] for t in document["tuned"]] == [
        "off-policy-sft@1",
        "off-policy-sft",
        "on-policy-rl",
        "then-sft",
    ]
    claims = json.loads((finished / "claims.json").read_text())
    assert {claim["verdict"] for claim in claims} == {"undecided"}  # one seed decides nothing
    cost = next(c for c in claims if c["claim"].startswith("RL takes longer"))
    assert cost["measured"] > 0
    assert "1 training run" in cost["why"]
    started = json.loads((finished / "arms" / "then-sft" / "arm.json").read_text())
    assert started["base"] == str(finished / "arms" / "on-policy-rl")
    assert document["base"] == config.base
    hidden = json.loads((finished / "probes" / "on-policy-rl.hidden.json").read_text())
    assert hidden["n_texts"] == 6
    assert len(hidden["layers"]) == 3
    tokens = json.loads((finished / "probes" / "off-policy-sft.tokens.json").read_text())
    assert tokens["prefix"] == "base"
    assert tokens["kl_tuned_base"] > 0.0
    weights = json.loads((finished / "probes" / "off-policy-sft.weights.json").read_text())
    assert weights["relative_norm"] > 0.0
    forecast = {p["quantity"]: p for p in json.loads((finished / "predictors.json").read_text())}
    assert len(forecast) == 16
    forecast.pop("stable rank of the weights' change")  # a tiny arm's step may change nothing
    assert {(p["n"], p["runs"]) for p in forecast.values()} == {(4, 3)}
    assert "<!doctype html" in (finished / "report.html").read_text().lower()
    assert "off-policy-sft" in (finished / "report.md").read_text()


def test_finished_stages_are_not_repeated(config: StudyConfig, finished: Path) -> None:
    assert all(s.done for s in plan_study(config, finished).stages[:-1])
    kept = [
        *finished.rglob("run.json"),
        *finished.rglob("arm.json"),
        *(finished / "probes").iterdir(),
    ]
    before = {path: path.stat().st_mtime_ns for path in kept}
    assert len(before) == 20
    comparison = (finished / "comparison.json").read_text()
    run_study(config, finished, say=lambda _: None)
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert (finished / "comparison.json").read_text() == comparison


def test_a_measured_arm_needs_its_weights_no_more(
    config: StudyConfig, finished: Path, tmp_path: Path
) -> None:
    slim = tmp_path / "slim"
    shutil.copytree(finished, slim, ignore=shutil.ignore_patterns("*.safetensors", "at"))
    said: list[str] = []
    run_study(config, slim, say=said.append)
    begun = [line.partition(":")[0] for line in said if line.startswith("[")]
    assert begun == ["[1/21] evaluate base", "[21/21] report"]
    for name in ("comparison.json", "claims.json", "predictors.json"):
        assert (slim / name).read_bytes() == (finished / name).read_bytes()


def test_a_report_so_far_is_of_the_measured_models_and_names_the_others(
    config: StudyConfig, finished: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "half"
    shutil.copytree(finished, copy)
    (copy / "probes" / "on-policy-rl.tokens.json").unlink()
    shutil.rmtree(copy / "runs" / "then-sft")
    report = report_so_far(config, copy)
    models = [result.model for result in report.comparison.tuned]
    assert models == ["off-policy-sft@1", "off-policy-sft"]
    assert "1 of the study's 3 models" in report.notes[0]
    assert "Missing: on-policy-rl, then-sft." in report.notes[0]
    assert "Missing: on-policy-rl, then-sft." in (copy / "report.html").read_text()
    assert "Missing: on-policy-rl, then-sft." in (copy / "report.md").read_text()
    assert not (copy / "runs" / "then-sft").exists()
    whole = json.loads((finished / "comparison.json").read_text())["tuned"][:2]
    assert (
        json.loads((copy / "comparison.json").read_text())["tuned"][1]["plane"]
        == (whole[1]["plane"])
    )
    with pytest.raises(InputError, match="holds no measured model yet"):
        report_so_far(config, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_two_processes_share_a_study(config: StudyConfig, finished: Path, tmp_path: Path) -> None:
    """Started twice at once, every stage is done once and the result is that of one process."""
    out, file = tmp_path / "shared", tmp_path / "study.json"
    file.write_text(config.model_dump_json())
    code = (
        "import sys; from pathlib import Path; from transferscope.study import *\n"
        "config = StudyConfig.model_validate_json(Path(sys.argv[1]).read_text())\n"
        "run_study(config, Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(file), str(out)]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [worker.communicate(timeout=200) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    trained = [line for text, _ in said for line in text.splitlines() if "] train " in line]
    assert len([line for line in trained if "done before" not in line]) == 3
    mine, theirs = (json.loads((f / "comparison.json").read_text()) for f in (out, finished))
    assert [t["plane"] for t in mine["tuned"]] == [t["plane"] for t in theirs["tuned"]]


def test_an_interrupted_arm_goes_on_under_another_spelling_of_the_folder(
    config: StudyConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = {"steps": 2, "queries_per_step": 2, "rollouts": 2, "max_tokens": 4}
    first = arm | {"queries_from": "mini:sequences"}
    arms = {
        "on-policy-sft": first,
        "then": first | {"arm": "on-policy-rl-no-kl", "init_from": "on-policy-sft"},
    }
    small = config.model_copy(update={"items": 2, "arms": arms})

    def killed(arm: str, done: int, steps: int) -> None:
        if (arm, done) == ("on-policy-rl-no-kl", 1):
            raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_study(small, Path("out"), tick=killed, say=lambda _: None)
    monkeypatch.chdir("/")
    run_study(small, tmp_path / "out", say=lambda _: None)
    assert (tmp_path / "out" / "report.html").is_file()


def test_an_arm_starts_from_somebodys_checkpoint(
    config: StudyConfig, tiny_model: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(tiny_model, theirs)
    settings = {"arm": "classic-sft", "init_from": "theirs", "steps": 1, "queries_per_step": 2}
    arms = {"theirs": {"checkpoint": str(theirs)}, "on": settings | {"rollouts": 1}}
    small = config.model_copy(update={"items": 2, "arms": arms})
    run_study(small, tmp_path / "out", say=lambda _: None)
    trained = json.loads((tmp_path / "out" / "arms" / "on" / "arm.json").read_text())
    assert trained["base"] == str(theirs)


def test_steps_without_a_finite_gradient_are_no_zeros() -> None:
    found = dynamics_of([{"grad_norm": 1.0}, {"grad_norm": None}, {"grad_norm": None}])
    assert (found.nonfinite, found.zeros, found.total) == (2, 0, 1.0)


def test_weights_are_counted_without_loading_them(tiny_model: Path) -> None:
    assert parameter_count(str(tiny_model)) == sum(
        p.numel() for p in load_model(str(tiny_model)).parameters()
    )


def test_a_folder_of_another_study_is_refused(config: StudyConfig, finished: Path) -> None:
    other = config.model_copy(update={"items": 5})
    with pytest.raises(InputError, match="contains a study with other settings; name another"):
        run_study(other, finished)


def test_an_estimate_for_other_gpus_is_no_other_study(config: StudyConfig, finished: Path) -> None:
    assert "N = 8 GPUs" in (finished / "report.html").read_text()
    plan_study(config.model_copy(update={"cost": CostConfig(gpus=64)}), finished)


def test_a_folder_with_other_files_is_refused(config: StudyConfig, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        run_study(config, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "s.toml: not valid TOML"),
        ('name = "x"\nbase = "b"\n', r"s.toml \[arms\]: Field required"),
        ('name = "x"\nbase = "b"\n[arms.magic]\n', "unknown arm 'magic'; use one of off-policy"),
        ('name = "x"\nbase = "b"\n[arms.on-policy-rl]\nsteps = 0\n', "steps: Input should be"),
        ('name = "x"\nbase = "b"\n[arms.on-policy-rl]\nstep = 3\n', "no setting 'step'"),
        ('name = "x"\nbase = "b"\nsuite = "maxi"\n[arms.on-policy-rl]\n', "no suite 'maxi'"),
        ('name = "x"\nbase = "b"\n[arms."../x"]\n', "an arm can't be called '../x'"),
        ('name = "x"\nbase = "b"\n[arms.base]\narm = "on-policy-rl"\n', "and not 'base'"),
        ('name = "x"\nbase = "b"\n[arms.on-policy-rl]\nlearning_rate = inf\n', "learning_rate"),
        ('name = "x"\nbase = "b"\nitems = 1\n[arms.on-policy-rl]\n', r"\[items\]: Input should be"),
    ],
)
def test_bad_studies(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_study(text, place="s.toml")


def test_the_demo_takes_the_shipped_adapters(tmp_path: Path) -> None:
    adapters = shipped_adapters()
    assert adapters is not None
    demo = demo_study(adapters)
    assert [cell.name for cell in demo.cells()] == ["off-policy-sft", "on-policy-rl"]
    for cell in demo.cells():
        assert cell.config is None
        source = find_model(str(cell.checkpoint))
        assert source.adapter == cell.checkpoint
        assert source.name != "smollm2-135m"
    lines = plan_study(demo, tmp_path / "none").lines()
    assert not any("train" in line for line in lines)


def test_the_demo_is_two_arms_of_the_embedded_model_on_equal_queries(tmp_path: Path) -> None:
    demo = demo_study()
    assert demo.base == "smollm2-135m"
    sft, rl = (cell.config for cell in demo.cells())
    assert (sft.arm, rl.arm) == ("off-policy-sft", "on-policy-rl")
    assert sft.queries == rl.queries
    lines = plan_study(demo, tmp_path / "none").lines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == 14


def test_a_wrong_model_name_claims_no_folder(config: StudyConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown model 'nowhere'"):
        run_study(config.model_copy(update={"base": "nowhere"}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_study_is_refused_before_the_plan(tmp_path):
    first = parse_study('name = "a"\nbase = "smollm2-135m"\n[arms.on-policy-rl]\n', place="a.toml")
    other = parse_study('name = "b"\nbase = "smollm2-135m"\n[arms.on-policy-rl]\n', place="b.toml")
    write_json(
        tmp_path / "study.json",
        {"schema": 1, "hash": digest(first.identity())},
    )
    assert plan_study(first, tmp_path).name == "a"
    with pytest.raises(InputError, match="contains a study with other settings"):
        plan_study(other, tmp_path)


def test_a_study_goes_on_in_the_dtype_of_its_base(
    config: StudyConfig, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder was moved to a machine that multiplies bfloat16."""
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    for left in (out / "arms" / "then-sft", out / "runs" / "then-sft"):
        shutil.rmtree(left)
    monkeypatch.setattr(precision, "processor_multiplies", lambda: True)
    run_study(config, out, say=lambda _: None)
    record = json.loads((out / "arms" / "then-sft" / "arm.json").read_text())
    assert record["config"]["precision"] == "fp32"
    assert read_run(out / "runs" / "then-sft").manifest.engine["dtype"] == "float32"
    with pytest.raises(InputError, match="a different dtype: it has float32, requested bfloat16"):
        run_study(config, out, dtype="bfloat16", say=lambda _: None)


def test_the_probes_load_models_as_the_study_says(
    config: StudyConfig, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def noted(*args: Any, dtype: str, device_map: str | None = None, **rest: Any) -> Any:
        seen.append((dtype, device_map))
        return load_model(*args, dtype=dtype, device_map=device_map, **rest)

    monkeypatch.setattr("transferscope.probe.kept_base.load_model", noted)
    probe = config.probe.model_copy(update={"dtype": "bfloat16", "device_map": "cpu"})
    probe_cell(
        KeptBase(config.base, **probe.loading),
        run_responses(read_run(finished / "runs" / "base"), items=probe.items),
        "tuned",
        finished / "arms" / "on-policy-rl",
        out=tmp_path,
        begin=lambda path: None,
        tick=no_tick,
    )
    assert seen == [("bfloat16", "cpu")] * 2  # base and tuned, for both probes


def test_a_base_is_loaded_once_for_all_cells_and_freed_before_training(
    config: StudyConfig, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two models are probed anew, a third is trained anew: the base is loaded twice, not 6 times.

    What the probes find is what separate loads find, to the last bit.
    """
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    for label in ("off-policy-sft", "on-policy-rl"):
        for kind in PROBES:
            probe_path(out, label, kind).unlink()
    for left in (out / "arms" / "then-sft", out / "runs" / "then-sft"):
        shutil.rmtree(left)
    for kind in PROBES:
        probe_path(out, "then-sft", kind).unlink()
    loaded: list[str] = []

    def noted(name: str, **options: Any) -> Any:
        loaded.append(Path(name).name)
        return load_model(name, **options)

    def train(*args: Any, **options: Any) -> Path:
        loaded.append("training" if base._base is None else "training beside a base")
        return train_arm(*args, **options)

    base = KeptBase(config.base)
    monkeypatch.setattr("transferscope.probe.kept_base.KeptBase", lambda name, **_: base)
    monkeypatch.setattr(stages, "train_arm", train)
    monkeypatch.setattr("transferscope.probe.kept_base.load_model", noted)
    run_study(config, out, say=lambda _: None)
    done = ["training beside a base", "on-policy-rl"]  # a finished arm trains nothing
    assert loaded == [
        "training",
        "tiny",
        "off-policy-sft",
        *done,
        "training",
        "tiny",
        "then-sft",
    ]
    assert base._base is None
    for label in ("off-policy-sft", "on-policy-rl", "then-sft"):
        for kind in PROBES:
            found = probe_path(out, label, kind).read_bytes()
            assert found == probe_path(finished, label, kind).read_bytes(), (label, kind)


def test_a_study_reads_each_manifest_once_for_its_plan(
    config: StudyConfig, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def noted(folder: Path) -> Any:
        read.append(folder.name)
        return read_manifest(folder)

    monkeypatch.setattr(plan, "read_manifest", noted)
    progress = plan.Progress(plan_study(config, finished), lambda _: None)
    runs = ["base", "off-policy-sft@1", "off-policy-sft", "on-policy-rl", "then-sft"]
    assert read == runs
    for stage in plan_study(config, finished).stages:
        progress.begin(stage.path)
    assert all(progress.is_measured(cell) for cell in config.cells())
    assert read == runs * 2  # the second plan's


def test_a_plan_sees_what_another_process_finished(
    config: StudyConfig, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said: list[str] = []
    progress = plan.Progress(plan_study(config, out), said.append)
    progress.begin(out / "runs" / "base")
    first, *_ = config.cells()
    assert not progress.is_measured(first)
    shutil.copytree(finished, out)
    progress.begin(out / "runs" / "base")
    assert progress.is_measured(first)
    assert said[0].startswith("[1/21] evaluate base: 3 benchmarks x 4 items; about")
    assert said[1] == "[1/21] evaluate base: done before; about 1 min to go"

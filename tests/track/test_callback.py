"""TransferCallback inside TRL's own SFTTrainer, and the trace of a run that is over."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

from transferscope import TransferCallback
from transferscope.cli import main
from transferscope.core.errors import InputError
from transferscope.runs import read_run
from transferscope.track import find_checkpoints, read_rows, trace

from .helpers import SUITE, trainer


@pytest.fixture(scope="module")
def followed(tiny_model: Path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("followed")
    found = trainer(tiny_model, folder / "run")
    callback = TransferCallback(
        found, base=str(tiny_model), out=folder / "transfer", suite=SUITE, items=4, every=2
    )
    found.add_callback(callback)
    found.train()
    return folder, found, callback


def test_every_other_step_is_measured_and_logged(followed) -> None:
    folder, found, callback = followed
    rows = read_rows(folder / "transfer" / "trace.jsonl")
    assert [row.step for row in rows] == [2, 4]
    assert [(row.look, row.looks) for row in rows] == [(1, 2), (2, 2)]
    assert set(rows[0].gain) == set(rows[0].bound) == {"math", "other"}
    assert all(low <= rows[1].gain[g] <= high for g, (low, high) in rows[1].bound.items())
    assert set(rows[0].lowest) == {"other"}  # the source group may lose
    assert rows[1].lowest["other"] <= rows[0].lowest["other"] <= rows[0].bound["other"][1]
    assert 0 < rows[0].kl < rows[1].kl  # a large learning rate leads away from the base
    assert rows[0].kl_base > 0
    base = read_run(folder / "transfer" / "runs" / "base")
    assert base.manifest.model.name == callback.base
    assert {b: len(o) for b, o in base.by_benchmark.items()} == {"fractions": 4, "sequences": 4}
    logged = [entry for entry in found.state.log_history if "transfer/kl" in entry]
    assert [entry["step"] for entry in logged] == [2, 4]
    assert logged[1]["transfer/kl"] == pytest.approx(rows[1].kl)
    assert {"transfer/gain/math", "transfer/gain_low/other", "transfer/retention"} <= set(logged[0])
    assert not {"loss", "entropy", "mean_token_accuracy"} & set(logged[0])
    assert found.model.training


def test_training_goes_on_as_if_nothing_had_been_measured(followed, tiny_model, tmp_path) -> None:
    alone = trainer(tiny_model, tmp_path)
    alone.train()
    theirs = dict(followed[1].model.named_parameters())
    assert all(torch.equal(p, theirs[name]) for name, p in alone.model.named_parameters())
    mine, measured = (
        [entry for entry in found.state.log_history if "loss" in entry]
        for found in (alone, followed[1])
    )
    assert [entry["step"] for entry in mine] == [1, 2, 3, 4]
    assert {"grad_norm", "entropy", "mean_token_accuracy"} <= set(mine[1])
    assert mine == measured  # loss and TRL's averages at measured steps too


def again(followed, folder: Path, *, steps: int = 4, items: int = 4):
    """The followed training's folders, copied, under a new trainer with a new callback."""
    shutil.copytree(followed[0], folder, dirs_exist_ok=True)
    base = followed[2].base
    found = trainer(Path(base), folder / "run", steps=steps)
    out = folder / "transfer"
    found.add_callback(
        TransferCallback(found, base=base, out=out, suite=SUITE, items=items, every=2)
    )
    return found, out


def test_another_training_does_not_take_over_the_answers(followed, tmp_path) -> None:
    found, out = again(followed, tmp_path)
    before = (out / "trace.jsonl").read_bytes()
    with pytest.raises(InputError, match="holds the steps of another training; choose another out"):
        found.train()
    assert found.state.global_step == 0
    assert (out / "trace.jsonl").read_bytes() == before
    shutil.rmtree(out / "runs" / "step-2")
    shutil.rmtree(out / "runs" / "step-4")
    (out / "trace.jsonl").unlink()
    found = trainer(Path(followed[2].base), tmp_path / "run")
    found.add_callback(
        TransferCallback(found, base=followed[2].base, out=out, suite=SUITE, items=2, every=2)
    )
    with pytest.raises(InputError, match="a different limit: it has 4, requested 2"):
        found.train()


def test_a_resumed_training_keeps_its_rows_and_measures_the_rest_again(followed, tmp_path) -> None:
    found, out = again(followed, tmp_path)
    (out / "runs" / "step-4" / "responses" / "fractions.jsonl").write_text("stale")
    found.train(resume_from_checkpoint=str(tmp_path / "run" / "checkpoint-2"))
    rows, before = read_rows(out / "trace.jsonl"), followed[2].rows
    assert rows[0] == read_rows(followed[0] / "transfer" / "trace.jsonl")[0]
    assert rows[1].gain == before[1].gain
    # The first look's evidence was read again from its run.
    assert rows[1].lowest == before[1].lowest
    assert (rows[1].look, rows[1].looks) == (2, 2)
    assert rows[1].kl == pytest.approx(before[1].kl, rel=1e-4)
    assert len(read_run(out / "runs" / "step-4").responses("fractions")) == 4


def test_a_longer_training_looks_on_beyond_its_plan(followed, tmp_path) -> None:
    """Resumed for 6 steps instead of 4, from a file written before looks were counted, too."""
    found, out = again(followed, tmp_path, steps=6)
    shutil.rmtree(out / "runs" / "step-2")  # the evidence of look 1 is lost, the look counts
    found.train(resume_from_checkpoint=str(tmp_path / "run" / "checkpoint-4"))
    rows = read_rows(out / "trace.jsonl")
    assert [(row.look, row.looks) for row in rows] == [(1, 2), (2, 2), (3, 2)]


def test_a_file_from_before_looks_were_counted_is_gone_on_with(followed, tmp_path) -> None:
    found, out = again(followed, tmp_path)
    new = {"look", "looks", "bound", "retention_bound", "lowest"}
    lines = [json.loads(line) for line in (out / "trace.jsonl").read_text().splitlines()]
    old = [{name: value for name, value in line.items() if name not in new} for line in lines]
    (out / "trace.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    state = tmp_path / "run" / "checkpoint-2" / "trainer_state.json"
    kept = json.loads(state.read_text())
    kept["log_history"] = [
        {
            name: value
            for name, value in entry.items()
            if "bound_" not in name and "lowest" not in name
        }
        for entry in kept["log_history"]
    ]
    state.write_text(json.dumps(kept))
    found.train(resume_from_checkpoint=str(tmp_path / "run" / "checkpoint-2"))
    rows = read_rows(out / "trace.jsonl")
    assert [(row.look, row.looks) for row in rows] == [(None, None), (2, 2)]
    assert rows[1].lowest == followed[2].rows[1].lowest


def test_a_resumed_training_asks_the_base_the_same(followed, tmp_path) -> None:
    found, _ = again(followed, tmp_path, items=2)
    with pytest.raises(InputError, match="a different limit: it has 4, requested 2"):
        found.train(resume_from_checkpoint=str(tmp_path / "run" / "checkpoint-2"))


def test_an_adapter_is_its_own_base(tiny_model, tmp_path, monkeypatch) -> None:
    config = LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")
    found = trainer(tiny_model, tmp_path / "run", steps=1, peft_config=config)
    callback = TransferCallback(
        found, base=str(tiny_model), out=tmp_path / "transfer", suite=SUITE, items=2, every=1
    )
    found.add_callback(callback)
    monkeypatch.setattr("transferscope.probe.model_pairs.load_model", None)  # must not be called
    found.train()
    assert len(callback.rows) == 1
    assert callback.rows[0].kl > 0


@pytest.mark.parametrize("given", [True, False])
def test_transformers_own_trainer_with_and_without_a_tokenizer(tiny_model, tmp_path, given) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    arguments = TrainingArguments(
        output_dir=str(tmp_path / "run"),
        max_steps=2,
        per_device_train_batch_size=2,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    ids = tokenizer("1 + 1 = 2")["input_ids"]
    found = Trainer(
        model=AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32),
        args=arguments,
        train_dataset=Dataset.from_list([{"input_ids": ids, "labels": ids}] * 4),
        processing_class=tokenizer if given else None,
    )
    callback = TransferCallback(
        found, base=str(tiny_model), out=tmp_path / "transfer", suite=SUITE, items=2, every=2
    )
    found.add_callback(callback)
    found.train()
    assert [row.step for row in callback.rows] == [2]
    assert callback.rows[0].kl > 0


def test_a_group_that_lost_too_much_stops_the_training(tiny_model, tmp_path, caplog) -> None:
    found = trainer(tiny_model, tmp_path / "run")
    found.add_callback(
        TransferCallback(
            found,
            base=str(tiny_model),
            out=tmp_path / "transfer",
            suite=SUITE,
            items=2,
            every=1,
            kl_items=0,
            allowed_loss=0.0,
        )
    )

    def lost(self, row):
        return "stop here" if row.step == 2 else ""

    TransferCallback._lost, kept = lost, TransferCallback._lost
    try:
        found.train()
    finally:
        TransferCallback._lost = kept
    assert found.state.global_step == 2
    rows = read_rows(tmp_path / "transfer" / "trace.jsonl")
    assert [row.kl for row in rows] == [None, None]
    assert [(row.look, row.looks) for row in rows] == [(1, 4), (2, 4)]
    began, stopped = caplog.messages
    assert "allowed_loss is 0 points: with items=2 per benchmark no loss on other" in began
    assert stopped == "stop here"


def test_what_counts_as_lost() -> None:
    callback = TransferCallback.__new__(TransferCallback)
    callback.suite, callback.allowed_loss = SUITE, 5.0
    from transferscope.track import Row

    def row(lowest: float, gain: float = -8.0, low: float = -60.0) -> Row:
        gains = {"math": -50.0, "other": gain}  # the source group may lose
        ci = {"math": (-70.0, -30.0), "other": (low, 9.0)}
        return Row(
            300, gains, ci, None, None, {}, look=6, looks=10, bound=ci, lowest={"other": lowest}
        )

    assert not callback._lost(row(-5.0))
    assert not callback._lost(row(20.0))  # a loss that can't be excluded is not shown
    assert not callback._lost(row(-5.1, gain=-4.0))  # it has come back
    assert callback._lost(row(-5.12)) == (
        "training stops: a true loss of more than 5 points is shown on other reasoning (the true "
        "change fell below \u22125.1 points) at step 300; this is look 6 of 10 planned, and the "
        "bound holds over all looks"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "set every to at least 1"),
        ({"items": 1}, "items to at least 2"),
        ({"allowed_loss": -1.0}, "set it to 0 points or more"),
        ({"base": "nobody"}, "unknown model 'nobody'"),
        ({"suite": "maxi"}, "no suite 'maxi'"),
    ],
)
def test_wrong_options_are_named_before_the_first_step(followed, options, message) -> None:
    given = {"base": followed[2].base, "out": "x", "suite": SUITE} | options
    with pytest.raises(InputError, match=message):
        TransferCallback(followed[1], **given)


def test_the_checkpoints_of_the_run_give_the_same_course(followed, tmp_path) -> None:
    folder, _, callback = followed
    found = find_checkpoints(folder / "run")
    assert [step for step, _ in found] == [2, 4]
    options = {"base": callback.base, "suite": SUITE, "n": 4, "dtype": "float32"}
    comparison, rows = trace(folder / "run", out=tmp_path / "out", **options)
    assert [t.model for t in comparison.tuned] == ["step 2", "step 4"]
    for ours, theirs in zip(rows, callback.rows, strict=True):
        assert ours.gain == theirs.gain
        assert ours.bound == theirs.bound  # two looks were planned, two were taken
        assert ours.lowest == theirs.lowest
        assert ours.kl == pytest.approx(theirs.kl, abs=1e-5)
    assert [row.step for row in read_rows(tmp_path / "out" / "trace.jsonl")] == [2, 4]


def test_the_command(followed, tmp_path, capsys, monkeypatch) -> None:
    suite = tmp_path / "slice.toml"
    suite.write_text(
        'name = "slice"\nsource = "math"\n[groups]\nmath = ["fractions"]\n'
        'other = ["sequences"]\n[benchmarks.fractions]\npack = "mini"\n'
        '[benchmarks.sequences]\npack = "mini"\n'
    )
    folder, _, callback = followed
    argv = ["trace", str(folder / "run"), "--base", callback.base, "--suite", str(suite)]
    argv += ["--limit", "2", "--out", str(tmp_path / "out")]
    main([*argv, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert [row["step"] for row in document["steps"]] == [2, 4]
    main(argv)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "(95 % intervals that hold over 2 looks)" in out
    assert "other reasoning: no loss established over 2 looks" in out
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        main([*argv[:-1], str(tmp_path / "file")])
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "file: is a file, not a folder; name another folder" in told
    page = (tmp_path / "out" / "report.html").read_text()
    assert "trace-gain" in page
    assert "trace-kl" in page


def test_verls_shards_are_recognised_and_the_merge_command_printed(tmp_path) -> None:
    shards = tmp_path / "global_step_20" / "actor"
    shards.mkdir(parents=True)
    (shards / "model_world_size_2_rank_0.pt").touch()
    with pytest.raises(InputError, match=r"merge them first: python -m verl.model_merger merge"):
        find_checkpoints(tmp_path)
    shutil.rmtree(shards)
    with pytest.raises(InputError, match="holds no checkpoint"):
        find_checkpoints(tmp_path)
    merged = tmp_path / "global_step_20" / "actor" / "huggingface"
    merged.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (merged / name).touch()
    assert find_checkpoints(tmp_path) == [(20, merged)]
    shutil.copytree(merged, tmp_path / "20")
    both = "20 and global_step_20/actor/huggingface both hold step 20; move one of them elsewhere"
    with pytest.raises(InputError, match=both):
        find_checkpoints(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        find_checkpoints(tmp_path / "none")

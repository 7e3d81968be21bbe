"""What people name by mistake is named as what it is, with what to give instead."""

import json

import pytest

from transferscope.core.errors import InputError
from transferscope.core.mistaken import mistaken, refuse_mistaken

STATE = {"best_metric": None, "global_step": 30, "log_history": [{"loss": 1.0, "step": 1}]}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("trainer_state.json", "{}", "the Trainer's loss log"),
        ("renamed.json", json.dumps(STATE), "the Trainer's loss log"),
        ("long.json", json.dumps(STATE, indent=2)[:-1], "the Trainer's loss log"),  # cut
        ("all_results.json", "{}", "the Trainer's own metrics"),
        ("eval_results.json", '{"eval_loss": 2.1}', "the Trainer's own metrics"),
        ("tokenizer.json", "{}", "a tokenizer"),
        ("tokenizer_config.json", "{}", "a tokenizer's settings"),
        ("config.json", "{}", "a model's configuration"),
        ("c.json", '{"architectures": ["X"], "model_type": "x"}', "a model's configuration"),
        ("adapter_config.json", "{}", "an adapter's configuration"),
        ("a.json", '{"peft_type": "LORA"}', "an adapter's configuration"),
        ("model.safetensors", "x", "a model's weights"),
        ("training_args.bin", "x", "a training run's settings"),
        ("pytorch_model.bin", "x", "model weights or another pickle file"),
        ("wandb-summary.json", "{}", "a summary of a Weights & Biases run"),
        ("w.json", '{"_step": 3, "_runtime": 2, "loss": 1}', "Weights & Biases run"),
        ("events.out.tfevents.17.host", "x", "a TensorBoard log"),
    ],
)
def test_files_beside_a_checkpoint(tmp_path, name, content, says):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        refuse_mistaken(tmp_path / name)
    message = str(caught.value)
    assert says in message
    assert message.endswith(
        f"not results; evaluate the model: transferscope eval {tmp_path} --suite mini --out RUN"
    )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid x\n", "run: git lfs pull"),
        ("a.xlsx", b"PK\x03\x04", "an Excel workbook, not results; save the sheet as CSV"),
        ("a.csv", b"PK\x03\x04rest", "save its sheet as CSV"),  # a renamed workbook
        ("a.tar", b"x", "an archive, not results; unpack it"),
        ("a.jsonl.zst", b"x", "a Zstandard archive, not results; unpack it"),
        ("policy.toml", b"x", "a settings file"),
    ],
)
def test_other_files(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        refuse_mistaken(tmp_path / name)


def test_folders(tmp_path):
    assert mistaken(tmp_path) is None
    (tmp_path / "checkpoint-30").mkdir()
    what, instead = mistaken(tmp_path)
    assert what == "is a folder of checkpoints, not results"
    assert f"eval {tmp_path}/CHECKPOINT " in instead
    (tmp_path / "config.json").write_text("{}")
    what, instead = mistaken(tmp_path)
    assert what == "is a model folder, not results"
    assert f"transferscope eval {tmp_path} " in instead
    (tmp_path / "adapter_config.json").write_text("{}")
    assert mistaken(tmp_path).what == "is an adapter folder, not results"
    # LLaMA-Factory predicts into the folder of the training: its answers can be read.
    (tmp_path / "trainer_log.jsonl").write_text("{}")
    (tmp_path / "generated_predictions.jsonl").write_text("{}")
    assert (
        mistaken(tmp_path).remedy
        == f"name one of its files: {tmp_path}/generated_predictions.jsonl"
    )


def test_a_folder_of_a_training_run_names_its_answers(tmp_path):
    (tmp_path / "trainer_state.json").write_text(json.dumps(STATE))
    with pytest.raises(InputError, match="a training run's folder, not results; evaluate the"):
        refuse_mistaken(tmp_path)
    (tmp_path / "generated_predictions.jsonl").write_text("{}")
    with pytest.raises(InputError, match=r"name one of its files: .*generated_predictions\.jsonl"):
        refuse_mistaken(tmp_path)


def test_results_are_no_mistake(tmp_path):
    for name, content in (
        ("results.json", '{"results": {}}'),
        ("a.json", "[]"),
        ("a.jsonl", "{}"),
        ("a.eval", "PK\x03\x04"),
        ("b.json", "not json"),
    ):
        (tmp_path / name).write_text(content)
        assert mistaken(tmp_path / name) is None
    assert mistaken(tmp_path / "none.json") is None

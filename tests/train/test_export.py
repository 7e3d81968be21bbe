"""Launch files against the real packages' own schemas, so that a wrong key fails.

verl and LLaMA-Factory are installed without their dependencies into a throw-away folder; verl's
settings are composed by hydra, LLaMA-Factory's parsed by its own parser, accelerate's read by the
installed accelerate.
"""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyarrow import parquet

from transferscope.cli import main
from transferscope.core.errors import InputError
from transferscope.train import Query
from transferscope.train.export import export_accelerate, export_llamafactory, export_verl
from transferscope.train.export.llamafactory import VERSION, settings
from transferscope.train.export.verl import overrides

QUERIES = [
    Query(f"q{n}", "file", f"What is {n} + 1?", str(n + 1)) for n in range(576)
]  # a batch of 512 and 64
VERL = ("verl==0.9.1", "hydra-core", "omegaconf", "antlr4-python3-runtime==4.9.3")
COMPOSE = """
import importlib.util, json, os, sys
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
where = importlib.util.find_spec("verl").submodule_search_locations[0]
with initialize_config_dir(os.path.join(where, "trainer", "config"), version_base=None):
    found = compose("ppo_trainer", overrides=json.load(sys.stdin))
    clip = found.actor_rollout_ref.actor.clip_ratio_high
    print(json.dumps(OmegaConf.to_container(found.algorithm)), clip)
"""
PARSE = """
import sys, yaml
from llamafactory.hparams.parser import _parse_train_args
model, data, training, tuning, _ = _parse_train_args(yaml.safe_load(sys.stdin))
print(training.learning_rate, training.num_train_epochs, tuning.finetuning_type, *data.dataset)
"""


def installed(packages, tmp_path_factory):
    """The packages alone in a folder of their own; skipped where no registry can be reached."""
    folder = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*command, "--target", str(folder), *packages],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if done.returncode:
        pytest.skip(f"can't install {packages[0]}: {done.stderr.strip().splitlines()[-1][:120]}")
    return folder


def run(code, folder, text):
    known = {**os.environ, "PYTHONPATH": str(folder), "DISABLE_VERSION_CHECK": "1"}
    return subprocess.run(
        [sys.executable, "-c", code],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env=known,
        cwd=folder,
        timeout=240,
    )


@pytest.fixture(scope="module")
def verl(tmp_path_factory):
    return installed(VERL, tmp_path_factory)


@pytest.fixture(scope="module")
def llamafactory(tmp_path_factory):
    packages = (f"llamafactory=={VERSION}", "omegaconf", "antlr4-python3-runtime==4.9.3")
    return installed(packages, tmp_path_factory)


def test_verls_own_schema_takes_every_key(verl) -> None:
    given = [f"{key}={value}" for key, value in overrides("org/model").items()]
    done = run(COMPOSE, verl, json.dumps(given))
    assert done.returncode == 0, done.stderr[-2000:]
    document, _, clip = done.stdout.strip().rpartition(" ")
    assert json.loads(document)["adv_estimator"] == "grpo"
    assert float(clip) == 0.28
    wrong = run(COMPOSE, verl, json.dumps([*given, "algorithm.adv_estimater=grpo"]))
    assert wrong.returncode != 0
    assert "adv_estimater" in wrong.stderr


def test_verls_reward_manager_reads_the_names_that_are_added(verl) -> None:
    # Keys with a "+" are in no schema: a wrong name would compose and be read by nobody.
    managers = verl / "verl" / "experimental" / "reward_loop" / "reward_manager"
    text = (managers / "dapo.py").read_text()
    read = {
        f"overlong_buffer_cfg.{name}" for name in re.findall(r"overlong_buffer_cfg\.(\w+)", text)
    }
    read |= set(re.findall(r'"reward_kwargs", {}\)\.get\("(\w+)"', text)) - {"overlong_buffer_cfg"}
    start = "+reward.reward_kwargs."
    added = [key for key in overrides("org/model") if key.startswith("+")]
    assert all(key.startswith(start) for key in added)
    assert {key.removeprefix(start) for key in added} == read
    assert 'config.reward.get("reward_kwargs"' in text


def test_llamafactorys_own_parser_takes_every_key(llamafactory) -> None:
    given = settings("org/model", template="qwen3")
    # DeepSpeed is not installed here; the parser would import it for this one key.
    known = {key: value for key, value in given.items() if key != "deepspeed"}
    done = run(PARSE, llamafactory, json.dumps(known | {"bf16": False}))
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].split() == ["5e-05", "2.0", "full", "transferscope"]
    wrong = run(PARSE, llamafactory, json.dumps(known | {"bf16": False, "learning_rat": 1}))
    assert wrong.returncode != 0
    assert "learning_rat" in wrong.stderr


def test_accelerate_reads_its_configurations(tmp_path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    ddp, fsdp, zero = (
        load_config_from_file(str(path)) for path in export_accelerate(tmp_path, gpus=4)
    )
    assert (ddp.distributed_type, ddp.num_processes) == ("MULTI_GPU", 4)
    assert fsdp.distributed_type == "FSDP"
    assert fsdp.fsdp_config["fsdp_version"] == 2
    assert (fsdp.num_machines, fsdp.main_process_ip) == (1, None)
    assert zero.deepspeed_config["zero_stage"] == 3
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((tmp_path / "fsdp2.yaml").read_text() + "num_procs: 3\n")
    with pytest.raises(ValueError, match="num_procs"):
        load_config_from_file(str(wrong))
    one = load_config_from_file(str(export_accelerate(tmp_path, gpus=1)[0]))
    assert one.distributed_type == "NO"  # accelerate refuses one process as several


@pytest.mark.parametrize("name", ["ddp.yaml", "fsdp2.yaml", "zero3.yaml"])
def test_accelerates_launcher_starts_every_machine_from_one_file(tmp_path, name) -> None:
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env

    export_accelerate(tmp_path, nodes=2, gpus=4, main_ip="10.0.0.7")
    for machine in (0, 1):
        command = ["--config_file", str(tmp_path / name), "--machine_rank", str(machine), "x.py"]
        args, *_ = _validate_launch_command(launch_command_parser().parse_args(command))
        if args.use_deepspeed:
            args.deepspeed_fields_from_accelerate_config = ""  # set between these two steps
            own, _ = prepare_deepspeed_cmd_env(args)
            assert own is None  # torch's launcher, as for the others: no ssh, no host file
        else:
            prepare_multi_gpu_env(args)
        assert (args.nnodes, args.nproc_per_node, args.node_rank) == ("2", "4", machine)
        assert args.rdzv_endpoint == "10.0.0.7:29500"
    text = (tmp_path / name).read_text()
    assert "machine K of 2 (K = 0 to 1, 0 is 10.0.0.7)" in text
    assert f"--config_file {name} --machine_rank K" in text
    assert ("other arms need whole weights" in text) == (name != "ddp.yaml")


def test_several_machines_need_the_first_ones_address(tmp_path) -> None:
    with pytest.raises(InputError, match=r"2 machines need .*; add --main-ip ADDRESS"):
        export_accelerate(tmp_path / "a", nodes=2)
    assert not (tmp_path / "a").exists()


def test_fsdp_settings_are_arguments_of_accelerates_launcher(tmp_path) -> None:
    from accelerate.commands.launch import launch_command_parser
    from accelerate.utils import DeepSpeedPlugin

    from transferscope.train.export.accelerated import configurations

    known = {action.dest for action in launch_command_parser()._actions}
    found = configurations()
    assert set(found["fsdp2.yaml"]["fsdp_config"]) <= known
    fields = set(DeepSpeedPlugin.__dataclass_fields__)
    assert set(found["zero3.yaml"]["deepspeed_config"]) <= known | fields


def test_verls_files(tmp_path) -> None:
    export_verl(QUERIES, tmp_path, model="org/a model; rm -rf $HOME")
    script = (tmp_path / "run.sh").read_text()
    assert subprocess.run(["bash", "-n", tmp_path / "run.sh"], check=False).returncode == 0
    words = shlex.split(script.replace("\\\n", " "), comments=True)
    assert "actor_rollout_ref.model.path=org/a model; rm -rf $HOME" in words
    assert os.access(tmp_path / "run.sh", os.X_OK)
    train = parquet.read_table(tmp_path / "train.parquet").to_pylist()
    assert len(train) == 512
    assert train[0]["prompt"] == [{"role": "user", "content": "What is 64 + 1?"}]
    assert train[0]["reward_model"]["ground_truth"] == "65"
    spec = importlib.util.spec_from_file_location("reward", tmp_path / "reward.py")
    reward = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reward)
    assert reward.compute_score("x", "The answer is 65.", "65") == 1.0
    assert reward.compute_score("x", "The answer is 64.", "65", {"index": "q"}) == 0.0
    # verl's managers call it in a thread of an executor, where signals end nothing.
    tower = r"\boxed{9^{9^{9^9}}}"
    with ThreadPoolExecutor(1) as executor:
        ended = executor.submit(reward.compute_score, "x", tower, r"\frac{1}{3}")
        after = executor.submit(reward.compute_score, "x", r"\boxed{x^2}", "x^2")
        assert (ended.result(60), after.result(60)) == (0.0, 1.0)
    with pytest.raises(InputError, match=r"575 queries are too few for a batch .*; give 576"):
        export_verl(QUERIES[:-1], tmp_path / "few", model="m")
    assert not (tmp_path / "few").exists()


def test_llamafactorys_files(tmp_path) -> None:
    teacher = tmp_path / "t.jsonl"
    rows = [
        {"prompt": q.prompt, "response": f"The answer is {int(q.gold) + n}."}
        for q in QUERIES
        for n in (0, 1)
    ]
    rows.append({"prompt": "another", "response": "The answer is 1."})
    cut_off = {
        "prompt": QUERIES[0].prompt,
        "response": f"The answer is {QUERIES[0].gold}. So if we",
    }
    rows.append(cut_off | {"finished": False})
    teacher.write_text("".join(json.dumps(row) + "\n" for row in rows))
    export_llamafactory(QUERIES, teacher, tmp_path / "out", model="org/model", gpus=4)
    import yaml

    text = (tmp_path / "out" / "sft.yaml").read_text()
    assert f"LLaMA-Factory {VERSION}'s parser" in text.partition("model_name_or_path")[0]
    given = yaml.safe_load(text)
    assert given == settings("org/model", template="qwen3", gpus=4)
    assert given["gradient_accumulation_steps"] == 128
    assert isinstance(given["learning_rate"], float)
    train = json.loads((tmp_path / "out" / "train.json").read_text())
    assert len(train) == len(QUERIES)
    assert train[1] == {
        "instruction": "What is 1 + 1?",
        "input": "",
        "output": "The answer is 2.",
    }
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text())
    assert (tmp_path / "out" / info["transferscope"]["file_name"]).is_file()
    with pytest.raises(InputError, match="can't be divided evenly among 7 GPUs"):
        settings("m", template="qwen3", gpus=7)
    with pytest.raises(InputError, match="contains no finished and correct response"):
        export_llamafactory([], teacher, tmp_path / "none", model="m")


def test_the_commands(tmp_path, capsys) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(
        "".join(json.dumps({"prompt": q.prompt, "gold": q.gold}) + "\n" for q in QUERIES)
    )
    main(["export", "verl", "org/model", "--queries", str(file), "--out", str(tmp_path / "v")])
    main(["export", "accelerate", "--out", str(tmp_path / "a"), "--gpus", "2"])
    said = capsys.readouterr().err
    assert f"{file}: 0 of 576 queries overlap with suite mini\n" in said
    assert "run.sh" in said
    assert "ddp.yaml" in said
    teacher = tmp_path / "t.jsonl"
    rows = [{"prompt": q.prompt, "response": f"It is {q.gold}."} for q in QUERIES[:2]]
    rows.append(rows[0] | {"finished": False})
    teacher.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ["--queries", str(file), "--teacher", str(teacher)]
    main(["export", "llamafactory", "m", *options, "--out", str(tmp_path / "l")])
    assert "t.jsonl: 1 unfinished responses left out" in capsys.readouterr().err
    assert len(json.loads((tmp_path / "l" / "train.json").read_text())) == 2
    for command in (
        ["verl", "m", "--queries", str(file)],
        ["llamafactory", "m", *options],
        ["accelerate"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(["export", *command, "--out", str(file)])
        assert ended.value.code == 2
        assert (
            "q.jsonl: is a file, not a folder; name another folder: --out DIR"
            in capsys.readouterr().err
        )
    with pytest.raises(SystemExit) as ended:
        main(["export", "verl", "m", "--queries", "none.jsonl", "--out", str(tmp_path / "v")])
    assert ended.value.code == 2


def exports(folder):
    """Every export into a folder of its own, with the name of the file that is written first."""
    teacher = folder / "t.jsonl"
    rows = [{"prompt": q.prompt, "response": f"It is {q.gold}."} for q in QUERIES]
    teacher.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {
        "run.sh": lambda out: export_verl(QUERIES, out, model="m"),
        "sft.yaml": lambda out: export_llamafactory(QUERIES, teacher, out, model="m"),
        "ddp.yaml": export_accelerate,
    }


@pytest.mark.parametrize("first", ["run.sh", "sft.yaml", "ddp.yaml"])
def test_no_file_of_somebody_elses_is_overwritten(tmp_path, first) -> None:
    export = exports(tmp_path)[first]
    paths = export(tmp_path / "ours")
    assert paths[0].name == first
    before = [path.read_bytes() for path in paths]
    export(tmp_path / "ours")
    assert [path.read_bytes() for path in paths] == before
    for path in paths:
        theirs = tmp_path / f"theirs-{path.name}"
        theirs.mkdir()
        (theirs / "notes.txt").touch()  # other names are in nobody's way
        (theirs / path.name).write_text("mine")
        with pytest.raises(InputError, match="a file with this name exists that no export wrote"):
            export(theirs)
        assert (theirs / path.name).read_text() == "mine"
        assert len(list(theirs.iterdir())) == 2
    assert min(paths, key=lambda path: path.stat().st_mtime_ns) == paths[0]
    killed = tmp_path / "killed"  # after its first file
    killed.mkdir()
    (killed / first).write_bytes(paths[0].read_bytes())
    assert len(export(killed)) == len(paths)
    paths[-1].unlink()
    paths[-1].mkdir()
    with pytest.raises(InputError, match="can't be written"):
        export(tmp_path / "ours")


@pytest.mark.parametrize(
    "wrong", ["1.2.3.4\nfoo: bar\n#", "a b", "not an ip!", "fe80::1%a\nb", "-x"]
)
def test_an_address_is_nothing_else(tmp_path, wrong) -> None:
    with pytest.raises(InputError, match=r"--main-ip: .* is neither a host name nor an IP address"):
        export_accelerate(tmp_path / "out", nodes=2, main_ip=wrong)
    assert not (tmp_path / "out").exists()
    for right in ("10.0.0.7", "node-0.cluster", "fd00::7"):
        export_accelerate(tmp_path / "right", nodes=2, main_ip=right)

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.study import StudyConfig, parse_study, run_study
from transferscope.study.plan import check_study, run_names
from transferscope.train import ArmConfig

from ..conftest import byte_tokenizer

HEAD = 'name = "s"\nbase = "smollm2-135m"\n'


def study(text: str) -> StudyConfig:
    return parse_study(HEAD + text, place="s.toml")


def test_every_rate_and_seed_is_a_cell() -> None:
    cells = study(
        "[arms.on-policy-rl]\nseeds = [0, 3]\nlearning_rates = [1e-5, 3e-5]\nsteps = 5\n"
        "[arms.off-policy-sft]\nseeds = [0, 3]\n"
    ).cells()
    assert [cell.name for cell in cells] == [
        "on-policy-rl-lr1e-05-seed0",
        "on-policy-rl-lr3e-05-seed0",
        "off-policy-sft-seed0",
        "on-policy-rl-lr1e-05-seed3",
        "on-policy-rl-lr3e-05-seed3",
        "off-policy-sft-seed3",
    ]
    last = cells[4].config
    assert last is not None
    assert (last.arm, last.seed, last.learning_rate, last.steps) == ("on-policy-rl", 3, 3e-5, 5)


def test_arms_of_more_seeds_go_on_faster_so_that_a_study_cut_short_has_all_arms() -> None:
    cells = study(
        "[arms.on-policy-sft]\nseeds = [7, 8]\n[arms.on-policy-rl]\nseeds = [3, 2, 1, 0]\n"
    ).cells()
    assert [cell.name.removeprefix("on-policy-") for cell in cells] == [
        "sft-seed7",
        "rl-seed3",
        "rl-seed2",
        "sft-seed8",
        "rl-seed1",
        "rl-seed0",
    ]


def test_an_arm_starts_from_another_with_its_seed() -> None:
    cells = study(
        "[arms.off-policy-sft]\nseeds = [1, 2]\n"
        '[arms.then-rl]\narm = "on-policy-rl-no-kl"\nseeds = [2, 1]\ninit_from = "off-policy-sft"\n'
        '[arms.theirs]\ncheckpoint = "/models/x"\n'
    ).cells()
    assert [(cell.name, cell.start and cell.start.name) for cell in cells] == [
        ("off-policy-sft-seed1", None),
        ("theirs", None),
        ("off-policy-sft-seed2", None),
        ("then-rl-seed2", "off-policy-sft-seed2"),
        ("then-rl-seed1", "off-policy-sft-seed1"),
    ]
    assert (cells[1].config, cells[1].checkpoint) == (None, "/models/x")


def test_kept_checkpoints_are_runs_of_their_own() -> None:
    (cell,) = study("[arms.on-policy-sft]\nsteps = 12\nkeep_every = 4\n").cells()
    assert run_names(cell) == ["on-policy-sft@4", "on-policy-sft@8", "on-policy-sft"]


def test_the_source_group_is_data() -> None:
    config = study('source = "other"\n[arms.on-policy-sft]\n')
    assert config.load_suite().source == "other"
    assert config.load_suite().targets == ("math", "non")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'source = "law"\n[arms.on-policy-sft]\n',
            "suite mini has no group 'law'; use one of math",
        ),
        ('[arms.a]\narm = "on-policy-sft"\ninit_from = "b"\n', "init_from 'b' is not an arm above"),
        (
            "[arms.off-policy-sft]\nlearning_rates = [1e-5, 2e-5]\n"
            '[arms.a]\narm = "on-policy-sft"\ninit_from = "off-policy-sft"\n',
            "init_from 'off-policy-sft' is ambiguous",
        ),
        (
            '[arms.a]\ncheckpoint = ""\n',
            r"\[arms.a\] \[checkpoint\]: String should have at least 1",
        ),
        ('[arms.a]\ncheckpoint = "x"\nsteps = 3\n', "so it can't have other settings"),
        ("[arms.on-policy-rl]\nseeds = [-1]\n", r"\[arms.on-policy-rl\] \[seeds.0\]"),
        (
            "[arms.on-policy-rl]\nseeds = [0, 1]\n"
            '[arms.on-policy-rl-seed1]\narm = "on-policy-sft"\n',
            "two models of the study would be called 'on-policy-rl-seed1'",
        ),
        ("[arms.on-policy-rl]\n[claims]\nkl_matters = 0\n", r"\[claims.kl_matters\]"),
    ],
)
def test_what_does_not_fit_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        study(text)


def test_arms_start_from_the_base() -> None:
    with pytest.raises(InputError, match="all arms start from the study's base"):
        study('[arms.on-policy-rl]\nmodel = "other"\n')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[arms.on-policy-rl]\nqueries_from = "{0}/none.jsonl"\n', "none.jsonl"),
        ('[arms.on-policy-rl]\nqueries_from = "{0}/two.jsonl"\nsteps = 3\n', "2"),
        (
            '[arms.off-policy-sft]\nqueries_from = "{0}/two.jsonl"\nteacher = "{0}/no.jsonl"\n'
            "steps = 1\nqueries_per_step = 2\n",
            "no.jsonl",
        ),
    ],
)
def test_files_are_looked_at_before_the_first_stage(
    text: str, message: str, tmp_path: Path, tiny_model: Path
) -> None:
    rows = [{"prompt": f"What is {n} plus 1?", "answer": str(n + 1)} for n in (1, 2)]
    (tmp_path / "two.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    head = f'name = "s"\nbase = "{tiny_model}"\n'
    config = parse_study(head + text.format(tmp_path), place="s.toml")
    with pytest.raises(InputError, match=message):
        check_study(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_hub_data_set_is_asked_before_the_first_stage(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr(datasets, "load_dataset", fails)
    text = f'name = "s"\nbase = "{tiny_model}"\n[arms.on-policy-sft]\nqueries_from = "hub:a/b"\n'
    with pytest.raises(InputError, match="hub:a/b: could not be loaded: no network"):
        check_study(parse_study(text, place="s.toml"), tmp_path / "out")


def test_a_teacher_of_a_part_of_the_queries_is_enough(tmp_path: Path, tiny_model: Path) -> None:
    rows = [{"prompt": f"{n}?", "gold": str(n)} for n in range(4)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = [{"prompt": f"{n}?", "response": f"It is {n}."} for n in (1, 3)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    text = f"""
name = "s"
base = "{tiny_model}"
[arms.off-policy-sft]
queries_from = "{tmp_path}/q.jsonl"
teacher = "{tmp_path}/t.jsonl"
steps = 1
queries_per_step = 2
[arms.on-policy-sft]
queries_from = "{tmp_path}/q.jsonl"
steps = STEPS
queries_per_step = 2
"""
    check_study(parse_study(text.replace("STEPS", "1"), place="s.toml"), tmp_path / "out")
    # The other arm sees no more than this one.
    with pytest.raises(InputError, match="asks for 4 queries, here are 2 after 2 were left out"):
        check_study(parse_study(text.replace("STEPS", "2"), place="s.toml"), tmp_path / "out")


LORA_SFT = '[arms.sft]\narm = "off-policy-sft"\nlora_rank = 2\n'
FULL_SFT = '[arms.sft]\narm = "off-policy-sft"\n'
THEIRS = '[arms.sft]\ncheckpoint = "{0}"\n'
THEN = '[arms.then]\ninit_from = "sft"\n'


@pytest.mark.parametrize(
    ("start", "then", "message"),
    [
        (LORA_SFT, 'arm = "on-policy-sft"\nlora_rank = 4\n', "lora_rank is 4, but the start's"),
        (LORA_SFT, 'arm = "on-policy-rl"\n', "beta > 0 needs a reference"),
        (LORA_SFT, 'arm = "on-policy-rl"\nlora_rank = 2\n', None),
        (LORA_SFT, 'arm = "on-policy-sft"\n', None),
        (FULL_SFT, 'arm = "on-policy-rl"\nlora_rank = 4\n', None),
        (THEIRS, 'arm = "on-policy-sft"\nlora_rank = 2\n', "the start's adapter has 8"),
        (THEIRS, 'arm = "on-policy-rl"\n', "beta > 0 needs a reference"),
    ],
)
def test_a_start_that_an_arm_cannot_go_on_from_is_refused_before_any_work(
    start: str, then: str, message: str | None, tmp_path: Path, tiny_model: Path
) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    about = {"r": 8, "base_model_name_or_path": str(tiny_model)}
    (adapter / "adapter_config.json").write_text(json.dumps(about))
    text = f'name = "s"\nbase = "{tiny_model}"\n{start.format(adapter)}{THEN}{then}'
    config = parse_study(text, place="s.toml")
    if message is None:
        check_study(config, tmp_path / "out")
        return
    with pytest.raises(InputError, match=rf"study s \[arms.then\]: .*{message}"):
        check_study(config, tmp_path / "out")


def test_a_base_that_cannot_be_asked_is_refused_where_arms_are_trained(
    tmp_path: Path, tiny_model: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = None
    (base / "chat_template.jinja").unlink(missing_ok=True)
    tokenizer.save_pretrained(base)
    text = f'name = "s"\nbase = "{base}"\n'
    with pytest.raises(InputError, match="base: its tokenizer has no chat template"):
        check_study(parse_study(f"{text}[arms.on-policy-rl]\n", place="s"), tmp_path / "out")
    theirs = f'{text}[arms.theirs]\ncheckpoint = "{tiny_model}"\n'
    check_study(parse_study(theirs, place="s"), tmp_path / "out")  # nothing is trained


def test_a_base_that_is_an_adapter_is_such_a_start(tmp_path: Path, tiny_model: Path) -> None:
    about = {"r": 8, "base_model_name_or_path": str(tiny_model)}
    (tmp_path / "adapter_config.json").write_text(json.dumps(about))
    text = f'name = "s"\nbase = "{tmp_path}"\n[arms.on-policy-rl]\n'
    with pytest.raises(InputError, match="beta > 0 needs a reference"):
        check_study(parse_study(text, place="s.toml"), tmp_path / "out")


def test_settings_of_the_probes_that_are_not_set_change_no_study() -> None:
    arm = "[arms.on-policy-rl]\n"
    plain = study(arm)
    # What a study is known by has not changed since there is more to set.
    assert plain.model_dump(mode="json")["probe"] == {"items": 5}
    assert plain.probe.loading == {}
    chosen = study(f'{arm}[probe]\ndtype = "bfloat16"\ndevice_map = "auto"\n')
    assert chosen.probe.loading == {"dtype": "bfloat16", "device_map": "auto"}
    with pytest.raises(InputError, match="dtype"):
        study(f'{arm}[probe]\ndtype = "int8"\n')


def test_a_launchers_processes_are_refused(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parse_study(f'name = "s"\nbase = "{tiny_model}"\n[arms.random-reward]\n', place="s")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError) as caught:
        check_study(config, tmp_path / "out")
    assert str(caught.value) == (
        "study s: a launcher started 2 processes as one training; start the same command once per "
        "GPU without a launcher, or train one arm by `transferscope train`"
    )
    with pytest.raises(InputError, match="a launcher started 2 processes"):
        run_study(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    monkeypatch.setenv("WORLD_SIZE", "1")
    check_study(config, tmp_path / "out")


def test_the_example_of_the_docs_is_a_study() -> None:
    page = (Path(__file__).parents[2] / "docs" / "study.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    names = [cell.name for cell in parse_study(example, place="docs").cells()]
    assert len(names) == 3 + 2 * 3 + 1 + 1 + 1
    assert "on-policy-rl-lr1e-06-seed2" in names
    settings = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    told = {key for row in settings for key in re.findall(r"`(\w+)`", row)}
    assert set(ArmConfig.model_fields) - {"arm", "model", "seed"} <= told


def test_a_device_is_asked_for_before_the_first_stage(tmp_path: Path) -> None:
    config = study('[arms.on-policy-rl]\n[probe]\ndevice_map = "cuda:77"\n')
    with pytest.raises(
        InputError, match=r"study s \[probe\] device_map: this machine has no device"
    ):
        check_study(config, tmp_path / "out")
    # where a probe ran is no setting of the result: corrected, the study goes on
    assert config.identity() == study("[arms.on-policy-rl]\n").identity()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('items = "2"\n[arms.on-policy-rl]\n', r"\[items\]"),
        ("seed = true\n[arms.on-policy-rl]\n", r"\[seed\]"),
        (f"items = {10**25}\n[arms.on-policy-rl]\n", r"\[items\]"),
        ("[arms.on-policy-rl]\n[claims]\nkl_matters = true\n", "claims.kl_matters"),
        ("[arms.on-policy-rl]\n[cost]\ngpus = true\n", "cost.gpus"),
        ("[arms.on-policy-rl]\nseeds = [0, 4294967296]\n", "seeds.1"),
        ("[arms.on-policy-rl]\nlearning_rates = [true]\n", "learning_rates.0"),
        ("[arms.on-policy-rl]\nseed = 4294967296\n", "seed"),
        ("[arms.on-policy-rl]\nlearning_rate = 1e300\n", "learning_rate"),
        ('[arms.on-policy-rl]\nsteps = "3"\n', "steps"),
        ("[arms.on-policy-rl]\ntemperature = 1e-300\n", "temperature"),
        ("[arms.on-policy-rl]\nrollouts = 1000000000\n", "rollouts"),
        (f"[arms.{'a' * 240}]\narm = 'on-policy-rl'\n", "up to 100 letters"),
    ],
)
def test_numbers_are_numbers_and_within_reason(text: str, place: str) -> None:
    with pytest.raises(InputError, match=place):
        study(text)
    study("[arms.on-policy-rl]\nlearning_rate = 1\nbeta = 1\n[claims]\nkl_matters = 2\n")

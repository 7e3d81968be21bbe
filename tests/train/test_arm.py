"""What every arm does around its trainer."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.train import ArmConfig, arm, is_complete, train_arm
from transferscope.train.arm_folder import DECONTAMINATED
from transferscope.train.checkpoints import newest
from transferscope.train.decontaminated_arm import decontaminate_arm
from transferscope.train.query_prompts import require_template
from transferscope.train.query_sources import queries_of

from ..conftest import torchrun
from .helpers import Killed, kill_after


def config(model: str, name: str, **fields: object) -> ArmConfig:
    settings = {"steps": 2, "queries_per_step": 2, "rollouts": 2, "max_tokens": 4}
    settings |= {"arm": name, "model": model, "save_every": 1}
    return ArmConfig.model_validate(settings | fields)


@pytest.mark.parametrize(
    ("name", "fields"),
    [("on-policy-rl", {"beta": 0.1, "lora_rank": 2}), ("random-reward", {}), ("classic-sft", {})],
)
def test_a_finished_arm_leaves_no_weights_in_memory(
    tiny: str, name: str, fields: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[weakref.ref[Any]] = []
    trainable = arm.trainable_model

    def watched(*args: Any) -> Any:
        model = trainable(*args)
        models.append(weakref.ref(model))
        return model

    monkeypatch.setattr(arm, "trainable_model", watched)
    gc.disable()  # so that no collection by chance frees it
    try:
        train_arm(config(tiny, name, steps=1, **fields), tmp_path / "arm")
        assert [model() for model in models] == [None]
    finally:
        gc.enable()


def test_rows_that_cannot_be_dealt_out_are_said_before_a_model_is_loaded(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(InputError, match="4 responses per step can't be divided evenly among 3"):
        train_arm(config("no/such-model", "random-reward"), tmp_path / "arm")
    assert not (tmp_path / "arm").exists()


LAUNCH = """
import os, sys
from transferscope.train import ArmConfig, train_arm
def tick(arm, step, steps):
    if step == 2:
        os._exit(7)  # a kill: no clean-up, no farewell to the other process
train_arm(ArmConfig.model_validate_json(sys.argv[1]), sys.argv[2], tick=tick)
"""


def test_an_arm_goes_on_with_as_many_processes_as_began_it(tiny: str, tmp_path: Path) -> None:
    settings, out, script = config(tiny, "random-reward"), tmp_path / "arm", tmp_path / "launch.py"
    script.write_text(LAUNCH)
    done = torchrun(2, script, settings.model_dump_json(), str(out))
    assert done.returncode != 0
    last = newest(out / "checkpoints")
    assert last is not None
    assert last.name == "checkpoint-1"
    # Sealed is what both of them wrote.
    assert {"rng_state_0.pth", "rng_state_1.pth"} <= set(
        json.loads((last / "sealed.json").read_text())
    )
    with pytest.raises(InputError, match="started with 2 processes and can't resume with 1"):
        train_arm(settings, out)
    assert newest(out / "checkpoints") == last


def test_one_process_goes_on_alone(tiny: str, tmp_path: Path) -> None:
    settings = config(tiny, "random-reward")
    with pytest.raises(Killed):
        train_arm(settings, tmp_path / "arm", tick=kill_after(2))
    assert (train_arm(settings, tmp_path / "arm") / "arm.json").is_file()


def test_a_second_process_is_not_let_into_the_folder(tiny: str, tmp_path: Path) -> None:
    """One line while the first one trains; whatever became of that one, its lock is no obstacle."""
    settings, out = config(tiny, "random-reward"), tmp_path / "arm"
    told: list[str] = []

    def second(_arm: str, step: int, _steps: int) -> None:
        with pytest.raises(InputError) as caught:
            train_arm(settings, out)
        told.append(str(caught.value))
        if step == 2:
            raise Killed

    with pytest.raises(Killed):
        train_arm(settings, out, tick=second)
    said = f"{out}: another process is training this arm (it holds .arm.lock); wait for it, "
    said += "or name another --out"
    assert set(told) == {said}
    train_arm(settings, out)
    shutil.rmtree(out)
    out.mkdir()
    (out / arm.LOCK).touch()
    assert train_arm(settings, out) == train_arm(settings, out) == out


LONG = "a train of nine wagons leaves the town at noon and"


def test_queries_of_the_evaluation_are_no_part_of_an_arm(tiny: str, tmp_path: Path) -> None:
    file, out = tmp_path / "q.jsonl", tmp_path / "arm"
    asked = [f"{LONG} stops?", "Two plus two?", "Three plus three?", "Four plus one?"]
    rows = [{"id": f"q{n}", "prompt": p, "gold": str(n)} for n, p in enumerate(asked)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = config(tiny, "on-policy-sft", steps=1, queries_per_step=3, queries_from=str(file))
    same, none = decontaminate_arm(settings, out, ["What else?"])
    assert (same, none.removed) == (settings, 0)
    assert not out.exists()
    left, found = decontaminate_arm(settings, out, [f"If {LONG} returns?"])
    assert (found.removed, found.overlapping, len(found.queries)) == (1, ("q0",), 3)
    assert left.queries_from == str(out / DECONTAMINATED)
    train_arm(left, out)
    # The same command again finds the arm done; another evaluation makes it another one.
    train_arm(decontaminate_arm(settings, out, [f"If {LONG} returns?"])[0], out)
    (out / DECONTAMINATED).write_text((out / DECONTAMINATED).read_text().replace("Four", "Five"))
    with pytest.raises(InputError, match="have changed since it was begun; restore them"):
        decontaminate_arm(settings, out, [f"If {LONG} returns?"])
    (out / DECONTAMINATED).write_text((out / DECONTAMINATED).read_text().replace("Five", "Four"))
    with pytest.raises(InputError, match="belongs to an arm with another configuration"):
        train_arm(settings, out)
    # Nothing is written into a folder of other files.
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "mine.tex").write_text("")
    with pytest.raises(InputError, match="is not empty"):
        decontaminate_arm(settings, tmp_path / "thesis", [f"If {LONG} returns?"])
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["mine.tex"]


def test_queries_without_a_teachers_response_are_no_part_of_an_arm_that_needs_one(
    tiny: str, tmp_path: Path
) -> None:
    queries, teacher = tmp_path / "q.jsonl", tmp_path / "t.jsonl"
    rows = [{"id": f"q{n}", "prompt": f"{n}?", "gold": str(n)} for n in range(4)]
    queries.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = [{"prompt": f"{n}?", "response": f"It is {max(n, 1)}."} for n in range(3)]
    teacher.write_text("".join(json.dumps(row) + "\n" for row in answers))
    named = {"queries_from": str(queries), "teacher": str(teacher), "steps": 1}
    settings = config(tiny, "off-policy-sft", queries_per_step=2, **named)
    left, found = decontaminate_arm(settings, tmp_path / "arm", ["What else?"])
    assert (found.removed, found.unanswered) == (0, ("q0", "q3"))
    assert {query.id for query in queries_of(left)} == {"q1", "q2"}
    assert is_complete(train_arm(left, tmp_path / "arm"))
    own = config(tiny, "on-policy-sft", queries_per_step=2, queries_from=str(queries), steps=1)
    assert decontaminate_arm(own, tmp_path / "own", ["What else?"])[1].left_out == 0
    many = config(tiny, "off-policy-sft", queries_per_step=3, **named)
    with pytest.raises(InputError, match="asks for 3 queries, here are 2 after 2 were left out"):
        decontaminate_arm(many, tmp_path / "many", ["What else?"])
    assert not (tmp_path / "many").exists()


def test_built_in_queries_stay_as_they_are(tiny: str, tmp_path: Path) -> None:
    settings = config(tiny, "on-policy-sft")
    assert decontaminate_arm(settings, tmp_path / "arm", ["Nothing in common."])[0] is settings


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (None, "its tokenizer has no chat template; use a base with a chat template"),
        ("{% for x in %}", "its chat template fails on a question: Expected an expression"),
        ("{{ raise_exception('no') }}", "its chat template fails on a question: no; fix"),
    ],
)
def test_a_base_that_cannot_be_asked_is_told_before_it_is_loaded(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str | None, said: str
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny, base)
    (base / "chat_template.jinja").unlink()
    if template is not None:
        (base / "chat_template.jinja").write_text(template)
    monkeypatch.delattr(arm, "trainable_model")
    for name in ("on-policy-sft", "classic-sft"):
        with pytest.raises(InputError, match=f"{base}: {said}"):
            train_arm(config(str(base), name), tmp_path / "arm")


def test_a_tokenizer_without_an_end_is_told() -> None:
    tokenizer = SimpleNamespace(chat_template="x", eos_token_id=None)
    with pytest.raises(InputError, match="m: its tokenizer has no end token"):
        require_template(tokenizer, name="m")

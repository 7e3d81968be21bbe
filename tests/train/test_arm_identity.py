"""An arm's folder is known by what its files hold, not by how they are named."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.files import write_json
from transferscope.train import ArmConfig, train_arm
from transferscope.train.arm_identity import inputs_of, refuse_another

from .helpers import Killed, kill_after

ANOTHER = "belongs to an arm with another configuration"


def config(model: str, queries: Path | str, **fields: object) -> ArmConfig:
    settings = {"arm": "on-policy-sft", "steps": 3, "queries_per_step": 1, "rollouts": 2}
    settings |= {"max_tokens": 4, "model": model, "queries_from": str(queries)}
    return ArmConfig.model_validate(settings | fields)


def record(settings: ArmConfig) -> dict[str, object]:
    plain = {"schema": 1, "config": settings.model_dump(mode="json")}
    return plain | {"inputs": inputs_of(settings)}


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    path = tmp_path / "q.jsonl"
    lines = (json.dumps({"prompt": f"{n} + 1?", "gold": str(n + 1)}) + "\n" for n in range(3))
    path.write_text("".join(lines))
    return path


def test_an_arm_goes_on_under_another_spelling(
    tiny: str, queries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(queries.parent)
    shutil.copytree(tiny, "start")
    with pytest.raises(Killed):
        train_arm(config("start", "q.jsonl"), Path("arm"), tick=kill_after(2))
    monkeypatch.chdir("/")
    here = queries.parent
    spelled = Path(os.path.relpath(here / "start", "/"))
    train_arm(config(str(spelled), queries), here / "arm")
    assert (here / "arm" / "arm.json").is_file()
    train_arm(config(str(here / "start"), here / "." / "q.jsonl"), here / "arm")
    with pytest.raises(InputError, match=ANOTHER):
        train_arm(config(str(here / "start"), queries, seed=1), here / "arm")
    (here / "q.jsonl").write_text(queries.read_text().replace("0 + 1", "0 + 01"))
    with pytest.raises(InputError, match=ANOTHER):  # the record names it by its last spelling
        train_arm(config(str(here / "start"), "/../" + str(queries)), here / "arm")
    with pytest.raises(InputError, match=r"queries_from .*q.jsonl has changed since this arm was"):
        train_arm(config(str(here / "start"), queries), here / "arm")


def test_content_decides_and_the_path_only_where_there_is_none(
    tiny: str, queries: Path, tmp_path: Path
) -> None:
    mine = config(tiny, queries)
    path = tmp_path / "arm.json"
    refuse_another(path, record(mine))  # nothing there
    write_json(path, {"schema": 1, "config": mine.model_dump(mode="json")})  # an older version's
    refuse_another(path, record(mine))
    copied = shutil.copy(queries, tmp_path / "copy.jsonl")
    with pytest.raises(InputError, match=ANOTHER):
        refuse_another(path, record(config(tiny, copied)))
    write_json(path, record(mine))
    refuse_another(path, record(config(tiny, copied)))
    start = shutil.copytree(tiny, tmp_path / "start")
    refuse_another(path, record(config(str(start), queries)))
    for name in start.glob("*.safetensors"):  # measured: its weights are needed no more
        name.unlink()
    assert "model" not in inputs_of(config(str(start), queries))
    with pytest.raises(InputError, match=ANOTHER):
        refuse_another(path, record(config(str(start), queries)))
    for broken in ({"schema": 1, "config": 7}, {"schema": 1, "inputs": []}):
        write_json(path, broken)
        with pytest.raises(InputError, match=ANOTHER):
            refuse_another(path, record(mine))


def test_options_of_a_query_file_are_part_of_it(queries: Path) -> None:
    plain, levels = config("m", queries), config("m", f"{queries}?level=3")
    assert inputs_of(levels)["queries_from"] == inputs_of(plain)["queries_from"] + "?level=3"
    assert inputs_of(config("m", "mini:sequences")) == {}


def test_a_folder_of_other_files_is_refused(tiny: str, queries: Path, tmp_path: Path) -> None:
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "config.json").write_text("mine")
    with pytest.raises(InputError, match="thesis: is not empty; name another --out"):
        train_arm(config(tiny, queries), thesis)
    assert [path.name for path in thesis.iterdir()] == ["config.json"]
    with pytest.raises(InputError, match=r"q.jsonl: is a file, not a folder; name another folder"):
        train_arm(config(tiny, queries), queries)
    with pytest.raises(InputError, match=r"q.jsonl: is a file"):
        train_arm(config(tiny, queries), queries / "arm")
    # A wrong teacher claims no folder: the right one may be named next.
    wrong = {"arm": "off-policy-sft", "teacher": str(tmp_path / "none.jsonl")}
    with pytest.raises(InputError, match="no such file"):
        train_arm(config(tiny, queries, **wrong), tmp_path / "new")
    train_arm(config(tiny, queries, steps=1), tmp_path / "new")
    # What a kill leaves before the folder is claimed is no other's file.
    begun = tmp_path / "begun"
    (begun / "checkpoints").mkdir(parents=True)
    (begun / ".arm.started.json.12ab34cd.tmp").write_text("{")
    train_arm(config(tiny, queries, steps=1), begun)


def test_a_folder_in_a_records_place_is_told_before_the_training(
    tiny: str, queries: Path, tmp_path: Path
) -> None:
    (tmp_path / "arm" / "arm.started.json").mkdir(parents=True)
    with pytest.raises(InputError, match=r"arm\.started\.json: is a folder, not a file"):
        train_arm(config(tiny, queries), tmp_path / "arm")

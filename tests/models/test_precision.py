"""The dtype that a machine computes in: by its processor, oneDNN's limit, and what is recorded."""

from pathlib import Path

import pytest
import torch

from transferscope.core.errors import InputError
from transferscope.models import load_model, precision, settled
from transferscope.models.precision import processor_multiplies as real

XEON = "processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni{}\n\nprocessor\t: 1\n"
KINDS = {
    "vnni": (XEON.format(""), False),
    "amx": (XEON.format(" avx512_bf16 amx_bf16 amx_tile"), True),
    "epyc": (XEON.format(" avx512_bf16"), True),
    "arm": ("processor\t: 0\nFeatures\t: fp asimd i8mm bf16\n", True),
    "old arm": ("processor\t: 0\nFeatures\t: fp asimd\n", False),
    "another bf16": ("bugs\t\t: bf16\nflags\t\t: fpu abf16x\n", False),
    "silent": ("", False),
}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a processor says what it has; no limit is set and there is no GPU."""
    for limit in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(limit, raising=False)
    monkeypatch.setattr(precision, "processor_multiplies", real)
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    return tmp_path / "cpuinfo"


@pytest.mark.parametrize("kind", KINDS)
def test_auto_is_what_the_processor_multiplies(kind: str, machine: Path) -> None:
    text, multiplies = KINDS[kind]
    machine.write_text(text)
    assert settled("auto") == settled(None) == ("bfloat16" if multiplies else "float32")


@pytest.mark.parametrize(
    ("limit", "dtype"),
    [
        ("AVX512_CORE_VNNI", "float32"),
        ("avx512_core", "float32"),
        ("AVX2", "float32"),
        ("AVX512_CORE_BF16", "bfloat16"),
        ("DEFAULT", "bfloat16"),
        ("", "bfloat16"),
    ],
)
def test_a_limit_of_onednn_holds(
    limit: str, dtype: str, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write_text(KINDS["amx"][0])
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert settled("auto") == dtype
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "")
    monkeypatch.setenv("DNNL_MAX_CPU_ISA", limit)
    assert settled("auto") == dtype


def test_without_onednn_or_a_file_it_is_float32(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settled("auto") == "float32"  # no such file: no Linux
    machine.write_text(KINDS["amx"][0])
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert settled("auto") == "float32"


def test_a_gpu_is_asked_itself(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.write_text(KINDS["vnni"][0])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for native, dtype in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda native=native, **_: native)
        assert settled("auto") == dtype
        assert settled("auto", device_map="cpu") == "float32"


def test_what_is_asked_for_comes_before_what_is_recorded(machine: Path) -> None:
    machine.write_text(KINDS["vnni"][0])
    assert settled("auto", "bfloat16") == settled(None, "bfloat16") == "bfloat16"
    assert settled("float16", "bfloat16") == "float16"
    with pytest.raises(InputError, match="unknown dtype 'int8'; use one of auto, float32"):
        settled("int8")


def test_auto_loads_what_the_machine_has(tiny_model: Path, machine: Path) -> None:
    for kind, dtype in (("epyc", torch.bfloat16), ("vnni", torch.float32)):
        machine.write_text(KINDS[kind][0])
        assert load_model(str(tiny_model), dtype="auto").dtype == dtype

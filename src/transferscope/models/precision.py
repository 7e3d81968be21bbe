"""Choice of the dtype that a model's weights are loaded in.

``auto`` means bfloat16 where the hardware multiplies it natively, else float32. A CPU without such
instructions emulates every bfloat16 product, which takes 2 to 7 times as long as float32.

The choice relies on the processor's feature flags, not on a short calibration. A base and the
models tuned from it are evaluated at different times, and a calibration run beside other work could
come out differently for each: their runs would then differ in dtype for no visible reason.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from ..core.errors import InputError
from ..core.files import read_text

Dtype = Literal["float32", "bfloat16", "float16"]
AUTO = "auto"
DTYPES: tuple[Dtype, ...] = ("float32", "bfloat16", "float16")
CPUINFO = Path("/proc/cpuinfo")
_MULTIPLIES = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Processor flags: x86 names and, without a prefix, the ARM name."""
_BELOW = frozenset(
    {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
)
"""Instruction-set limits under which oneDNN, torch's bfloat16 backend, emulates the product."""


def settled(
    asked: str | None, recorded: str | None = None, *, device_map: str | None = None
) -> Dtype:
    """Return the dtype to load weights in: ``asked``, else ``recorded``, else this machine's.

    ``asked`` is ``None`` or ``"auto"`` if the user made no choice. A run begun on another machine
    then resumes in the dtype that was ``recorded``. Raises :class:`InputError` for an unknown
    dtype.
    """
    wanted = recorded if asked in (None, AUTO) else asked
    if wanted is None:
        return machine_dtype(device_map)
    for known in DTYPES:
        if wanted == known:
            return known
    remedy = f"use one of {', '.join((AUTO, *DTYPES))}"
    raise InputError(f"unknown dtype {wanted[:40]!r}", remedy=remedy)


def machine_dtype(device_map: str | None = None) -> Dtype:
    """Return bfloat16 if this machine's GPU (without one, its CPU) multiplies it, else float32."""
    import torch

    if torch.cuda.is_available() and device_map != "cpu":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.backends.mkldnn.is_available() and processor_multiplies()
    return "bfloat16" if native else "float32"


def processor_multiplies() -> bool:
    """Whether the CPU multiplies bfloat16 natively and oneDNN's settings allow it.

    Only Linux reports a processor's flags; on other systems the answer is no.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA", "")
    if limit.upper() in _BELOW or not CPUINFO.is_file():
        return False
    lines = read_text(CPUINFO).splitlines()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return not _MULTIPLIES.isdisjoint(flags.partition(":")[2].split())

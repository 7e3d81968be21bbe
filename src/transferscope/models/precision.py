"""Which dtype a machine computes in, unless it is told.

``auto`` is bfloat16 where the hardware multiplies it, else float32: on a CPU without such
instructions every product of bfloat16 is emulated, at 2 to 7 times the time of float32.

The choice rests on what the processor says it has, not on a short calibration. A base and the
models tuned from it are evaluated at different times, and a calibration beside other work may come
out differently for each: their runs would differ in dtype for no reason that anybody could see.
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
"""Flags of x86 processors and, without a prefix, of ARM ones."""
_BELOW = frozenset(
    {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
)
"""Limits of oneDNN, which multiplies torch's bfloat16, under which it emulates the product."""


def settled(
    asked: str | None, recorded: str | None = None, *, device_map: str | None = None
) -> Dtype:
    """The dtype to load weights in: what is ``asked`` for, else ``recorded``, else this machine's.

    ``asked`` is ``None`` or ``"auto"`` where nobody chose; what was begun on another machine then
    goes on as it was ``recorded``. Raises :class:`InputError` for an unknown dtype.
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
    """bfloat16 where this machine's GPU, or else its processor, multiplies it; else float32."""
    import torch

    if torch.cuda.is_available() and device_map != "cpu":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.backends.mkldnn.is_available() and processor_multiplies()
    return "bfloat16" if native else "float32"


def processor_multiplies() -> bool:
    """Whether the processor multiplies bfloat16, within oneDNN's own limit on what it may use.

    Linux says what a processor has; elsewhere the answer is no.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA", "")
    if limit.upper() in _BELOW or not CPUINFO.is_file():
        return False
    lines = read_text(CPUINFO).splitlines()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return not _MULTIPLIES.isdisjoint(flags.partition(":")[2].split())

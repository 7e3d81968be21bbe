"""What a program may use in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run of a program, on one input.

    ``cpu`` is in seconds of each process (LiveCodeBench's limit is 6), ``wall`` in seconds from
    start to end, not counting those in which other programs had the CPUs. ``memory`` (bytes) holds
    for all processes of a program together; each of them is also stopped by the kernel shortly
    above it. ``output`` (bytes) is the largest size of standard output and of any file, ``disk``
    (bytes) that of all files.
    """

    cpu: int = 6
    wall: float = 15.0
    memory: int = 1024 * MEBIBYTE
    output: int = 16 * MEBIBYTE
    disk: int = 128 * MEBIBYTE
    processes: int = 32
    files: int = 64

"""System calls that no program of a contest needs, refused by a seccomp filter.

Namespaces hide files, processes and networks, but leave the kernel's whole surface. The filter
closes what isn't counted by any limit (memory behind file descriptors, System V objects), what
reaches other processes or makes namespaces of its own, and all kinds of sockets but those that a
network namespace contains: a vsock of a virtual machine reaches its host from any namespace.

The filter is classic BPF, as ``bwrap --seccomp`` reads it: instructions of 8 bytes (16 bits of
code, 2 x 8 bits of jumps, 32 bits of value). Numbers: Linux's ``asm/unistd_64.h`` and
``asm-generic/unistd.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
NOT_PERMITTED, NOT_IMPLEMENTED, NO_SUCH_FAMILY = 1, 38, 97
NEW_NAMESPACES = 0x7E020000
"""Flags of ``clone`` that make a namespace."""
FAMILIES = (1, 2, 10)
"""Kinds of sockets that a network namespace contains: Unix, IPv4 and IPv6."""
OTHER_ABI = 0x40000000
"""From here on, x86-64 has the numbers of its second system call table (x32)."""
_EVERYWHERE = (424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442, 447, 467)
"""The same on all machines: pidfd_send_signal, io_uring, open_tree to fspick, pidfd_getfd,
process_madvise, mount_setattr, memfd_secret, open_tree_attr."""


@dataclass(frozen=True, slots=True)
class _Machine:
    """The architecture's audit number, its calls that are looked into, and those refused."""

    audit: int
    clone: int
    socket: int
    refused: tuple[int, ...]


_MACHINES: Mapping[str, _Machine] = {
    "x86_64": _Machine(
        0xC000003E,
        clone=56,
        socket=41,
        refused=(
            *(29, 30, 64, 68),  # shmget, shmat, semget, msgget
            *(
                101,
                103,
                135,
                155,
                161,
                163,
            ),  # ptrace, syslog, personality, pivot_root, chroot, acct
            *(165, 166, 167, 168, 169, 175, 176),  # mount, umount2, swap, reboot, modules
            *(240, 246, 248, 249, 250),  # mq_open, kexec_load, keys
            *(272, 278, 298, 303, 304, 308),  # unshare, vmsplice, perf, file handles, setns
            *(310, 311, 312, 313, 319, 320, 321, 323),  # process_vm, kcmp, memfd, bpf, userfaultfd
        ),
    ),
    "aarch64": _Machine(
        0xC00000B7,
        clone=220,
        socket=198,
        refused=(
            *(194, 196, 190, 186),
            *(117, 116, 92, 41, 51, 89),
            *(40, 39, 224, 225, 142, 105, 106),
            *(180, 104, 217, 218, 219),
            *(97, 75, 241, 264, 265, 268),
            *(270, 271, 272, 273, 279, 294, 280, 282),
        ),
    ),
}
CLONE3 = 435


def filter_of(machine: str) -> bytes | None:
    """The filter for ``platform.machine()``; ``None`` where the numbers aren't known."""
    known = _MACHINES.get(machine)
    return None if known is None else b"".join(_instructions(known))


def _instructions(machine: _Machine) -> Iterator[bytes]:
    def refuse(error: int) -> bytes:
        return _instruction(RETURN, REFUSE | error)

    yield _instruction(LOAD, ARCHITECTURE)
    yield _instruction(EQUAL, machine.audit, 1, 0)
    yield _instruction(RETURN, KILL)
    yield _instruction(LOAD, NUMBER)
    yield _instruction(AT_LEAST, OTHER_ABI, 0, 1)
    yield refuse(NOT_PERMITTED)
    for number in (*machine.refused, *_EVERYWHERE):
        yield _instruction(EQUAL, number, 0, 1)
        yield refuse(NOT_PERMITTED)
    # Its flags are in memory, where no filter can look; the C library falls back to clone.
    yield _instruction(EQUAL, CLONE3, 0, 1)
    yield refuse(NOT_IMPLEMENTED)
    yield _instruction(EQUAL, machine.clone, 0, 4)
    yield _instruction(LOAD, FIRST_ARGUMENT)
    yield _instruction(ANY_BIT, NEW_NAMESPACES, 0, 1)
    yield refuse(NOT_PERMITTED)
    yield _instruction(RETURN, ALLOW)
    yield _instruction(EQUAL, machine.socket, 0, len(FAMILIES) + 2)
    yield _instruction(LOAD, FIRST_ARGUMENT)
    for left, family in zip(range(len(FAMILIES), 0, -1), FAMILIES, strict=True):
        yield _instruction(EQUAL, family, left, 0)
    yield refuse(NO_SUCH_FAMILY)
    yield _instruction(RETURN, ALLOW)


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("<HBBI", code, then, otherwise, value)

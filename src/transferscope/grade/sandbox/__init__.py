"""A sandbox for programs that a model wrote: no network, no files, no other processes, limits.

:func:`jail` chooses how it is launched on this machine and tries it out once; :func:`session` runs
a program in it.
"""

from .chosen import allow_unconfined, jail
from .jail import Jail
from .limits import Limits
from .session import Broken, Ending, NotStarted, Program, Ran, session

__all__ = [
    "Broken",
    "Ending",
    "Jail",
    "Limits",
    "NotStarted",
    "Program",
    "Ran",
    "allow_unconfined",
    "jail",
    "session",
]

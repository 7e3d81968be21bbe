"""The command line: parse, call, print, set the exit code. No logic.

Exit codes: 0 done, 1 the gate found a regression, 2 unusable input, 3 inconclusive, 130
interrupted. With ``--json`` exactly one JSON document goes to stdout, everything else to stderr.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from cyclopts import CycloptsError

from ..core.errors import TransferscopeError
from . import (  # noqa: F401 - they register commands
    data_files,
    exports,
    file_commands,
    models,
    probes,
    results,
    scaling,
    schemas,
    task_commands,
    training,
)
from .ending import ended_cleanly, plugin_warnings_as_lines, refusal
from .shared import app, mute, say

__all__ = ["app", "main"]


def main(argv: list[str] | None = None) -> None:
    """Run a command; turn errors into one line and an exit code."""
    # Waiting threads should sleep: on a busy machine, spinning threads slow each other down
    # (measured on 2 cores beside other jobs: 53 s of CPU time against 9 s for the same answers).
    # A few microseconds of spinning save the many small operations of a probe a system call each.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [a for a in arguments if a != "--debug"]
    if isinstance(sys.stdout, TextIOWrapper):  # a file name may not be valid text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with ended_cleanly(), plugin_warnings_as_lines():
            app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
            if sys.stdout is not None:
                sys.stdout.flush()
    except CycloptsError as err:
        message = f"{' '.join(str(err).split()).rstrip('.')}; see: transferscope --help"
        if arguments[:1] == ["gate"]:
            results.write_not_judged(results.asked_files(arguments), message)
        _fail(message, debug)
    except TransferscopeError as err:
        _fail(str(err), debug)
    except KeyboardInterrupt:
        print("\ninterrupted; the same command resumes where it stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `| head` closed the pipe: not an error
        mute(sys.stdout)
    except Exception as err:  # unexpected; exit code 1 would mean "regressed"
        what = f"{type(err).__name__}: {' '.join(str(err).split())}"
        unforeseen = f"{what}; run with --debug for the traceback"
        _fail(refusal(err) or unforeseen, debug)


def _fail(message: str, debug: bool) -> None:
    if debug:
        raise  # noqa: PLE0704 - called from an except block only
    say(f"transferscope: {message}")
    sys.exit(2)

"""What the commands share: apps, option types, output, and opening of runs."""

from __future__ import annotations

import gc
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

from cyclopts import App, Parameter, Token
from cyclopts.validators import Number

from .. import __version__
from ..core.errors import InputError
from ..core.invalid import LARGEST
from ..core.shown import sentence

if TYPE_CHECKING:
    from rich.console import Console

    from ..train import Query
    from ..train.decontaminate import Decontaminated

app = App(
    name="transferscope",
    version=__version__,
    help="What did the tuning carry over to everything else, and what did it cost?",
    suppress_keyboard_interrupt=False,  # main prints how to resume
)
probe_app = App(name="probe", help="Measure how far tuning moved a model.")
app.command(probe_app)
export_app = App(name="export", help="Write files for other tools.")
app.command(export_app)
tasks_app = App(name="tasks", help="List the benchmarks in Python packs, or check them.")
app.command(tasks_app)


def _whole(_type: Any, tokens: Sequence[Token]) -> int:
    """Parse a whole number; cyclopts itself would round 1.5 to 2."""
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        number = _number_in(text)
        exact = number.is_integer() and abs(number) <= LARGEST
        remedy = f" Write {int(number)}" if exact else ""
        raise ValueError(f"{text[:40]!r} is not a whole number.{remedy}") from None


def _finite(_type: Any, tokens: Sequence[Token]) -> float:
    """Parse a finite number; cyclopts itself would accept inf and nan."""
    number = _number_in(tokens[0].value)
    if not math.isfinite(number):
        raise ValueError(f"{tokens[0].value[:40]!r} is not a finite number.")
    return number


def _number_in(text: str) -> float:
    """The number in ``text``; NaN if it is not one."""
    try:
        return float(text)
    except ValueError:
        return math.nan


Int = Annotated[int, Parameter(converter=_whole)]
Float = Annotated[float, Parameter(converter=_finite)]
Json = Annotated[
    bool, Parameter(name="--json", negative=(), help="Print one JSON document to stdout.")
]
UnsafeNoSandbox = Annotated[
    bool,
    Parameter(
        negative=(),
        help="Run programs that a model wrote without a sandbox, as you, under time and memory "
        "limits only.",
    ),
]
Seed = Annotated[Int, Parameter(validator=Number(gte=0, lt=1 << 32), help="Random seed.")]
Replicates = Annotated[
    Int,
    Parameter(
        validator=Number(gte=200, lte=1_000_000), help="Bootstrap replicates and permutations."
    ),
]
Source = Annotated[
    str | None, Parameter(help="Group that the models were tuned on (default: math).")
]
Mapping_ = Annotated[
    Path | None,
    Parameter(name="--map", help="TOML file that maps tasks of other harnesses to groups."),
]
Fields = Annotated[
    tuple[str, ...],
    Parameter(
        name="--field",
        negative=(),
        show_default=False,
        help="NAME=COLUMN for a column of a plain file whose name differs from ours, such as "
        "response=output, gold=reference or score=correct. Repeatable (docs/importing.md).",
    ),
]
EngineName = Annotated[
    str,
    Parameter(
        help="hf (transformers) or vllm, on this machine; openai: a server (vLLM, SGLang, "
        "llama.cpp)."
    ),
]
EngineArgs = Annotated[
    tuple[str, ...],
    Parameter(
        negative=(),
        show_default=False,
        help="key=value, repeatable. For openai: base_url, tokenizer, concurrency, timeout, wait, "
        "api_key_env, strict; for vllm: tensor_parallel_size, max_model_len and others "
        "(docs/engines.md).",
    ),
]
Dtype = Annotated[
    Literal["auto", "bfloat16", "float32", "float16"],
    Parameter(
        help="Precision of the weights. auto: bfloat16 if the hardware supports it, else float32."
    ),
]
Arithmetic = Literal["auto", "bfloat16", "float32"]
Suite = Annotated[
    str, Parameter(help="Suite or suite file; queries that overlap with its items are removed.")
]
Data = Annotated[Path | None, Parameter(help="Folder with the data files of real benchmarks.")]
ModelName = Annotated[
    str, Parameter(help="Known name, model or adapter folder, .gguf file, or hub id.")
]


def print_json(document: Any) -> None:
    """Print the document of ``--json``."""
    print(json.dumps(document, indent=1, allow_nan=False))


def console() -> Console:
    """The terminal; a file or a pipe gets 80 columns, or as many as ``COLUMNS`` says.

    Raises :class:`BrokenPipeError` if the pipe is closed; rich would exit with 1, "regressed".
    """
    from rich.console import Console

    class Whole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    found = Whole()
    if found.is_terminal or os.environ.get("COLUMNS", "").isdigit():
        return found
    return Whole(width=80)


@contextmanager
def closed_pipe_allowed() -> Iterator[None]:
    """Ignore a closed pipe (`| head -1`) inside the block, so that the command continues."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        mute(sys.stdout)


def mute(stream: TextIO) -> None:
    """Redirect a closed stream to nowhere; Python's last flush would exit with 120 otherwise."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def say(text: str) -> None:
    """Print one line to stderr. A closed stderr must not change the exit code.

    The line may contain names from foreign files, so escape codes are removed.
    """
    indent = " " * (len(text) - len(text.lstrip(" ")))
    try:
        print(indent + sentence(text), file=sys.stderr, flush=True)
    except BrokenPipeError:
        mute(sys.stderr)


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write all files, or none if one of them has no folder or is a folder itself."""
    from ..core.files import write_atomically

    for path in texts:
        if path.is_dir() or not path.parent.is_dir():
            what = "is a folder" if path.is_dir() else f"no folder {path.parent}"
            raise InputError(f"can't write: {what}", place=str(path), remedy="name another file")
    for path, text in texts.items():
        write_atomically(path, text)
        say(f"wrote {path}")


def asked_by(suite: str, data: Path | None) -> list[str]:
    """Prompts of a suite, which no arm may be trained on."""
    from ..core.suite import load_suite
    from ..evaluate.suite_prompts import suite_prompts

    return suite_prompts(load_suite(suite), data=data)


def decontaminate_queries(source: str, suite: str, data: Path | None) -> list[Query]:
    """Queries of ``source`` that do not overlap with ``suite``; prints how many were removed."""
    from ..train.decontaminate import decontaminate
    from ..train.query_sources import read_queries

    found = decontaminate(read_queries(source), asked_by(suite, data), source=source)
    say_decontaminated(found, source, suite)
    return list(found.queries)


def say_decontaminated(found: Decontaminated, source: str, suite: str) -> None:
    """Print how many queries overlap with the suite, and whether they were removed.

    The line also counts queries without a usable response of the teacher.
    """
    total = len(found.queries) + found.left_out
    overlapping = f"{len(found.overlapping)} of {total} queries overlap with suite {suite}"
    kept = ", kept because they are built in" if len(found.overlapping) > found.removed else ""
    lacking = f"; {len(found.unanswered)} without a teacher's response to train on, removed"
    say(
        f"{source}: {overlapping}{', removed' if found.removed else kept}"
        f"{lacking if found.unanswered else ''}"
    )


def say_unfinished(teacher: Path) -> None:
    """Print how many responses in a teacher's file are truncated and left out, if any."""
    from ..train.query_sources import unfinished

    if count := unfinished(teacher):
        say(f"{teacher}: {count} unfinished responses left out")


@contextmanager
def opened(
    paths: Sequence[Path],
    *,
    mapping: Path | None,
    source: str | None,
    fields: Sequence[str] = (),
    tuned: bool = False,
) -> Iterator[Any]:
    """The runs at ``paths``, base first; what was noticed while reading is printed to stderr.

    Temporary files of foreign results live as long as the block. ``tuned``: see
    :func:`~transferscope.runs.importers.open_runs.open_runs`.
    """
    from ..core.fieldnames import fields_given
    from ..runs.importers.open_runs import open_runs

    with ExitStack() as stack:
        # The records live until the command ends; the collector would traverse them repeatedly.
        gc.disable()
        try:
            runs = open_runs(
                paths,
                stack,
                mapping=mapping,
                source=source,
                columns=fields_given(fields),
                tuned=tuned,
                say=say,
            )
        finally:
            gc.freeze()
            gc.enable()
        yield runs


def allow_unconfined_programs() -> None:
    """Carry out ``--unsafe-no-sandbox``, with a warning."""
    from ..grade.sandbox import allow_unconfined

    allow_unconfined()
    say("warning: programs that a model wrote can read, change and send your files")

"""What all commands share: the apps, kinds of options, output, foreign results opened."""

from __future__ import annotations

import gc
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
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

    from ..runs import Run
    from ..train import Query
    from ..train.decontaminate import Decontaminated

app = App(
    name="transferscope",
    version=__version__,
    help="What did the tuning carry over to everything else, and what did it cost?",
    suppress_keyboard_interrupt=False,  # main says what the same command does then
)
probe_app = App(name="probe", help="Measure how far tuning moved a model.")
app.command(probe_app)
export_app = App(name="export", help="Write what other tools read.")
app.command(export_app)


def _whole(_type: Any, tokens: Sequence[Token]) -> int:
    """cyclopts' own reading rounds: 1.5 would be taken for 2."""
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        number = _number_in(text)
        exact = number.is_integer() and abs(number) <= LARGEST
        remedy = f" Write {int(number)}" if exact else ""
        raise ValueError(f"{text[:40]!r} is no whole number.{remedy}") from None


def _finite(_type: Any, tokens: Sequence[Token]) -> float:
    """cyclopts' own reading takes inf and nan."""
    number = _number_in(tokens[0].value)
    if not math.isfinite(number):
        raise ValueError(f"{tokens[0].value[:40]!r} is no finite number.")
    return number


def _number_in(text: str) -> float:
    """The number that a text is, NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


Int = Annotated[int, Parameter(converter=_whole)]
Float = Annotated[float, Parameter(converter=_finite)]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="One JSON document on stdout.")]
Seed = Annotated[Int, Parameter(validator=Number(gte=0, lt=1 << 32), help="Of all random draws.")]
Replicates = Annotated[
    Int, Parameter(validator=Number(gte=200, lte=1_000_000), help="Of bootstrap and permutations.")
]
Source = Annotated[str | None, Parameter(help="The group that was tuned on; default: math.")]
Mapping_ = Annotated[
    Path | None, Parameter(name="--map", help="TOML that maps tasks of foreign results.")
]
Fields = Annotated[
    tuple[str, ...],
    Parameter(
        name="--field",
        negative=(),
        show_default=False,
        help="NAME=COLUMN, once a column of a plain file with another name than ours: "
        "response=output, gold=reference, score=correct (docs/importing.md).",
    ),
]
EngineName = Annotated[
    str, Parameter(help="hf (transformers, here) or openai (a server: vLLM, SGLang, llama.cpp).")
]
EngineArgs = Annotated[
    tuple[str, ...],
    Parameter(
        negative=(),
        show_default=False,
        help="key=value, once for each of openai's base_url, tokenizer, concurrency, timeout, "
        "api_key_env, strict (docs/clusters.md).",
    ),
]
Dtype = Annotated[
    Literal["auto", "bfloat16", "float32", "float16"],
    Parameter(
        help="Of the weights; auto: bfloat16 where the hardware multiplies it, else float32."
    ),
]
Arithmetic = Literal["auto", "bfloat16", "float32"]
Suite = Annotated[
    str, Parameter(help="Suite or suite file; queries that overlap with its items are left out.")
]
Data = Annotated[
    Path | None, Parameter(help="Folder of the files that real benchmarks are read from.")
]
ModelName = Annotated[str, Parameter(help="Known name, model or adapter folder, or hub id.")]


def print_json(document: Any) -> None:
    """The one document of ``--json``."""
    print(json.dumps(document, indent=1, allow_nan=False))


def console() -> Console:
    """The terminal, or 80 columns where the output goes to a file or a pipe.

    Raises :class:`BrokenPipeError` where the pipe is closed; rich would exit with 1, "regressed".
    """
    from rich.console import Console

    class Whole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    found = Whole()
    return found if found.is_terminal else Whole(width=80)


@contextmanager
def closed_pipe_allowed() -> Iterator[None]:
    """What is printed here may meet a closed pipe (`| head -1`): the command goes on."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        mute(sys.stdout)


def mute(stream: TextIO) -> None:
    """Let a closed pipe's stream end in nothing, or Python's own last flush would fail (120)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def say(text: str) -> None:
    """One line on stderr, which nobody may be reading: that must not change an exit code.

    It may hold names from somebody else's files: they reach the terminal without escape codes.
    """
    indent = " " * (len(text) - len(text.lstrip(" ")))
    try:
        print(indent + sentence(text), file=sys.stderr, flush=True)
    except BrokenPipeError:
        mute(sys.stderr)


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write all files, or none where one's folder is missing or its name is a folder's."""
    from ..core.files import write_atomically

    for path in texts:
        if path.is_dir() or not path.parent.is_dir():
            what = "is a folder" if path.is_dir() else f"no folder {path.parent}"
            raise InputError(f"can't write: {what}", place=str(path), remedy="name another file")
    for path, text in texts.items():
        write_atomically(path, text)
        say(f"wrote {path}")


def asked_by(suite: str, data: Path | None) -> list[str]:
    """The prompts of a suite, which no arm may be trained on."""
    from ..core.suite import load_suite
    from ..evaluate.suite_prompts import suite_prompts

    return suite_prompts(load_suite(suite), data=data)


def decontaminate_queries(source: str, suite: str, data: Path | None) -> list[Query]:
    """The queries of ``source`` that ``suite`` doesn't ask; says how many went."""
    from ..train.decontaminate import decontaminate
    from ..train.query_sources import read_queries

    found = decontaminate(read_queries(source), asked_by(suite, data), source=source)
    say_decontaminated(found, source, suite)
    return list(found.queries)


def say_decontaminated(found: Decontaminated, source: str, suite: str) -> None:
    """One line on stderr: how many queries overlap with the suite, and what became of them.

    Those that the teacher doesn't answer are counted on it, too.
    """
    total = len(found.queries) + found.left_out
    overlapping = f"{len(found.overlapping)} of {total} queries overlap with suite {suite}"
    kept = ", kept: built in" if len(found.overlapping) > found.removed else ""
    lacking = f"; {len(found.unanswered)} without a teacher's response to train on, removed"
    say(
        f"{source}: {overlapping}{', removed' if found.removed else kept}"
        f"{lacking if found.unanswered else ''}"
    )


def say_unfinished(teacher: Path) -> None:
    """One line on stderr where a teacher's file holds responses that were cut off."""
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
    """Runs, foreign results imported into folders that live as long as the block.

    The first is the base: ``source`` must be one of its groups. ``tuned``: all others are tuned
    models, and files of one of them may be parts of one run.
    """
    from ..core.fieldnames import fields_given
    from ..runs.importers import open_run, put_together

    notes: dict[str, list[str]] = {}

    def note(path: Path, text: str) -> None:
        notes.setdefault(text, []).append(str(path))

    how: Any = {"mapping": mapping, "source": source, "columns": fields_given(fields), "say": note}
    if mapping is not None:
        _say_new_groups(mapping)
    with ExitStack() as stack:
        # The records live to the end: the collector would walk all of them again and again.
        gc.disable()
        try:
            runs = [open_run(p, stack, **how) for p in paths]
            if tuned:
                runs = [runs[0], *put_together(runs[1:], **how)]
        finally:
            gc.freeze()
            gc.enable()
            for text, places in notes.items():  # what holds for several inputs is said once
                say(f"{', '.join(dict.fromkeys(places))}: {text}")
        yield _told_apart(_with_source(runs, source))


def _with_source(runs: Sequence[Run], source: str | None) -> list[Run]:
    """The runs with ``source`` as their source group: a folder's own suite may say another."""
    if source is None:
        return list(runs)
    from ..core.nearest import did_you_mean

    groups = list(runs[0].manifest.suite["groups"])
    if source not in groups:
        raise InputError(
            f"no benchmark of the base is in a group {source!r}",
            place="--source",
            remedy=did_you_mean(source, groups),
        )
    changed = [{**run.manifest.suite, "source": source} for run in runs]
    return [
        replace(run, manifest=replace(run.manifest, suite=suite))
        for run, suite in zip(runs, changed, strict=True)
    ]


def _say_new_groups(mapping: Path) -> None:
    """A note where a --map file's group is new and much like a known one: it may be misspelt."""
    from ..core.files import read_text
    from ..core.nearest import nearest
    from ..core.taxonomy import load_taxonomy, parse_taxonomy

    mine = parse_taxonomy(read_text(mapping, remedy="name a TOML file"), place=str(mapping))
    known = dict.fromkeys(entry.group for entry in load_taxonomy().tasks.values())
    for group in dict.fromkeys(entry.group for entry in mine.tasks.values()):
        if group not in known and (near := nearest(group, known, n=1)):
            say(f"{mapping}: group {group!r} is new; if it is misspelt, write {near[0]!r}")


def _told_apart(runs: Sequence[Run]) -> list[Run]:
    """Runs of one model, or of checkpoints with one name, get their folder's name behind it."""
    names = [run.manifest.model.name for run in runs]
    return [
        run if names.count(name) == 1 or at == names.index(name) else _named(run, name, run.place)
        for at, (run, name) in enumerate(zip(runs, names, strict=True))
    ]


def _named(run: Run, name: str, path: Path) -> Run:
    model = replace(run.manifest.model, name=f"{name} ({path.resolve().name})")
    return replace(run, manifest=replace(run.manifest, model=model))

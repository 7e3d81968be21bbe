"""Find lm-eval's results: one file, or several of one model that are read together.

lm-eval writes ``OUT/MODEL/results_DATE.json`` and samples of the same date next to it; before 0.4.3
it wrote ``OUT/results.json`` or the given file. Users run it task by task, into one folder or a
folder per task, or write the return value of ``simple_evaluate`` to files of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Any

from ...core.damage import AGAIN, damage_of
from ...core.errors import InputError
from ...core.files import files_below, is_file, read_head, read_json
from ...core.modelnames import MODEL_MARK
from ...core.records import ModelRef
from ...core.shown import name as shown_name
from ...core.unpacking import bare_name, bare_stem, bare_suffix
from .lmeval_about import model_of
from .lmeval_tasks import leaves, section
from .lmeval_versions import MARKS, is_lm_eval, upgraded
from .naming import of_model

PATTERN = "results_*.json"
_OWN = re.compile(r"results(_.*)?\.json")
"""File names that lm-eval chooses; others (``boolq.json``) are chosen by the user."""
_DEPTH = 4
"""Number of folder levels that are searched for results: OUT/TASK/MODEL/FILE."""
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d{1,6})?")
_KEY = re.compile(r'[\s\ufeff]*\{\s*"([^"]*)"\s*:')
_KEYS = MARKS | {
    *("results", "groups", "versions", "n-samples", "higher_is_better", "config", "samples"),
    *("chat_template", "chat_template_sha", "date", "end_time", "eot_token_id"),
    *("fewshot_as_multiturn", "git_hash", "max_length", "model_name"),
}
"""Keys that may come first in lm-eval's results, in any order of dumping."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One results file, converted to the newest lm-eval's form.

    ``when`` is its time in seconds, which orders the files. ``dated`` means that this time comes
    from the name or the content, not from the file system.
    """

    file: Path
    raw: Mapping[str, Any]
    model: ModelRef
    when: float
    dated: bool


def is_results(path: Path) -> bool:
    """Whether the file ``path`` has lm-eval's results, or is named like them."""
    if bare_suffix(path) != ".json" or not is_file(path):
        return False
    try:
        return is_lm_eval(read_json(path))
    except InputError:
        return _OWN.fullmatch(bare_name(path)) is not None


def holds_results(folder: Path) -> bool:
    """Whether a file in or below ``folder`` is :func:`is_results`, by its first bytes."""
    return any(_is_candidate(file) for file in _files(folder)) or bool(_samples_alone(folder))


def documents(path: Path, notes: list[str], wanted: str | None = None) -> list[Document]:
    """Read the results at ``path`` (of the model ``wanted``), oldest first.

    Adds a note for each damaged file. Raises :class:`InputError` for files that aren't lm-eval's,
    for a folder without results, and for results of several models.
    """
    if not path.is_dir():
        return _of_model([_document(path)], wanted, path)
    found = []
    files = list(_files(path))
    for file in files:
        if _is_candidate(file):
            found.append(_document(file))
        elif damage := damage_of(read_head(file)):
            notes.append(f"{file.name}: left out, it {damage.what}")
    if not found:
        if alone := _samples_alone(path):
            what = f"has samples ({alone[0].name}) but no {PATTERN}: cancelled, or not copied"
            raise InputError(what, place=str(path), remedy="copy the results too, or run it again")
        for file in files:
            if _OWN.fullmatch(bare_name(file)):
                return [_document(file)]
        remedy = f"name a folder that holds {PATTERN}, or the file"
        raise InputError(f"contains no {PATTERN}", place=str(path), remedy=remedy)
    found = _of_model(found, wanted, path)
    _refuse_several(found, path)
    return sorted(found, key=lambda document: document.when)


def model_of_all(found: Sequence[Document]) -> ModelRef:
    """The model of all documents, with the fields that any of them has."""
    return reduce(_filled, (document.model for document in found))


def newest(
    found: Sequence[Document], notes: list[str]
) -> tuple[dict[str, Any], dict[str, Document]]:
    """Merge the documents (oldest first) into one; also return the document of every task.

    A task in several documents is taken from the newest, with a note.
    """
    origin: dict[str, Document] = {}
    for document in found:
        origin |= dict.fromkeys(leaves(document.raw), document)
    merged: dict[str, Any] = dict(found[-1].raw)
    for part in ("results", "configs", "versions", "n-shot", "n-samples", "higher_is_better"):
        merged[part] = {
            task: value[task]
            for task, document in origin.items()
            if task in (value := section(document.raw, part))
        }
    merged["group_subtasks"] = {
        group: members
        for document in found
        for group, members in section(document.raw, "group_subtasks").items()
    }
    for older in found[:-1]:
        rows = older.raw["results"]
        lost = [t for t in leaves(older.raw) if origin[t].raw["results"][t] != rows[t]]
        if lost:
            by = dict.fromkeys(origin[task] for task in lost)
            notes.append(_left_out(lost, older, dated=all(d.dated for d in (older, *by))))
    kept = leaves(merged)
    merged["results"] = {name: merged["results"][name] for name in kept}
    return merged, {name: origin[name] for name in kept}


def samples_beside(document: Document, tasks: Sequence[str]) -> dict[str, Path]:
    """The samples files of a results file, by task.

    They are named ``samples_TASK_DATE.jsonl`` with the same date; before 0.4.3,
    ``ARGUMENTS_TASK.jsonl`` after the model's arguments.
    """
    file = document.file
    date = bare_stem(file).rpartition("_")[2]
    arguments = section(document.raw, "config").get("model_args")
    old = re.sub("/|=", "__", arguments) if isinstance(arguments, str) else None
    names = {}
    for task in tasks:
        names[f"samples_{task}_{date}.jsonl"] = task
        if old is not None:
            names[f"{old}_{task}.jsonl"] = task
    found: dict[str, Path] = {}
    for path in files_below(file.parent, lambda name: name.removesuffix(".gz") in names, depth=0):
        found.setdefault(names[bare_name(path)], path)
    return found


def _files(folder: Path) -> Iterator[Path]:
    """JSON files in ``folder`` and :data:`_DEPTH` levels below, compressed ones last."""
    found = files_below(folder, lambda name: bare_suffix(Path(name)) == ".json", depth=_DEPTH)
    return iter(sorted(found, key=lambda path: (path.suffix.lower() == ".gz", path)))


def _samples_alone(folder: Path) -> list[Path]:
    def wanted(name: str) -> bool:
        is_lines = bare_suffix(Path(name)) == ".jsonl"
        return name.startswith("samples_") and is_lines and _DATE.search(name) is not None

    return sorted(files_below(folder, wanted, depth=_DEPTH))


def _is_candidate(file: Path) -> bool:
    """Whether a file is lm-eval's, by its first key before reading the whole file.

    A damaged file that begins or is named like lm-eval's counts too, so that it is refused later.
    """
    named = _OWN.fullmatch(bare_name(file)) is not None
    if not (key := _KEY.match(read_head(file))):
        return named
    if key[1] not in _KEYS:
        return False
    try:
        return is_lm_eval(read_json(file))
    except InputError:
        return named or key[1] == "results"


def _document(path: Path) -> Document:
    raw = read_json(path, remedy=AGAIN)
    if not is_lm_eval(raw):
        what = "not results of lm-eval (0.3 or newer)"
        raise InputError(what, place=str(path), remedy="name its format with --format")
    if not raw["results"]:
        what = "its results have no task: the evaluation was cancelled, or had no tasks"
        raise InputError(what, place=str(path), remedy="run it again")
    when = _when(path, raw)
    dated = when is not None
    when = path.stat().st_mtime if when is None else when
    return Document(path, upgraded(raw), model_of(raw, path), when, dated)


def _when(path: Path, raw: Mapping[str, Any]) -> float | None:
    """When the file was written, according to its name or its content."""
    if date := _DATE.search(path.name):
        try:
            day, _, time = date[0].partition("T")
            return datetime.fromisoformat(f"{day}T{time.replace('-', ':')}").timestamp()
        except (ValueError, OverflowError, OSError):
            pass
    date = raw.get("date")
    return float(date) if isinstance(date, int | float) and 0 < date < 1e11 else None


def _of_model(found: list[Document], wanted: str | None, path: Path) -> list[Document]:
    """The documents of the model ``wanted``; all if it is ``None``."""
    if wanted is None:
        return found
    return of_model(found, lambda document: (document.model.name, document.file), wanted, path)[1]


def _refuse_several(found: Sequence[Document], path: Path) -> None:
    """Raise for several models. One name may denote several: different weights or revisions."""
    kinds: list[ModelRef] = []
    places: list[list[Path]] = []
    for document in found:
        at = next((at for at, kind in enumerate(kinds) if _agree(kind, document.model)), None)
        if at is None:
            kinds.append(document.model)
            places.append([document.file])
        else:
            kinds[at] = _filled(kinds[at], document.model)
            places[at].append(document.file)
    if len(kinds) == 1:
        return
    names = [kind.name for kind in kinds]
    shown = [
        name if names.count(name) == 1 else f"{name} at {kind.fingerprint or kind.revision}"
        for name, kind in zip(names, kinds, strict=True)
    ]
    folders = [{file.parent for file in files} for files in places]
    apart = all(len(each) == 1 for each in folders) and len(set.union(*folders)) == len(kinds)
    remedy = "keep every model's results in a folder of its own"
    if apart:
        remedy = f"name one of them: {', '.join(sorted(str(f) for each in folders for f in each))}"
    elif all(len(files) == 1 for files in places):
        remedy = f"name one of them: {', '.join(str(files[0]) for files in places)}"
    elif len(set(names)) == len(names):
        remedy = f"name one of them: {path}{MODEL_MARK}{shown_name(names[0])}"
    what = f"results of {len(kinds)} models ({', '.join(sorted(shown))})"
    raise InputError(what, place=str(path), remedy=remedy)


def _agree(one: ModelRef, other: ModelRef) -> bool:
    """Whether two references may be the same model. A field that one lacks is not compared."""
    if one.name != other.name:
        return False
    told = (
        (getattr(m, what) for m in (one, other)) for what in ("base", "revision", "fingerprint")
    )
    return all(None in pair or len(set(pair)) == 1 for pair in map(tuple, told))


def _filled(one: ModelRef, other: ModelRef) -> ModelRef:
    return ModelRef(
        one.name,
        one.base or other.base,
        one.revision or other.revision,
        one.fingerprint or other.fingerprint,
    )


def _left_out(tasks: Sequence[str], older: Document, *, dated: bool) -> str:
    how = "" if dated else " (older by its time of change; it has no date)"
    shown = f"{older.file.name} ({', '.join(tasks)})"
    return f"older results left out: {shown}{how}; name the file to import it"

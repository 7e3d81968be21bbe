"""Real benchmarks from files that the user has: original field names, nothing is downloaded.

``eval --data DIR`` names a folder of JSON-lines files; of each benchmark there is one, told by how
its name begins (:data:`FILES`). The wording of the prompts is ours and the same for every model.

GSM8K: the number after "####" is the gold. HeadQA: ``qtext``, ``answers`` (``aid``, ``atext``) and
``ra``; questions with an image are left out. CoQA: ``story``, ``questions`` and ``answers``; the
last answered turn is asked, the turns before it are given. IFEval: ``prompt``,
``instruction_id_list`` and ``kwargs``. MC-TACO: ``sentence``, ``question``, ``answer`` and
``label``, a candidate a line.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.files import read_json_lines
from ...grade import ifeval, maths, qa

FILES = {
    "GSM8K": "gsm8k",
    "HeadQA": "headqa",
    "CoQA": "coqa",
    "IFEval": "ifeval",
    "MC-TACO": "mctaco",
}
"""Benchmark to the beginning of its file's name, in lower case."""
REMEDY = "give one JSON object per line with the benchmark's original field names"


@dataclass(frozen=True, slots=True)
class Row:
    """One item. ``weight`` is its share in the mean, ``check`` what its grader needs, as JSON."""

    id: str
    prompt: str
    gold: str
    cluster: str = ""
    choices: tuple[str, ...] = ()
    weight: float = 1.0
    check: Mapping[str, Any] = field(default_factory=dict)


def find_file(data: str | Path | None, benchmark: str) -> Path:
    """The benchmark's file in the folder ``data``.

    Raises :class:`InputError` without a folder, and for no file or several.
    """
    if data is None:
        remedy = "name a folder of JSON-lines files: --data DIR"
        raise InputError(f"benchmark {benchmark} is read from your files", remedy=remedy)
    folder = Path(data)
    start = FILES[benchmark]
    found = sorted(f for f in folder.glob("*.jsonl") if f.name.lower().startswith(start))
    if len(found) != 1:
        what = f"{len(found) or 'no'} files {start}*.jsonl for benchmark {benchmark}"
        raise InputError(what, place=str(folder), remedy="keep one of each benchmark there")
    return found[0]


def rows(benchmark: str, data: str | Path | None, *, n: int | None, seed: int) -> list[Row]:
    """``n`` items (``None``: all), drawn by ``seed``; fewer where the file has no more.

    MC-TACO's ``n`` counts questions, each with all its candidates. Raises :class:`InputError`
    naming file and line.
    """
    path = find_file(data, benchmark)
    found: dict[str, list[Row]] = {}
    try:
        for row in _READERS[benchmark](read_json_lines(path, remedy=REMEDY)):
            found.setdefault(row.cluster or row.id, []).append(row)
    except _BadRow as err:
        raise InputError(err.what, place=err.place, remedy=REMEDY) from None
    if not found:
        raise InputError("holds no item that can be asked", place=str(path), remedy=REMEDY)
    clusters = list(found)
    random.Random(f"transferscope-{benchmark}-{seed}").shuffle(clusters)
    return [row for name in clusters[:n] for row in found[name]]


def grade(benchmark: str, row: Row, reply: str) -> float:
    """0..1: right, F1 (CoQA), or the share of followed instructions (IFEval, strict)."""
    if benchmark == "GSM8K":
        return float(maths.is_correct(reply, row.gold))
    if benchmark == "CoQA":
        return qa.f1(reply, row.gold)
    if benchmark == "IFEval":
        ids, arguments = row.check["ids"], row.check["arguments"]
        asked = [ifeval.Instruction(i, a) for i, a in zip(ids, arguments, strict=True)]
        followed = ifeval.strict(row.prompt, reply, asked)
        return sum(followed) / len(followed)
    return float(reply == row.gold)


class _BadRow(Exception):
    def __init__(self, what: str, place: str) -> None:
        self.what, self.place = what, place


Lines = Iterable[tuple[str, dict[str, Any]]]


def _gsm8k(lines: Lines) -> Iterable[Row]:
    for number, (place, row) in enumerate(lines):
        question, answer = _text(row, "question", place), _text(row, "answer", place)
        prompt = f"{question}\n\nSolve it step by step. End with: The answer is NUMBER."
        yield Row(f"gsm8k-{number}", prompt, answer.rpartition("####")[2].strip())


def _headqa(lines: Lines) -> Iterable[Row]:
    for number, (place, row) in enumerate(lines):
        if row.get("image"):
            continue
        answers = _list(row, "answers", place)
        try:
            options = {str(answer["aid"]): str(answer["atext"]) for answer in answers}
            gold = options[str(row.get("ra"))]
        except (KeyError, TypeError):
            raise _BadRow("'answers' and 'ra' don't fit together", place) from None
        listed = "\n".join(f"- {option}" for option in options.values())
        prompt = f"{_text(row, 'qtext', place)}\n\nAnswer with one of these:\n{listed}"
        yield Row(f"headqa-{number}", prompt, gold, choices=tuple(options.values()))


def _coqa(lines: Lines) -> Iterable[Row]:
    for number, (place, row) in enumerate(lines):
        questions, answers = _list(row, "questions", place), _list(row, "answers", place)
        turns = list(zip(questions, answers, strict=False))
        if not turns:
            raise _BadRow("no answered question", place)
        *before, (question, gold) = turns
        told = "".join(f"Q: {q}\nA: {a}\n" for q, a in before)
        prompt = (
            "Read the story and answer the last question in a few words.\n\n"
            f"{_text(row, 'story', place)}\n\n{told}Q: {question}\nA:"
        )
        yield Row(f"coqa-{number}", prompt, str(gold))


def _ifeval(lines: Lines) -> Iterable[Row]:
    for place, row in lines:
        ids, arguments = _list(row, "instruction_id_list", place), _list(row, "kwargs", place)
        if not ids or len(ids) != len(arguments):
            raise _BadRow("'instruction_id_list' and 'kwargs' don't fit together", place)
        check = {"ids": ids, "arguments": arguments}
        prompt = _text(row, "prompt", place)
        yield Row(f"ifeval-{row.get('key')}", prompt, "", weight=float(len(ids)), check=check)


def _mctaco(lines: Lines) -> Iterable[Row]:
    questions: dict[tuple[str, str], int] = {}
    for number, (place, row) in enumerate(lines):
        sentence, question = _text(row, "sentence", place), _text(row, "question", place)
        cluster = f"mctaco-{questions.setdefault((sentence, question), len(questions))}"
        gold = _text(row, "label", place)
        if gold not in ("yes", "no"):
            raise _BadRow("'label' is neither yes nor no", place)
        prompt = (
            f"{sentence}\n\nQuestion: {question}\nProposed answer: {_text(row, 'answer', place)}\n"
            "Is the proposed answer plausible? Answer yes or no."
        )
        yield Row(f"mctaco-row-{number}", prompt, gold, cluster=cluster, choices=("yes", "no"))


_READERS: dict[str, Callable[[Lines], Iterable[Row]]] = {
    "GSM8K": _gsm8k,
    "HeadQA": _headqa,
    "CoQA": _coqa,
    "IFEval": _ifeval,
    "MC-TACO": _mctaco,
}


def _text(row: Mapping[str, Any], name: str, place: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _BadRow(f"no text in {name!r}", place)
    return value


def _list(row: Mapping[str, Any], name: str, place: str) -> list[Any]:
    value = row.get(name)
    if not isinstance(value, list):
        raise _BadRow(f"no list in {name!r}", place)
    return value


def to_doc(row: Row) -> dict[str, Any]:
    """The row as lm-eval's document."""
    return {
        "id": row.id,
        "cluster": row.cluster,
        "weight": row.weight,
        "prompt": row.prompt,
        "gold": row.gold,
        "choices": list(row.choices),
        "check": json.dumps(row.check),
    }


def from_doc(doc: Mapping[str, Any]) -> Row:
    """The row that :func:`to_doc` was given."""
    return Row(
        doc["id"],
        doc["prompt"],
        doc["gold"],
        cluster=doc["cluster"],
        choices=tuple(doc["choices"]),
        weight=doc["weight"],
        check=json.loads(doc["check"]),
    )

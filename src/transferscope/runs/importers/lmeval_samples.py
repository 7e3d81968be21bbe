"""Read rows of lm-eval's ``samples_TASK_DATE.jsonl``, one line at a time.

A row is one document under one filter. It has the metrics, ``doc_id``, ``filter``, ``arguments``
(the requests), ``resps`` (raw responses by request and repeat) and three hashes. A metric's value
may have these shapes:

* a number within 0..1: the score of the document;
* a list of true/false (IFEval's instructions): their mean, weighted by their number, so that the
  benchmark's mean equals lm-eval's;
* a list of numbers, one per repeat, if the filter keeps all repeats: one outcome each;
* a pair ``[gold, predicted]`` of MC-TACO: F1 per question, see :func:`_questions`.

Other pairs (``mcc``, corpus F1) have no score per document; :func:`readable` is false for them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from msgspec.structs import replace as changed

from ...core.artefacts import flags_of
from ...core.errors import InputError
from ...core.files import json_lines, open_file, read_head, read_list
from ...core.records import Outcome, Response, digest
from .foreign_run import Sample
from .lmeval_requests import chosen, generated, message_hash_of, prompt_of, rendered_hash_of

EXTRACTION_FAILED = "extraction_failed"
"""Flag: the chosen filter scored 0, but a more lenient filter of the same task found the answer."""

_REMEDY = "evaluate again with --log_samples, or remove the file to import only the scores"
_QUESTION = ("sentence", "question")


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One samples file, and which of its numbers to read.

    - ``filter`` is ``None`` if there is only one.
    - ``turns`` is for rows that don't name their filter (lm-eval before 0.4.7): the filters in the
      order in which the rows of a document follow each other.
    - ``rivals`` are other filters that score the same responses with the same ``metric``.
    - ``subset`` is the task's name if several tasks form one benchmark, else empty.
    - ``keeps_first`` means that the filter drops all repeats except the first.
    - ``delimiter`` precedes a choice in its request.
    - ``held`` has the rows if they are in the results file ``path`` itself.
    """

    path: Path
    benchmark: str
    metric: str
    filter: str | None
    rivals: tuple[str, ...] = ()
    subset: str = ""
    chance: float | None = None
    fewshot: int = 0
    keeps_first: bool = True
    delimiter: str = " "
    held: Sequence[Any] | None = field(default=None, repr=False)
    turns: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """Counts the documents read, including those without the metric."""

    documents: int = 0


def first_row(file: SampleFile) -> Mapping[str, Any] | None:
    """The first row; ``None`` for an empty file."""
    return next((row for _, row in _rows(file)), None)


def readable(file: SampleFile, row: Mapping[str, Any]) -> bool:
    """Whether the file's metric, judged by ``row``, gives a score per document or question."""
    value = row.get(file.metric)
    return value is None or _is_pair(file, row) or _scores(file, value, row) is not None


def by_question(file: SampleFile, row: Mapping[str, Any]) -> bool:
    """Whether several rows form one item, judged by ``row``."""
    return _is_pair(file, row)


def takes_turns(file: SampleFile) -> bool:
    """Whether every document has one row per filter in ``turns``. Reads the whole file."""
    counts = Counter(str(row.get("doc_id")) for _, row in _rows(file))
    return set(counts.values()) == {len(file.turns)}


def read_samples(file: SampleFile, tally: Tally | None = None) -> Iterator[Sample]:
    """Read every document's outcome and response lazily, in file order; counts in ``tally``.

    Rows of other filters are skipped. Documents that lack the metric are skipped too, as in
    lm-eval's mean. Raises :class:`InputError` with file and line for a duplicate document and for
    values of another shape.
    """
    tally = tally or Tally()
    first = first_row(file)
    if first is not None and _is_pair(file, first):
        yield from _questions(file, tally)
        return
    rescued = _rescued(file) if file.rivals else frozenset()
    for place, item, row in _documents(file, tally):
        value = row[file.metric]
        scores = _scores(file, value, row)
        if scores is None:
            _unreadable(file, value, place)
        for sample in _samples(file, item, row, scores):
            if sample.outcome.score == 0.0 and item in rescued:
                flags = (*sample.outcome.flags, EXTRACTION_FAILED)
                yield sample._replace(outcome=changed(sample.outcome, flags=flags))
            else:
                yield sample


def _rows(file: SampleFile) -> Iterator[tuple[str, dict[str, Any]]]:
    """The place and row of every sample: lines of a file, or items of a JSON list before 0.4.3."""
    held = file.held
    if held is None and read_head(file.path).lstrip().startswith("["):
        held = read_list(file.path, remedy=_REMEDY)
    if held is None:
        with open_file(file.path, remedy=_REMEDY) as lines:
            yield from json_lines(lines, path=file.path, remedy=_REMEDY)
        return
    for at, row in enumerate(held):
        place = f"{file.path} (sample {at})"
        if not isinstance(row, dict):
            raise InputError("not a JSON object", place=place, remedy=_REMEDY)
        yield place, row


def _filtered(file: SampleFile) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """The place, filter and row of every sample."""
    seen: Counter[str] = Counter()
    for place, row in _rows(file):
        if not file.turns:
            yield place, row.get("filter"), row
            continue
        doc = str(row.get("doc_id"))
        yield place, file.turns[seen[doc] % len(file.turns)], row
        seen[doc] += 1


def _documents(file: SampleFile, tally: Tally) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The place, item id and row of every document that the chosen filter scored."""
    seen: set[str] = set()
    for place, filter_, row in _filtered(file):
        if file.filter is not None and filter_ != file.filter:
            continue
        item = _item(file, row, place)
        if item in seen:
            remedy = "keep one of them; the file may mix the samples of two runs"
            raise InputError(f"document {item} is given twice", place=place, remedy=remedy)
        seen.add(item)
        tally.documents += 1
        if row.get(file.metric) is not None:
            yield place, item, row


def _item(file: SampleFile, row: Mapping[str, Any], place: str) -> str:
    doc = row.get("doc_id")
    if type(doc) not in (int, str):
        raise InputError("doc_id is neither a number nor text", place=place, remedy=_REMEDY)
    return f"{file.subset}:{doc}" if file.subset else str(doc)


def _rescued(file: SampleFile) -> frozenset[str]:
    """Ids of items that a rival filter scored above 0. Reads the whole file."""
    return frozenset(
        _item(file, row, place)
        for place, filter_, row in _filtered(file)
        if filter_ in file.rivals
        and any(score for score, _ in _scores(file, row.get(file.metric), row) or ())
    )


def _scores(
    file: SampleFile, value: object, row: Mapping[str, Any]
) -> list[tuple[float, float]] | None:
    """(score, weight) by repeat; ``None`` if the value is not a score within 0..1."""
    if isinstance(value, list):
        if not all(_is_score(v) for v in value):
            return None
        if not file.keeps_first and len(value) == len(generated(row)) > 1:
            return [(float(v), 1.0) for v in value]
        if not all(isinstance(v, bool) for v in value):
            return None
        return [(sum(value) / len(value), float(len(value)))] if value else []
    return [(float(value), 1.0)] if _is_score(value) else None  # type: ignore[arg-type]


def _is_score(value: object) -> bool:
    return isinstance(value, int | float) and 0.0 <= value <= 1.0


def _unreadable(file: SampleFile, value: object, place: str) -> NoReturn:
    shown = json.dumps(value)[:60]
    remedy = "choose another metric of the task in a --map file"
    what = f"{file.metric} is {shown}, not a score within 0..1"
    raise InputError(what, place=place, remedy=remedy)


def _samples(
    file: SampleFile, item: str, row: Mapping[str, Any], scores: list[tuple[float, float]]
) -> Iterator[Sample]:
    prompt = prompt_of(row)
    texts: list[str] = generated(row)
    # One score for several responses (pass@k, majority vote): none of them is the scored answer.
    graded = len(texts) == len(scores) or (bool(texts) and file.keeps_first)
    if not texts and (likeliest := chosen(row, file.metric, delimiter=file.delimiter)) is not None:
        texts = [likeliest]
    own = graded and bool(generated(row))
    for repeat, (score, weight) in enumerate(scores):
        text = texts[repeat] if repeat < len(texts) else None
        has = own and text is not None
        flags, inferred = flags_of(text or "", prompt=prompt) if has else ((), ())
        outcome = Outcome(
            benchmark=file.benchmark,
            id=item,
            score=score,
            repeat=repeat,
            subset=file.subset,
            weight=weight,
            chance=file.chance,
            flags=flags,
            flags_inferred=inferred,
            message_hash=message_hash_of([row], fewshot=file.fewshot),
            rendered_hash=rendered_hash_of(row),
        )
        response = None if text is None else Response(item, repeat, prompt, text)
        yield Sample(outcome, response)


def question_of(doc: object) -> str | None:
    """Identifies the question of an MC-TACO document; ``None`` for other documents."""
    if not isinstance(doc, dict) or not all(isinstance(doc.get(key), str) for key in _QUESTION):
        return None
    return digest([doc[key] for key in _QUESTION])


def _is_pair(file: SampleFile, row: Mapping[str, Any]) -> bool:
    """Whether the value is MC-TACO's f1: ``[gold, predicted]`` for one candidate answer."""
    value = row.get(file.metric)
    pair = isinstance(value, list) and len(value) == 2 and all(v in (0, 1) for v in value)
    return file.metric == "f1" and pair and question_of(row.get("doc")) is not None


@dataclass(slots=True)
class _Question:
    """Counts over a question's candidate answers."""

    item: str
    cluster: str
    rendered_hash: str | None
    hashes: list[Mapping[str, Any]]
    true: int = 0
    named: int = 0
    both: int = 0


def _questions(file: SampleFile, tally: Tally) -> Iterator[Sample]:
    """F1 of every MC-TACO question (Zhou et al., 2019), whose candidate answers form one item.

    F1 = 2 x (named and plausible) / (named + plausible), or 1 if no answer is either. The benchmark
    is its mean over questions, not lm-eval's F1 over all pairs. The item's id is that of the first
    candidate, its cluster is the sentence. Only counts are kept in memory.
    """
    found: dict[str, _Question] = {}
    for place, item, row in _documents(file, tally):
        if not _is_pair(file, row):
            _unreadable(file, row[file.metric], place)
        sentence = row["doc"]["sentence"]
        entry = found.setdefault(
            question_of(row["doc"]) or "",
            _Question(item, digest(sentence), rendered_hash_of(row), []),
        )
        gold, predicted = row[file.metric]
        entry.hashes.append({key: row.get(key) for key in ("doc_hash", "target_hash")})
        entry.true += gold
        entry.named += predicted
        entry.both += gold and predicted
    for entry in found.values():
        total = entry.true + entry.named
        outcome = Outcome(
            benchmark=file.benchmark,
            id=entry.item,
            score=2 * entry.both / total if total else 1.0,
            subset=file.subset,
            cluster=entry.cluster,
            chance=file.chance,
            message_hash=message_hash_of(entry.hashes, fewshot=file.fewshot),
            rendered_hash=entry.rendered_hash,
        )
        yield Sample(outcome, None)

"""Inspect's logs (``.eval``, ``.json``): one log, or a folder of logs of one model.

What is read, where Inspect leaves a choice:

- Of several scorers the first one that the log's results name; of a scorer that gives several
  values the first that the taxonomy's ``metrics`` name, else the first. Notes say so.
- C, I, P, N are 1, 0, 0.5, 0, and other values as Inspect's ``value_to_float`` reads them; a value
  that it would count as 0 with a warning is refused.
- Epochs are repeats, averaged per item whatever the log's reducer.
- An answer without a score (its sample ended in an error, or the scorer gave none: NaN) is left
  out, as Inspect leaves it out of its metrics.
- ``message_hash`` is over the messages that the model was given first: all before its own.

>>> number("C"), number("P"), number(True), number("no"), number(0.25)
(1.0, 0.5, 1.0, 0.0, 0.25)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ...core.artefacts import flags_of
from ...core.errors import InputError
from ...core.files import files_below
from ...core.records import MOST, Message, ModelRef, Outcome, Response, message_hash
from ...core.taxonomy import Taxonomy
from .base import Importer, Results, Sample, Taken
from .claims import disagreement, told_of_tasks
from .inspect_files import AGAIN, LOGS, is_log, read_header, read_samples
from .naming import (
    FINISH,
    Place,
    by_benchmark,
    left_out,
    lower_is_better,
    not_comparable,
    of_model,
    places_of,
    plain,
    unmapped,
)

_LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_TRANSPORT = frozenset(
    {"max_retries", "timeout", "attempt_timeout", "max_connections", "adaptive_connections"}
    | {"batch", "cache_prompt", "cache"}
)
_ATTACHMENT = "attachment://"


class _Log(NamedTuple):
    path: Path
    header: dict[str, Any]
    place: Place
    scorer: str


def accepts(path: Path) -> bool:
    """A log, or a folder with one somewhere in it."""
    return is_log(path) or (path.is_dir() and next(_logs(path), None) is not None)


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Results of the logs at ``path``.

    Raises :class:`InputError` for a log that did not succeed or lost samples to an edit, for one
    without samples or scores, for two models and for two logs of one task.
    """
    files = [path] if path.is_file() else sorted(_logs(path))
    if not files:
        raise InputError("no Inspect log", place=str(path), remedy="name a .eval or .json log")
    logs = _placed([_checked(file, read_header(file)) for file in files], taxonomy)
    model, logs = of_model(
        logs, lambda log: (str(log.header["eval"].get("model")), log.path), wanted, path
    )
    first: dict[str, _Log] = {}
    for log in logs:
        if (other := first.setdefault(log.place.task, log)) is not log:
            raise InputError(
                f"a second log of task {log.place.task} (the other: {other.path})",
                place=str(log.path),
                remedy="keep one of them in the folder",
            )
    kept = [log for log in logs if not _left_out(log)]
    samples = by_benchmark(((log.place, log) for log in kept), file=str(path))
    contradictions: dict[str, str] = {}
    provider, _, name = model.partition("/")
    args = plain(logs[0].header["eval"].get("model_args"))
    limits = {_limit(log) for log in logs}
    taken = tuple(_taken(log) for log in logs)
    return Results(
        model=ModelRef(name or model, revision=_text(args.get("revision"))),
        provenance="imported:inspect",
        samples={name: partial(_read, parts, contradictions) for name, parts in samples.items()},
        contradictions=contradictions,
        unmapped=unmapped(log.place for log in logs),
        notes=(*(note for log in kept for note in _notes(log)), *left_out(taken)),
        taken=taken,
        metrics={
            name: scores
            for name, parts in samples.items()
            if len(parts) == 1 and len(scores := _means(parts[0][1])) > 1
        },
        engine={"engine": provider} | {k: args[k] for k in ("dtype",) if k in args},
        decoding={name: _decoding(parts[0][1]) for name, parts in samples.items()},
        versions=_versions(logs),
        limit=limits.pop() if len(limits) == 1 else None,
    )


def number(value: object) -> float | None:
    """A score's value as Inspect's ``value_to_float`` reads it; ``None`` for what it can't."""
    if isinstance(value, bool | int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    known = _LETTERS.get(value, _WORDS.get(value.lower()))
    if known is not None:
        return known
    try:
        return float(value)
    except ValueError:
        return None


IMPORTER = Importer(accepts, read, read)


def _logs(folder: Path) -> Iterator[Path]:
    return filter(is_log, files_below(folder, lambda name: name.endswith(LOGS)))


def _checked(path: Path, header: dict[str, Any]) -> tuple[Path, dict[str, Any], str]:
    """The log, its header and its first scorer."""
    spec = header.get("eval")
    if not isinstance(spec, dict) or not isinstance(spec.get("task"), str):
        _refuse("not an Inspect log: no task in it", path, "name a .eval or .json log")
    status = header.get("status")
    if status != "success":
        what = f"status {status!r}: the evaluation did not end well"
        _refuse(what, path, "finish it: inspect eval-retry LOG")
    if header.get("invalidated"):
        what = "samples of it were invalidated"
        _refuse(what, path, "evaluate them again: inspect eval-retry LOG")
    if not header["has_samples"]:
        _refuse("no samples in it", path, "log them: inspect eval --log-samples")
    scores = _results(header).get("scores")
    if not isinstance(scores, list | None):
        _refuse("results.scores is no list", path, AGAIN)
    rows = scores or []
    scorers = [row.get("scorer") for row in rows if isinstance(row, dict)]
    if not scorers or not isinstance(scorers[0], str):
        _refuse("no scores in it", path, "score it: inspect score LOG")
    return path, header, scorers[0]


def _placed(checked: list[tuple[Path, dict[str, Any], str]], taxonomy: Taxonomy) -> list[_Log]:
    # A task of a package is "package/task"; the same task from a file is "task".
    full = [header["eval"]["task"] for _, header, _ in checked]
    names = {task: task.rpartition("/")[2] for task in full}
    places = places_of(names.values(), taxonomy, aliases={v: (k,) for k, v in names.items()})
    return [
        _Log(path, header, places[names[task]], scorer)
        for (path, header, scorer), task in zip(checked, full, strict=True)
    ]


def _values(log: _Log) -> list[str]:
    """The metrics or values that the log's results have for the scorer that is read."""
    scores = [s for s in _results(log.header)["scores"] if isinstance(s, dict)]
    return list(dict.fromkeys(str(s.get("name")) for s in scores if s.get("scorer") == log.scorer))


def _read_value(log: _Log) -> str:
    values = _values(log)
    return next((m for m in log.place.metrics if m in values), values[0])


def _left_out(log: _Log) -> str:
    """Why the log is not imported, else empty."""
    if log.place.lower_is_better or lower_is_better(_read_value(log)):
        return not_comparable(_read_value(log))
    return ""


def _taken(log: _Log) -> Taken:
    results, read_ = _results(log.header), _read_value(log)
    scorers = dict.fromkeys(str(s.get("scorer")) for s in results["scores"] if isinstance(s, dict))
    others = [v for v in _values(log) if v != read_] + [s for s in scorers if s != log.scorer]
    done, epochs = results.get("completed_samples"), _dict(log.header["eval"].get("config"))
    repeats = epochs.get("epochs")
    n = done if type(done) is int and 0 < done <= MOST else None
    if n is not None and type(repeats) is int and repeats > 1:
        n //= repeats
    return Taken(
        file=str(log.path),
        task=log.place.task,
        benchmark=log.place.benchmark,
        metric=read_ if read_ == log.scorer else f"{log.scorer}/{read_}",
        others=tuple(others),
        n=n,
        left_out=_left_out(log),
        lower_is_better=bool(_left_out(log)),
    )


def _means(log: _Log) -> dict[str, float]:
    """The log's own mean of every scorer and value that is one, 0..1, the one that is read first.

    Empty where the log has no mean of what is read.
    """
    read_ = (log.scorer, _read_value(log))
    found: dict[tuple[str, str], float] = {}
    for entry in _results(log.header)["scores"]:
        row = _dict(entry)
        metrics = _dict(row.get("metrics"))
        means = [_dict(metrics.get(name)).get("value") for name in ("accuracy", "mean")]
        mean = next((number(value) for value in means if value is not None), None)
        key = (str(row.get("scorer")), str(row.get("name")))
        if mean is not None and 0.0 <= mean <= 1.0 and not lower_is_better(key[1]):
            found.setdefault(key, mean)
    order = sorted(found, key=lambda key: key != read_)
    if not order or order[0] != read_:
        return {}
    return {key[0] if key[0] == key[1] else "/".join(key): found[key] for key in order}


def _reducers(log: _Log) -> list[str]:
    """How the log's results join an item's epochs, where they take no mean."""
    scores = [s for s in _results(log.header)["scores"] if isinstance(s, dict)]
    return sorted({str(s["reducer"]) for s in scores if s.get("reducer")} - {"mean"})


def _notes(log: _Log) -> Iterator[str]:
    name, results = log.place.task, _results(log.header)
    scores = [s for s in results["scores"] if isinstance(s, dict)]
    if len(scorers := list(dict.fromkeys(str(s.get("scorer")) for s in scores))) > 1:
        yield f"{name}: scorer {log.scorer} is read, not {', '.join(scorers[1:])}"
    if len(values := _values(log)) > 1:
        read_ = _read_value(log)
        yield f"{name}: value {read_} of scorer {log.scorer} is read, of {', '.join(values)}"
    if reducers := _reducers(log):
        yield f"{name}: epochs are averaged here, the log's own reducer is {', '.join(reducers)}"
    total, done = results.get("total_samples"), results.get("completed_samples")
    if isinstance(total, int) and isinstance(done, int) and total > done:
        yield f"{name}: {total - done} of {total} answers left out, they ended in an error"
    lost = scores[0].get("unscored_samples")
    if isinstance(lost, int) and lost > 0:
        yield f"{name}: items left out because scorer {log.scorer} gave them no score: {lost}"


def _results(header: Mapping[str, Any]) -> dict[str, Any]:
    results = header.get("results")
    return results if isinstance(results, dict) else {}


def _limit(log: _Log) -> int | None:
    limit = _dict(log.header["eval"].get("config")).get("limit")
    if isinstance(limit, list) and all(type(part) is int for part in limit) and len(limit) == 2:
        return int(limit[1] - limit[0])
    return limit if type(limit) is int else None


def _decoding(log: _Log) -> dict[str, Any]:
    # The plan's are the settings of the task and the command line; the model's stand below them.
    plan = plain(_dict(log.header.get("plan")).get("config"))
    settings = plain(log.header["eval"].get("model_generate_config")) | plan
    return {name: value for name, value in settings.items() if name not in _TRANSPORT}


def _versions(logs: list[_Log]) -> dict[str, str]:
    versions: dict[str, str] = {}
    for log in logs:
        spec = log.header["eval"]
        packages = plain(spec.get("packages"))
        versions |= {name: str(value) for name, value in packages.items()}
        versions[f"task {log.place.task}"] = str(spec.get("task_version"))
    return versions


def _read(logs: list[tuple[Place, _Log]], contradictions: dict[str, str]) -> Iterator[Sample]:
    """The samples of a benchmark's logs; what contradicts their results is told at the end."""
    said = []
    for at, log in logs:
        count, total = 0, 0.0
        for place, raw in read_samples(log.path):
            try:
                sample = _sample(raw, log)
            except (TypeError, ValueError, OverflowError) as err:
                raise InputError(str(err), place=place, remedy="score the log again") from None
            if sample is not None:
                count, total = count + 1, total + sample.outcome.score
                yield sample
        stated = None if _reducers(log) else next(iter(_means(log).values()), None)
        mean = total / count if count else None
        if wrong := disagreement(n=count, mean=mean, said_n=None, said=stated):
            said.append(f"{at.task}: {wrong}" if len(logs) > 1 else wrong)
    if said:
        contradictions[logs[0][0].benchmark] = told_of_tasks(said)


def _sample(raw: dict[str, Any], log: _Log) -> Sample | None:
    """Outcome and response; ``None`` without a score. Raises ValueError for what can't be read."""
    score = _score(raw, log)
    if score is None:
        return None
    id_, epoch = raw.get("id"), raw.get("epoch", 1)
    if not isinstance(id_, str | int) or type(epoch) is not int or epoch < 1:
        raise ValueError(f"no sample id and epoch: {id_!r}, {epoch!r}")
    output = _dict(raw.get("output"))
    attached = _dict(raw.get("attachments"))
    choices = output.get("choices")
    choice = _dict(choices[0]) if isinstance(choices, list) and choices else {}
    reply = _content(_dict(choice.get("message")).get("content", ""), attached.get)
    finish = FINISH.get(str(choice.get("stop_reason")))
    tokens = _dict(output.get("usage")).get("output_tokens")
    messages = _given(raw, attached.get)
    prompt = "\n\n".join(message["content"] for message in messages)
    flagged = flags_of(reply, finish=finish, prompt=prompt)
    where = log.place
    outcome = Outcome(
        benchmark=where.benchmark,
        id=f"{where.prefix}{id_}",
        score=score,
        repeat=epoch - 1,
        subset=where.subset,
        chance=where.chance,
        flags=flagged.flags,
        flags_inferred=flagged.inferred,
        tokens=tokens if type(tokens) is int else None,
        finish=finish,
        message_hash=message_hash(messages),
    )
    return Sample(outcome, Response(outcome.id, outcome.repeat, prompt, reply))


def _score(raw: dict[str, Any], log: _Log) -> float | None:
    given = _dict(raw.get("scores")).get(log.scorer)
    value = given.get("value") if isinstance(given, dict) else None
    if isinstance(value, dict) and value:
        value = value[next((m for m in log.place.metrics if m in value), next(iter(value)))]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    score = number(value)
    if score is None or not 0.0 <= score <= 1.0:
        raise ValueError(f"score {value!r} of scorer {log.scorer} is not within 0..1")
    return score


def _given(raw: dict[str, Any], attached: Callable[[str], Any]) -> list[Message]:
    """The messages before the model's first own, or the sample's input where none were kept."""
    kept = raw.get("messages")
    messages = [m for m in kept if isinstance(m, dict)] if isinstance(kept, list) else []
    said = [at for at, m in enumerate(messages) if m.get("role") == "assistant"]
    # Examples in the prompt are the assistant's too, but not generated; old logs have no source.
    own = [at for at in said if messages[at].get("source") == "generate"] or said[-1:]
    if own:
        messages = messages[: own[0]]
    if not messages:
        given = raw.get("input")
        asked = given if isinstance(given, list) else [{"role": "user", "content": given}]
        messages = [m for m in asked if isinstance(m, dict)]
    return [
        {"role": str(m.get("role")), "content": _content(m.get("content"), attached)}
        for m in messages
    ]


def _content(content: object, attached: Callable[[str], Any]) -> str:
    """Text of a message: its text parts; parts that are no text as JSON, reasoning left out."""
    if isinstance(content, list):
        return "\n".join(_content(part, attached) for part in content if not _reasoning(part))
    if isinstance(content, dict):
        if content.get("type") == "text":
            return _content(content.get("text"), attached)
        return json.dumps(content, sort_keys=True)
    if not isinstance(content, str):
        return ""
    found = attached(content[len(_ATTACHMENT) :]) if content.startswith(_ATTACHMENT) else None
    return found if isinstance(found, str) else content


def _reasoning(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "reasoning"


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _refuse(what: str, path: Path, remedy: str) -> NoReturn:
    raise InputError(what, place=str(path), remedy=remedy)

"""Import Inspect's logs (``.eval``, ``.json``): one log, or a folder of logs of one model.

Where Inspect leaves a choice, this is read:

- If there are several scorers, the first one in the log's results is read. If a scorer gives
  several values, the first one in the taxonomy's ``metrics`` is read, else the first. Notes say so.
- Epochs are repeats; they are averaged per item, regardless of the log's reducer.
- An answer without a score (its sample ended in an error, or the scorer returned NaN) is left out,
  as in Inspect's own metrics.
- Answers are checked against the mean and the number of samples in the log.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple, NoReturn

from ...core.errors import InputError
from ...core.files import files_below
from ...core.records import MOST, ModelRef
from ...core.taxonomy import Taxonomy
from .contradictions import contradiction, of_benchmark
from .foreign_run import Importer, Results, Sample, Taken
from .inspect_files import AGAIN, LOGS, is_log, read_header, read_samples
from .inspect_samples import graded, number
from .naming import (
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
from .values import mapping, text

_TRANSPORT = frozenset(
    {"max_retries", "timeout", "attempt_timeout", "max_connections", "adaptive_connections"}
    | {"batch", "cache_prompt", "cache"}
)


class _Log(NamedTuple):
    path: Path
    header: dict[str, Any]
    place: Place
    scorer: str


def accepts(path: Path) -> bool:
    """Whether ``path`` is a log, or a folder that contains one."""
    return is_log(path) or (path.is_dir() and next(_logs(path), None) is not None)


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Read the logs at ``path``.

    Raises :class:`InputError` for a log that did not succeed or has invalidated samples, for one
    without samples or scores, for two models, and for two logs of one task.
    """
    files = [path] if path.is_file() else sorted(_logs(path))
    if not files:
        raise InputError(
            "no Inspect log in it", place=str(path), remedy="name a .eval or .json log"
        )
    logs = _placed([_checked(file, read_header(file)) for file in files], taxonomy)
    model, logs = of_model(
        logs, lambda log: (str(log.header["eval"].get("model")), log.path), wanted, path
    )
    first: dict[str, _Log] = {}
    for log in logs:
        if (other := first.setdefault(log.place.task, log)) is not log:
            raise InputError(
                f"duplicate log of task {log.place.task} (the other is {other.path})",
                place=str(log.path),
                remedy="keep one of them in the folder",
            )
    kept = [log for log in logs if not _left_out(log)]
    samples = by_benchmark(((log.place, log) for log in kept), file=str(path))
    provider, _, name = model.partition("/")
    args = plain(logs[0].header["eval"].get("model_args"))
    limits = {_limit(log) for log in logs}
    taken = tuple(_taken(log) for log in logs)
    wrong: dict[str, str] = {}
    return Results(
        model=ModelRef(name or model, revision=text(args.get("revision"))),
        provenance="imported:inspect",
        samples={name: partial(_read, parts, wrong) for name, parts in samples.items()},
        unmapped=unmapped(log.place for log in logs),
        notes=(*(note for log in kept for note in _notes(log)), *left_out(taken)),
        taken=taken,
        contradictions=wrong,
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


IMPORTER = Importer(accepts, read, read)


def _logs(folder: Path) -> Iterator[Path]:
    return filter(is_log, files_below(folder, lambda name: name.endswith(LOGS)))


def _checked(path: Path, header: dict[str, Any]) -> tuple[Path, dict[str, Any], str]:
    """The log, its header and its first scorer."""
    spec = header.get("eval")
    if not isinstance(spec, dict) or not isinstance(spec.get("task"), str):
        _refuse("not an Inspect log: it has no task", path, "name a .eval or .json log")
    status = header.get("status")
    if status != "success":
        what = f"the evaluation did not succeed: its status is {status!r}"
        _refuse(what, path, "finish it: inspect eval-retry LOG")
    if header.get("invalidated"):
        what = "some of its samples were invalidated"
        _refuse(what, path, "evaluate them again: inspect eval-retry LOG")
    if not header["has_samples"]:
        _refuse("has no samples", path, "log them: inspect eval --log-samples")
    scores = _results(header).get("scores")
    if not isinstance(scores, list | None):
        _refuse("results.scores is not a list", path, AGAIN)
    rows = scores or []
    scorers = [row.get("scorer") for row in rows if isinstance(row, dict)]
    if not scorers or not isinstance(scorers[0], str):
        _refuse("has no scores", path, "score it: inspect score LOG")
    return path, header, scorers[0]


def _placed(checked: list[tuple[Path, dict[str, Any], str]], taxonomy: Taxonomy) -> list[_Log]:
    # A package's task is named "package/task"; the same task from a file is named "task".
    full = [header["eval"]["task"] for _, header, _ in checked]
    names = {task: task.rpartition("/")[2] for task in full}
    places = places_of(names.values(), taxonomy, aliases={v: (k,) for k, v in names.items()})
    return [
        _Log(path, header, places[names[task]], scorer)
        for (path, header, scorer), task in zip(checked, full, strict=True)
    ]


def _values(log: _Log) -> list[str]:
    """The metrics or values in the log's results for the scorer that is read."""
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
    done, epochs = results.get("completed_samples"), mapping(log.header["eval"].get("config"))
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
    """The log's means (0..1) of all scorers and values, starting with the one that is read.

    Empty if the log has no mean for the one that is read.
    """
    read_ = (log.scorer, _read_value(log))
    found: dict[tuple[str, str], float] = {}
    for entry in _results(log.header)["scores"]:
        row = mapping(entry)
        metrics = mapping(row.get("metrics"))
        means = [mapping(metrics.get(name)).get("value") for name in ("accuracy", "mean")]
        mean = next((number(value) for value in means if value is not None), None)
        key = (str(row.get("scorer")), str(row.get("name")))
        if mean is not None and 0.0 <= mean <= 1.0 and not lower_is_better(key[1]):
            found.setdefault(key, mean)
    order = sorted(found, key=lambda key: key != read_)
    if not order or order[0] != read_:
        return {}
    return {key[0] if key[0] == key[1] else "/".join(key): found[key] for key in order}


def _notes(log: _Log) -> Iterator[str]:
    name, results = log.place.task, _results(log.header)
    scores = [s for s in results["scores"] if isinstance(s, dict)]
    if len(scorers := list(dict.fromkeys(str(s.get("scorer")) for s in scores))) > 1:
        yield f"{name}: scorer {log.scorer} is read, not {', '.join(scorers[1:])}"
    if len(values := _values(log)) > 1:
        read_ = _read_value(log)
        yield f"{name}: value {read_} of scorer {log.scorer} is read, out of {', '.join(values)}"
    if reducers := _reducers(log):
        yield f"{name}: epochs are averaged here; the log's own reducer is {', '.join(reducers)}"
    total, done = results.get("total_samples"), results.get("completed_samples")
    if isinstance(total, int) and isinstance(done, int) and total > done:
        yield f"{name}: {total - done} of {total} answers left out, they ended in an error"
    lost = scores[0].get("unscored_samples")
    if isinstance(lost, int) and lost > 0:
        yield f"{name}: {lost} items left out, scorer {log.scorer} gave them no score"


def _reducers(log: _Log) -> list[str]:
    """The log's reducers of epochs, other than the mean."""
    scores = map(mapping, _results(log.header)["scores"])
    return sorted({str(s["reducer"]) for s in scores if s.get("reducer")} - {"mean"})


def _results(header: Mapping[str, Any]) -> dict[str, Any]:
    results = header.get("results")
    return results if isinstance(results, dict) else {}


def _limit(log: _Log) -> int | None:
    limit = mapping(log.header["eval"].get("config")).get("limit")
    if isinstance(limit, list) and all(type(part) is int for part in limit) and len(limit) == 2:
        return int(limit[1] - limit[0])
    return limit if type(limit) is int else None


def _decoding(log: _Log) -> dict[str, Any]:
    # The plan's settings come from the task and the command line and override the model's.
    plan = plain(mapping(log.header.get("plan")).get("config"))
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
    """The samples of a benchmark's logs; contradictions to their results are added at the end."""
    said: list[tuple[str, str | None]] = []
    for _, log in logs:
        counts, scores = Counter[str](), defaultdict[str, list[float]](list)
        for where, raw in read_samples(log.path):
            try:
                sample = graded(raw, log.place, log.scorer)
            except (TypeError, ValueError, OverflowError) as err:
                raise InputError(str(err), place=where, remedy="score the log again") from None
            counts["errors" if raw.get("error") else "answers"] += 1
            if sample is not None:
                scores[sample.outcome.id].append(sample.outcome.score)
                yield sample
        said.append((log.place.task, _contradiction(log, counts, list(scores.values()))))
    if wrong := of_benchmark(said):
        contradictions[logs[0][0].benchmark] = wrong


def _contradiction(log: _Log, rows: Counter[str], scores: list[list[float]]) -> str | None:
    """``scores`` has a list per item; Inspect averages their means unless there is a reducer."""
    results = _results(log.header)
    done = results.get("completed_samples")
    mean = fmean(map(fmean, scores)) if scores and not _reducers(log) else None
    return contradiction(
        counts=(rows["answers"], rows.total(), sum(map(len, scores))),
        mean=mean,
        said_n=done if type(done) is int else None,
        said=next(iter(_means(log).values()), None),
    )


def _refuse(what: str, path: Path, remedy: str) -> NoReturn:
    raise InputError(what, place=str(path), remedy=remedy)

"""Export a run as Every Eval Ever files, by the published schemas 0.3.0 (see :mod:`.eee`).

One benchmark becomes one aggregate and, if the run kept its answers, one file of rows::

    OUT/data/BENCHMARK/DEVELOPER/MODEL/UUID.json, UUID_samples.jsonl

Values without a field in the schema are stored as text in the rows' ``metadata``, so that importing
an export gives the same outcomes.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ...assets import sha256_of
from ...core.files import make_folder, write_atomically, write_json
from ...core.records import Outcome, Response, ScoreRow
from ..run_folder import Run

SCHEMA_VERSION = "0.3.0"
_PART = re.compile(r"[^A-Za-z0-9._-]+")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_STOP = {"length": "max_tokens"}
_ARGS: dict[str, tuple[type, ...]] = {
    "temperature": (int, float),
    "top_p": (int, float),
    "top_k": (int, float),
    "max_tokens": (int,),
}


def export_eee(
    run: Run,
    out: Path,
    *,
    developer: str = "local",
    organization: str = "unknown",
    now: float | None = None,
) -> list[Path]:
    """Write ``run`` below ``out`` and return the files, each aggregate before its rows.

    ``developer`` is the first half of the model's id if its name isn't a hub id ("org/model"),
    ``organization`` is who evaluated it, ``now`` is in seconds since 1970. The same run and ``now``
    give the same bytes.
    """
    moment = str(time.time() if now is None else now)
    model = _model_id(run.manifest.model.name, developer)
    written = []
    rows_of: dict[str, list[ScoreRow]] = {}
    for row in run.scores:
        rows_of.setdefault(row.benchmark, []).append(row)
    for name in (*run.by_benchmark, *rows_of):
        key = sha256(f"{name}\n{model}\n{run.manifest.model.fingerprint}\n{moment}".encode())
        stem = str(uuid.UUID(bytes=key.digest()[:16], version=4))
        place = Path("data", _safe(name), *model.split("/"))
        folder = out / place
        make_folder(folder)
        log = _aggregate(run, f"{name}/{model}/{moment}", model, organization, moment)
        outcomes = run.by_benchmark.get(name, ())
        if not outcomes:
            log["evaluation_results"] = [_score_result(row, run) for row in rows_of[name]]
            write_json(folder / f"{stem}.json", log)
            written.append(folder / f"{stem}.json")
            continue
        log["evaluation_results"] = [_result(name, outcomes, run)]
        rows = folder / f"{stem}_samples.jsonl"
        lines = _lines(outcomes, run.responses(name), log["evaluation_id"], model)
        write_atomically(rows, lines)
        log["detailed_evaluation_results"] = {
            "format": "jsonl",
            "file_path": (place / rows.name).as_posix(),
            "hash_algorithm": "sha256",
            "checksum": sha256_of(rows),
            "total_rows": len(outcomes),
        }
        write_json(folder / f"{stem}.json", log)
        written += [folder / f"{stem}.json", rows]
    return written


def _aggregate(run: Run, id_: str, model: str, organization: str, moment: str) -> dict[str, Any]:
    manifest = run.manifest
    versions = dict(manifest.versions)
    library = manifest.provenance.removeprefix("imported:")
    here = "transferscope" if library == "evaluated" else library
    details = {"deployment_type": "unknown", "model_availability": "unknown"}
    if manifest.model.base:
        details["base_model"] = _model_id(manifest.model.base, "local")
    if manifest.model.revision:
        details["revision"] = manifest.model.revision
    info: dict[str, Any] = {"name": model, "id": model, "developer": model.partition("/")[0]}
    if isinstance(engine := manifest.engine.get("engine"), str):
        info["inference_engine"] = {"name": engine}
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": id_,
        "retrieved_timestamp": moment,
        "source_metadata": {
            "source_name": "transferscope",
            "source_type": "evaluation_run",
            "source_organization_name": organization,
            "evaluator_relationship": "other",
        },
        "eval_library": {
            "name": here,
            "version": versions.pop(here, "unknown"),
            "additional_details": versions,
        },
        "model_info": {**info, "additional_details": details},
    }


def _result(name: str, outcomes: tuple[Outcome, ...], run: Run) -> dict[str, Any]:
    """The benchmark's mean: repeats averaged per item, items by weight."""
    items: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        items.setdefault(outcome.id, []).append(outcome)
    total = sum(mine[0].weight for mine in items.values())
    mean = sum(m[0].weight * sum(o.score for o in m) / len(m) for m in items.values()) / total
    score = {"score": min(mean, 1.0), "uncertainty": {"num_samples": len(items)}}
    return _entry(name, _metric(outcomes), score, run)


def _metric(outcomes: tuple[Outcome, ...]) -> str:
    return "accuracy" if all(o.score in (0.0, 1.0) for o in outcomes) else "mean_score"


def _score_result(row: ScoreRow, run: Run) -> dict[str, Any]:
    score: dict[str, Any] = {"score": row.score}
    uncertainty: dict[str, Any] = {}
    if row.stderr is not None:
        uncertainty["standard_error"] = {"value": row.stderr}
    if row.n is not None:
        uncertainty["num_samples"] = row.n
    if uncertainty:
        score["uncertainty"] = uncertainty
    if row.subset:
        score["details"] = {"subset": row.subset}
    metric = "accuracy" if row.proportion else "mean_score"
    return _entry(row.benchmark, metric, score, run)


def _entry(name: str, metric: str, score: dict[str, Any], run: Run) -> dict[str, Any]:
    parts = (name, metric, *score.get("details", {}).values())
    entry: dict[str, Any] = {
        "evaluation_result_id": ":".join(parts),
        "evaluation_name": name,
        "source_data": {"dataset_name": name, "source_type": "other"},
        "metric_config": {
            "metric_name": metric,
            "metric_unit": "proportion",
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0.0,
            "max_score": 1.0,
        },
        "score_details": score,
    }
    if metric == "accuracy":
        entry["metric_config"] |= {"metric_id": metric, "metric_kind": metric}
    if isinstance(settings := run.manifest.decoding.get(name), Mapping):
        entry["generation_config"] = _generation(settings)
    return entry


def _generation(settings: Mapping[str, Any]) -> dict[str, Any]:
    args = {
        name: settings[name]
        for name, kinds in _ARGS.items()
        if type(settings.get(name)) in kinds and (name != "max_tokens" or settings[name] > 0)
    }
    others = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
        if name not in args and value is not None
    }
    return {"generation_args": args, "additional_details": others}


def _lines(
    outcomes: tuple[Outcome, ...],
    responses: Mapping[tuple[str, int], Response],
    evaluation_id: str,
    model: str,
) -> Iterator[str]:
    result = f"{outcomes[0].benchmark}:{_metric(outcomes)}"
    for outcome in outcomes:
        response = responses.get((outcome.id, outcome.repeat))
        prompt = response.prompt if response else ""
        row: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "evaluation_id": evaluation_id,
            "model_id": model,
            "evaluation_name": outcome.benchmark,
            "evaluation_result_id": result,
            "sample_id": outcome.id,
            "sample_hash": sha256(prompt.encode()).hexdigest() if prompt else None,
            "interaction_type": "single_turn",
            "input": {"raw": prompt, "reference": []},
            "output": {"raw": [response.response] if response else []},
            "answer_attribution": [],
            "evaluation": {"score": outcome.score, "is_correct": outcome.score == 1.0},
            "metadata": _metadata(outcome),
        }
        # ASCII only: the format's own tools also split lines at U+2028.
        yield json.dumps(row, allow_nan=False) + "\n"


def _metadata(outcome: Outcome) -> dict[str, str]:
    texts = {
        "epoch": str(outcome.repeat + 1),
        "stop_reason": _STOP.get(outcome.finish or "", outcome.finish or ""),
        "flags": ",".join(outcome.flags),
        "flags_inferred": ",".join(outcome.flags_inferred),
        "subset": outcome.subset,
        "cluster": outcome.cluster,
        "weight": repr(outcome.weight),
    }
    known = {
        "chance": None if outcome.chance is None else repr(outcome.chance),
        # token_usage also requires the number of prompt tokens, which is not known.
        "tokens": None if outcome.tokens is None else str(outcome.tokens),
        "message_hash": outcome.message_hash,
        "rendered_hash": outcome.rendered_hash,
    }
    return texts | {name: value for name, value in known.items() if value is not None}


def _model_id(name: str, developer: str) -> str:
    """A hub id as it is, or the last part of a path, because folder names are private."""
    if _HUB_ID.fullmatch(name):
        return name
    return f"{_safe(developer)}/{_safe(Path(name).name)}"


def _safe(name: str) -> str:
    return _PART.sub("_", name).strip("._- ") or "unnamed"

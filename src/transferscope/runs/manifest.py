"""``run.json``: what a run is of, how it was made, and how far it is committed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from ..core.errors import InputError
from ..core.files import is_file, read_json, write_json
from ..core.records import ModelRef
from ..core.suite import Suite

SCHEMA = 1
"""Version of the run folder's layout; another version is refused."""
MANIFEST_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Content of ``run.json``.

    ``suite`` is the whole suite, so that a run explains itself; ``decoding`` maps a benchmark to
    how its answers were drawn. ``complete`` maps every committed benchmark to
    ``{"outcomes_bytes": end of its lines in outcomes.jsonl, "n": number of its lines}``, and
    ``"failed"``, the number of its answers that never came, where there are any.
    ``left_out`` maps a task of foreign results that could not be imported to the reason.
    ``metrics`` maps a benchmark of foreign results that were scored in several ways to its scores
    (0..1) by metric and filter, the one that the outcomes hold first. ``contradictions`` maps a
    benchmark of foreign results whose samples don't make the score beside them to what differs.
    """

    model: ModelRef
    suite: Mapping[str, Any]
    suite_hash: str
    engine: Mapping[str, Any] = field(default_factory=dict)
    decoding: Mapping[str, Any] = field(default_factory=dict)
    template: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    provenance: str = "evaluated"
    status: Literal["running", "complete"] = "running"
    seed: int = 0
    limit: int | None = None
    schema: int = SCHEMA
    complete: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    contradictions: Mapping[str, str] = field(default_factory=dict)

    @property
    def committed(self) -> int:
        """Bytes of outcomes.jsonl that belong to committed benchmarks."""
        return max((entry["outcomes_bytes"] for entry in self.complete.values()), default=0)

    @property
    def failed(self) -> int:
        """Answers that never came; the same command asks for them again."""
        return sum(entry.get("failed", 0) for entry in self.complete.values())

    def load_suite(self) -> Suite:
        """The suite as an object."""
        return Suite.model_validate(self.suite)

    def identity(self) -> dict[str, Any]:
        """What must agree for a run to be continued, under the names a user knows.

        Of an evaluated run, the items asked for may grow (see :func:`refuse_another`).
        """
        return {
            "model": self.model.name,
            "engine": self.engine.get("engine"),
            "model fingerprint": self.model.fingerprint,
            "base": self.model.base,
            "suite": self.suite_hash,
            "decoding": _plain(self.decoding),
            "seed": self.seed,
            "limit": None if self.provenance == "evaluated" else self.limit,
            "chat template": self.template,
            "dtype": self.engine.get("dtype"),
            "tokenizer": self.engine.get("tokenizer"),
            "strict": self.engine.get("strict"),
            "provenance": self.provenance,
        }


def refuse_another(folder: Path, mine: Manifest, asked: Manifest) -> None:
    """Raise :class:`InputError` where a run that is ``mine`` can't be gone on with as ``asked``.

    An evaluated run takes more items of the same seed, not fewer.
    """
    there, wanted = mine.identity(), asked.identity()
    for name, value in there.items():
        if value == wanted[name]:
            continue
        shown = f": {value} there, {wanted[name]} asked for" if name != "decoding" else ""
        raise InputError(
            f"holds a run with another {name}{shown}",
            place=str(folder),
            remedy="name another folder: --out DIR",
        )
    if asked.limit is not None and (mine.limit is None or mine.limit > asked.limit):
        again = "" if mine.limit is None else f"ask for --limit {mine.limit} or more, or "
        raise InputError(
            f"holds a run with another limit: {mine.limit} there, {asked.limit} asked for",
            place=str(folder),
            remedy=f"{again}name another folder: --out DIR",
        )


def contradicts(what: str) -> str:
    """The sentence on a benchmark's entry in ``contradictions``; its name stands before it."""
    return f"the samples contradict the results beside them ({what}); the samples are used"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace ``run.json`` atomically: a reader sees the old or the new one, never a part."""
    write_json(folder / MANIFEST_FILE, asdict(manifest))


def read_manifest(folder: Path) -> Manifest:
    """``run.json`` of ``folder``.

    Raises :class:`InputError` for a missing folder or file, another schema version, and content
    that is not a manifest.
    """
    path = folder / MANIFEST_FILE
    if not folder.is_dir():
        raise InputError("no such folder", place=str(folder), remedy="name a run folder")
    if not is_file(path):
        raise InputError(
            f"no {MANIFEST_FILE}", place=str(folder), remedy="name a run folder (or import it)"
        )
    raw = read_json(path, remedy="evaluate or import again")
    schema = raw.get("schema")
    if schema != SCHEMA:
        raise InputError(
            f"schema version {schema!r}, this version of transferscope reads {SCHEMA}",
            place=str(path),
            remedy="evaluate or import again with this version",
        )
    if unknown := sorted(set(raw) - {f.name for f in fields(Manifest)}):
        raise InputError(f"unknown field {unknown[0]!r}", place=str(path))
    _check_types(raw, path)
    try:
        model = ModelRef(**raw.pop("model"))
        manifest = Manifest(model=model, **raw)
        _ = manifest.committed, manifest.load_suite()
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        reason = str(err).splitlines()[0]
        raise InputError(f"not a valid manifest: {reason}", place=str(path)) from None
    return manifest


def _check_types(raw: Mapping[str, Any], path: Path) -> None:
    """Refuse fields of another type than a manifest writes: the file is somebody else's input."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "model": dict,
        "suite": dict,
        "suite_hash": str,
        "engine": dict,
        "decoding": dict,
        "versions": dict,
        "complete": dict,
        "left_out": dict,
        "metrics": dict,
        "contradictions": dict,
        "provenance": str,
        "status": str,
        "template": (str, type(None)),
        "seed": int,
        "limit": (int, type(None)),
    }
    for name, kind in kinds.items():
        if name in raw and not isinstance(raw[name], kind):
            raise InputError(
                f"not a valid manifest: field {name!r} has the wrong type", place=str(path)
            )
    if not isinstance(raw.get("model", {}).get("name"), str):
        raise InputError(
            "not a valid manifest: field 'model.name' is not a string", place=str(path)
        )
    for name, scores in raw.get("metrics", {}).items():
        values = list(scores.values()) if isinstance(scores, dict) else ["none"]
        if not all(isinstance(v, int | float) and 0 <= v <= 1 for v in values):
            what = f"not a valid manifest: field 'metrics.{name}' holds no scores within 0..1"
            raise InputError(what, place=str(path))
    for name, text in raw.get("contradictions", {}).items():
        if not isinstance(text, str):
            what = f"not a valid manifest: field 'contradictions.{name}' is not a string"
            raise InputError(what, place=str(path))
    for name, entry in raw.get("complete", {}).items():
        counts = entry if isinstance(entry, dict) else {}
        numbers = (counts.get("outcomes_bytes"), counts.get("n"), counts.get("failed", 0))
        if not all(type(number) is int for number in numbers):
            what = f"not a valid manifest: field 'complete.{name}' lacks outcomes_bytes or n"
            raise InputError(what, place=str(path))


def _plain(value: Any) -> Any:
    """As JSON would give it back: tuples become lists, keys strings."""
    return json.loads(json.dumps(value))

"""Import EvalPlus results: ``DATASET/MODEL_BACKEND_temp_T_eval_results.json``.

Reads the schema of evalplus 0.2 and 0.3. A file gives two benchmarks on the same answers: HumanEval
(or MBPP) uses the base tests, HumanEval+ (MBPP+) the base and extra tests, as EvalPlus counts them.
Samples of a problem are repeats, so the mean is pass@1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.records import ModelRef
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_name
from .assemble import Part, results_of
from .documents import document, files_named, head, hollow_in
from .foreign_run import Importer, Results, Sample
from .naming import Place, of_model, place_of
from .table_rows import sample_of
from .values import listed, mapping

_REMEDY = "evaluate again: evalplus.evaluate --samples FILE"
_START = re.compile(rb'\s{0,64}\{\s{0,64}"date"\s{0,9}:\s{0,9}"[^"]{0,64}"\s{0,9},\s{0,64}"hash"')
_ENDING = re.compile(r"_?eval_results\.json$")
_BACKEND = re.compile(r"_[A-Za-z0-9-]+_temp_[0-9.]+(-sanitized)?$")
_PASSED = ("pass", "success")
_NAMES = {"HumanEval": ("humaneval", "humaneval_plus"), "Mbpp": ("mbpp", "mbpp_plus")}


def accepts(path: Path) -> bool:
    """Whether ``path`` is a results file, or a folder that contains one."""
    if path.is_dir():
        return bool(_files(path))
    return _is_results(path)


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Read the results at ``path``; raise :class:`InputError` for two models and invalid files."""
    found = _files(path) if path.is_dir() else [path]
    model, files = of_model(found, lambda file: (_model(file), file), wanted, path)
    notes = hollow_in(path, "*eval_results.json*") if path.is_dir() else []
    parts = [part for file in files for part in _parts(file, taxonomy, notes)]
    return results_of(
        parts,
        path=path,
        model=ModelRef(model),
        provenance="imported:evalplus",
        notes=notes,
        engine={"engine": "evalplus"},
    )


IMPORTER = Importer(accepts, read, read)


def _is_results(path: Path) -> bool:
    return bare_name(path).endswith(".json") and _START.match(head(path)) is not None


def _files(folder: Path) -> list[Path]:
    return [file for file in files_named(folder, "*eval_results.json*") if _is_results(file)]


def _model(file: Path) -> str:
    """The model in ``acme--tiny_vllm_temp_0.0_eval_results.json``, else the folder's name."""
    stem = _ENDING.sub("", bare_name(file)) or file.resolve().parent.name
    return _BACKEND.sub("", stem).replace("--", "/")


def _parts(file: Path, taxonomy: Taxonomy, notes: list[str]) -> Iterator[Part]:
    problems = mapping(mapping(document(file, remedy=_REMEDY)).get("eval"))
    if not problems:
        raise InputError("contains no problem", place=str(file), remedy=_REMEDY)
    kinds = {name.partition("/")[0] for name in problems}
    kind = min(kinds)
    if len(kinds) > 1 or kind not in _NAMES:
        what = f"contains problems of {', '.join(sorted(kinds)[:3])}, not of HumanEval or Mbpp"
        raise InputError(what, place=str(file), remedy=_REMEDY)
    samples = {name: _samples(entry) for name, entry in problems.items()}
    answers = [sample for found in samples.values() for sample in found]
    if silent := sum(not found for found in samples.values()):
        counts = f"{silent:,} of {len(samples):,}"
        notes.append(f"{kind}: {counts} problems left out, they have no answer")
    timeouts = sum(sample["base"] == "timeout" for sample in answers)
    for column, task in zip(("base", "plus"), _NAMES[kind], strict=True):
        if column == "plus" and not any(sample["plus"] for sample in answers):
            notes.append(f"{task}: left out, only the base tests were run")
            continue
        why = ""
        if not answers or timeouts == len(answers):
            why = f"all {len(answers):,} answers timed out" if answers else "it has no answer"
        place = place_of(task, taxonomy)
        yield Part(
            place=place,
            file=file,
            metric="pass@1",
            n=sum(bool(found) for found in samples.values()),
            read=partial(_read, file, place, column),
            left_out=why,
        )


def _samples(entry: object) -> list[dict[str, Any]]:
    """The base and plus status and the solution of every sample of a problem."""
    if isinstance(entry, list):
        return [
            {
                "base": mapping(sample).get("base_status"),
                "plus": mapping(sample).get("plus_status"),
                "text": mapping(sample).get("solution"),
            }
            for sample in entry
        ]
    old = mapping(entry)  # before 0.3: lists of [status, details]
    base, plus = (listed(old.get(name)) for name in ("base", "plus"))
    padded = [*plus, *[None] * (len(base) - len(plus))]
    return [
        {"base": _first(one), "plus": _first(other), "text": None}
        for one, other in zip(base, padded, strict=False)
    ]


def _first(pair: object) -> object:
    return pair[0] if isinstance(pair, list) and pair else None


def _read(file: Path, place: Place, column: str) -> Iterator[Sample]:
    for name, entry in mapping(mapping(document(file, remedy=_REMEDY)).get("eval")).items():
        for repeat, sample in enumerate(_samples(entry)):
            passed = sample["base"] in _PASSED
            if column == "plus":
                passed = passed and sample["plus"] in _PASSED
            fields = {"id": name, "score": float(passed), "repeat": repeat}
            if isinstance(sample["text"], str):
                fields["response"] = sample["text"]
            yield sample_of(fields, place)

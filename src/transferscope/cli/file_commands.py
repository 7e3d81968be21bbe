"""Commands from files to files: results of other harnesses in and out, saved responses graded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..core.errors import InputError
from ..core.files import check_folder
from ..core.shown import name, sentence
from .outputs import check_outputs
from .shared import Fields, Json, Mapping_, Source, app, console, export_app, print_json, say

UNMATCHED_SHOWN = 5
ColumnsOf = Annotated[
    Path | None, Parameter(name="--map", help="TOML whose [columns] name the file's fields.")
]


@app.command(name="import")
def import_command(
    path: Path,
    *,
    out: Path | None = None,
    explain: Annotated[bool, Parameter(negative=())] = False,
    format: str = "auto",
    mapping: Mapping_ = None,
    fields: Fields = (),
    source: Source = None,
    as_json: Json = False,
) -> None:
    """Write another harness's results as a run folder, or show what would be taken for what.

    Parameters
    ----------
    path
        File or folder of results; FILE::MODEL where a file has several models.
    out
        The run folder to write; one of the same model gets what it lacks.
    explain
        Write nothing: list every task with the benchmark, group and metric it is taken for.
    format
        Of the results: lm-eval, lighteval, evalscope, opencompass, helm, evalplus, qwen-math,
        inspect, eee, jsonl, json, csv, parquet or a plugin's; auto finds it out.
    """
    from ..core.fieldnames import fields_given
    from ..core.taxonomy import load_taxonomy
    from ..report.progress import progress
    from ..runs import read_run
    from ..runs.importers import import_results
    from ..runs.manifest import MANIFEST_FILE
    from ..runs.writer import is_unwritten

    columns = fields_given(fields)
    if explain:
        if out is not None:
            raise InputError("--explain writes nothing", remedy="leave --out or --explain away")
        _explain(path, format, mapping, columns, as_json=as_json)
        return
    if out is None:
        remedy = "add --out RUN, or look first with --explain"
        raise InputError("no folder to write the run to", remedy=remedy)
    check_outputs({"--out": out}, [path, mapping], resumes=True)
    check_folder(out)
    if not (is_unwritten(out) or (out / MANIFEST_FILE).is_file()):
        raise InputError("is not empty", place=str(out), remedy="name another folder: --out RUN")
    with progress() as tick:
        done = import_results(
            path,
            out,
            format=format,
            mapping=mapping,
            source=source,
            columns=columns,
            tick=tick,
        )
    run = read_run(done.path)
    items = {task: len({o.id for o in found}) for task, found in run.by_benchmark.items()}
    items |= {row.benchmark: row.n or 0 for row in run.scores if row.benchmark not in items}
    if as_json:
        notes = {"unmapped": list(done.unmapped), "notes": list(done.notes)}
        print_json({"run": str(out), "format": done.format, "benchmarks": items} | notes)
        return
    total = sum(items.values())
    print(f"{name(done.format)}: {len(items)} benchmarks, {total:,} items -> {sentence(out)}")
    taxonomy = load_taxonomy(mapping)
    for task in done.unmapped:
        near = taxonomy.nearest(task)
        also = f" (nearest: {', '.join(map(name, near))})" if near else ""
        say(f"  {name(task)}: in no group; map it with --map{also}")
    for note in done.notes:
        say(f"  {note}")


def _explain(
    path: Path, format: str, mapping: Path | None, columns: dict[str, str], *, as_json: bool
) -> None:
    from ..report.imports import print_explanation
    from ..runs.importers.explain import explain

    found = explain(path, format=format, mapping=mapping, columns=columns)
    if as_json:
        print_json(found.to_json())
    else:
        print_explanation(found, console())


@export_app.command
def eee(run: Path, *, out: Path) -> None:
    """A run folder in the schema of Every Eval Ever.

    Parameters
    ----------
    run
        Run folder, or another harness's results.
    out
        Folder that gets data/BENCHMARK/DEVELOPER/MODEL/.
    """
    from ..runs.importers.eee_export import export_eee
    from .shared import opened

    check_outputs({"--out": out}, [run])
    (opened_run,) = opened([run], mapping=None, source=None)
    written = export_eee(opened_run, out)
    say(f"{len(written)} files in {out}")


@app.command
def audit(
    responses: Path,
    *,
    base: Path | None = None,
    mapping: ColumnsOf = None,
    fields: Fields = (),
    as_json: Json = False,
) -> None:
    """Which saved answers are artefacts: cut, looped, empty, leaking a role, not extracted, ...

    Parameters
    ----------
    responses
        JSONL, a JSON array, CSV or parquet: id, prompt, response, and finish where it was recorded.
        Other programs' names of these are recognised.
    base
        The base's answers to the same items: style and script need them.
    """
    from ..grade.audit import audit as audit_file

    found = audit_file(responses, base, columns=_columns(mapping, fields))
    for note in found.notes:
        say(note)
    if as_json:
        print_json(found.to_json())
        return
    print(f"{len(found.rows):,} answers")
    inferred = {flag for row in found.rows for flag in row.inferred}
    for flag, count in found.counts.items():
        how = "inferred" if flag in inferred else "recorded"
        print(f"  {flag:18} {count:6,}  {count / len(found.rows):6.1%}  {how}")
    for flag in found.not_measured:
        print(f"  {flag:18} not measured: needs --base")
    if found.unmatched:
        say(f"  {len(found.unmatched)} ids stand in one file only")


@app.command
def score(
    grader: str,
    file: Path,
    *,
    gold: Path | None = None,
    out: Path | None = None,
    mapping: ColumnsOf = None,
    fields: Fields = (),
    as_json: Json = False,
) -> None:
    """Grade saved responses: math, choice, qa, ifeval or mctaco.

    Parameters
    ----------
    grader
        Of the file's answers.
    file
        JSONL, a JSON array, CSV or parquet: id, prompt, response, and gold, label, finish where
        known. Other programs' names of these are recognised.
    gold
        math: problems with answers; ifeval: its input_data.jsonl; mctaco: its TSV.
    out
        Write the graded answers here, as JSON lines that compare and import read.
    """
    from ..grade.score import score as score_file
    from ..report.progress import progress

    check_outputs({"--out": out}, [file, gold, mapping])
    with progress() as tick:
        columns = _columns(mapping, fields)
        found = score_file(grader, file, gold, columns=columns, out=out, tick=tick)
    for note in found.notes:
        say(note)
    if out is not None:
        say(f"wrote {out}")
    if as_json:
        print_json(found.to_json())
        return
    print(
        f"{found.grader}: {found.n:,} graded lines"
        if not found.unmatched
        else f"{found.grader}: {found.n - len(found.unmatched):,} of {found.n:,} lines have a gold"
    )
    for metric, value in found.metrics.items():
        print(f"  {name(metric):18} {100 * value:6.1f} %")
    if found.label_agreement is not None:
        print(f"  {'label agreement':18} {100 * found.label_agreement:6.1f} %")
    for flag, count in found.flags.items():
        print(f"  {name(flag):18} {count:6,}  flagged")
    if found.unmatched:
        shown = ", ".join(f"'{name(id_)}'" for id_ in found.unmatched[:UNMATCHED_SHOWN])
        more = " ..." if len(found.unmatched) > UNMATCHED_SHOWN else ""
        say(f"  without a gold: {shown}{more}")


def _columns(mapping: Path | None, fields: Sequence[str]) -> dict[str, str]:
    """Our name of a field to the file's: of a --map file, then of --field."""
    from ..core.fieldnames import fields_given
    from ..core.taxonomy import load_taxonomy

    return {**load_taxonomy(mapping).columns, **fields_given(fields)}

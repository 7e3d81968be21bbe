"""Commands that convert or grade files: import, export eee, audit, score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..core.errors import InputError
from ..core.files import check_folder
from ..core.shown import name, sentence
from .outputs import check_outputs
from .shared import (
    Fields,
    Json,
    Mapping_,
    Source,
    UnsafeNoSandbox,
    allow_unconfined_programs,
    app,
    console,
    export_app,
    print_json,
    say,
)

UNMATCHED_SHOWN = 5
ColumnsOf = Annotated[
    Path | None,
    Parameter(name="--map", help="TOML file whose [columns] table names the fields of the input."),
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
    """Convert another harness's results into a run folder, or explain how they would be read.

    Parameters
    ----------
    path
        File or folder of results; FILE::MODEL selects one model of a file that holds several.
    out
        Run folder to write. An existing run of the same model is extended by what it lacks.
    explain
        Write nothing; list the benchmark, group and metric that each task would be read as.
    format
        Format of the results: lm-eval, lighteval, evalscope, opencompass, helm, evalplus,
        qwen-math, inspect, eee, jsonl, json, csv, parquet or one that a plugin adds; auto
        detects it.
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
            raise InputError("--explain writes nothing", remedy="remove --out or --explain")
        _explain(path, format, mapping, columns, as_json=as_json)
        return
    if out is None:
        remedy = "add --out RUN, or preview the import with --explain"
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
        say(f"  {name(task)}: belongs to no group; assign one with --map{also}")
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
    """Export a run folder in the schema of Every Eval Ever.

    Parameters
    ----------
    run
        Run folder or another harness's results.
    out
        Folder in which data/BENCHMARK/DEVELOPER/MODEL/ is created.
    """
    from ..runs.importers.eee_export import export_eee
    from .shared import opened

    check_outputs({"--out": out}, [run])
    with opened([run], mapping=None, source=None) as (opened_run,):
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
    """Flag artefacts in saved answers: truncated, looping, empty, continuing in another role, ...

    Parameters
    ----------
    responses
        JSONL, a JSON array, CSV or parquet with id, prompt, response and, if recorded, finish.
        Field names of other programs are recognised.
    base
        Answers of the base model to the same items; the style and script flags need them.
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
        say(f"  {len(found.unmatched)} ids occur in only one of the files")


@app.command
def score(
    grader: str,
    file: Path,
    *,
    gold: Path | None = None,
    out: Path | None = None,
    mapping: ColumnsOf = None,
    fields: Fields = (),
    unsafe_no_sandbox: UnsafeNoSandbox = False,
    as_json: Json = False,
) -> None:
    """Grade saved responses.

    Parameters
    ----------
    grader
        math, choice, qa, ifeval, mctaco, code, or one that a plugin adds.
    file
        JSONL, a JSON array, CSV or parquet with id, prompt, response and, if known, gold, label
        and finish. Field names of other programs are recognised.
    gold
        File of reference answers: problems with answers for math, input_data.jsonl for ifeval, the
        TSV for mctaco, ids with tests for code.
    out
        Write the graded answers as JSON lines that compare and import can read.
    """
    from ..grade.score import score as score_file
    from ..report.progress import progress

    check_outputs({"--out": out}, [file, gold, mapping])
    if unsafe_no_sandbox:
        allow_unconfined_programs()
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
        else f"{found.grader}: {found.n - len(found.unmatched):,} of {found.n:,} lines have a "
        "reference answer"
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
        say(f"  without a reference answer: {shown}{more}")


def _columns(mapping: Path | None, fields: Sequence[str]) -> dict[str, str]:
    """Field names of the input by our names, from the --map file and then from --field."""
    from ..core.fieldnames import fields_given
    from ..core.taxonomy import load_taxonomy

    return {**load_taxonomy(mapping).columns, **fields_given(fields)}

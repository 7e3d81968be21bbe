"""Commands on results: no model is loaded, no torch needed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from ..core.errors import InputError, TransferscopeError
from .outputs import check_outputs
from .shared import (
    Fields,
    Float,
    Json,
    Mapping_,
    Replicates,
    Seed,
    Source,
    app,
    closed_pipe_allowed,
    console,
    opened,
    print_json,
    say,
    write_texts,
)


@app.command
def published(*own: Path, html: Path | None = None, seed: Seed = 0, as_json: Json = False) -> None:
    """Recompute the index of the paper's models and show it beside the published values.

    Parameters
    ----------
    own
        Runs of a base model and of models tuned from it, on the paper's benchmarks: their rows
        are shown beside the paper's, with intervals.
    html
        Write the figures and tables as one HTML page to this file.
    """
    from ..published import cohort_checks, recompute
    from ..report.own_rows import OwnRow, own_rows

    check_outputs({"--html": html}, [*own])
    cohort, checks = recompute(), cohort_checks()
    rows: list[OwnRow] = []
    if len(own) == 1:
        raise InputError("no tuned run given", remedy="transferscope published BASE TUNED...")
    if own:
        from ..compare import compare_runs

        with opened(own, mapping=None, source=None, tuned=True) as runs:
            rows = own_rows(compare_runs(runs[0], runs[1:], seed=seed))
    if html:
        from ..report.published import render_published

        write_texts({html: render_published(cohort, checks, rows)})
    if as_json:
        beside = {"own": [row.to_json() for row in rows]} if own else {}
        print_json(cohort.to_json() | {"checks": checks.to_json()} | beside)
        return
    from ..report.own_rows import print_own_rows
    from ..report.terminal import print_published

    print_published(cohort, checks, console())
    if own:
        print_own_rows(rows, console())


@app.command
def index(
    scores: Path,
    *,
    scale: Literal["unit", "published", "cohort", "per-model"] | None = None,
    definition: Literal["robust", "linear", "relative"] = "robust",
    source: Source = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compute the Transferability Index from a table of scores.

    Parameters
    ----------
    scores
        CSV with the columns model,base,group,benchmark,score[,n]. Base is empty for base models;
        scores are in percent. If every row has n, the TI gets an unpaired interval.
    scale
        Divisor of the gains, sigma (default: published for the paper's twelve benchmarks, else
        unit).
    definition
        How gains are turned into an index (docs/science.md section 1).
    """
    from ..core.table_index import index_file

    result = index_file(scores, scale=scale, definition=definition, source=source, seed=seed)
    if result.as_fractions:
        say(f"{scores}: no score is above 1, but scores are percent; multiply fractions by 100")
    if as_json:
        print_json(result.to_json())
        return
    from ..report.terminal import print_index

    print_index(result, console())


@app.command
def compare(
    base: Path,
    *tuned: Path,
    html: Path | None = None,
    md: Path | None = None,
    csv: Path | None = None,
    mapping: Mapping_ = None,
    fields: Fields = (),
    source: Source = None,
    seed: Seed = 0,
    replicates: Replicates = 10_000,
    as_json: Json = False,
) -> None:
    """Compare tuned models with their base model.

    Parameters
    ----------
    base
        Run folder or another harness's results of the base model.
    tuned
        Run folders or results of the models tuned from it.
    html
        Write a self-contained HTML report to this file.
    md
        Write Markdown for a pull request to this file.
    csv
        Write a table with one row per model and benchmark to this file.
    """
    from ..compare import compare_runs

    if not tuned:
        raise InputError("no tuned run given", remedy="transferscope compare BASE TUNED...")
    check_outputs({"--html": html, "--md": md, "--csv": csv}, [base, *tuned, mapping])
    with opened([base, *tuned], mapping=mapping, source=source, fields=fields, tuned=True) as runs:
        comparison = compare_runs(runs[0], runs[1:], seed=seed, replicates=replicates)
    if html or md or csv:
        from ..report import ReportInput, render_csv, render_html, render_markdown

        report = ReportInput(title=f"{comparison.base} and its tuned models", comparison=comparison)
        asked = {html: render_html, md: render_markdown, csv: render_csv}
        write_texts({path: render(report) for path, render in asked.items() if path})
    if as_json:
        print_json(comparison.to_json())
        return
    from ..report.terminal import print_comparison

    print_comparison(comparison, console())


@app.command
def rank(
    base: Path,
    *tuned: Path,
    allowed_loss: Annotated[Float, Parameter(validator=Number(gte=0))] = 2.0,
    mapping: Mapping_ = None,
    fields: Fields = (),
    source: Source = None,
    seed: Seed = 0,
    replicates: Replicates = 10_000,
    as_json: Json = False,
) -> None:
    """Rank tuned models by what they kept, then by what they gained, and value a router over them.

    Parameters
    ----------
    base
        Run folder or another harness's results of the base model.
    tuned
        Run folders or results of the models tuned from it.
    allowed_loss
        Points that a group other than the source group may lose.
    """
    from ..compare.rank import rank as rank_runs

    if not tuned:
        raise InputError("no tuned run given", remedy="transferscope rank BASE TUNED...")
    with opened([base, *tuned], mapping=mapping, source=source, fields=fields, tuned=True) as runs:
        ranking = rank_runs(
            runs[0], runs[1:], allowed_loss=allowed_loss, seed=seed, replicates=replicates
        )
    if as_json:
        print_json(ranking.to_json())
        return
    from ..report.ranking_table import print_ranking

    print_ranking(ranking, console())


@app.command
def gate(
    base: Path,
    tuned: Path,
    *,
    policy: Path,
    previous: Path | None = None,
    again: Path | None = None,
    md: Path | None = None,
    junit: Path | None = None,
    mapping: Mapping_ = None,
    fields: Fields = (),
    source: Source = None,
    seed: Seed = 0,
    replicates: Replicates = 10_000,
    as_json: Json = False,
) -> None:
    """Fail a CI build when a model forgot too much.

    The exit code is 0 if no guard dropped beyond its margin, 1 if one did, and 3 if the data can't
    tell.

    Parameters
    ----------
    base
        Run folder of the base model, the fixed reference.
    tuned
        Run folder of the model to judge.
    policy
        TOML that names what is guarded and by how much it may drop (docs/gate.md).
    previous
        Run folder of the previous release, as a second reference.
    again
        Second run of the base, which shows how much noise alone changes.
    md
        Write a comment for a pull request to this file.
    junit
        Write JUnit XML to this file.
    """
    from ..compare.gate import gate as judge
    from ..compare.policy import load_policy
    from ..report.gate_report import print_gate, render_gate_markdown, render_junit

    check_outputs({"--md": md, "--junit": junit}, [base, tuned, policy, previous, again, mapping])
    extra = {name: path for name, path in (("previous", previous), ("again", again)) if path}
    try:
        rules = load_policy(policy)
        paths = [base, tuned, *extra.values()]
        with opened(paths, mapping=mapping, source=source, fields=fields) as runs:
            more = dict(zip(extra, runs[2:], strict=True))
            result = judge(runs[0], runs[1], rules, **more, seed=seed, replicates=replicates)
        asked = {md: render_gate_markdown, junit: render_junit}
        write_texts({path: render(result) for path, render in asked.items() if path})
    except TransferscopeError as err:
        write_not_judged((md, junit), str(err))
        raise
    except Exception as err:  # whatever went wrong, the files that CI shows must say so
        write_not_judged((md, junit), f"{type(err).__name__}: {err}")
        raise
    with closed_pipe_allowed():
        if as_json:
            print_json(result.to_json())
        else:
            print_gate(result, console())
    sys.exit(result.exit_code)


def asked_files(arguments: Sequence[str]) -> tuple[Path | None, Path | None]:
    """Paths of --md and --junit in a command line that could not be parsed.

    Neither is returned if writing it could overwrite another argument's file.
    """
    found: dict[str, Path] = {}
    others: list[Path] = []
    for at, argument in enumerate(arguments[1:], start=1):
        option, equals, value = argument.partition("=")
        if option in ("--md", "--junit"):
            following = arguments[at + 1 : at + 2]
            value = value if equals else "".join(following)
            if value and not value.startswith("-"):
                found[option] = Path(value)
        elif arguments[at - 1] not in ("--md", "--junit"):
            others.append(Path(value if equals else argument))
    with suppress(InputError):  # what may be an input is never overwritten
        check_outputs(found, others)
        return found.get("--md"), found.get("--junit")
    return None, None


def write_not_judged(files: tuple[Path | None, Path | None], reason: str) -> None:
    """Write Markdown and JUnit XML for a gate that ends with exit code 2, so that CI shows why.

    A file that can't be written is skipped: the error at hand is the one to report.
    """
    from ..report.gate_report import render_failure_junit, render_failure_markdown

    for path, render in zip(files, (render_failure_markdown, render_failure_junit), strict=True):
        if path is not None:
            with suppress(TransferscopeError, OSError, ValueError):
                write_texts({path: render(reason)})


@app.command
def plan(*, effect: Float, discordance: Float, as_json: Json = False) -> None:
    """Compute how many items are needed to detect a change (80 % power, two-sided level 0.05).

    Parameters
    ----------
    effect
        Change to detect, in points.
    discordance
        Share of items (0 to 1) that one model answers correctly and the other does not.
    """
    from ..compare.sample_size import plan as plan_items

    planned = plan_items(effect, discordance)
    if as_json:
        print_json(planned.to_json())
        return
    said = f"{planned.n:,} paired items show a change of {effect:g} points with 80 % power"
    print(f"{said} where {100 * discordance:g} % of the answers flip")
    if planned.comment:
        print(planned.comment)

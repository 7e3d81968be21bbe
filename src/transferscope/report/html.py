"""Render the report as one HTML file that works offline under a strict content security policy.

The chart library is one committed bundle (``static/README.md`` describes how it was built). The
policy lists the hashes of the two inline scripts, and no other script may run. Vega's expression
interpreter draws the charts, so the page needs no ``eval``. All text from outside passes through
:mod:`.escaping` and Jinja's autoescape.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from . import (
    figures,
    overview,
    parts,
    pass_rate_rows,
    probe_figures,
    robustness_rows,
    study_grids,
    views,
    words,
)
from .chart_data import TONES, model_mark, tone_of
from .differences import together
from .escaping import name, script_json, visible
from .figures import MANY
from .model_names import common_start, model_labels, report_with_short_names
from .provenance_rows import provenance_rows
from .static_svg import mark_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from ..documents.comparison import Comparison
    from .figures import Figure
    from .report_input import ReportInput
    from .views import Grid


def render_html(report: ReportInput) -> str:
    """Return the report as one HTML document. The same input always gives the same text."""
    return render_page("report.html.j2", **_context(_ready(report)))


def _ready(report: ReportInput) -> ReportInput:
    """Shorten the models' names and, if there are many, sort them by retention, highest first."""
    report = report_with_short_names(report)
    if len(report.comparison.tuned) > MANY:
        return replace(report, comparison=overview.by_retention(report.comparison))
    return report


def render_page(template: str, **context: Any) -> str:
    """Render a template with the style sheet, both scripts and a policy that allows only these."""
    bundle, page = _static("vega-bundle.js"), _static("page.js")
    policy = content_policy([bundle, page])
    shared = {"css": _static("page.css"), "bundle": bundle, "page": page, "policy": policy}
    return _environment().get_template(template).render(**context, **shared)


def content_policy(scripts: list[str]) -> str:
    """Return a policy that only allows these inline scripts and loads nothing."""
    hashes = " ".join(f"'{script_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def script_hash(script: str) -> str:
    """Return a script's hash in the form of a content security policy, ``sha256-...``."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _context(report: ReportInput) -> dict[str, Any]:
    comparison = report.comparison
    labels = model_labels([t.model for t in comparison.tuned])
    many = len(labels) > MANY
    extra = [*report.hidden, *report.tokens, *report.training]
    every = labels + [n for m in dict.fromkeys(extra) if (n := name(m)) not in labels]
    arms = list(dict.fromkeys(name(arm) for arm in report.arms.values()))
    # Runs of a study share the mark of their arm; any other model has its own.
    arm_of = {name(run): name(arm) for run, arm in report.arms.items()}
    by_arm = bool(report.arm_means) and set(every) <= arm_of.keys() and len(arms) < len(every)
    places = [arms.index(arm_of[m]) for m in every] if by_arm else range(len(every))
    marks = [model_mark(place) for place in places]

    def told(figure: Figure | None) -> Figure | None:
        if figure is None or not by_arm or figure.marks:
            return figure
        return replace(figure, marks=tuple(marks))

    arm_entries = [(arm, model_mark(at)) for at, arm in enumerate(arms)]
    legend_entries = arm_entries if by_arm else list(zip(every, marks, strict=True))
    if len(every) == 1:
        legend_entries = []
    tones = [(words.STANDING_WORDS[tone], TONES[tone]) for tone in ("gain", "loss", "open")]
    models = views.model_views(comparison, labels, marks[: len(labels)])
    prefixes = {shift.prefix for shift in report.tokens.values()}
    deltas = figures.benchmark_deltas(comparison)
    curves = figures.training_curves(report.training, every)
    more_tokens = (
        probe_figures.benchmark_bars(probe_figures.kl_by_benchmark(report.tokens), every),
        probe_figures.position_curve({m: s.curve for m, s in report.tokens.items()}, every),
    )
    targets = [g for g in comparison.groups if g != comparison.source]
    return {
        "report": report,
        "comparison": comparison,
        "models": models,
        "overview": overview.overview_rows(comparison, labels, [m.headline for m in models]),
        "matrix": overview.change_matrix(comparison, labels) if many else [],
        "legend_entries": legend_entries,
        "shared_start": common_start(labels) if many else "",
        "plane_legend": tones if many else legend_entries,
        "source": words.group_name(comparison.source),
        "label": words.index_label(comparison.suite),
        "coverage": words.COVERAGE,
        "index_note": words.index_note(comparison.suite),
        "measures": words.MEASURES,
        "parts_measure": parts.MEASURE,
        "plane": told(figures.plane(comparison)),
        "groups": [told(figure) for figure in figures.group_bars(comparison)],
        "deltas": [told(figure) for figure in deltas],
        "layers": told(figures.layer_profile(report.hidden, every)),
        "divergences": told(figures.token_bars(report.tokens, every)),
        "curves": [told(figure) for figure in curves],
        "robust": [
            (robustness_rows.sentences(result, comparison), robustness_rows.left_out_grid(result))
            for result in comparison.tuned
        ],
        "sampled": [
            (pass_rate_rows.narrowing(result), pass_rate_rows.pass_rate_grid(result))
            for result in comparison.tuned
        ]
        if any(result.pass_rates for result in comparison.tuned)
        else [],
        "pass_rates_measure": pass_rate_rows.MEASURE,
        "curves_of": _specifications(comparison, targets),
        "hidden": views.hidden_grid(report.hidden) if report.hidden else None,
        "tokens": views.token_grid(report.tokens, [s.prefix for s in report.tokens.values()])
        if report.tokens
        else None,
        "shifted": views.shifted_grids(report.tokens),
        "prefixes": sorted(prefixes),
        "more_hidden": told(probe_figures.pca_scatter(report.hidden, every)),
        "more_tokens": [told(figure) for figure in more_tokens if figure],
        "arm_means": study_grids.arm_grid(report.arm_means, comparison.source)
        if report.arm_means
        else None,
        "many": many,
        "claims": study_grids.claim_grid(report.claims) if report.claims else None,
        "frontier": probe_figures.frontier_scatter(_points(report), arms),
        "arms": arm_entries,
        "dynamics": views.dynamics_grid(report.dynamics) if report.dynamics else None,
        "weights": views.weight_grid(report.weights) if report.weights else None,
        "predictors": views.predictor_grid(report.predictors) if report.predictors else None,
        "costs": views.cost_grid(report.costs) if report.costs else None,
        "provenance": provenance_rows(comparison.provenance),
    }


def _specifications(comparison: Comparison, targets: Sequence[str]) -> list[Grid]:
    """The specification curve as one table, or as two if there are too many models for columns."""
    curve = comparison.specifications
    if curve is None:
        return []
    if len(curve.range) <= robustness_rows.WIDE:
        return [robustness_rows.curve_grid(curve, targets)]
    return [
        robustness_rows.range_grid(curve, targets, [t.model for t in comparison.tuned]),
        robustness_rows.curve_grid(curve, targets, values=False),
    ]


def _points(report: ReportInput) -> list[tuple[str, str, float, float]]:
    """Name, arm, gain and retention of every model of a study for which both are defined."""
    source = report.comparison.source
    return [
        (
            result.model,
            report.arms[result.model],
            result.plane[source].gain,
            result.retention.gain,
        )
        for result in report.comparison.tuned
        if result.model in report.arms and source in result.plane and result.retention is not None
    ]


@cache
def _static(file: str) -> str:
    text = (files(__package__) / "static" / file).read_text(encoding="utf-8")
    # A closing tag in the text would end the surrounding script or style element early.
    if "</script" in text.lower() or "</style" in text.lower():
        raise ValueError(f"{file} contains a closing script or style tag")
    return text.replace("\r\n", "\n")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("transferscope.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "data": lambda value: Markup(script_json(value)),
        "group": words.group_name,
        "interval": words.interval,
        "count": words.count,
        "line": name,
        "mark": lambda mark: Markup(mark_svg(mark)),
        "mde": words.mde,
        "number": words.number,
        "p": words.p_value,
        "raw": Markup,
        "signed": words.signed,
        "together": together,
        "tone": tone_of,
        "visible": visible,
    }
    environment.globals |= {
        "artefact_grid": parts.artefact_grid,
        "index_value": words.index_value,
        "limits": words.limits,
        "standing_cell": parts.standing_cell,
    }
    return environment

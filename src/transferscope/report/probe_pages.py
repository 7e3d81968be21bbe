"""Write the output of ``probe hidden`` and ``probe tokens``: a JSON file and a page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.files import make_folder, write_atomically, write_json
from . import figures, probe_figures, views, words
from .chart_data import model_mark
from .cloud import word_cloud
from .escaping import name, visible
from .html import render_page

if TYPE_CHECKING:
    from ..core.hidden_shift import HiddenPart, HiddenShift
    from ..core.passages import Passage
    from ..core.token_shift import TokenShift

JS_LEVELS = (0.01, 0.03, 0.1, 0.2, 0.4)
"""Thresholds in nats of the levels in which a token is coloured; JS is at most 0.69."""
ALL = "all texts"


@dataclass(frozen=True, slots=True)
class Piece:
    """A token of a passage: its text, its colour's level (0: no colour) and its JS."""

    text: str
    level: int
    js: str


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage ready for display."""

    heading: str
    pieces: tuple[Piece, ...]


def passage_views(passages: Sequence[Passage]) -> list[PassageView]:
    """Prepare the most shifted passages for display, token by token."""
    return [
        PassageView(
            heading=f"{name(p.benchmark) + ', ' if p.benchmark else ''}text {p.text + 1} "
            f"from token {p.start + 1}: mean JS {views.digits(p.mean_js)}",
            pieces=tuple(
                Piece(visible(text), sum(js >= level for level in JS_LEVELS), views.digits(js))
                for text, js in p.tokens
            ),
        )
        for p in passages
    ]


def write_hidden(out: Path, shift: HiddenShift, *, base: str, tuned: str) -> list[Path]:
    """Write ``shift.json`` and ``report.html`` of a hidden-state probe; return their paths."""
    parts = {ALL: shift} | _defined(shift.groups)
    labels = [name(label) for label in parts]
    html = render_page(
        "probe.html.j2",
        title=f"Hidden states: {name(tuned)} against {name(base)}",
        intro=words.MEASURES["hidden"],
        legends=[(label, model_mark(at)) for at, label in enumerate(labels)],
        charts=[
            figure
            for figure in (
                figures.layer_profile(parts, labels),
                probe_figures.pca_scatter(parts, labels),
            )
            if figure
        ],
        grids=[
            ("Summary over all layers", _of_texts(views.hidden_grid(parts))),
            *_if_any("By benchmark", _of_texts(views.hidden_grid(_defined(shift.benchmarks)))),
            ("Layer by layer, all texts", views.layer_grid(shift.layers)),
        ],
        folded=[
            (f"Layer by layer, {name(label)}", views.layer_grid(part.layers))
            for label, part in parts.items()
            if label != ALL
        ],
        cloud=None,
        passages=[],
        small=words.MEASURES["distances"]
        + _undefined(parts)
        + _averaged(parts)
        + _skipped(shift, "texts"),
    )
    return _written(out, shift, html)


def write_tokens(out: Path, shift: TokenShift, *, base: str, tuned: str) -> list[Path]:
    """Write ``shift.json``, ``report.html`` and, if possible, ``words.png``; return their paths.

    If no new ``words.png`` can be drawn, an older one is deleted: its tokens would be outdated.
    """
    measures = {
        "KL(tuned ‖ base)": "kl_tuned_base",
        "KL(base ‖ tuned)": "kl_base_tuned",
        "Jensen–Shannon": "js",
    }
    parts = {ALL: shift, **shift.benchmarks}
    by_measure = {
        label: {part: getattr(means, key) for part, means in parts.items()}
        for label, key in measures.items()
    }
    title = "How far the next-token probabilities moved"
    bars = probe_figures.benchmark_bars(by_measure, list(measures), title=title)
    cloud = word_cloud(shift.shifted_tokens)
    html = render_page(
        "probe.html.j2",
        title=f"Token distributions: {name(tuned)} against {name(base)}",
        intro=words.MEASURES["tokens"] + _written_by(shift),
        legends=[(label, model_mark(at)) for at, label in enumerate(measures)],
        charts=[
            figure
            for figure in (bars, probe_figures.position_curve({ALL: shift.curve}, [ALL]))
            if figure
        ],
        grids=[
            ("Values", _of_texts(views.token_grid(parts, [shift.prefix] * len(parts)))),
            *(
                (f"Shifted tokens: {kind}", views.shifted_grid(shift.shifted_tokens, kind=kind))
                for kind in ("logical", "content")
            ),
        ],
        folded=[],
        cloud=None if cloud is None else base64.b64encode(cloud).decode(),
        passages=passage_views(shift.passages),
        small=words.MEASURES["shifted"] + _skipped(shift, "responses") + _infinite(shift),
    )
    written, picture = _written(out, shift, html), out / "words.png"
    if cloud is None:
        picture.unlink(missing_ok=True)
        return written
    write_atomically(picture, cloud)
    return [*written, picture]


def _written_by(shift: TokenShift) -> str:
    """Which model wrote the responses."""
    said = f"written by {name(shift.writer)}" if shift.writer else "from a file"
    return f" The responses are {said} (prefix: {name(shift.prefix)})."


def _skipped(shift: HiddenShift | TokenShift, what: str) -> str:
    """How many empty texts were left out of all values."""
    return f" Empty {what} skipped: {views.digits(shift.n_skipped)}."


def _infinite(shift: TokenShift) -> str:
    count = shift.n_infinite
    return f" n_infinite: {views.digits(count)}. {words.INFINITE}" if count else ""


def _undefined(parts: Mapping[str, HiddenPart]) -> str:
    """Why distances are undefined, for every part without them."""
    reasons: dict[str, list[str]] = {}
    for label, part in parts.items():
        if why := part.undefined_reason:
            reasons.setdefault(name(why), []).append(name(label))
    return "".join(
        f" Distances of {', '.join(labels)} are undefined: {why}."
        for why, labels in reasons.items()
    )


def _averaged(parts: Mapping[str, HiddenPart]) -> str:
    """The number of layers that distances are averaged over, if it is not all of them."""
    few = [
        f"{name(label)} {part.n_layers_averaged} of {len(part.layers)}"
        for label, part in parts.items()
        if 0 < part.n_layers_averaged < len(part.layers)
    ]
    return f" Layers averaged in the distances: {', '.join(few)}. {words.NO_AXIS}" * bool(few)


def _defined(parts: Mapping[str, HiddenPart | None]) -> dict[str, HiddenPart]:
    """Spell out group names (``non`` is "non-reasoning") and drop parts with too few texts."""
    return {words.group_name(key): part for key, part in parts.items() if part}


def _of_texts(grid: views.Grid) -> views.Grid:
    """Rename the first column: rows are groups of texts here, not models."""
    return replace(grid, head=("texts of", *grid.head[1:]))


def _if_any(title: str, grid: views.Grid) -> list[tuple[str, views.Grid]]:
    return [(title, grid)] if grid.rows else []


def _written(out: Path, shift: HiddenShift | TokenShift, html: str) -> list[Path]:
    make_folder(out)
    write_json(out / "shift.json", shift.to_json())
    write_atomically(out / "report.html", html)
    return [out / "shift.json", out / "report.html"]

"""What ``probe hidden`` and ``probe tokens`` leave in a folder: the numbers, and one page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..core.files import make_folder, write_atomically, write_json
from . import figures, probe_figures, views, words
from .chart_data import model_mark
from .cloud import word_cloud
from .escaping import name, visible
from .html import render_page

JS_LEVELS = (0.01, 0.03, 0.1, 0.2, 0.4)
"""Nats from which a token is coloured, and coloured more strongly; the largest JS is 0.69."""
ALL = "all texts"


@dataclass(frozen=True, slots=True)
class Piece:
    """A token of a passage: its text, how strongly to colour it (0: not at all), its JS."""

    text: str
    level: int
    js: str


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage ready to show."""

    heading: str
    pieces: tuple[Piece, ...]


def passage_views(passages: Sequence[Mapping[str, Any]]) -> list[PassageView]:
    """The most shifted passages, token by token."""
    return [
        PassageView(
            heading=f"{name(p['benchmark']) + ', ' if p['benchmark'] else ''}text {p['text'] + 1} "
            f"from token {p['start'] + 1}: mean JS {views.digits(float(p['mean_js']))}",
            pieces=tuple(
                Piece(visible(text), sum(js >= level for level in JS_LEVELS), views.digits(js))
                for text, js in p["tokens"]
            ),
        )
        for p in passages
    ]


def write_hidden(out: Path, document: Mapping[str, Any], *, base: str, tuned: str) -> list[Path]:
    """``shift.json`` and ``report.html`` of a hidden probe; returns both."""
    parts = _parts(document)
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
            ("Over all layers", _of_texts(views.hidden_grid(parts))),
            *_if_any(
                "By benchmark", _of_texts(views.hidden_grid(_defined(document.get("benchmarks"))))
            ),
            ("Layer by layer, all texts", views.layer_grid(document["layers"])),
        ],
        folded=[
            (f"Layer by layer, {name(label)}", views.layer_grid(part["layers"]))
            for label, part in parts.items()
            if label != ALL
        ],
        cloud=None,
        passages=[],
        small=words.MEASURES["distances"]
        + _undefined(parts)
        + _averaged(parts)
        + _skipped(document, "texts"),
    )
    return _written(out, document, html)


def write_tokens(out: Path, document: Mapping[str, Any], *, base: str, tuned: str) -> list[Path]:
    """``shift.json``, ``report.html`` and, where it can be drawn, ``words.png``; returns all.

    An older ``words.png`` goes: it would show other tokens than the page beside it.
    """
    measures = {
        "KL(tuned ‖ base)": "kl_tuned_base",
        "KL(base ‖ tuned)": "kl_base_tuned",
        "Jensen–Shannon": "js",
    }
    parts = {ALL: document} | dict(document.get("benchmarks") or {})
    by_measure = {
        label: {
            "benchmarks": {k: {"kl_tuned_base": part[key]} for k, part in parts.items()},
        }
        for label, key in measures.items()
    }
    title = "How far the next-token probabilities moved"
    bars = probe_figures.benchmark_bars(by_measure, list(measures), title=title)
    cloud = word_cloud(document["shifted_tokens"])
    shifted = document["shifted_tokens"]
    html = render_page(
        "probe.html.j2",
        title=f"Token distributions: {name(tuned)} against {name(base)}",
        intro=words.MEASURES["tokens"] + _written_by(document),
        legends=[(label, model_mark(at)) for at, label in enumerate(measures)],
        charts=[
            figure
            for figure in (bars, probe_figures.position_curve({ALL: document}, [ALL]))
            if figure
        ],
        grids=[
            ("In numbers", _of_texts(views.token_grid(_with_prefix(parts, document["prefix"])))),
            *(
                (f"Shifted tokens: {kind}", views.shifted_grid(shifted, kind=kind))
                for kind in ("logical", "content")
            ),
        ],
        folded=[],
        cloud=None if cloud is None else base64.b64encode(cloud).decode(),
        passages=passage_views(document["passages"]),
        small=words.MEASURES["shifted"] + _skipped(document, "responses") + _infinite(document),
    )
    written, picture = _written(out, document, html), out / "words.png"
    if cloud is None:
        picture.unlink(missing_ok=True)
        return written
    write_atomically(picture, cloud)
    return [*written, picture]


def _parts(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {ALL: document} | _defined(document.get("groups"))


def _written_by(document: Mapping[str, Any]) -> str:
    """Along whose answers the probe went."""
    writer, prefix = document.get("writer"), document["prefix"]
    said = f"written by {name(writer)}" if writer else "from a file"
    return f" The responses are {said} (prefix: {name(prefix)})."


def _skipped(document: Mapping[str, Any], what: str) -> str:
    """How many empty ones are in no number."""
    return f" Empty {what} that were skipped: {views.digits(document.get('n_skipped'))}."


def _infinite(document: Mapping[str, Any]) -> str:
    count = document.get("n_infinite")
    return f" n_infinite: {views.digits(count)}. {words.INFINITE}" if count else ""


def _undefined(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Why distances are missing, for all parts that lack them."""
    reasons: dict[str, list[str]] = {}
    for label, part in parts.items():
        if why := part.get("undefined_reason"):
            reasons.setdefault(name(why), []).append(name(label))
    return "".join(
        f" Distances of {', '.join(labels)} are undefined: {why}."
        for why, labels in reasons.items()
    )


def _averaged(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """How many layers the distances are means of, where it is not all of them."""
    few = [
        f"{name(label)} {part['n_layers_averaged']} of {len(part['layers'])}"
        for label, part in parts.items()
        if 0 < part["n_layers_averaged"] < len(part["layers"])
    ]
    return f" Layers that the distances are means of: {', '.join(few)}. {words.NO_AXIS}" * bool(few)


def _defined(parts: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """Groups are words (``non`` reads "non-reasoning"); parts with too few texts are left out."""
    return {words.group_name(key): part for key, part in (parts or {}).items() if part}


def _with_prefix(parts: Mapping[str, Any], prefix: str) -> dict[str, Mapping[str, Any]]:
    return {key: {**part, "prefix": prefix} for key, part in parts.items()}


def _of_texts(grid: views.Grid) -> views.Grid:
    """Rows are parts of the texts here, not models."""
    return replace(grid, head=("texts of", *grid.head[1:]))


def _if_any(title: str, grid: views.Grid) -> list[tuple[str, views.Grid]]:
    return [(title, grid)] if grid.rows else []


def _written(out: Path, document: Mapping[str, Any], html: str) -> list[Path]:
    make_folder(out)
    write_json(out / "shift.json", dict(document))
    write_atomically(out / "report.html", html)
    return [out / "shift.json", out / "report.html"]

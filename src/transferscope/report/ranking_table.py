"""A ranking in the terminal: the order, contrasts between neighbours, the router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import words
from .escaping import name, sentence
from .verdict import missing, not_judged

if TYPE_CHECKING:
    from rich.console import Console

    from ..documents.ranking import Contrast, Placement, RankedModel, Ranking, Router


FEWEST = 5
"""Minimum number of independent items per benchmark for the router: its number of folds."""


def print_ranking(ranking: Ranking, console: Console) -> None:
    """Print the runs' differences, the order as a table, and sentences, in 80 columns."""
    from rich.text import Text

    from .fitted_table import plain_table
    from .terminal import print_differences

    print_differences(ranking.differences, console)
    source = words.group_name(ranking.source)
    table = plain_table(f"Sorted by what was kept, then by gain on {source} (points)")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold")
    for head in ("gain", "95 % interval", "retention", "95 % interval"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("kept", no_wrap=True)
    table.add_column("front", no_wrap=True)
    for place, row in enumerate(ranking.order, start=1):
        cells = [str(place), name(row.model), *_cells(row.gain, row.gain_ci)]
        cells += _cells(row.retention, row.retention_ci)
        table.add_row(*map(Text, [*cells, row.kept, "yes" if row.pareto else ""]))
    console.print(table)
    for text in sentences(ranking):
        console.print(Text(sentence(text)), highlight=False)


def sentences(ranking: Ranking) -> list[str]:
    """Explains the table's terms, then contrasts neighbours and evaluates the router."""
    floor = words.number(-ranking.allowed_loss)
    out = [
        f"kept: the lower 95 % bound of every group but the source is above {floor} points; lost: "
        "the upper bound of one of them is below it; open: neither is shown, or a benchmark of the "
        "base was not judged. front: no other model is at least as good at both gain and retention "
        "and better at one."
    ]
    for row in ranking.order:
        if said := _decided(row):
            out.append(f"{name(row.model)}: {said}.")
    out += [_contrast(contrast) for contrast in ranking.contrasts]
    out += [_placement(name(row.model), row.placement) for row in ranking.order if row.placement]
    out.append(_router(ranking.router))
    costs = [(ranking.base, ranking.base_tokens)]
    costs += [(row.model, row.tokens) for row in ranking.order]
    known = [f"{name(model)} {tokens:.0f}" for model, tokens in costs if tokens is not None]
    if known:
        out.append(f"Tokens per answer: {', '.join(known)}.")
    return out


def _decided(row: RankedModel) -> str:
    """The deciding group and what caused its change, or why a model with kept groups is open.

    Empty if everything is kept and judged.
    """
    missed = "; ".join(filter(None, (not_judged(row), missing(row))))
    if row.kept == "kept" or not row.worst:
        return f"{row.kept}, because {missed}" if missed else ""
    said = f"{row.kept} on {words.group_name(row.worst)}"
    if row.because:
        said += f" ({row.because})"
    return f"{said}; {missed}" if missed else said


def _cells(change: float | None, ci: tuple[float, float]) -> list[str]:
    return ["", ""] if change is None else [words.signed(change), words.interval(ci)]


def _contrast(contrast: Contrast) -> str:
    said = []
    for what, point in (("gain", contrast.gain), ("retention", contrast.retention)):
        if point is not None:
            told = "" if point.standing in ("gain", "loss") else ", no difference established"
            around = words.interval(point.ci)
            said.append(f"{what} {words.signed(point.gain)} ({around}{told})")
    return f"{name(contrast.first)} against {name(contrast.second)}: {'; '.join(said)}."


def _placement(model: str, place: Placement) -> str:
    text = (
        f"{model} among the paper's models: rank {place.gain} of {place.of} by gain, "
        f"rank {place.retention} of {place.of} by retention."
    )
    for kin in place.same_base:
        text += (
            f" Compared with {kin.model} ({kin.method}, same base): gain {words.signed(kin.gain)}, "
            f"retention {words.signed(kin.retention)}, no interval."
        )
    return text


def _router(router: Router | None) -> str:
    if router is None:
        return (
            "Router: not estimated. It needs a benchmark with item-level answers of all models and "
            f"at least {FEWEST} independent items."
        )
    told = {
        "gain": "a router would gain",
        "loss": "a router would lose",
        "open": "no gain from a router is established",
    }[words.interval_standing(router.ci)]
    text = (
        f"Router (sends each benchmark to the best model for it, cross-fitted over items): "
        f"{words.number(router.score)} %, against {words.number(router.single)} % for the best "
        f"single model, {words.signed(router.gain)} points ({words.interval(router.ci)}): {told}."
    )
    if router.left_out:
        text += f" Left out: {', '.join(map(name, router.left_out))}."
    return text

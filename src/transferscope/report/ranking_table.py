"""A ranking for the terminal: order, what tells neighbours apart, the router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import words
from .escaping import name, sentence
from .verdict import missing, not_judged

if TYPE_CHECKING:
    from rich.console import Console

    from ..documents.ranking import Contrast, Placement, RankedModel, Ranking, Router


FEWEST = 5
"""Independent items that the router needs of a benchmark: its folds."""


def print_ranking(ranking: Ranking, console: Console) -> None:
    """What differs between the runs, the order as a table, then sentences; all fits 80 columns."""
    from rich.text import Text

    from .fitted_table import plain_table
    from .terminal import print_differences

    print_differences(ranking.differences, console)
    source = words.group_name(ranking.source)
    table = plain_table(f"What they kept first, then the gain on {source} (points)")
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
    """What the table's words mean, and what tells neighbours and router apart."""
    floor = words.number(-ranking.allowed_loss)
    out = [
        f"kept: every other group's lower 95 % bound lies above {floor} points; lost: one's upper "
        "bound lies below it; open: neither is shown, or a benchmark of the base was not "
        "judged. front: no other model is as good at both."
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
        out.append(f"Tokens an answer: {', '.join(known)}.")
    return out


def _decided(row: RankedModel) -> str:
    """The group that decides and what made its change; why a model is open whose groups are kept.

    Empty where all is kept and judged.
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
        f"{model} among the paper's models: {place.gain} of {place.of} by gain, "
        f"{place.retention} of {place.of} by retention."
    )
    for kin in place.same_base:
        text += (
            f" Against {kin.model} ({kin.method}, same base): gain {words.signed(kin.gain)}, "
            f"retention {words.signed(kin.retention)}, no interval."
        )
    return text


def _router(router: Router | None) -> str:
    if router is None:
        return (
            "Router: not estimated; it needs a benchmark that all models answered item by item, "
            f"with at least {FEWEST} independent items."
        )
    told = {
        "gain": "a router would gain",
        "loss": "a router would lose",
        "open": "no gain by a router is established",
    }[words.interval_standing(router.ci)]
    text = (
        f"Router (each benchmark to the model that does it best, cross-fitted over items): "
        f"{words.number(router.score)} % against {words.number(router.single)} % for the best "
        f"single model, {words.signed(router.gain)} ({words.interval(router.ci)}): {told}."
    )
    if router.left_out:
        text += f" Without {', '.join(map(name, router.left_out))}."
    return text

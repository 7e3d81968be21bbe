"""``probe weights`` in the terminal: total, by kind, by layer; then what could not be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import words
from .escaping import name
from .views import digits

if TYPE_CHECKING:
    from rich.console import Console

    from ..core.weight_shift import WeightShift, WeightsPart

LISTED = 5
"""Number of tensors that only one model has whose names are shown."""


def print_weights(shift: WeightShift, console: Console) -> None:
    """Print one table of 80 columns, and a line for everything that was left out."""
    from rich.text import Text

    from .fitted_table import plain_table

    table = plain_table("Changes of the weights")
    table.add_column("", overflow="fold")
    for head in ("entries", "changed %", "as bf16 %", "rel. norm", "stable rank"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_row(*map(Text, ("all", *_cells(shift))), end_section=True)
    for at, part in enumerate(shift.kinds):
        last = at == len(shift.kinds) - 1
        table.add_row(*map(Text, (name(part.kind), *_cells(part))), end_section=last)
    for block in shift.layers:
        label = "outside the layers" if block.layer is None else f"layer {block.layer}"
        table.add_row(*map(Text, (label, *_cells(block))))
    console.print(table)
    for what, names in (
        ("only in the base", shift.only_base),
        ("only in the tuned model", shift.only_tuned),
        ("compared on their common rows", shift.resized),
    ):
        if names:
            listed = ", ".join(map(name, names[:LISTED]))
            more = "" if len(names) <= LISTED else f" and {len(names) - LISTED} more"
            console.print(Text(f"{what}: {listed}{more}"))
    note = "changed: by more than 1e-5; as bf16: unequal when both are stored in bfloat16."
    console.print(Text(note, style="dim"))


def _cells(part: WeightsPart) -> tuple[str, ...]:
    return (
        f"{part.entries:,}",
        words.number(100 * part.changed_share, 2),
        words.number(100 * part.changed_bf16_share, 2),
        "n/a" if part.relative_norm is None else f"{part.relative_norm:.2e}",
        digits(part.stable_rank),
    )

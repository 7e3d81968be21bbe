"""Parquet export of the token probe: one row per measured position."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..core.errors import MissingExtra
from ..core.files import write_filled
from ..core.labels import Labels
from ..core.position_shifts import PositionShifts


def write_positions(
    path: Path, positions: PositionShifts, labels: Labels, decode: Callable[[int], str]
) -> None:
    """Write text, benchmark, position (from 0), token, token_id and the measurements in nats.

    Ranks count from 1, ``lost_mass`` is a probability. Raises :class:`MissingExtra` without
    pyarrow.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("probe", needed_for="writing Parquet") from None
    columns = {
        "text": positions.text_N,
        "benchmark": pyarrow.array(
            [labels.of_text(text) for text in positions.text_N.tolist()]
        ).dictionary_encode(),
        "position": positions.place_N,
        "token": pyarrow.array(
            [decode(token) for token in positions.token_N.tolist()]
        ).dictionary_encode(),
        "token_id": positions.token_N,
        "kl_tuned_base": positions.kl_tuned_base_N,
        "kl_base_tuned": positions.kl_base_tuned_N,
        "js": positions.js_N,
        "entropy_base": positions.entropy_base_N,
        "entropy_tuned": positions.entropy_tuned_N,
        "log_ratio": positions.log_ratio_N,
        "rank_base": positions.rank_base_N,
        "rank_tuned": positions.rank_tuned_N,
        "lost_mass": positions.lost_mass_N,
    }
    table = pyarrow.table(columns)
    write_filled(path, lambda file: parquet.write_table(table, file, compression="zstd"))

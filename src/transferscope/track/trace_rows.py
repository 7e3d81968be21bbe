"""Rows of ``trace.jsonl``: gains, index and KL against the base, one row per measured step."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..compare import TunedResult
from ..core.errors import InputError
from ..core.files import read_json_lines, write_atomically
from ..core.token_shift import TokenShift
from .looks import JointBounds

FILE = "trace.jsonl"
REMEDY = "choose another out, or remove the file and measure again"
PREFIX = "transfer/"
"""Prefix of a row's metrics in a training log."""


@dataclass(frozen=True, slots=True)
class Row:
    """One step compared with step 0 or the base, in points with 95 % intervals over items.

    ``gain`` and ``ci`` are by group, ``retention`` is over all groups but the source, and ``ti`` is
    the linear index by target group (``None``: undefined). ``kl`` is KL(tuned || base) and
    ``kl_base`` is KL(base || tuned), both in nats on the base's own answers; ``None`` if not
    measured or infinite.

    ``ci`` and ``retention_ci`` hold for this step alone. The other fields hold over all steps
    together (:class:`~transferscope.track.looks.JointBounds`): this was ``look`` 1, 2, ... of
    ``looks`` planned ones, ``bound`` and ``retention_bound`` are the intervals, and each target
    group's true change fell below ``lowest`` at this or an earlier step. They are ``None`` in files
    written before these fields existed.
    """

    step: int
    gain: Mapping[str, float]
    ci: Mapping[str, tuple[float, float]]
    retention: float | None
    retention_ci: tuple[float, float] | None
    ti: Mapping[str, float | None]
    kl: float | None = None
    kl_base: float | None = None
    look: int | None = None
    looks: int | None = None
    bound: Mapping[str, tuple[float, float]] | None = None
    retention_bound: tuple[float, float] | None = None
    lowest: Mapping[str, float] | None = None

    def metrics(self) -> dict[str, float]:
        """Return flat metrics for a training log: ``transfer/gain/math``, ``transfer/kl``, ..."""
        named = {f"gain/{group}": value for group, value in self.gain.items()}
        named |= {f"gain_low/{group}": ci[0] for group, ci in self.ci.items()}
        for group, (low, high) in (self.bound or {}).items():
            named |= {f"bound_low/{group}": low, f"bound_high/{group}": high}
        named |= {f"lowest/{group}": value for group, value in (self.lowest or {}).items()}
        named |= {f"ti/{group}": value for group, value in self.ti.items() if value is not None}
        single = {"retention": self.retention, "kl": self.kl, "kl_base": self.kl_base}
        named |= {name: value for name, value in single.items() if value is not None}
        return {f"{PREFIX}{name}": v for name, v in named.items() if math.isfinite(v)}


def row_of(step: int, result: TunedResult, kl: TokenShift | None, joint: JointBounds) -> Row:
    """Build the row from a comparison with the base, its token probe and the joint bounds."""
    return Row(
        step=step,
        gain={group: point.gain for group, point in result.plane.items()},
        ci={group: point.ci for group, point in result.plane.items()},
        retention=None if result.retention is None else result.retention.gain,
        retention_ci=None if result.retention is None else result.retention.ci,
        ti={} if result.index_linear is None else dict(result.index_linear.ti),
        kl=None if kl is None else kl.kl_tuned_base,
        kl_base=None if kl is None else kl.kl_base_tuned,
        look=joint.look,
        looks=joint.planned,
        bound=joint.interval,
        retention_bound=joint.retention,
        lowest=joint.lowest,
    )


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a ``trace.jsonl``; for a repeated step, the last row counts.

    Raises :class:`InputError` naming file and line.
    """
    found: dict[int, Row] = {}
    for place, line in read_json_lines(path, remedy=REMEDY):
        try:
            row = Row(**line)
        except TypeError as err:
            raise InputError(f"not a row of a trace: {err}", place=place, remedy=REMEDY) from None
        found[row.step] = row
    return [found[step] for step in sorted(found)]


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write all rows atomically."""
    write_atomically(path, (json.dumps(asdict(row)) + "\n" for row in rows))

"""The measurements of a token probe at each position of the responses, before aggregation.

Source: arXiv 2507.00432 (token shift), docs/science.md, section 5. Shape suffix: N token positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
_EMPTY = {"Floats": np.float32, "Ints": np.int64}
"""Dtypes of empty arrays: those of the probe, so that concatenation keeps dtypes."""


@dataclass(frozen=True, slots=True)
class PositionShifts:
    """Measurements at every response position: arrays of equal length N, in nats and ranks.

    ``text_N`` is the index of each position's text and ``token_N`` the id of the emitted token.
    ``lost_mass_N`` is the probability outside the common vocabulary, the larger of both models'.
    """

    text_N: Ints
    token_N: Ints
    kl_tuned_base_N: Floats
    kl_base_tuned_N: Floats
    js_N: Floats
    entropy_base_N: Floats
    entropy_tuned_N: Floats
    log_ratio_N: Floats
    rank_base_N: Ints
    rank_tuned_N: Ints
    lost_mass_N: Floats

    @classmethod
    def joined(cls, parts: Sequence[PositionShifts]) -> PositionShifts:
        """Concatenate the positions of all parts, ordered by text; empty without parts."""
        every: dict[str, Any] = {
            f.name: np.concatenate(
                [getattr(part, f.name) for part in parts] or [np.empty(0, _EMPTY[str(f.type)])]
            )
            for f in fields(cls)
        }
        return cls(**every)[np.argsort(every["text_N"], kind="stable")]

    def __len__(self) -> int:
        return len(self.text_N)

    def __getitem__(self, rows: Any) -> PositionShifts:
        """The positions at ``rows`` (a slice, a mask or indices)."""
        return PositionShifts(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @property
    def place_N(self) -> Ints:
        """Each position's index in its response, from 0; the rows of a text must be adjacent."""
        starts_N = np.flatnonzero(np.diff(self.text_N, prepend=-1))
        lengths_N = np.diff(starts_N, append=len(self.text_N))
        return np.arange(len(self.text_N)) - np.repeat(starts_N, lengths_N)

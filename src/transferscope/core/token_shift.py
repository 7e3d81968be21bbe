"""Shift of next-token distributions along responses: measured at every position, summed up.

Source: arXiv 2507.00432 (token shift), docs/science.md section 5. numpy in float64; the probe in
``probe/tokens.py`` brings the positions. Shape suffixes: N token positions, T texts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .labels import Labels
from .passages import Passage, passages_of
from .position_shifts import Floats, Ints, PositionShifts

JS_SHIFTED = 0.1
"""Nats; a position above it counts as shifted (section 5)."""


@dataclass(frozen=True, slots=True)
class ShiftedToken:
    """An emitted token whose rank changed: how often, and by how much (base rank - tuned rank).

    A positive ``mean_shift`` means that the tuned model ranks it higher. ``kind`` is ``"logical"``
    (logical-structural) or ``"content"``.
    """

    token: str
    count: int
    mean_shift: float
    kind: str


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Means over the positions ``first`` to ``last`` (from 0) of all responses that have them."""

    first: int
    last: int
    n_tokens: int
    js: float
    kl_tuned_base: float
    shifted_share: float


@dataclass(frozen=True, slots=True)
class TokenMeans:
    """Means over texts of means over response tokens, nats.

    ``kl_tuned_base`` is KL(tuned || base), and so on; ``log_ratio`` the signed mean of
    log p_tuned(y) - log p_base(y) over emitted tokens; ``rank_shift`` base rank - tuned rank;
    ``shifted_share`` the share of positions with JS above 0.1; ``lost_mass`` the probability
    outside of the common vocabulary. ``n_infinite`` counts the positions at which a model gives
    probability 0 to a token that the other allows; a KL's mean, or the log-ratio's, may then be
    infinite.
    """

    n_texts: int
    n_tokens: int
    kl_tuned_base: float
    kl_base_tuned: float
    js: float
    log_ratio: float
    rank_shift: float
    shifted_share: float
    entropy_base: float
    entropy_tuned: float
    lost_mass: float
    n_infinite: int = 0

    def to_json(self) -> dict[str, Any]:
        """Every mean; ``lost_mass`` where the vocabularies differ in size.

        JSON has no infinity: such a mean is null, and ``infinite`` has it as ``"inf"`` or
        ``"-inf"`` beside ``n_infinite``.
        """
        found = asdict(self)
        for extra in ("lost_mass", "n_infinite"):
            if not found[extra]:
                del found[extra]
        unbounded = [key for key, value in found.items() if not math.isfinite(value)]
        if infinite := {key: str(found[key]) for key in unbounded if math.isinf(found[key])}:
            found["infinite"] = infinite
        return found | dict.fromkeys(unbounded)


@dataclass(frozen=True, slots=True)
class TokenShift:
    """Shift of the next-token distribution along responses.

    ``groups`` and ``benchmarks`` hold the means over a part of the responses, ``curve`` over a part
    of the positions; ``passages`` are the windows in which the models differ most. ``n_skipped``
    counts the responses without a token, which are in no mean. ``writer`` names the model that
    wrote the responses, where that is known.
    """

    prefix: str
    mean: TokenMeans
    shifted_tokens: tuple[ShiftedToken, ...]
    n_skipped: int = 0
    groups: Mapping[str, TokenMeans] = field(default_factory=dict)
    benchmarks: Mapping[str, TokenMeans] = field(default_factory=dict)
    curve: tuple[CurvePoint, ...] = ()
    passages: tuple[Passage, ...] = ()
    writer: str | None = None

    def to_json(self, *, passages: bool = True) -> dict[str, Any]:
        """The object of ``transferscope probe tokens --json``, which leaves out the passages."""
        found: dict[str, Any] = {"prefix": self.prefix}
        if self.writer is not None:
            found["writer"] = self.writer
        found |= self.mean.to_json() | {"n_skipped": self.n_skipped}
        found["shifted_tokens"] = [asdict(token) for token in self.shifted_tokens]
        for name, parts in (("groups", self.groups), ("benchmarks", self.benchmarks)):
            if parts:
                found[name] = {key: part.to_json() for key, part in parts.items()}
        found["curve"] = [
            asdict(point) | ({} if math.isfinite(point.kl_tuned_base) else {"kl_tuned_base": None})
            for point in self.curve
        ]
        if passages:
            found["passages"] = [asdict(passage) for passage in self.passages]
        return found


def mean_over_texts(values_N: Floats | Ints, text_N: Ints) -> float:
    """Mean over texts of the mean over a text's positions: long answers weigh no more."""
    _, place_N, count_T = np.unique(text_N, return_inverse=True, return_counts=True)
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean: NaN
        return float((np.bincount(place_N, weights=values_N) / count_T).mean())


def measure_tokens(
    positions: PositionShifts,
    *,
    prefix: str,
    decode: Callable[[int], str],
    kind: Callable[[str], str],
    labels: Labels | None = None,
    n_skipped: int = 0,
) -> TokenShift:
    """Aggregate positions; ``decode`` gives a token id's text, ``kind`` that text's category.

    Positions come text by text. Shifted tokens come most frequent first. Raises ``ValueError``
    without any position.
    """
    if not len(positions):
        raise ValueError("no response position to aggregate")
    labels = labels or Labels()
    shift_N = positions.rank_base_N.astype(np.int64) - positions.rank_tuned_N

    def parts(texts: Mapping[str, Ints]) -> dict[str, TokenMeans]:
        rows = {name: np.isin(positions.text_N, texts_N) for name, texts_N in texts.items()}
        return {
            name: token_means(positions[rows_N]) for name, rows_N in rows.items() if any(rows_N)
        }

    return TokenShift(
        prefix=prefix,
        mean=token_means(positions),
        shifted_tokens=_shifted(positions.token_N, shift_N, decode, kind),
        n_skipped=n_skipped,
        groups=parts(labels.of_groups()),
        benchmarks=parts(labels.of_benchmarks()),
        curve=position_curve(positions),
        passages=passages_of(positions, decode, labels),
    )


def token_means(positions: PositionShifts) -> TokenMeans:
    """Means over texts of means over the positions of each."""
    shift_N = positions.rank_base_N.astype(np.int64) - positions.rank_tuned_N

    def mean(values_N: Floats | Ints) -> float:
        return mean_over_texts(values_N, positions.text_N)

    return TokenMeans(
        n_texts=len(np.unique(positions.text_N)),
        n_tokens=len(positions),
        kl_tuned_base=mean(positions.kl_tuned_base_N),
        kl_base_tuned=mean(positions.kl_base_tuned_N),
        js=mean(positions.js_N),
        log_ratio=mean(positions.log_ratio_N),
        rank_shift=mean(shift_N),
        shifted_share=mean((positions.js_N > JS_SHIFTED).astype(np.float64)),
        entropy_base=mean(positions.entropy_base_N),
        entropy_tuned=mean(positions.entropy_tuned_N),
        lost_mass=mean(positions.lost_mass_N),
        n_infinite=int(
            (np.isinf(positions.kl_tuned_base_N) | np.isinf(positions.kl_base_tuned_N)).sum()
        ),
    )


def position_curve(positions: PositionShifts) -> tuple[CurvePoint, ...]:
    """Shift against the place in the response, in bins 0, 1, 2-3, 4-7, ... (plain means)."""
    place_N = positions.place_N
    # The bin of place p is the number of bits of p: exact, unlike a logarithm.
    bin_N = np.frexp(place_N.astype(np.float64))[1]
    found = []
    for number in np.unique(bin_N):
        rows_N = bin_N == number
        js_N = positions.js_N[rows_N]
        first = 0 if number == 0 else 1 << (int(number) - 1)
        found.append(
            CurvePoint(
                first=first,
                last=int(place_N[rows_N].max()),
                n_tokens=int(rows_N.sum()),
                js=float(js_N.mean(dtype=np.float64)),
                kl_tuned_base=float(positions.kl_tuned_base_N[rows_N].mean(dtype=np.float64)),
                shifted_share=float((js_N > JS_SHIFTED).mean()),
            )
        )
    return tuple(found)


def _shifted(
    token_N: Ints, shift_N: Ints, decode: Callable[[int], str], kind: Callable[[str], str]
) -> tuple[ShiftedToken, ...]:
    """Positions whose rank moved, grouped by the emitted token's text."""
    moved_N = shift_N != 0
    by_text: dict[str, list[int]] = {}
    for token, shift in zip(token_N[moved_N].tolist(), shift_N[moved_N].tolist(), strict=True):
        by_text.setdefault(decode(token), []).append(shift)
    rows = [
        ShiftedToken(text, len(shifts), sum(shifts) / len(shifts), kind(text))
        for text, shifts in by_text.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.count, -abs(row.mean_shift), row.token)))

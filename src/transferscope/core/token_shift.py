"""Shift of next-token distributions along responses: measured at every position, then aggregated.

Source: arXiv 2507.00432 (token shift), docs/science.md, section 5. numpy in float64; the probe in
``probe/tokens.py`` supplies the positions. Shape suffixes: N token positions, T texts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Literal

import numpy as np

from .labels import Labels
from .passages import Passage, passages_of
from .position_shifts import Floats, Ints, PositionShifts
from .typed_record import Absent, Document, record

JS_SHIFTED = 0.1
"""In nats; a position above it counts as shifted (docs/science.md, section 5)."""


@record()
class ShiftedToken:
    """An emitted token whose rank changed: how often, and by how much (base rank - tuned rank).

    A positive ``mean_shift`` means that the tuned model ranks it higher. ``kind`` is ``"logical"``
    (logical-structural) or ``"content"``.
    """

    token: str
    count: int
    mean_shift: float
    kind: str


@record()
class CurvePoint:
    """Means over positions ``first`` to ``last`` (from 0) of all responses that reach them."""

    first: int
    last: int
    n_tokens: int
    js: float
    kl_tuned_base: float | None  # None if infinite
    shifted_share: float


@record()
class TokenMeans:
    """Means over texts of means over response tokens, in nats.

    ``kl_tuned_base`` is KL(tuned || base), and vice versa. ``log_ratio`` is the signed mean of
    log p_tuned(y) - log p_base(y) over emitted tokens, ``rank_shift`` base rank - tuned rank,
    ``shifted_share`` the share of positions with JS above 0.1, and ``lost_mass`` the probability
    outside the common vocabulary. ``n_infinite`` counts the positions at which one model gives
    probability 0 to a token that the other allows; the mean of a KL or of the log-ratio may then be
    infinite. JSON has no infinity: such a mean is ``None``, and ``infinite`` lists it as ``"inf"``
    or ``"-inf"``. Infinities of both signs have no mean.
    """

    n_texts: int
    n_tokens: int
    kl_tuned_base: float | None
    kl_base_tuned: float | None
    js: float | None
    log_ratio: float | None
    rank_shift: float
    shifted_share: float
    entropy_base: float | None
    entropy_tuned: float | None
    lost_mass: Absent[float] = 0.0
    n_infinite: Absent[int] = 0
    infinite: Absent[Mapping[str, Literal["inf", "-inf"]]] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """The field ``name``; if its mean is infinite, the infinity and not ``None``."""
        return float(self.infinite[name]) if name in self.infinite else getattr(self, name)


@record()
class TokenShift(TokenMeans, Document):
    """``probe tokens``: shift of the next-token distribution along responses, over all of them.

    ``groups`` and ``benchmarks`` have the means over subsets of the responses, ``curve`` over
    ranges of positions. ``passages`` are the windows in which the models differ most. ``n_skipped``
    counts responses without tokens, which are not in the means. ``writer`` names the model that
    wrote the responses, if known.
    """

    prefix: str = field(kw_only=True)
    shifted_tokens: tuple[ShiftedToken, ...] = field(kw_only=True)
    n_skipped: int = 0
    writer: Absent[str | None] = None
    groups: Absent[Mapping[str, TokenMeans]] = field(default_factory=dict)
    benchmarks: Absent[Mapping[str, TokenMeans]] = field(default_factory=dict)
    curve: tuple[CurvePoint, ...] = ()
    passages: Absent[tuple[Passage, ...]] = ()
    schema: Literal[1] = 1


def mean_over_texts(values_N: Floats | Ints, text_N: Ints) -> float:
    """Mean over texts of the mean over each text's positions: long answers weigh no more."""
    _, place_N, count_T = np.unique(text_N, return_inverse=True, return_counts=True)
    with np.errstate(invalid="ignore"):  # infinities of both signs give NaN
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
    """Aggregate positions; ``decode`` gives the text of a token id, ``kind`` a text's category.

    Positions must be ordered by text. Shifted tokens are returned most frequent first. Raises
    ``ValueError`` if there are no positions.
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
        **vars(token_means(positions)),
        prefix=prefix,
        shifted_tokens=_shifted(positions.token_N, shift_N, decode, kind),
        n_skipped=n_skipped,
        groups=parts(labels.of_groups()),
        benchmarks=parts(labels.of_benchmarks()),
        curve=position_curve(positions),
        passages=passages_of(positions, decode, labels),
    )


def token_means(positions: PositionShifts) -> TokenMeans:
    """Means over texts of the means over each text's positions."""
    shift_N = positions.rank_base_N.astype(np.int64) - positions.rank_tuned_N

    def mean(values_N: Floats | Ints) -> float:
        return mean_over_texts(values_N, positions.text_N)

    infinite_N = np.isinf(positions.kl_tuned_base_N) | np.isinf(positions.kl_base_tuned_N)
    means = {
        "kl_tuned_base": mean(positions.kl_tuned_base_N),
        "kl_base_tuned": mean(positions.kl_base_tuned_N),
        "js": mean(positions.js_N),
        "log_ratio": mean(positions.log_ratio_N),
        "entropy_base": mean(positions.entropy_base_N),
        "entropy_tuned": mean(positions.entropy_tuned_N),
    }
    return TokenMeans(
        n_texts=len(np.unique(positions.text_N)),
        n_tokens=len(positions),
        rank_shift=mean(shift_N),
        shifted_share=mean((positions.js_N > JS_SHIFTED).astype(np.float64)),
        lost_mass=mean(positions.lost_mass_N),
        n_infinite=int(infinite_N.sum()),
        infinite={
            name: "inf" if value > 0 else "-inf"
            for name, value in means.items()
            if math.isinf(value)
        },
        **{name: value if math.isfinite(value) else None for name, value in means.items()},
    )


def position_curve(positions: PositionShifts) -> tuple[CurvePoint, ...]:
    """Shift by position in the response, in bins 0, 1, 2-3, 4-7, ... (plain means)."""
    place_N = positions.place_N
    # The bin of position p is the number of bits of p, which is exact, unlike a logarithm.
    bin_N = np.frexp(place_N.astype(np.float64))[1]
    found = []
    for number in np.unique(bin_N):
        rows_N = bin_N == number
        js_N = positions.js_N[rows_N]
        kl = float(positions.kl_tuned_base_N[rows_N].mean(dtype=np.float64))
        first = 0 if number == 0 else 1 << (int(number) - 1)
        found.append(
            CurvePoint(
                first=first,
                last=int(place_N[rows_N].max()),
                n_tokens=int(rows_N.sum()),
                js=float(js_N.mean(dtype=np.float64)),
                kl_tuned_base=kl if math.isfinite(kl) else None,
                shifted_share=float((js_N > JS_SHIFTED).mean()),
            )
        )
    return tuple(found)


def _shifted(
    token_N: Ints, shift_N: Ints, decode: Callable[[int], str], kind: Callable[[str], str]
) -> tuple[ShiftedToken, ...]:
    """Positions whose rank changed, grouped by the text of the emitted token."""
    moved_N = shift_N != 0
    by_text: dict[str, list[int]] = {}
    for token, shift in zip(token_N[moved_N].tolist(), shift_N[moved_N].tolist(), strict=True):
        by_text.setdefault(decode(token), []).append(shift)
    rows = [
        ShiftedToken(text, len(shifts), sum(shifts) / len(shifts), kind(text))
        for text, shifts in by_text.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.count, -abs(row.mean_shift), row.token)))

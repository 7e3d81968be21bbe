"""Divergences between two next-token distributions, given as logits, over the full vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch

CACHE_NUMBERS = 1 << 18  # float32 values that stay in a CPU's cache between operations


@dataclass(frozen=True, slots=True)
class Divergences:
    """Measurements for N pairs of distributions: float32 in nats, ranks int64."""

    kl_tuned_base_N: torch.Tensor
    kl_base_tuned_N: torch.Tensor
    js_N: torch.Tensor
    entropy_base_N: torch.Tensor
    entropy_tuned_N: torch.Tensor
    log_ratio_N: torch.Tensor
    rank_base_N: torch.Tensor
    rank_tuned_N: torch.Tensor


def divergences(
    base_NV: torch.Tensor, tuned_NV: torch.Tensor, token_N: torch.Tensor
) -> Divergences:
    """Compare next-token distributions given as logits; ``token_N`` are the emitted ids.

    Normalisers are computed first, then sums over the vocabulary in float32. With d = log p_t -
    log p_b, every divergence is summed in a form whose first-order terms cancel per token, not
    between sums: a shift of 1e-6 nats is not lost to rounding, and equal logits give exactly 0.
    KL(t||b) = sum p_t d - (p_t - p_b), and JS = 1/2 sum [(p_t + p_b) u - min(p_t, p_b) |d|] with
    u = log(2 / (1 + exp(-|d|))) = -log(1 + expm1(-|d|) / 2). Negative rounding errors are set to 0.
    Rank is 1 + the number of strictly larger logits. Logits that are not finite give NaN, at least
    for both entropies; :func:`masked_divergences` handles -inf.
    """
    dot = torch.linalg.vecdot
    base_NV, tuned_NV, token_N1 = base_NV.float(), tuned_NV.float(), token_N[:, None]
    rank_base_N, rank_tuned_N = _ranks(base_NV, token_N1), _ranks(tuned_NV, token_N1)
    logp_base_NV, logp_tuned_NV = base_NV.log_softmax(1), tuned_NV.log_softmax(1)
    p_base_NV, p_tuned_NV = logp_base_NV.exp(), logp_tuned_NV.exp()
    entropy_base_N = -dot(p_base_NV, logp_base_NV)
    entropy_tuned_N = -dot(p_tuned_NV, logp_tuned_NV)
    d_NV = logp_tuned_NV - logp_base_NV
    log_ratio_N = d_NV.gather(1, token_N1)[:, 0]
    # The masses are both 1 up to rounding of the normalisers; d carries the same error.
    mass_N = (p_tuned_NV - p_base_NV).sum(1)
    kl_tuned_base_N = dot(p_tuned_NV, d_NV) - mass_N
    kl_base_tuned_N = mass_N - dot(p_base_NV, d_NV)
    apart_NV = d_NV.abs_()
    js_N = -0.5 * dot(torch.minimum(p_base_NV, p_tuned_NV), apart_NV)
    minus_u_NV = apart_NV.neg_().expm1_().mul_(0.5).log1p_()
    js_N -= 0.5 * dot(p_base_NV.add_(p_tuned_NV), minus_u_NV)
    return Divergences(
        kl_tuned_base_N.clamp_min_(0),
        kl_base_tuned_N.clamp_min_(0),
        js_N.clamp_min_(0),
        entropy_base_N,
        entropy_tuned_N,
        log_ratio_N,
        rank_base_N,
        rank_tuned_N,
    )


def masked_divergences(
    base_NV: torch.Tensor, tuned_NV: torch.Tensor, token_N: torch.Tensor
) -> Divergences:
    """Like :func:`divergences`, but logits may be -inf (p = 0), as in a masked vocabulary.

    0 log 0 = 0. A token that one model allows and the other doesn't makes KL(one || other) +inf
    and adds p log(2) / 2 to JS. NaN and +inf give NaN, and so does the log-ratio of an emitted
    token that neither model allows. This is slower and meant only for the rows that need it.
    """
    dot = torch.linalg.vecdot
    base_NV, tuned_NV, token_N1 = base_NV.float(), tuned_NV.float(), token_N[:, None]
    logp_base_NV, logp_tuned_NV = base_NV.log_softmax(1), tuned_NV.log_softmax(1)
    p_base_NV, p_tuned_NV = logp_base_NV.exp(), logp_tuned_NV.exp()
    no_base_NV, no_tuned_NV = logp_base_NV.isneginf(), logp_tuned_NV.isneginf()
    d_NV = logp_tuned_NV - logp_base_NV
    log_ratio_N = d_NV.gather(1, token_N1)[:, 0]
    shared_NV = d_NV.masked_fill(no_base_NV | no_tuned_NV, 0.0)
    mass_N = (p_tuned_NV - p_base_NV).sum(1)
    kl_tuned_base_N = (dot(p_tuned_NV, shared_NV) - mass_N).clamp_min_(0)
    kl_base_tuned_N = (mass_N - dot(p_base_NV, shared_NV)).clamp_min_(0)
    # A token that only one side allows: 0 log 0 = 0 in the other's KL, infinity in its own.
    kl_tuned_base_N[(no_base_NV & ~no_tuned_NV).any(1)] = torch.inf
    kl_base_tuned_N[(no_tuned_NV & ~no_base_NV).any(1)] = torch.inf
    apart_NV = d_NV.masked_fill(no_base_NV & no_tuned_NV, 0.0).abs()
    minus_u_NV = (0.5 * apart_NV.neg().expm1()).log1p()
    js_N = -0.5 * dot(p_base_NV + p_tuned_NV, minus_u_NV)
    js_N -= 0.5 * dot(torch.minimum(p_base_NV, p_tuned_NV), shared_NV.abs())
    return Divergences(
        kl_tuned_base_N,
        kl_base_tuned_N,
        js_N.clamp_min_(0),
        -dot(p_base_NV, logp_base_NV.masked_fill(no_base_NV, 0.0)),
        -dot(p_tuned_NV, logp_tuned_NV.masked_fill(no_tuned_NV, 0.0)),
        log_ratio_N,
        _ranks(base_NV, token_N1),
        _ranks(tuned_NV, token_N1),
    )


def _ranks(logits_NV: torch.Tensor, token_N1: torch.Tensor) -> torch.Tensor:
    # Counting in float32 (exact below 2**24) is four times as fast as summing booleans.
    larger_NV = torch.empty_like(logits_NV)
    torch.gt(logits_NV, logits_NV.gather(1, token_N1), out=larger_NV)
    return 1 + larger_NV.sum(1).long()


def compared(
    base_NV: torch.Tensor, tuned_NV: torch.Tensor, token_N: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Return, by name, the divergences of one chunk of positions and the mass they leave out."""
    tuned_NV = tuned_NV.to(base_NV.device)
    common = min(base_NV.shape[1], tuned_NV.shape[1])
    lost_N = torch.maximum(mass_beyond(base_NV, common), mass_beyond(tuned_NV, common))
    base_NV, tuned_NV = base_NV[:, :common], tuned_NV[:, :common]
    token_N = token_N.to(base_NV.device)
    found = _in_blocks(divergences, base_NV, tuned_NV, token_N)
    masked_N = ~(found["entropy_base_N"].isfinite() & found["entropy_tuned_N"].isfinite())
    if masked_N.any():
        masked = base_NV[masked_N], tuned_NV[masked_N], token_N[masked_N]
        for name, values in _in_blocks(masked_divergences, *masked).items():
            found[name][masked_N] = values
    return found | {"lost_mass_N": lost_N}


def _in_blocks(
    measure: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], Divergences],
    base_NV: torch.Tensor,
    tuned_NV: torch.Tensor,
    token_N: torch.Tensor,
) -> dict[str, torch.Tensor]:
    """``measure`` of as many positions at a time as stay in the cache, by name."""
    rows = len(base_NV)
    if base_NV.device.type == "cpu":
        rows = max(1, CACHE_NUMBERS // base_NV.shape[1])
    blocks = zip(base_NV.split(rows), tuned_NV.split(rows), token_N.split(rows), strict=True)
    parts = [measure(*block) for block in blocks]
    return {
        field.name: torch.cat([getattr(part, field.name) for part in parts])
        for field in fields(Divergences)
    }


def mass_beyond(logits_NV: torch.Tensor, common: int) -> torch.Tensor:
    """Return the probability (N,) of the tokens from id ``common`` on; 0 if there are none."""
    if logits_NV.shape[1] == common:
        return torch.zeros(len(logits_NV), device=logits_NV.device)
    return logits_NV.float().softmax(1)[:, common:].sum(1)

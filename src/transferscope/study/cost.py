"""What an arm cost here, and what as many FLOPs would take on N GPUs of a cluster.

    FLOPs   = weights x (2 x tokens generated + 6 x tokens trained)
    seconds = FLOPs / (N x GPU_FLOPS)

An estimate of the arithmetic alone (docs/science.md section 6); :func:`estimate_note` says beside
the number what it leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

GPU_FLOPS = 4e14
"""Useful FLOP/s of one GPU in training: 40 % of 1e15, an H100's dense bf16."""


def cost_of(
    steps: Sequence[Mapping[str, Any]], weights: int | None = None, *, gpus: int = 8
) -> dict[str, Any]:
    """What an arm's ``steps`` cost: their number, tokens generated and trained, seconds here.

    ``cpu_seconds`` too where the arm trained on the CPU: unlike the seconds by the clock they don't
    count other processes and pauses.
    Where the number of ``weights`` is known, ``flops`` too, and ``N_gpus_seconds``, the time they
    would take on N = ``gpus``.
    """
    cost = {
        "steps": len(steps),
        "tokens_generated": sum(int(row.get("tokens_generated") or 0) for row in steps),
        "tokens_trained": sum(int(row.get("tokens_trained") or 0) for row in steps),
        "seconds": round(sum(float(row.get("seconds") or 0.0) for row in steps), 1),
    }
    if steps and all("cpu_seconds" in row for row in steps):
        cost["cpu_seconds"] = round(sum(float(row["cpu_seconds"] or 0.0) for row in steps), 1)
    if weights is not None:
        cost["flops"] = weights * (2 * cost["tokens_generated"] + 6 * cost["tokens_trained"])
        cost[f"{gpus}_gpus_seconds"] = cost["flops"] / (gpus * GPU_FLOPS)
    return cost


def estimate_note(gpus: int) -> str:
    """The formula behind the time on ``gpus`` and what it assumes, in words for a page."""
    return (
        "FLOPs: weights × (2 × tokens generated + 6 × tokens trained); prompts are left out, and "
        "so are the reference's reading of the answers where beta is above 0 (2 × weights × their "
        "tokens) and the sampling of a teacher's responses; adapters count like all weights. Time "
        f"on N = {gpus} GPUs: FLOPs / (N × {GPU_FLOPS / 1e12:.0f} TFLOP/s), an estimate of the "
        "arithmetic alone: every GPU at "
        "40 % of 1,000 TFLOP/s in bf16, in sampling as in training, and nothing spent on "
        "communication, loading or waiting. Sampling is bound by memory and takes longer. Another "
        "N: [cost] gpus in the study's file."
    )

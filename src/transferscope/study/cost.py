"""The training cost of an arm: measured here, and estimated for N GPUs of a cluster.

    FLOPs   = weights x (2 x tokens generated + 6 x tokens trained)
    seconds = FLOPs / (N x GPU_FLOPS)

The estimate covers the arithmetic alone (docs/science.md section 6). :func:`estimate_note` states
what it leaves out, and is shown next to the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

GPU_FLOPS = 4e14
"""The useful FLOP/s of one GPU in training: 40 % of 1e15, the dense bf16 rate of an H100."""


def cost_of(
    steps: Sequence[Mapping[str, Any]], weights: int | None = None, *, gpus: int = 8
) -> dict[str, Any]:
    """Sum up the cost of an arm's ``steps``: number, tokens generated and trained, seconds here.

    If the arm trained on the CPU, ``cpu_seconds`` is included. Unlike wall time it does not count
    other processes and pauses. If the number of ``weights`` is known, so are ``flops`` and
    ``N_gpus_seconds``, the time that these FLOPs would take on N = ``gpus``.
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
    """Explain for the page how the time on ``gpus`` is computed and what it assumes."""
    return (
        "FLOPs: weights × (2 × tokens generated + 6 × tokens trained). Not counted are prompts, "
        "the reference model's pass over the answers if beta is above 0 (2 × weights × their "
        "tokens), and the sampling of a teacher's responses. An adapter is counted as if all "
        f"weights were trained. Time on N = {gpus} GPUs: FLOPs / (N × {GPU_FLOPS / 1e12:.0f} "
        "TFLOP/s). This estimates the arithmetic alone: it assumes that every GPU reaches 40 % of "
        "1,000 TFLOP/s in bf16, in sampling as in training, and that no time is spent on "
        "communication, loading or waiting. Sampling is memory-bound and takes longer. To change "
        "N, set gpus under [cost] in the study's file."
    )

"""Batched decoding: shared prompts are read once, and finished rows leave the batch.

transformers' ``generate`` reads every prompt in full, once per answer, and keeps finished rows in
the batch until the longest one ends. With answers of half the limit, 8 rollouts per prompt, or the
same system message and examples before every question, that is most of the work. Evaluation and
training both generate their answers here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import TopPLogitsWarper

from .prompt_cache import Reading, read, together
from .seeded_draw import inverse_draw, uniforms

COMPACT = 0.8
"""Finished rows leave once at most this share of the batch still runs: leaving copies the cache."""

Choose = Callable[[torch.Tensor, Sequence[int], int], torch.Tensor]
"""Maps next-token logits (rows, vocabulary) to token ids (rows,). It is also given the places of
the rows among the prompts, and how many tokens of the answers precede this one."""
Stopped = Callable[[Sequence[Sequence[int]]], Sequence[bool]]
"""Tells which of these answers (token ids) have just ended without an end token."""


def chooser(
    temperature: float, top_p: float = 1.0, *, seeds: Sequence[int] | None = None
) -> Choose:
    """Return greedy choice at temperature 0, else sampling from softmax(logits / temperature).

    Sampling is restricted to the ``top_p`` nucleus. With ``seeds``, one per prompt, the draws for a
    row depend on its seed alone and not on the rows beside it; else torch's global generator is
    used.
    """
    if temperature == 0.0:
        # In bfloat16 ``argmax`` takes four times as long; both return the first of equal ones.
        return lambda logits_BV, _rows, _step: logits_BV.max(dim=1).indices
    nucleus = TopPLogitsWarper(top_p) if top_p < 1.0 else None

    def draw(logits_BV: torch.Tensor, rows: Sequence[int], step: int) -> torch.Tensor:
        scores_BV = logits_BV.float() / temperature
        if nucleus is not None:
            scores_BV = nucleus(None, scores_BV)
        p_BV = scores_BV.softmax(dim=1)
        if seeds is None:
            return torch.multinomial(p_BV, 1)[:, 0]
        return inverse_draw(p_BV, uniforms([seeds[row] for row in rows], step))

    return draw


@torch.no_grad()  # type: ignore[untyped-decorator]
def decode(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    max_tokens: int,
    choose: Choose,
    ends: Sequence[int],
    pad: int,
    stopped: Stopped | None = None,
) -> list[list[int]]:
    """Return one answer per row of ``prompts``, including its end token.

    Equal prompts are read once. A row ends at a token in ``ends``, when ``stopped`` is true for its
    answer so far, or after ``max_tokens``. ``model`` is a causal model of transformers. A recurrent
    state would absorb padding and can't drop rows, so such a model decodes prompts of one length at
    a time, and finished rows stay in the batch.
    """
    answers: list[list[int]] = [[] for _ in prompts]
    for part in together(model, prompts):
        asked = read(model, [prompts[at] for at in part], pad)
        options = {"max_tokens": max_tokens, "ends": ends, "stopped": stopped}
        found = _answer(asked, part, choose=choose, **options)  # type: ignore[arg-type]
        for at, answer in zip(part, found, strict=True):
            answers[at] = answer
    return answers


def _answer(
    asked: Reading,
    places: Sequence[int],
    *,
    max_tokens: int,
    choose: Choose,
    ends: Sequence[int],
    stopped: Stopped | None,
) -> list[list[int]]:
    """Decode all rows of one reading, the prompts at ``places``; finished rows leave the batch."""
    batch, last = list(range(len(asked.logits_BV))), frozenset(ends)
    answers: list[list[int]] = [[] for _ in batch]
    running = set(batch)
    for step in range(max_tokens):
        token_B = choose(asked.logits_BV, [places[row] for row in batch], step)
        for row, token in zip(batch, token_B.tolist(), strict=True):
            if row in running:
                answers[row].append(token)
                if token in last:
                    running.remove(row)
        if stopped is not None and running:
            still = sorted(running)
            over = stopped([answers[row] for row in still])
            running -= {row for row, ended in zip(still, over, strict=True) if ended}
        if not running or step == max_tokens - 1:
            break
        if len(running) <= COMPACT * len(batch) and not asked.stateful:
            left = [at for at, row in enumerate(batch) if row in running]
            batch, token_B = [batch[at] for at in left], token_B[left]
            asked.select(left)
        asked.step(token_B)
    return answers

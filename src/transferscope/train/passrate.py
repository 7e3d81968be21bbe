"""How often a model solves training queries: neither too hard nor too easy is what RL needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .prompts import prompt_ids
from .queries import Query

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class PassRate:
    """Shares of ``n`` responses (0..1). ``rewarded`` are both correct and finished."""

    n: int
    correct: float
    finished: float
    rewarded: float
    responses: tuple[str, ...]


def pass_rate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    queries: Sequence[Query],
    *,
    samples: int = 1,
    temperature: float = 0.0,
    max_tokens: int = 48,
    seed: int = 0,
) -> PassRate:
    """Grade ``samples`` responses per query, drawn in one batch; ``temperature`` 0 is greedy.

    ``responses`` holds the samples of the first query, then of the second, and so on. The caller's
    random state is untouched.
    """
    import torch

    from ..grade.maths import is_correct

    prompts = [prompt_ids(query.prompt, tokenizer) for query in queries for _ in range(samples)]
    width = max(len(ids) for ids in prompts)
    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    ids_NT = torch.tensor([[pad] * (width - len(ids)) + ids for ids in prompts])
    mask_NT = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts])
    drawing = {"temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature else {}
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        out_NT = model.generate(
            input_ids=ids_NT.to(model.device),
            attention_mask=mask_NT.to(model.device),
            max_new_tokens=max_tokens,
            do_sample=temperature > 0,
            pad_token_id=pad,
            eos_token_id=end,
            **drawing,
        )[:, width:]
    finished = (out_NT == end).any(dim=1).tolist()
    texts = tokenizer.batch_decode(out_NT, skip_special_tokens=True)
    golds = [query.gold for query in queries for _ in range(samples)]
    correct = [is_correct(text, gold) for text, gold in zip(texts, golds, strict=True)]
    rewarded = [good and done for good, done in zip(correct, finished, strict=True)]
    n = len(texts)
    return PassRate(n, sum(correct) / n, sum(finished) / n, sum(rewarded) / n, tuple(texts))

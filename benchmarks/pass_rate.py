"""How often a model solves the training queries: neither too hard nor too easy is what RL needs.

    python benchmarks/pass_rate.py            # the embedded model
    python benchmarks/pass_rate.py demo/arms/on-policy-rl --greedy

Queries of another seed than the arms', so that a trained arm is asked what it has not seen.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch

from transferscope.grade.maths import is_correct
from transferscope.models import load_model, load_tokenizer
from transferscope.train import DEMO, make_queries
from transferscope.train.queries import Query
from transferscope.train.query_prompts import prompt_ids

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class PassRate:
    """Shares of ``n`` responses (0..1). ``rewarded`` are both correct and finished."""

    n: int
    correct: float
    finished: float
    rewarded: float


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
    """Grade ``samples`` responses per query, drawn in one batch; ``temperature`` 0 is greedy."""
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
    shares = (round(sum(each) / n, 4) for each in (correct, finished, rewarded))
    return PassRate(n, *shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["smollm2-135m"])
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--greedy", action="store_true")
    options = parser.parse_args()
    held_out = make_queries(
        options.queries,
        seed=options.seed,
        exclude={query.prompt for query in make_queries(DEMO["on-policy-rl"].queries, seed=0)},
    )
    samples, temperature = (1, 0.0) if options.greedy else (options.samples, 0.7)
    rows = {}
    for name in options.models:
        model, tokenizer = load_model(name, dtype="bfloat16"), load_tokenizer(name)
        rate = pass_rate(
            model, tokenizer, held_out, samples=samples, temperature=temperature, seed=options.seed
        )
        rows[name] = asdict(rate)
    print(json.dumps({"temperature": temperature, "seed": options.seed, "models": rows}, indent=1))


if __name__ == "__main__":
    main()

"""One on-policy arm without a trainer: sample, grade, step. Read it from top to bottom.

    python examples/minimal_arm.py --model smollm2-135m --steps 3

This is the arm `on-policy-rl-no-kl` of `transferscope train` in float32, in plain torch and
transformers: REINFORCE with a group-relative advantage (docs/science.md section 6; GRPO,
arXiv 2402.03300). Each step

    1. asks every query of the step several times (the rollouts, drawn from the policy itself),
    2. rewards a rollout with 1 if it is finished and the grader accepts it, else with 0,
    3. makes rewards relative to the other rollouts of the same query (the advantage), and
    4. takes one AdamW step on the loss

        L = - sum over response tokens of advantage * log pi(token) / number of response tokens

tests/train/test_minimal_arm.py holds it against the real arm. What the real arm adds: resuming
after a kill, several processes, adapters, bfloat16, a KL term, teachers, and speed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from transferscope.grade.maths import is_correct
from transferscope.models import load_model, load_tokenizer
from transferscope.train import make_queries
from transferscope.train.query_prompts import prompt_ids

MAX_GRAD_NORM = 1.0
EPSILON = 1e-4  # keeps the advantage finite where all rollouts of a query earn the same


@dataclass(frozen=True)
class Rollout:
    """A prompt, one response drawn for it (token ids), and the right answer to the query."""

    prompt: list[int]
    response: list[int]
    gold: str


@torch.no_grad()
def sample(
    model: Any,
    tokenizer: Any,
    prompt: list[int],
    *,
    count: int,
    max_tokens: int,
    temperature: float,
) -> list[list[int]]:
    """``count`` responses to one prompt (token ids); each ends at its end token."""
    ids = torch.tensor([prompt], device=model.device)
    options = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
    options |= {"max_new_tokens": max_tokens, "num_return_sequences": count}
    drawn = model.generate(ids, attention_mask=torch.ones_like(ids), **options)
    responses, end = drawn[:, len(prompt) :].tolist(), tokenizer.eos_token_id
    return [row[: row.index(end) + 1] if end in row else row for row in responses]


def reward(rollout: Rollout, tokenizer: Any) -> float:
    """1 for a finished response that the grader of the evaluation accepts, else 0."""
    if rollout.response[-1] != tokenizer.eos_token_id:
        return 0.0
    text = tokenizer.decode(rollout.response, skip_special_tokens=True)
    return float(is_correct(text, rollout.gold))


def advantages(rewards: Sequence[float], *, group: int) -> torch.Tensor:
    """Rewards minus their group's mean, over its standard deviation; ``group`` rows per query."""
    earned = torch.tensor(rewards).view(-1, group)
    spread = earned - earned.mean(dim=1, keepdim=True)
    return (spread / (earned.std(dim=1, keepdim=True) + EPSILON)).flatten()


def log_probs(model: Any, rollout: Rollout, *, temperature: float) -> torch.Tensor:
    """log pi of each response token given what comes before it, at the sampling temperature."""
    ids = torch.tensor([rollout.prompt + rollout.response], device=model.device)
    logits = model(ids).logits[0, :-1].float() / temperature
    logp = torch.log_softmax(logits, dim=-1)
    taken = logp.gather(1, ids[0, 1:, None])[:, 0]
    return taken[len(rollout.prompt) - 1 :]


def train_step(
    model: Any,
    optimizer: torch.optim.Optimizer,
    rollouts: Sequence[Rollout],
    advantage: torch.Tensor,
    *,
    temperature: float,
) -> tuple[float, float]:
    """One update on the step's rollouts; returns the loss and the gradient's norm before clipping.

    Rollouts are read one after the other, so memory holds one; their gradients add up.
    """
    model.train()
    optimizer.zero_grad()
    tokens = sum(len(rollout.response) for rollout in rollouts)
    total = 0.0
    for rollout, weight in zip(rollouts, advantage.tolist(), strict=True):
        if weight == 0.0:
            continue  # no gradient, but its tokens count in the mean
        loss = -weight * log_probs(model, rollout, temperature=temperature).sum() / tokens
        loss.backward()
        total += loss.item()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
    optimizer.step()
    return total, float(norm)


def main() -> None:
    """Train a few steps on the built-in queries and print each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--queries", type=int, default=4, help="queries per step")
    parser.add_argument("--rollouts", type=int, default=4, help="responses per query")
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--learning-rate", type=float, default=2e-5)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()

    torch.manual_seed(asked.seed)
    model, tokenizer = load_model(asked.model), load_tokenizer(asked.model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=asked.learning_rate, weight_decay=0.0)
    queries = make_queries(asked.steps * asked.queries, seed=asked.seed)
    how = {"max_tokens": asked.max_tokens, "temperature": asked.temperature}
    for step in range(asked.steps):
        model.eval()
        rollouts = [
            Rollout(prompt, response, query.gold)
            for query in queries[step * asked.queries : (step + 1) * asked.queries]
            for prompt in [prompt_ids(query.prompt, tokenizer)]
            for response in sample(model, tokenizer, prompt, count=asked.rollouts, **how)
        ]
        rewards = [reward(rollout, tokenizer) for rollout in rollouts]
        advantage = advantages(rewards, group=asked.rollouts)
        loss, norm = train_step(
            model, optimizer, rollouts, advantage, temperature=asked.temperature
        )
        earned = sum(rewards) / len(rewards)
        print(f"step {step + 1}: reward {earned:.3f}, loss {loss:+.4f}, gradient norm {norm:.4f}")


if __name__ == "__main__":
    main()

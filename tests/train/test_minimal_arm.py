"""examples/minimal_arm.py against the real arm: the same rollouts, the same steps."""

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from transferscope.engines.decode import chooser, decode
from transferscope.models import load_model, load_tokenizer
from transferscope.train import ArmConfig, surrogate, train_arm
from transferscope.train.query_prompts import prompt_ids
from transferscope.train.query_sources import queries_of
from transferscope.train.step_log import read_steps

from .helpers import weights

FILE = Path(__file__).parents[2] / "examples" / "minimal_arm.py"
GROUP = 4


@pytest.fixture(scope="module")
def minimal() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("minimal_arm", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["minimal_arm"] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["minimal_arm"]


def even(ids: Sequence[int]) -> float:
    """A reward that random text sometimes earns."""
    return float(sum(ids) % 2 == 0)


def test_the_real_arm_takes_the_same_steps(
    tiny: str, minimal: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"arm": "on-policy-rl-no-kl", "model": tiny, "steps": 2, "queries_per_step": 2}
    settings |= {"rollouts": GROUP, "max_tokens": 8, "rows_per_forward": 8, "precision": "fp32"}
    config = ArmConfig.model_validate(settings | {"learning_rate": 1e-3, "keep_every": 1})
    drawn: list[list[list[int]]] = []

    def noted(_: Any, completion_ids: list[list[int]], *__: Any, **___: Any) -> list[float]:
        drawn.append([list(ids) for ids in completion_ids])
        return [even(ids) for ids in completion_ids]

    monkeypatch.setattr(surrogate, "rewards", noted)
    out = train_arm(config, tmp_path / "arm")
    steps = read_steps(out / "steps.jsonl")
    assert [len(rows) for rows in drawn] == [2 * GROUP] * 2

    model, tokenizer = load_model(tiny), load_tokenizer(tiny)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    queries = queries_of(config)
    for at, (rows, real, folder) in enumerate(
        zip(drawn, steps, (out / "at" / "1", out), strict=True)
    ):
        before = {name: value.detach().clone() for name, value in model.named_parameters()}
        asked = [query for query in queries[2 * at : 2 * at + 2] for _ in range(GROUP)]
        rollouts = [
            minimal.Rollout(prompt_ids(query.prompt, tokenizer), ids, query.gold)
            for query, ids in zip(asked, rows, strict=True)
        ]
        advantage = minimal.advantages([even(ids) for ids in rows], group=GROUP)
        loss, norm = minimal.train_step(
            model, optimizer, rollouts, advantage, temperature=config.temperature
        )
        # One float32 sum is taken row by row here and over packed rows there: some hundred
        # roundings of 6e-8 are below 1e-4 of the whole, as in test_arms.
        assert norm > 0
        assert norm == pytest.approx(real["grad_norm"], rel=1e-4)
        assert loss == pytest.approx(real["loss"], rel=1e-4, abs=1e-6)
        # Adam divides a gradient by its own size: where it is rounding error, so is the step, and
        # its sign is chance. So the two updates are compared as vectors, not entry by entry.
        saved = weights(folder)
        apart = moved = 0.0
        for name, value in model.named_parameters():
            moved += float((saved[name] - before[name]).pow(2).sum())
            apart += float((saved[name] - value.detach()).pow(2).sum())
        assert moved > 0
        assert apart <= 1e-4 * moved


def test_the_same_seed_draws_the_same_samples(tiny: str, minimal: ModuleType) -> None:
    model, tokenizer = load_model(tiny), load_tokenizer(tiny)
    prompt = prompt_ids("What is 3 times 2?", tokenizer)
    ends, pad = [tokenizer.eos_token_id], tokenizer.pad_token_id
    torch.manual_seed(0)
    found = minimal.sample(model, tokenizer, prompt, count=3, max_tokens=8, temperature=0.7)
    torch.manual_seed(0)
    options: dict[str, Any] = {"max_tokens": 8, "choose": chooser(0.7), "ends": ends, "pad": pad}
    assert found == decode(model, [prompt] * 3, **options)
    assert len({tuple(ids) for ids in found}) == 3


def test_the_reward_is_the_arms_own(tiny: str, minimal: ModuleType) -> None:
    tokenizer = load_tokenizer(tiny)
    texts = ["It is 6.", "It is 7.", "\\boxed{6}"]
    finished = [
        [*tokenizer.encode(t, add_special_tokens=False), tokenizer.eos_token_id] for t in texts
    ]
    ids = [*finished, finished[0][:-1]]
    found = [minimal.reward(minimal.Rollout([1], row, "6"), tokenizer) for row in ids]
    said = [[{"role": "assistant", "content": text}] for text in [*texts, texts[0]]]
    ends = [tokenizer.eos_token_id]
    assert found == surrogate.rewards(said, ids, ["6"] * 4, ends=ends) == [1.0, 0.0, 1.0, 0.0]


def test_advantages_by_hand(minimal: ModuleType) -> None:
    # Mean 1/4, deviations 3/4 and -1/4; the sample variance is (9 + 3) / 16 / 3 = 1/4.
    found = minimal.advantages([1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0], group=4)
    assert found.tolist() == pytest.approx([1.5, -0.5, -0.5, -0.5, 0, 0, 0, 0], rel=1e-3)


def test_it_runs_from_the_command_line(
    tiny: str, minimal: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    arguments = ["--model", tiny, "--steps", "2", "--queries", "1", "--max-tokens", "4"]
    monkeypatch.setattr(sys, "argv", ["minimal_arm.py", *arguments])
    minimal.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["step 1", "step 2"]
    assert "reward 0.000, loss +0.0000, gradient norm 0.0000" in lines[0]

"""The arms against what docs/science.md section 6 says of them, on a tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from transferscope.core.errors import InputError
from transferscope.models import find_model, load_model, load_tokenizer
from transferscope.train import ArmConfig, train_arm
from transferscope.train.arm import trainable_model
from transferscope.train.sampler import SamplingCopy
from transferscope.train.step_log import StepLog, read_steps
from transferscope.train.surrogate import build_trainer, training_rows

from ..conftest import torchrun
from .helpers import Killed, kill_after, weights


def config(tiny: str, arm: str, **fields: object) -> ArmConfig:
    settings = {"steps": 2, "queries_per_step": 2, "rollouts": 4, "max_tokens": 8}
    settings |= {"rows_per_forward": 8, "precision": "fp32", "learning_rate": 1e-2}
    return ArmConfig.model_validate(settings | {"arm": arm, "model": tiny} | fields)


Trainers = Callable[..., Any]


@pytest.fixture
def trainer_of(tmp_path: Path) -> Trainers:
    def make(settings: ArmConfig) -> Any:
        source = find_model(settings.model)
        model, tokenizer = trainable_model(settings, source), load_tokenizer(source)
        log = StepLog(tmp_path / "steps.jsonl", settings.arm)
        trainer = build_trainer(settings, tmp_path, model, tokenizer, log)
        model.train()
        trainer.current_gradient_accumulation_steps = 1  # set when training starts
        return trainer

    return make


def scored(trainer: Any) -> dict[str, Any]:
    """The first step's batch, as the loss gets it."""
    return dict(trainer._generate_and_score_completions(next(iter(trainer.get_train_dataloader()))))


def log_probabilities(model: Any, batch: dict[str, Any], temperature: float = 1.0) -> torch.Tensor:
    """log pi of every response token (rows, tokens); 0 where there is none. By hand."""
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
    logits = model(ids, attention_mask=mask).logits / temperature
    logp = torch.log_softmax(logits[:, :-1], dim=-1)
    logp = logp.gather(2, ids[:, 1:, None])[:, :, 0]
    return logp[:, batch["prompt_ids"].shape[1] - 1 :] * batch["completion_mask"]


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def assert_same(mine: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert mine.keys() == theirs.keys()
    for name, gradient in theirs.items():
        # float32 sums in another order: 1e-4 of the largest entry is some hundred roundings
        scale = max(float(gradient.abs().max()), 1e-6)
        assert float((mine[name] - gradient).abs().max()) <= 1e-4 * scale, name


def test_off_policy_sft_learns_what_trl_sft_learns(tiny: str, tmp_path: Path) -> None:
    # From the same start, on the same rows: equal losses, gradients' norms and weights.
    ours = train_arm(config(tiny, "off-policy-sft", rollouts=2), tmp_path / "ours")
    stock = train_arm(config(tiny, "classic-sft", rollouts=2), tmp_path / "stock")
    mine, theirs = (read_steps(out / "steps.jsonl") for out in (ours, stock))
    assert len(mine) == len(theirs) == 2
    for a, b in zip(mine, theirs, strict=True):
        assert a["tokens_trained"] == b["tokens_trained"]
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
        assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=1e-4)
        assert a["correct"] == 1.0
    assert mine[1]["loss"] < mine[0]["loss"]  # no constant
    # Adam divides by the gradient's size: where that is rounding error, so is the step.
    start = load_model(tiny).state_dict()
    moved = total = 0.0
    for name, value in weights(stock).items():
        moved += float((weights(ours)[name] - value).pow(2).sum())
        total += float((value - start[name]).pow(2).sum())
    assert moved <= 1e-4 * total


@pytest.mark.parametrize("arm", ["off-policy-rl", "on-policy-rl-no-kl", "random-reward"])
def test_advantage_arms_have_the_gradient_of_minus_a_log_p(
    tiny: str, arm: str, trainer_of: Trainers, monkeypatch: pytest.MonkeyPatch
) -> None:
    if arm == "on-policy-rl-no-kl":  # random text is never right: let every other one be
        monkeypatch.setattr(
            "transferscope.train.surrogate.rewards",
            lambda completions, *_, **__: [float(at % 2) for at in range(len(completions))],
        )
    trainer = trainer_of(config(tiny, arm))
    batch = scored(trainer)
    assert bool((batch["advantages"] != 0).any())
    temperature = 1.0 if arm == "off-policy-rl" else 0.7
    logp = log_probabilities(trainer.model, batch, temperature)
    by_hand = -(batch["advantages"][:, None] * logp).sum() / batch["num_items_in_batch"]
    theirs = gradients(trainer.model, by_hand)
    assert_same(gradients(trainer.model, trainer._compute_loss(trainer.model, batch)), theirs)
    assert trainer._log._loss == pytest.approx(by_hand.item(), rel=1e-4)  # what is logged


def test_advantages_are_relative_to_the_group(tiny: str, trainer_of: Trainers) -> None:
    settings = config(tiny, "off-policy-rl", queries_per_step=3)
    trainer = trainer_of(settings)
    trainer_rows = training_rows(settings)[:3]
    batch = scored(trainer)
    earned = torch.tensor(trainer._earned).view(3, 4)
    deviation = earned.std(dim=1, keepdim=True)
    expected = ((earned - earned.mean(dim=1, keepdim=True)) / (deviation + 1e-4)).flatten()
    assert sorted(batch["advantages"][batch["advantages"] != 0].tolist()) == pytest.approx(
        sorted(expected[expected != 0].tolist()), rel=1e-5
    )
    assert 0 < float(earned.mean()) < 1
    assert [len(row["responses"]) for row in trainer_rows] == [4, 4, 4]


def test_on_policy_sft_weighs_correct_samples_with_one(
    tiny: str, trainer_of: Trainers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "transferscope.train.surrogate.rewards",
        lambda completions, *_, **__: [float(at == 1) for at in range(len(completions))],
    )
    trainer = trainer_of(config(tiny, "on-policy-sft"))
    batch = scored(trainer)
    assert batch["advantages"].tolist() == [1.0]
    # The mean over the tokens of the one correct response: the wrong ones' tokens count nowhere.
    tokens = int(batch["completion_mask"].sum())
    assert int(batch["num_items_in_batch"]) == tokens
    by_hand = -log_probabilities(trainer.model, batch, 0.7).sum() / tokens
    theirs = gradients(trainer.model, by_hand)
    assert_same(gradients(trainer.model, trainer._compute_loss(trainer.model, batch)), theirs)
    assert trainer._log._loss == pytest.approx(by_hand.item(), rel=1e-4)


@pytest.mark.parametrize("arm", ["on-policy-sft", "on-policy-rl-no-kl"])
def test_an_all_wrong_batch_gives_zero_and_finite(tiny: str, arm: str, tmp_path: Path) -> None:
    out = train_arm(config(tiny, arm), tmp_path / "arm")
    steps = read_steps(out / "steps.jsonl")
    assert [step["correct"] for step in steps] == [0.0, 0.0]
    assert [step["grad_norm"] for step in steps] == [0.0, 0.0]
    assert [step["loss"] for step in steps] == [0.0, 0.0]
    start = load_model(tiny).state_dict()
    for name, value in weights(out).items():
        assert torch.equal(value, start[name]), name


def test_beta_acts_as_the_reverse_kl(
    tiny: str, trainer_of: Trainers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One-token responses: KL(pi || ref) by enumerating the vocabulary against the mean gradient of
    # the estimate over every token, weighed by its probability.
    settings = config(tiny, "on-policy-rl", beta=0.5, max_tokens=1, temperature=1.0)
    trainer = trainer_of(settings)
    model = trainer.model
    with torch.no_grad():  # a policy that left its reference
        torch.manual_seed(0)
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    prompt = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        reference = torch.log_softmax(load_model(tiny)(prompt).logits[0, -1], dim=-1)
    logp = torch.log_softmax(model(prompt).logits[0, -1], dim=-1)
    theirs = gradients(model, 0.5 * (logp.exp() * (logp - reference)).sum())
    probability = logp.detach().exp()
    vocabulary = len(probability)
    mine: dict[str, torch.Tensor] = {}
    # The estimate's gradient is linear in the tokens' weights: sampled by its exact expectation.
    rows = {
        "prompt_ids": prompt.expand(vocabulary, -1),
        "prompt_mask": torch.ones(vocabulary, 3, dtype=torch.long),
        "completion_ids": torch.arange(vocabulary)[:, None],
        "completion_mask": torch.ones(vocabulary, 1, dtype=torch.long),
        "advantages": torch.zeros(vocabulary),
        "ref_per_token_logps": reference[:, None],
        "num_items_in_batch": torch.tensor(1.0),
    }
    model.eval()
    weighted = trainer._get_per_token_logps_and_entropies

    def by_probability(*args: Any, **options: Any) -> Any:
        values, *rest = weighted(*args, **options)
        # Weight of a token's loss: scale its gradient, keep its value.
        values.register_hook(lambda gradient: gradient * probability[:, None])
        return values, *rest

    monkeypatch.setattr(trainer, "_get_per_token_logps_and_entropies", by_probability)
    mine = gradients(model, trainer._compute_loss(model, rows))
    assert_same(mine, theirs)


def test_random_reward_flips_the_same_coins_when_resumed(tiny: str, tmp_path: Path) -> None:
    settings = config(tiny, "random-reward", steps=4, save_every=1)
    whole = train_arm(settings, tmp_path / "whole")
    with pytest.raises(Killed):
        train_arm(settings, tmp_path / "cut", tick=kill_after(3))
    cut = train_arm(settings, tmp_path / "cut")
    rows = read_steps(whole / "steps.jsonl")
    assert len({row["reward"] for row in rows}) > 1
    assert {row["correct"] for row in rows} == {0.0}
    assert [r["reward"] for r in read_steps(cut / "steps.jsonl")] == [r["reward"] for r in rows]
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(cut)[name]), name


def test_stale_samples_come_from_the_policy_of_the_last_renewal(
    tiny: str, trainer_of: Trainers
) -> None:
    trainer = trainer_of(config(tiny, "random-reward", refresh_every=2, save_every=2))
    start = {name: value.clone() for name, value in trainer.model.named_parameters()}
    scored(trainer)
    with torch.no_grad():
        for parameter in trainer.model.parameters():
            parameter.add_(1.0)
    trainer.state.global_step = 1
    scored(trainer)
    copied = dict(trainer._copy.model.named_parameters())
    assert all(torch.equal(copied[name], value) for name, value in start.items())
    trainer.state.global_step = 2
    scored(trainer)
    assert all(torch.equal(copied[name], value + 1.0) for name, value in start.items())


@pytest.fixture(scope="module")
def adapter(tiny: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = config(tiny, "off-policy-sft", lora_rank=2, rollouts=2)
    return train_arm(settings, tmp_path_factory.mktemp("lora") / "arm")


def test_adapters_are_saved_and_named_after_their_base(tiny: str, adapter: Path) -> None:
    assert not (adapter / "model.safetensors").exists()
    saved = json.loads((adapter / "adapter_config.json").read_text())
    assert (saved["r"], saved["base_model_name_or_path"]) == (2, tiny)
    # In the order of a set's hashes, an arm that was resumed would have another fingerprint.
    assert saved["target_modules"] == sorted(saved["target_modules"])
    assert len(saved["target_modules"]) == 14  # 7 a layer
    start, tuned = load_model(tiny).state_dict(), load_model(str(adapter)).state_dict()
    changed = [name for name in start if not torch.equal(start[name], tuned[name])]
    assert changed
    assert all("proj" in name for name in changed)


def test_an_adapter_is_trained_on(tiny: str, adapter: Path, tmp_path: Path) -> None:
    settings = config(str(adapter), "off-policy-rl", lora_rank=2, steps=1)
    on = train_arm(settings, tmp_path / "on")
    saved = json.loads((on / "adapter_config.json").read_text())
    assert saved["base_model_name_or_path"] == tiny
    first, second = load_model(str(adapter)).state_dict(), load_model(str(on)).state_dict()
    assert any(not torch.equal(first[name], second[name]) for name in first)
    with pytest.raises(InputError, match="lora_rank is 4, but the start's adapter has 2"):
        train_arm(config(str(adapter), "off-policy-rl", lora_rank=4), tmp_path / "other")


def test_the_sampling_copy_holds_the_merged_weights(tiny: str, adapter: Path) -> None:
    settings = config(str(adapter), "on-policy-sft", lora_rank=2)
    policy = trainable_model(settings, find_model(str(adapter)))
    copied = SamplingCopy(policy, torch.float32)
    copied.renew(policy)
    merged = load_model(str(adapter)).state_dict()
    for name, value in copied.model.named_parameters():
        assert torch.allclose(value, merged[name], atol=1e-6), name
    assert not any(parameter.requires_grad for parameter in copied.model.parameters())


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_adapters_learn_from_their_own_samples(tiny: str, beta: float, tmp_path: Path) -> None:
    arm = "on-policy-rl" if beta else "random-reward"
    out = train_arm(config(tiny, arm, lora_rank=2, beta=beta, precision="bf16"), tmp_path / "arm")
    steps = read_steps(out / "steps.jsonl")
    assert (steps[0]["kl"] == pytest.approx(0.0, abs=1e-6)) if beta else steps[0]["grad_norm"] > 0
    from safetensors.torch import load_file

    assert {v.dtype for v in load_file(out / "adapter_model.safetensors").values()} == {
        torch.float32
    }


@pytest.mark.parametrize("arm", ["off-policy-sft", "off-policy-rl", "classic-sft"])
def test_one_process_and_two_agree(tiny: str, tmp_path: Path, arm: str) -> None:
    # On a teacher's responses: on-policy arms draw other random numbers in each process.
    settings = config(tiny, arm, rows_per_forward=4)
    script = tmp_path / "launch.py"
    script.write_text(
        "import sys; from transferscope.train import ArmConfig, train_arm\n"
        "train_arm(ArmConfig.model_validate_json(sys.argv[1]), sys.argv[2])\n"
        "import torch.distributed\n"
        "torch.distributed.destroy_process_group()  # left to the end, gloo may abort the process\n"
    )
    one, two = train_arm(settings, tmp_path / "one"), tmp_path / "two"
    done = torchrun(2, script, settings.model_dump_json(), two)
    assert done.returncode == 0, done.stderr[-3000:]
    mine, theirs = (read_steps(out / "steps.jsonl") for out in (one, two))
    assert [row["step"] for row in mine] == [row["step"] for row in theirs] == [1, 2]
    for a, b in zip(mine, theirs, strict=True):
        assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=1e-4)
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
        assert a["reward"] == pytest.approx(b["reward"])
        # The first process keeps the log, of what all of them did.
        assert a["length"] == b["length"]
        if arm == "classic-sft":
            assert a["tokens_trained"] == b["tokens_trained"]
        else:  # all processes have equally many rows, which some without weight fill up
            assert a["tokens_trained"] <= b["tokens_trained"]

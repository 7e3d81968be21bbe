"""lm-eval builds and runs every mini task offline; a fake model that knows the golds gets 1.0."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("lm_eval")

from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

from transferscope.tasks import PACKS, task_name
from transferscope.tasks.mini import BENCHMARKS

N = 4


class GoldLM(LM):
    """Answers with the gold of each request's document, or with nothing of worth."""

    def __init__(self, *, knows: bool) -> None:
        super().__init__()
        self.knows = knows
        self.limits: list[int] = []

    @property
    def tokenizer_name(self) -> str:
        return "gold"

    def chat_template(self, chat_template: bool | str = False) -> str:
        return "gold"

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        return f"<user>{chat_history[-1]['content']}<assistant>"

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
        for request in requests:
            assert request.args[0] == f"<user>{request.doc['prompt']}<assistant>"
            assert request.args[1]["until"] == []
            assert request.args[1]["do_sample"] is False
            self.limits.append(request.args[1]["max_gen_toks"])
        return [request.doc["gold"] if self.knows else "" for request in requests]

    def loglikelihood(
        self, requests: list[Any], disable_tqdm: bool = False
    ) -> list[tuple[float, bool]]:
        return [
            (0.0 if (request.args[1] == request.doc["gold"]) == self.knows else -9.0, False)
            for request in requests
        ]

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[float]:
        raise NotImplementedError


@pytest.mark.parametrize(("knows", "score"), [(True, 1.0), (False, 0.0)])
def test_every_task_runs_offline_and_scores(knows: bool, score: float) -> None:
    manager = TaskManager(
        include_path=str(PACKS["mini"]), include_defaults=False, metadata={"n": N, "seed": 3}
    )
    names = [task_name("mini", benchmark) for benchmark in BENCHMARKS]
    assert sorted(manager.all_tasks) == sorted(names)
    model = GoldLM(knows=knows)
    results = simple_evaluate(
        model,
        tasks=names,
        task_manager=manager,
        apply_chat_template=True,
        bootstrap_iters=0,
        log_samples=True,
    )
    assert {n: results["results"][n]["score,none"] for n in names} == dict.fromkeys(names, score)
    for name in names:
        ids = [sample["doc"]["id"] for sample in results["samples"][name]]
        assert ids == [f"3-{index}" for index in range(N)]
    assert model.limits
    assert max(model.limits) == 96  # room to finish a reasoned answer, no more

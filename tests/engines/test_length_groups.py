"""Groups of rows by length: against the cheapest of all ways to cut, and in reading and scoring."""

import itertools

import pytest
import torch

from transferscope.engines import length_groups as module
from transferscope.engines.decode import chooser, decode
from transferscope.engines.length_groups import length_groups
from transferscope.engines.scoring import score

from .test_decode import END, PROMPTS, greedy, kinds
from .test_scoring import PAIRS, by_hand

CPU = torch.device("cpu")


def cost(groups, lengths, fixed):
    return sum(fixed + len(group) * max(lengths[at] for at in group) for group in groups)


@pytest.mark.parametrize("fixed", [0, 3, 8, 1000])
@pytest.mark.parametrize("lengths", [[5], [4, 4, 4], [9, 1, 2, 9, 3], [1, 20, 2, 21, 2, 40, 1]])
def test_the_cheapest_cut(lengths, fixed, monkeypatch):
    monkeypatch.setattr(module, "_FIXED", {"cpu": fixed})
    groups = length_groups(lengths, CPU)
    assert sorted(itertools.chain(*groups)) == list(range(len(lengths)))
    order = sorted(range(len(lengths)), key=lambda at: lengths[at])
    cuts = itertools.chain.from_iterable(
        itertools.combinations(range(1, len(order)), n) for n in range(len(order))
    )
    every = [[order[i:j] for i, j in itertools.pairwise([0, *cut, len(order)])] for cut in cuts]
    assert cost(groups, lengths, fixed) == min(cost(way, lengths, fixed) for way in every)


def test_few_rows_of_similar_length_stay_together():
    assert length_groups([20, 21, 22, 23], CPU) == [[0, 1, 2, 3]]
    assert length_groups([5] * 20 + [90], CPU) == [[20], list(range(20))]
    assert len(length_groups([5] * 20 + [90], torch.device("meta"))) == 1  # only the CPU is so slow


@pytest.fixture
def every_length_apart(monkeypatch):
    monkeypatch.setattr(module, "_FIXED", {"cpu": 0})


@pytest.mark.usefixtures("every_length_apart")
@pytest.mark.parametrize("kind", ["full", "window", "state"])
def test_answers_of_prompts_read_in_groups(kind):
    model = kinds()[kind]
    prompts = [*PROMPTS, [5, 6], PROMPTS[0], [7] * 12]  # with and without a shared beginning
    for asked in (PROMPTS, prompts):
        found = decode(model, asked, max_tokens=10, choose=chooser(0.0), ends=[END], pad=0)
        assert found == [greedy(model, prompt, 10) for prompt in asked]


@pytest.mark.usefixtures("every_length_apart")
@pytest.mark.parametrize("kind", ["full", "window", "state"])
def test_scores_of_continuations_read_in_groups(kind):
    model = kinds()[kind]
    # float32 sums in another order.
    assert score(model, PAIRS, pad=0) == pytest.approx(
        [by_hand(model, *pair) for pair in PAIRS], abs=2e-5
    )


@pytest.mark.usefixtures("every_length_apart")
def test_the_head_reads_scored_tokens_only():
    model = kinds()["full"]
    seen = []
    hook = model.lm_head.register_forward_pre_hook(
        lambda _, given: seen.append(given[0].shape[:-1].numel())
    )
    score(model, [([3, 4, 5], [6]), ([3, 4, 5], [7, 8]), ([3, 4, 5], [8, 9, 10, 11])], pad=0)
    hook.remove()
    assert sorted(seen) == [1, 1, 3]  # the prompt's last token, then what isn't a row's last


def test_padding_of_one_group_is_not_scored_by_the_head():
    model = kinds()["full"]
    rows = []
    forward = model.lm_head.forward
    model.lm_head.forward = lambda states: (
        rows.append(states.shape[:-1].numel()),
        forward(states),
    )[1]
    score(model, [([3, 4, 5], [7, 8]), ([3, 4, 5], [8, 9, 10, 11])], pad=0)
    assert rows == [1, 4]  # 1 + 3 tokens, not 2 rows of 3

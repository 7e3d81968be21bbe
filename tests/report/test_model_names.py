from __future__ import annotations

from dataclasses import replace

import cohort
import pytest
import sample

from transferscope.report import ReportInput
from transferscope.report.model_names import (
    common_start,
    model_labels,
    report_with_short_names,
    short_names,
    with_short_names,
)


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (["/data/runs/rl", "Qwen/Qwen3-4B", "gpt-4"], ["rl", "Qwen/Qwen3-4B", "gpt-4"]),
        (["/a/rl/model", "/a/sft/model"], ["rl/model", "sft/model"]),
        (["/a/x/seed0", "/b/x/seed0"], ["a/x/seed0", "b/x/seed0"]),
        (["/runs/rl/checkpoint-500"], ["rl/checkpoint-500"]),
        ([r"C:\models\tuned", "./tuned2/"], ["tuned", "tuned2"]),
        (["/cache/models--Qwen--Qwen3-4B/snapshots/0a1b"], ["Qwen/Qwen3-4B"]),
        (["/", "."], ["/", "."]),
    ],
)
def test_short_names(models: list[str], expected: list[str]) -> None:
    assert list(short_names(models).values()) == expected


def test_common_start_ends_at_a_separator_and_leaves_something() -> None:
    assert common_start(["llama-1b-rl", "llama-1b-rlhf"]) == "llama-1b-"
    assert common_start(["llama-1b-", "llama-1b-rl"]) == ""
    assert common_start(["alpha", "alpine"]) == ""
    assert common_start(["one"]) == ""


def test_repeated_names_are_numbered() -> None:
    assert model_labels(["m", "n", "m"]) == ["m", "n", "m #2"]


def test_a_comparison_has_short_names_everywhere() -> None:
    whole = cohort.comparison(3)
    short = with_short_names(whole)
    names = ["llama-3.2-1b-on-policy-rl-seed0", "llama-3.2-1b-off-policy-sft-seed0"]
    assert [t.model for t in short.tuned][:2] == names
    assert short.base == "llama-3.2-1b-base"
    assert short.differences[0].startswith(f"{names[0]}: versions")
    assert short.specifications is not None
    assert list(short.specifications.range)[:2] == names
    assert list(short.specifications.specifications[0].ti)[:2] == names
    assert short.tuned[0].index is not None
    assert short.tuned[0].index.model == names[0]
    # the recorded name stays in the provenance
    assert short.provenance[names[0]]["model"] == whole.tuned[0].model
    assert with_short_names(sample.comparison()) == sample.comparison()


def test_what_was_probed_follows_its_model() -> None:
    whole = cohort.comparison(1)
    model = whole.tuned[0].model
    report = ReportInput("t", whole, hidden={model: {}}, arms={model: "rl"})
    short = report_with_short_names(replace(report, tokens={"/other/place": {}}))
    assert list(short.hidden) == list(short.arms) == [short.comparison.tuned[0].model]
    assert list(short.tokens) == ["place"]

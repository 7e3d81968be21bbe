from __future__ import annotations

import pytest

from transferscope.core.errors import InputError
from transferscope.train import DEMO, arm_config


def test_both_demo_arms_see_the_same_queries() -> None:
    sft, rl = DEMO["off-policy-sft"], DEMO["on-policy-rl"]
    assert (sft.queries, sft.queries_per_step, sft.seed) == (
        rl.queries,
        rl.queries_per_step,
        rl.seed,
    )
    assert (sft.model, sft.rows_per_step, rl.rows_per_step) == (rl.model, 24, 48)


def test_given_fields_over_the_demo_settings() -> None:
    config = arm_config({"arm": "on-policy-rl", "steps": 3}, place="study.toml")
    assert config == DEMO["on-policy-rl"].model_copy(update={"steps": 3})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"arm": "magic"}, "study.toml: unknown arm 'magic'; use one of off-policy-sft"),
        (
            {"arm": "on-policy-rl", "steps": 1e1},
            "study.toml: steps: 10.0 is not a whole number: write 10",
        ),
        ({"arm": "on-policy-rl", "steps": 0}, "study.toml: steps: Input should be greater"),
        (
            {"arm": "on-policy-rl", "step": 1},
            "study.toml: an arm has no setting 'step'; did you mean 'st",
        ),
        (
            {"arm": "on-policy-rl", "zzz": 1},
            "study.toml: an arm has no setting 'zzz'; use one of arm,",
        ),
        ({"arm": "off-policy-rl", "beta": 0.1}, "study.toml: beta above 0 needs the policy's own"),
        ({"arm": "on-policy-rl", "beta": 0}, "study.toml: on-policy-rl needs beta above 0"),
        ({"arm": "random-reward", "beta": 0.1}, "study.toml: random-reward has no KL term"),
        ({"arm": "off-policy-rl", "rollouts": 1}, "study.toml: off-policy-rl needs"),
        (
            {"arm": "random-reward", "rollouts": 1},
            "study.toml: random-reward needs group",
        ),
        (
            {"arm": "on-policy-sft", "rollouts": 1},
            "study.toml: on-policy-sft needs groups of responses: set rollouts to 2 or more",
        ),
        ({"arm": "off-policy-sft", "rollouts": 1}, "study.toml: off-policy-sft needs"),
        ({"arm": "on-policy-rl", "rollouts": 0}, "study.toml: rollouts: Input should be greater"),
        ({"arm": "on-policy-rl", "rollouts": -2}, "study.toml: rollouts: Input should be greater"),
        ({"arm": "on-policy-rl", "queries_per_step": 0}, "study.toml: queries_per_step: Input"),
        ({"arm": "on-policy-rl", "rows_per_forward": 0}, "study.toml: rows_per_forward: Input"),
        ({"arm": "on-policy-rl", "max_tokens": 0}, "study.toml: max_tokens: Input should be"),
        ({"arm": "on-policy-rl", "save_every": 0}, "study.toml: save_every: Input should be"),
        ({"arm": "on-policy-sft", "refresh_every": 3}, "study.toml: save_every must be a multiple"),
        (
            {"arm": "off-policy-sft", "refresh_every": 2},
            "study.toml: refresh_every only applies",
        ),
        (
            {"arm": "on-policy-sft", "teacher": "t.jsonl"},
            "study.toml: on-policy-sft trains on its own samples: remove the setting 'teacher'",
        ),
        (
            {"arm": "off-policy-sft", "queries_from": "q.jsonl"},
            "study.toml: the procedural teacher",
        ),
    ],
)
def test_bad_fields_are_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        arm_config(given, place="study.toml")
    assert str(caught.value).startswith(message)


def test_the_classic_arm_takes_one_response() -> None:
    assert arm_config({"arm": "classic-sft", "rollouts": 1}, place="options").rollouts == 1


@pytest.mark.parametrize(("limit", "parts"), [(48, 1), (24, 2), (20, 3), (12, 4), (7, 8), (1, 48)])
def test_accumulation_is_the_fewest_equal_parts(limit: int, parts: int) -> None:
    config = DEMO["on-policy-rl"].model_copy(update={"rows_per_forward": limit})
    assert config.accumulation() == parts


def test_rows_are_dealt_out_evenly() -> None:
    assert DEMO["on-policy-rl"].accumulation(processes=4) == 1  # 12 rows each
    with pytest.raises(InputError, match="48 responses per step can't be divided evenly among 5"):
        DEMO["on-policy-rl"].accumulation(processes=5)


def test_more_queries_than_there_are_is_said_before_training():
    given = {"arm": "off-policy-sft", "steps": 122, "queries_per_step": 6}
    with pytest.raises(InputError, match="732 queries, but only 729 different built-in queries"):
        arm_config(given, place="options")
    assert arm_config(given | {"steps": 121}, place="options").queries == 726


def test_outsiders_register_arms(install):
    code = "from transferscope.train import Recipe\nRECIPE = Recipe('policy', 'coin', kl=True)\n"
    install("arms", "mine", "my_arm:RECIPE", my_arm=code)
    config = arm_config({"arm": "mine", "beta": 0.1}, place="options")
    assert (config.recipe.weight, config.recipe.kl, config.steps) == ("coin", True, 12)
    with pytest.raises(InputError, match="options: mine needs beta above 0"):
        arm_config({"arm": "mine"}, place="options")
    with pytest.raises(InputError, match=r"options: unknown arm 'yours'; use one of .*, mine"):
        arm_config({"arm": "yours"}, place="options")
    with pytest.raises(InputError, match="unknown arm"):
        arm_config({"arm": ["a"]}, place="options")

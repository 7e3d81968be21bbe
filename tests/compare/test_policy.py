"""Policies: what is wrong is named with its table and key, and the nearest known one."""

import pytest

from transferscope.compare.policy import parse_policy
from transferscope.core.errors import InputError

GOOD = "[guards.non]\nmargin = 3\n"


def test_defaults() -> None:
    policy = parse_policy(GOOD, place="p")
    assert (policy.min_items, policy.on_inconclusive, policy.unmapped) == (
        100,
        "fail",
        "inconclusive",
    )
    assert (policy.max_artefact_rate, policy.allow_fewer_items, policy.min_ti) == (None, (), {})
    assert policy.guards["non"].tier == "critical"
    named = parse_policy('allow_fewer_items = ["a", "b"]\n' + GOOD, place="p")
    assert named.allow_fewer_items == ("a", "b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[guards.non]\nmargn = 3\n",
            "p [guards.non]: unknown key 'margn'; did you mean 'margin'?",
        ),
        (GOOD + "teir = 'advisory'\n", "p [guards.non]: unknown key 'teir'; did you mean 'tier'?"),
        ("[gaurds.non]\nmargin = 3\n", "p: unknown key 'gaurds'; did you mean 'guards'?"),
        ("min-items = 3\n" + GOOD, "p: unknown key 'min-items'; did you mean 'min_items'?"),
        ("margin = 3\n" + GOOD, "p: unknown key 'margin'; move it into a [guards.NAME]"),
        (
            GOOD + "min_items = 30\n",
            "p [guards.non]: unknown key 'min_items'; move it above the first [table]",
        ),
        ("guards = 3\n", "p [guards]: should be a table"),
        ("[guards]\nnon = 3\n", "p [guards.non]: should be a table with a margin"),
        ("[guards.non]\n", "p [guards.non.margin]: is missing"),
        ("[guards.non]\nmargin = '3'\n", "p [guards.non.margin]: "),
        ("[guards.non]\nmargin = true\n", "p [guards.non.margin]: "),
        ("[guards.non]\nmargin = nan\n", "p [guards.non.margin]: "),
        ("min_items = 1.5\n" + GOOD, "p [min_items]: 1.5 is not a whole number; see"),
        ("min_items = 1e2\n" + GOOD, "p [min_items]: 100.0 is not a whole number: write 100; see"),
        (
            "margn = 2.0\n" + GOOD,
            "p: unknown key 'margn'; did you mean 'margin'? move it into a [guards.NAME]",
        ),
        (
            GOOD + "min_item = 30\n",
            "p [guards.non]: unknown key 'min_item'; did you mean 'min_items'? move it above",
        ),
        ("min_items = true\n" + GOOD, "p [min_items]: "),
        ("[guards.non]\nmargin = -3\n", "p [guards.non.margin]: must be above 0; see"),
        ("max_artefact_rate = 10\n" + GOOD, "p [max_artefact_rate]: must be 1 or less; see"),
        ("unmapped = 'skip'\n" + GOOD, "p [unmapped]: Input should be 'inconclusive' or 'ignore'"),
        ("allow_fewer_items = 'gsm8k'\n" + GOOD, "p [allow_fewer_items]: should be an array"),
        ("allow_fewer_items = [1]\n" + GOOD, "p [allow_fewer_items.0]: "),
        (GOOD + "[min_ti]\nother = 'x'\n", "p [min_ti.other]: "),
        ("[guards.non\n", "p: not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_policy(text, place="p")
    assert str(caught.value).startswith(said)


def test_a_relative_margin_is_the_smaller_of_both() -> None:
    policy = parse_policy(GOOD + "relative = 0.1\n", place="p").guards["non"]
    assert policy.margin_at(20.0) == pytest.approx(2.0)
    assert policy.margin_at(80.0) == 3.0

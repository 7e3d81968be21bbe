"""Suite files: what loads, and what is refused with place and remedy."""

from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.suite import is_paper, load_suite, parse_suite

GOOD = """
name = "law"
source = "law"
[groups]
law = ["cases"]
rest = ["chat"]
[benchmarks.cases]
pack = "mine"
chance = 0.25
[benchmarks.chat]
pack = "mine"
"""


def test_a_users_suite(tmp_path: Path) -> None:
    path = tmp_path / "law.toml"
    path.write_text(GOOD)
    suite = load_suite(path)
    assert suite.source == "law"
    assert suite.targets == ("rest",)
    assert suite.group_of == {"cases": "law", "chat": "rest"}
    assert suite.scale == "unit"
    assert suite.benchmarks["cases"].chance == 0.25


@pytest.mark.parametrize("name", ["mini", "paper"])
def test_built_in_suites_have_four_benchmarks_in_three_groups(name: str) -> None:
    suite = load_suite(name)
    assert suite.name == name
    assert {g: len(b) for g, b in suite.groups.items()} == {"math": 4, "other": 4, "non": 4}


def test_hash_follows_the_content() -> None:
    one, same = (parse_suite(text, place="s") for text in (GOOD, GOOD + "\n# a comment\n"))
    other = parse_suite(GOOD.replace("0.25", "0.2"), place="s")
    assert one.hash == same.hash != other.hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "s: not valid TOML"),
        (
            GOOD.replace('source = "law"', 'source = "math"'),
            "s [source]: source group 'math' is not among",
        ),
        (GOOD.replace('["chat"]', '["chat", "cases"]'), "s: in more than one group: cases"),
        (GOOD.replace('["chat"]', "[]"), "s: groups without benchmarks: rest"),
        (GOOD.replace('["chat"]', '["chat", "more"]'), "s: not in both"),
        (GOOD.replace("0.25", "1.5"), "s [benchmarks.cases.chance]: Input should be less than 1"),
        (
            GOOD + "repeats = 4.0\n",
            "s [benchmarks.chat.repeats]: 4.0 is not a whole number: write 4",
        ),
        (GOOD + "extra = 1\n", "s [benchmarks.chat.extra]: Extra inputs are not permitted"),
        (GOOD + "[sigma]\nlaw = 2.0\n", "s: [sigma] only applies to scale 'published'"),
        (
            'scale = "published"\n' + GOOD + "[sigma]\nlaw = -1.0\nrest = 1.0\n",
            "s [sigma.law]: Input should be greater than 0",
        ),
        ('scale = "published"\n' + GOOD, "s: scale 'published' needs a [sigma] for every group"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_suite(text, place="s")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_unknown_name() -> None:
    with pytest.raises(InputError, match="no suite 'maxi'; use one of mini, paper"):
        load_suite("maxi")


def test_only_the_papers_suite_may_use_its_scale(tmp_path):
    paper = load_suite("paper")
    groups = "\n".join(f"{g} = {list(names)}" for g, names in paper.groups.items())
    sigma = "\n".join(f"{g} = {value + 1}" for g, value in paper.sigma.items())
    benchmarks = "\n".join(f'[benchmarks.{b}]\npack = "paper"' for b in paper.benchmarks)
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "mine"\nsource = "math"\nscale = "published"\n'
        f"[groups]\n{groups}\n[sigma]\n{sigma}\n{benchmarks}\n"
    )
    with pytest.raises(InputError, match="exactly the paper's groups and benchmarks"):
        load_suite(path)
    assert is_paper(paper)
    assert not is_paper(load_suite("mini"))

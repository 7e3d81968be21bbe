"""The shipped taxonomy and the user's own before it."""

import ast
import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.suite import load_suite
from transferscope.core.taxonomy import load_taxonomy, parse_taxonomy


@pytest.mark.parametrize(
    ("task", "benchmark", "group", "chance"),
    [
        ("gsm8k", "gsm8k", "math", 0.0),
        ("mmlu_anatomy", "mmlu", "other", 0.25),
        ("mmlu_pro_math", "mmlu_pro", "other", 0.1),
        ("winogrande", "winogrande", "other", 0.5),
        ("leaderboard_ifeval", "ifeval", "non", 0.0),
        ("mnli", "mnli", "non", pytest.approx(1 / 3)),
    ],
)
def test_common_tasks_have_their_place(task, benchmark, group, chance):
    name, entry = load_taxonomy().find(task)
    assert (name, entry.group, entry.chance) == (benchmark, group, chance)


def test_a_task_that_nobody_knows_is_unmapped():
    assert load_taxonomy().find("my_secret_eval") is None


def test_exact_names_go_before_patterns():
    text = '[tasks.all]\nmatch = ["a*"]\ngroup = "x"\n[tasks.abc]\ngroup = "y"\n'
    taxonomy = parse_taxonomy(text, place="t")
    assert taxonomy.find("abc")[0] == "abc"
    assert taxonomy.find("abd")[0] == "all"


def test_bad_entries_name_the_key():
    with pytest.raises(InputError, match=r"t \[tasks\.a\.chance\]"):
        parse_taxonomy('[tasks.a]\ngroup = "x"\nchance = 1.5\n', place="t")


def test_the_papers_benchmarks_are_in_their_groups():
    paper = load_suite("paper")
    for name, group in paper.group_of.items():
        _, entry = load_taxonomy().find(name)
        assert (name, entry.group, entry.chance) == (name, group, paper.benchmarks[name].chance)


def test_no_name_is_in_two_entries_and_none_hides_another():
    taxonomy = load_taxonomy()
    entries = taxonomy.tasks.items()
    names = Counter(match for name, entry in entries for match in (entry.match or (name,)))
    assert [name for name, count in names.items() if count > 1] == []
    # A result that bears a benchmark's own name is that benchmark.
    assert [name for name, _ in entries if taxonomy.find(name)[0] != name] == []


def test_chance_is_one_of_the_options():
    levels = {entry.chance for entry in load_taxonomy().tasks.values()}
    options = {round(1 / level, 9) for level in levels if level}
    assert options == {2, 3, 4, 5, 8, 10, 15, 77}


def test_groups_are_the_papers():
    groups = Counter(entry.group for entry in load_taxonomy().tasks.values())
    assert set(groups) == {"math", "other", "non"}
    assert sum(groups.values()) >= 80


def test_chance_agrees_with_the_choices_in_lm_evals_files():
    """Where a task of lm-eval lists its choices, chance is one of them."""
    if (spec := find_spec("lm_eval")) is None:
        pytest.skip("lm-eval is not installed")
    tasks = Path(spec.origin).parent / "tasks"
    checked = {}
    for file in tasks.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        task = re.search(r"^task: (\S+)$", text, re.M)
        choices = re.search(r"^doc_to_choice: (\[[^{]*\])$", text, re.M)
        found = load_taxonomy().find(task[1]) if task and choices else None
        if found is not None and found[1].chance:  # 0: the options differ by task or item
            checked[task[1]] = found[1].chance * len(ast.literal_eval(choices[1]))
    assert len(checked) >= 10
    assert checked == pytest.approx(dict.fromkeys(checked, 1.0))


def test_a_users_entries_go_before_and_replace(tmp_path):
    mine = tmp_path / "map.toml"
    mine.write_text(
        '[tasks.gsm8k]\ngroup = "sums"\n[tasks.law]\nmatch = ["mmlu_*_law"]\ngroup = "law"\n'
    )
    taxonomy = load_taxonomy(mine)
    assert taxonomy.find("gsm8k")[1].group == "sums"
    assert taxonomy.find("mmlu_international_law")[0] == "law"
    assert taxonomy.find("mmlu_anatomy")[0] == "mmlu"
    with pytest.raises(InputError, match=r"no.toml: no such file"):
        load_taxonomy(tmp_path / "no.toml")


def test_the_suite_has_what_was_run():
    suite = load_taxonomy().suite(["mc_taco", "gsm8k", "nobody_knows", "mmlu"])
    assert suite.groups == {"math": ("gsm8k",), "other": ("mmlu",), "non": ("mc_taco",)}
    assert suite.source == "math"
    assert suite.benchmarks["mmlu"].chance == 0.25

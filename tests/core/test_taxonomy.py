"""The shipped taxonomy and the user's own before it."""

import ast
import csv
import re
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.suite import load_suite
from transferscope.core.tasknames import fold, key
from transferscope.core.taxonomy import load_taxonomy, parse_taxonomy

NAMES = Path(__file__).parent / "task_names.csv"
"""Names as they stand in result files: name, harness, benchmark (empty: unmapped)."""


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
        # lm-eval's first metric of MC-TACO is F1, for which the score of guessing is unknown.
        chance = None if name == "MC-TACO" else paper.benchmarks[name].chance
        assert (name, entry.group, entry.chance) == (name, group, chance)


def exact_names():
    """(name, benchmark) of every name that is no pattern."""
    entries = load_taxonomy().tasks.items()
    names = [(match, name) for name, entry in entries for match in {name, *entry.match}]
    return [(match, name) for match, name in names if not set("*?{") & set(match)]


def test_no_name_is_in_two_entries_and_none_hides_another():
    names = Counter(fold(name) for name, _ in {(fold(n), b) for n, b in exact_names()})
    assert [name for name, count in names.items() if count > 1] == []
    # MMMLU and the Okapi translation m_mmlu differ in a separator only: both are named in full.
    keys = Counter(joined for joined, _ in {(key(n), b) for n, b in exact_names()})
    assert [name for name, count in keys.items() if count > 1] == ["mmmlu"]
    assert load_taxonomy().find("m_mmlu")[0] == "okapi_mmlu"
    assert load_taxonomy().find("MMMLU")[0] == "mmmlu"
    # A result that bears a benchmark's name is that benchmark.
    find = load_taxonomy().find
    assert [name for name, benchmark in exact_names() if find(name)[0] != benchmark] == []


def test_no_pattern_is_hidden_by_another():
    taxonomy = load_taxonomy()
    for name, entry in taxonomy.tasks.items():
        for match in entry.match:
            if set("*?{") & set(match):
                last = re.sub(r"\{(\w+)\}", lambda found: taxonomy.sets[found[1]][-1], match)
                task = last.replace("*", "zz").replace("?", "z")
                assert (task, taxonomy.find(task)[0]) == (task, name)


def test_decorated_names_stay_with_their_benchmark():
    """No decoration leads to another benchmark, but to one whose full name is known."""
    taxonomy, led = load_taxonomy(), set()
    for name, benchmark in exact_names():
        for before in ("leaderboard_", "lighteval|"):
            for after in ("", "_0shot", "_cot", "_en", "-Chat_gen_1d7fe4"):
                found = taxonomy.match(f"{before}{name}{after}")
                if found.benchmark != benchmark:
                    led.add((benchmark, found.benchmark))
    assert led == {
        ("air_bench", "air_bench_audio"),
        ("arc_challenge", "arc_challenge_chat"),
        ("bbh", "bbh_cot"),
        ("bbh", "bbh_leaderboard"),
        ("bbh_cot", "bbh_leaderboard"),
        ("gsm8k", "gsm8k_cot"),
        ("mgsm", "mgsm_cot"),
        ("paws", "paws_x"),
        ("turkishmmlu", "turkishmmlu_cot"),
    }


@pytest.mark.parametrize(
    "names",
    [
        ("gsm8k", "gsm_plus", "gsm_hard", "gsm8k_platinum"),
        ("mmlu", "mmlu_pro", "mmlu_redux", "mmlu_cf", "mmmlu", "cmmlu", "kmmlu", "jmmlu"),
        ("arc_easy", "arc_challenge", "arc", "arc_agi"),
        ("math_500", "math", "math_hard", "mathqa", "minerva_math"),
        ("humaneval", "humaneval_plus", "humaneval_x"),
        ("mbpp", "mbpp_plus", "sanitized_mbpp"),
        ("squad", "squad_v2"),
        ("xnli", "xnli_eu", "xnli2.0"),
        ("gpqa", "gpqa_diamond", "gpqa_main", "super_gpqa"),
        ("bbh", "bigbench", "bbeh", "bigbench_lite"),
        ("terminal_bench", "terminal_bench_2"),
        ("mmmu", "mmmu_pro", "mmmlu", "cmmmu"),
        ("agieval_sat_math", "agieval_gaokao_mathqa", "agieval_math", "agieval_gaokao_mathcloze"),
        ("truthfulqa", "truthfulqa_gen", "truthfulqa_mc1", "truthfulqa_mc2"),
    ],
)
@pytest.mark.parametrize("after", ["", "_0shot", "_5shot_gen", "_en", "|0|0"])
def test_like_names_are_told_apart(names, after):
    found = [load_taxonomy().find(f"{name.upper()}{after}")[0] for name in names]
    assert len(set(found)) == len(names)


def test_a_long_exact_name_goes_before_a_short_pattern():
    # "musr_*" matches the whole name, but the name inside is known.
    assert load_taxonomy().find("musr_murder_mysteries_0shot")[0] == "musr_murder_mysteries"
    # The other way round: "mmlu_{llama}_llama" knows more of the name than "mmlu".
    assert load_taxonomy().find("mmlu_de_llama")[0] == "mmlu_multilingual_llama"


def test_names_of_seven_harnesses_are_mapped():
    rows = list(csv.DictReader(NAMES.read_text(encoding="utf-8").splitlines()))
    assert len(rows) >= 250
    assert len({row["harness"] for row in rows}) == 8
    find = load_taxonomy().find
    got = {row["name"]: (found[0] if (found := find(row["name"])) else "") for row in rows}
    assert got == {row["name"]: row["benchmark"] for row in rows}
    print(f"{sum(map(bool, got.values()))} of {len(got)} names are mapped")


def test_every_entry_says_what_is_read():
    entries = load_taxonomy().tasks
    assert len(entries) >= 350
    assert [name for name, entry in entries.items() if not entry.metrics] == []
    lower = {name for name, entry in entries.items() if entry.lower_is_better}
    assert {"wikitext", "pile", "realtoxicityprompts", "librispeech"} <= lower
    assert not {"lambada", "gsm8k", "toxigen"} & lower


def test_a_translation_is_in_the_group_of_what_it_translates():
    """One ability in two groups would count as gain here and as retention there."""
    entries = load_taxonomy().tasks
    pairs = {
        "ja_leaderboard_mgsm": "mgsm",
        "arabic_mt_race": "race",
        "arabic_mt_toxigen": "toxigen",
        "kobest_copa": "copa",
        "kobest_hellaswag": "hellaswag",
        "arabic_mt_hellaswag": "hellaswag",
        "arabic_mt_boolq": "boolq",
        "arabic_mt_sciq": "sciq",
        "m_siqa": "social_iqa",
        "m_logiqa": "logiqa",
        "norcommonsenseqa": "commonsense_qa",
    }
    groups = {name: entries[name].group for name in (*pairs, *pairs.values())}
    assert [name for name, of in pairs.items() if groups[name] != groups[of]] == []


def test_unknown_chance_is_not_zero():
    entries = load_taxonomy().tasks
    assert entries["gsm8k"].chance == 0.0  # a free answer
    assert entries["truthfulqa_mc1"].chance is None  # 2 to 13 options
    assert parse_taxonomy('[tasks.x]\ngroup = "y"\n', place="t").tasks["x"].chance is None
    suite = load_taxonomy().suite(["truthfulqa_mc1", "boolq"])
    assert suite.benchmarks["truthfulqa_mc1"].chance is None
    assert suite.benchmarks["boolq"].chance == 0.5


@pytest.mark.parametrize("line", ["options = 1", "options = 2.5", "options = 4\nchance = 0.25"])
def test_bad_options_are_refused(line):
    with pytest.raises(InputError, match="options must be a whole number"):
        parse_taxonomy(f'[tasks.a]\ngroup = "x"\n{line}\n', place="t")


def test_two_models_runs_of_helm_are_one_subset():
    runs = [f"legalbench:subset=abercrombie,model={model}" for model in ("base", "tuned")]
    first, second = (load_taxonomy().match(run) for run in runs)
    assert first == second
    assert (first.benchmark, first.spelling) == ("legalbench", "legalbench_subset_abercrombie")


def test_sets_must_be_known():
    with pytest.raises(InputError, match="a: set 'what' is not defined in"):
        parse_taxonomy('[tasks.a]\ngroup = "x"\nmatch = ["a_{what}"]\n', place="t")


def test_a_users_aliases(tmp_path):
    mine = tmp_path / "map.toml"
    mine.write_text('[aliases]\nmy_sums_v2 = "gsm8k"\n"law-*" = "mmlu"\nBoolQ = "race"\n')
    taxonomy = load_taxonomy(mine)
    assert taxonomy.find("my_sums_v2")[0] == taxonomy.find("My-Sums-v2_5shot")[0] == "gsm8k"
    assert taxonomy.find("law_tax")[0] == "mmlu"
    assert taxonomy.find("BoolQ")[0] == "race"  # the user's word goes before the shipped one
    mine.write_text('[aliases]\nmy_sums = "gsm8"\n')
    with pytest.raises(
        InputError, match=r"'gsm8', which the taxonomy does not contain.*did you mean 'gsm8k'"
    ):
        load_taxonomy(mine)
    mine.write_text('[sets]\nlang = ["xx"]\n')
    with pytest.raises(InputError, match="set 'lang' is already defined in the shipped taxonomy"):
        load_taxonomy(mine)


def test_names_written_differently_by_the_user_stay_apart(tmp_path):
    mine = tmp_path / "map.toml"
    mine.write_text('[tasks.Sums]\ngroup = "x"\n[tasks.sums]\ngroup = "y"\n')
    taxonomy = load_taxonomy(mine)
    assert [taxonomy.find(name)[1].group for name in ("Sums", "sums", "SUMS")] == ["x", "y", "x"]


def test_nearest_benchmarks_of_an_unmapped_task():
    # "gsm8kx" and "gsm8k" share 5 letters of 6 and 5: 10 / 11.
    assert load_taxonomy().nearest("GSM8Kx", n=1) == ["gsm8k"]
    assert load_taxonomy().nearest("leaderboard_hellaswagg_5shot", n=1) == ["hellaswag"]
    assert load_taxonomy().nearest("qqqqwwww") == []


def test_chance_is_one_of_the_options():
    levels = {entry.chance for entry in load_taxonomy().tasks.values()}
    options = {round(1 / level, 9) for level in levels if level}
    assert options == {2, 3, 4, 5, 7, 8, 10, 15, 77}


def test_groups_are_the_papers():
    groups = Counter(entry.group for entry in load_taxonomy().tasks.values())
    assert set(groups) == {"math", "other", "non"}
    assert sum(groups.values()) >= 350
    assert min(groups.values()) >= 50


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

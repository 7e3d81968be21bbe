"""How task names are folded and stripped; the cases are names that the harnesses write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.tasknames import fold, key, spellings, without_model


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("ARC-Challenge", "arc_challenge"),
        ("MATH-500", "math_500"),
        ("BIG-Bench Hard", "big_bench_hard"),
        ("HumanEval+", "humaneval_plus"),
        ("Humanity's Last Exam", "humanitys_last_exam"),
        ("gpqa:diamond", "gpqa_diamond"),
        ("MMLU (5-shot)", "mmlu_5_shot"),
        ("ＢｏｏｌＱ", "boolq"),  # full width
        ("__x..y__", "x_y"),
        ("", ""),
    ],
)
def test_folding(name, folded):
    assert fold(name) == folded
    assert fold(folded) == folded


def test_keys_have_no_separators():
    assert key("MATH-500") == key("math_500") == key("Math500") == "math500"


@pytest.mark.parametrize(
    ("task", "bare"),
    [
        ("leaderboard_ifeval", "ifeval"),
        ("lighteval|gsm8k|5|0", "gsm8k"),
        ("gsm8k|5", "gsm8k"),
        ("leaderboard|arc:challenge|25|0", "arc_challenge"),
        ("gsm8k_0shot", "gsm8k"),
        ("hellaswag_10_shot", "hellaswag"),
        ("piqa_zero_shot", "piqa"),
        ("boolq_5-shots", "boolq"),
        ("gsm8k_cot_zeroshot", "gsm8k"),
        ("mbpp_instruct", "mbpp"),
        ("gsm8k_gen_1d7fe4", "gsm8k"),
        ("gsm8k_a58960", "gsm8k"),
        ("aime2024-run3", "aime2024"),
        ("mmlu_ppl_ac766d", "mmlu"),
        ("ifeval_en", "ifeval"),
        ("inspect_evals/piqa", "piqa"),
        ("openai/gsm8k", "gsm8k"),
        ("boolq:model=m,data_augmentation=canonical", "boolq"),
        ("super_glue:boolq", "boolq"),
        ("HF/BoolQ (0-shot)", "boolq"),
        ("gsm8k@4", "gsm8k"),
        ("lighteval|math_500@k=1&n=4|0", "math_500"),
        ("gsm8k:5", "gsm8k"),
        ("leaderboard|gsm8k|5|false", "gsm8k"),
        ("gsm8k_0shot_v2_gen_a58960", "gsm8k"),
        ("math_4shot_base_gen_db136b", "math"),
        ("cmmlu_0shot_nocot_llmjudge_gen_e1cd9a", "cmmlu"),
        ("DROP (F1)", "drop"),
        ("IFEval (prompt strict)", "ifeval"),
        ("MBPP (pass@1)", "mbpp"),
        ("mbpp_repeat10", "mbpp"),
        ("humaneval_passk", "humaneval"),
        ("aime24_avg_at_16", "aime24"),
    ],
)
def test_decorations_come_off(task, bare):
    assert bare in spellings(task)
    assert spellings(task)[0] == fold(task)


@pytest.mark.parametrize(
    "name",
    [
        "gsm_plus",
        "mmlu_pro",
        "mmlu_redux",
        "arc_easy",
        "math_500",
        "math_hard",
        "humaneval_plus",
        "gsm_plus_mini",
        "bbh_lite",
        "squad_v2",
        "livecodebench_v5",
        "24_game",
        "c4",
        "toxigen",
        "mmlu_facade",  # no hash: letters only
        "mmlu_202411",  # a date
    ],
)
def test_what_says_which_questions_are_asked_stays(name):
    assert spellings(name) == (name,)


def test_parts_of_helms_names():
    assert spellings("commonsense:dataset=hellaswag,method=multiple_choice_joint,model=m")[1:] == (
        "hellaswag",
        "commonsense_hellaswag",
        "commonsense",
    )
    assert "gpqa_main" in spellings("gpqa:subset=gpqa_main,use_chain_of_thought=true,model=m")


def test_helms_names_without_the_model():
    assert without_model("raft:subset=a,model=m,model_deployment=p/m,k=5") == "raft:subset=a,k=5"
    assert without_model("gsm:model=m") == "gsm"
    assert without_model("model=m") == "model=m"


@given(st.text(max_size=80))
def test_any_text_has_spellings_that_end(task):
    found = spellings(task)
    assert len(set(found)) == len(found) < 200
    assert all(fold(one) == one for one in found)

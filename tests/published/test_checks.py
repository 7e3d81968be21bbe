"""What the cohort hangs on, recomputed here from the packaged tables."""

import pytest

from transferscope.published import cohort_checks, cohort_plane, read_table, weight_share

SCORES = {(row["model"], row["benchmark"]): float(row["score"]) for row in read_table("scores")}
MODELS = read_table("models")
MATH = ("MATH-500", "AIME24", "AIME25", "OlympiadBench")


def test_more_than_half_of_the_models_score_below_25_on_halueval() -> None:
    low = {row["model"] for row in MODELS if SCORES[row["model"], "HaluEval"] < 25}
    assert len(low) == 10
    found = cohort_checks().non_answers
    assert {m for m, rows in found.items() if any(r.benchmark == "HaluEval" for r in rows)} == low
    assert all(SCORES[m, r.benchmark] < r.chance / 2 for m, rows in found.items() for r in rows)


def test_sft_models_start_from_instruct_models_and_rl_models_do_not() -> None:
    assert cohort_checks().instruct_bases == {"SFT": (7, 11), "RL": (0, 7)}
    (base,) = cohort_checks().same_base
    assert base == "Qwen3-14B-Base"
    methods = [row["method"] for row in MODELS if row["base"] == base]
    assert sorted(methods) == ["RL", "RL", "SFT", "SFT", "SFT"]
    assert len(cohort_checks().same_base[base]) == 5


def test_aime_and_two_of_four_talk_benchmarks_carry_their_groups() -> None:
    weights = cohort_checks().weights
    by_hand = []
    for row in MODELS:
        room = {b: 100 - SCORES[row["base"], b] for b in MATH}
        by_hand.append(100 * (room["AIME24"] + room["AIME25"]) / sum(room.values()))
    found = [weight_share(rows, "AIME24", "AIME25") for rows in weights.values()]
    assert found == pytest.approx(by_hand)
    assert (round(min(found)), round(max(found))) == (52, 65)
    talk = [weight_share(rows, "CoQA", "HaluEval") for rows in weights.values()]
    assert (round(min(talk)), round(max(talk))) == (60, 78)


def test_plane_by_hand() -> None:
    row = MODELS[-1]
    gain = sum(SCORES[row["model"], b] - SCORES[row["base"], b] for b in MATH) / 4
    assert cohort_plane()[row["model"]][0] == pytest.approx(gain)


def test_scales_of_the_whole_cohort_change_no_order() -> None:
    curve = cohort_checks().curve
    assert curve.default.scale == "cohort"
    for result in curve.specifications:
        if (result.definition, result.scale, result.weights) == ("robust", "unit", "headroom"):
            assert result.rank_correlation == pytest.approx({"other": 1.0, "non": 1.0})
    document = cohort_checks().to_json()
    assert len(document["non_answers"]) == 10
    assert document["instruct_bases"]["SFT"] == {"instruct": 7, "of": 11}

"""MATH-500, AIME and OlympiadBench: readers, prompts, decodings, graders, and all real answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import Decoding, ModelRef, digest
from transferscope.core.suite import Suite, load_suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import evaluate
from transferscope.runs import read_run
from transferscope.tasks import Benchmark, Item, validate
from transferscope.tasks.paper import PRESETS
from transferscope.tasks.paper.answer_corrections import (
    UNANSWERABLE,
    Correction,
    corrected,
)
from transferscope.tasks.paper.maths_golds import MathsGolds, boxed

BENCH = Path(__file__).resolve().parents[3] / "shared" / "data" / "bench"
MATHS = ("MATH-500", "AIME24", "AIME25", "OlympiadBench")
ROWS: dict[str, list[dict[str, Any]]] = {
    "math500.jsonl": [
        {
            "problem": "Halve {one}: what is $1 - \\frac{3}{4}$?",
            "answer": "\\frac{1}{4}",
            "subject": "Prealgebra",
            "level": "1",
            "unique_id": "test/prealgebra/1.json",
        },
        {"problem": "Which roots has $x^2 = 4$?", "answer": "-2,2"},
    ],
    "aime24.jsonl": [{"id": "aime24-0", "problem": "What is 30 + 3?", "expected_answer": "33"}],
    "aime25.jsonl": [{"id": "I-1", "problem": "What is 7 x 9?", "answer": 63}],
    "olympiadbench_mine.jsonl": [
        {
            "id": 4,
            "context": None,
            "question": "Give $f$ with $f(n) = n + n$.",
            "final_answer": ["$2n$"],
            "is_multiple_answer": False,
            "unit": None,
            "answer_type": "Expression",
            "error": None,
        },
        {
            "id": 5,
            "context": "A rope is 3 km long.",
            "question": "How long are two?",
            "final_answer": ["6"],
            "is_multiple_answer": "False",
            "unit": "$km$",
            "answer_type": "Numerical",
            "error": "0.5",
        },
        {
            "id": 6,
            "question": "Which digits has 2112?",
            "final_answer": ["1,2"],
            "is_multiple_answer": True,
            "answer_type": "Numerical",
        },
        {
            "id": 7,
            "question": "What are $a$, $b$ and $c$ in $2 x^2 + 3 x + 3$?",
            "final_answer": ["2,3,3"],
            "is_multiple_answer": True,
            "answer_type": "Other",
        },
        {
            "id": 8,
            "question": "Where is $x^2 < 1$?",
            "final_answer": ["$(-1,1)$"],
            "is_multiple_answer": False,
            "answer_type": "Interval",
        },
        {"id": 9, "question": "Give a root of $x^2 - 4$.", "final_answer": ["2", "-2"]},
        {
            "id": 10,
            "question": "Give the roots of $x^2 - 9$.",
            "final_answer": ["3", "-3"],
            "is_multiple_answer": True,
        },
        {
            "id": 11,
            "question": "Which numbers has the row 99, 100, 101?",
            "final_answer": ["$99,100,101$"],
            "is_multiple_answer": True,
        },
    ],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, rows in ROWS.items():
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def items(preset: str, name: str, data: Path) -> dict[str, Item]:
    return {item.id: item for item in PRESETS[preset][name].items(None, seed=0, data=data)}


def grade(preset: str, name: str, item: Item, answer: str) -> float:
    return PRESETS[preset][name].grade(item, boxed(answer))


@pytest.mark.parametrize("preset", ["paper", "authors", "fixed"])
def test_the_suites_find_their_benchmarks(preset: str) -> None:
    suite = load_suite(preset)
    assert set(MATHS) <= suite.benchmarks.keys()
    assert {suite.benchmarks[name].pack for name in MATHS} == {preset}
    assert set(MATHS) <= PRESETS[preset].keys()


@pytest.mark.parametrize("name", MATHS)
def test_decodings(name: str) -> None:
    sampled = Decoding(temperature=0.6, top_p=0.95, max_tokens=32_768)
    greedy = Decoding(max_tokens=32_768)
    papers = greedy if name == "OlympiadBench" else sampled
    stopped = Decoding(max_tokens=32_768, stop=("Problem:",))
    warm = Decoding(temperature=0.7, max_tokens=32_768)
    assert PRESETS["paper"][name].decoding == papers
    assert PRESETS["fixed"][name].decoding == papers
    assert PRESETS["authors"][name].decoding == (warm if "AIME" in name else stopped)


def test_prompts(data: Path) -> None:
    problem = ROWS["math500.jsonl"][0]["problem"]
    shown = f"\nProblem: {problem}\nAnswer:"
    form = "the final answer in the format: Final Answer: \\boxed{your_answer}."
    key = "math500-prealgebra/1"
    assert items("paper", "MATH-500", data)[key].text == (
        f"Solve the following math problem. Present {form}{shown}"
    )
    assert items("authors", "MATH-500", data)[key].text == (
        f"Solve the following math problem and present {form}{shown}"
    )
    assert items("fixed", "MATH-500", data)[key].text == (
        f"{problem}\n\nReason step by step, and put the final answer in \\boxed{{}}."
    )
    assert items("authors", "AIME24", data)["aime24-0"].text == (
        "Problem: What is 30 + 3?\nMark your solution with \\boxed\nAnswer:"
    )
    assert items("paper", "AIME25", data)["aime25-I-1"].text == (
        f"Solve the following math problem. Present {form}\nProblem: What is 7 x 9?\nAnswer:"
    )
    released = items("authors", "OlympiadBench", data)["olympiadbench-5"].text
    assert released == items("paper", "OlympiadBench", data)["olympiadbench-5"].text
    assert released == (
        f"Solve the following math problem. Present {form}\nProblem: How long are two?\nAnswer:"
    )


def test_the_prompt_of_fixed_says_which_form_the_answer_has(data: Path) -> None:
    told = {
        key.removeprefix("olympiadbench-"): item.text.removesuffix(
            "\n\nReason step by step, and put the final answer in \\boxed{}."
        )
        for key, item in items("fixed", "OlympiadBench", data).items()
    }
    assert told == {
        "4": "Give $f$ with $f(n) = n + n$.\n\nThe answer is an expression.",
        "5": "A rope is 3 km long.\n\nHow long are two?\n\nThe answer is a number. "
        "Its unit is $km$.",
        "6": "Which digits has 2112?\n\nThere are several answers; give all, separated by commas "
        "(each is a number).",
        "7": "What are $a$, $b$ and $c$ in $2 x^2 + 3 x + 3$?\n\nThere are several answers; give "
        "all, separated by commas.",
        "8": "Where is $x^2 < 1$?\n\nThe answer is an interval.",
        "9": "Give a root of $x^2 - 4$.",
        "10": "Give the roots of $x^2 - 9$.\n\nThere are several answers; give all, separated by "
        "commas.",
        "11": "Which numbers has the row 99, 100, 101?\n\nThere are several answers; give all, "
        "separated by commas.",
    }


def test_items_by_hand(data: Path) -> None:
    found = items("fixed", "MATH-500", data)
    assert found.keys() == {"math500-prealgebra/1", "math500-1"}
    assert found["math500-1"].gold == "Final Answer: \\boxed{-2,2}"
    assert found["math500-1"].data == MathsGolds("-2,2", ("-2,2",))
    assert {item.subset for item in found.values()} == {""}  # else subjects would count evenly
    assert items("fixed", "AIME25", data)["aime25-I-1"].data == MathsGolds("63", ("63",))
    found = items("fixed", "OlympiadBench", data)
    assert found["olympiadbench-5"].data == MathsGolds("6", ("6\\text{ km}",), (0.5,))
    assert found["olympiadbench-7"].data.right == ("(2, 3, 3)",)
    assert found["olympiadbench-9"].data.right == ("2", "-2")
    assert found["olympiadbench-10"].data.right == ("3, -3",)
    first = items("paper", "OlympiadBench", data)
    assert first["olympiadbench-9"].data.right == ("2",)
    assert first["olympiadbench-7"].data.right == ("(2, 3, 3)",)


@pytest.mark.parametrize(
    ("name", "key", "answer", "scores"),
    [  # fixed, paper, authors
        ("MATH-500", "math500-prealgebra/1", "\\frac14", (1, 1, 1)),
        ("MATH-500", "math500-prealgebra/1", "0.25", (1, 1, 0)),
        ("MATH-500", "math500-1", "2, -2", (1, 1, 0)),
        ("MATH-500", "math500-1", "2", (0, 0, 0)),
        ("AIME24", "aime24-0", "33", (1, 1, 1)),
        ("AIME24", "aime24-0", "033", (1, 1, 0)),
        ("AIME25", "aime25-I-1", "36", (0, 0, 0)),
        ("OlympiadBench", "olympiadbench-4", "2n", (1, 1, 0)),
        ("OlympiadBench", "olympiadbench-4", "$2n$", (1, 1, 1)),
        ("OlympiadBench", "olympiadbench-5", "6", (1, 1, 1)),
        ("OlympiadBench", "olympiadbench-5", "6.4", (1, 0, 0)),
        ("OlympiadBench", "olympiadbench-5", "6.6", (0, 0, 0)),
        ("OlympiadBench", "olympiadbench-5", "6 \\text{ km}", (1, 1, 1)),
        ("OlympiadBench", "olympiadbench-5", "6000 \\text{ m}", (1, 0, 0)),
        ("OlympiadBench", "olympiadbench-5", "6 \\text{ s}", (0, 1, 1)),
        ("OlympiadBench", "olympiadbench-6", "\\{2, 1\\}", (1, 1, 0)),
        ("OlympiadBench", "olympiadbench-7", "a=2, b=3, c=3", (1, 1, 0)),
        ("OlympiadBench", "olympiadbench-7", "2, 3", (0, 0, 0)),
        ("OlympiadBench", "olympiadbench-7", "3, 2, 3", (0, 0, 0)),
        ("OlympiadBench", "olympiadbench-8", "-1<x<1", (1, 1, 0)),
        ("OlympiadBench", "olympiadbench-9", "-2", (1, 0, 0)),
        ("OlympiadBench", "olympiadbench-9", "2", (1, 1, 1)),
        ("OlympiadBench", "olympiadbench-10", "\\pm 3", (1, 0, 0)),
        ("OlympiadBench", "olympiadbench-10", "3", (0, 1, 1)),
        ("OlympiadBench", "olympiadbench-11", "\\{99, 100, 101\\}", (1, 1, 0)),
        ("OlympiadBench", "olympiadbench-11", "99100101", (0, 0, 0)),
        ("OlympiadBench", "olympiadbench-8", "[-1,1]", (0, 0, 0)),
    ],
)
def test_presets_differ_exactly_here(
    data: Path, name: str, key: str, answer: str, scores: tuple[int, int, int]
) -> None:
    told = tuple(
        grade(preset, name, items(preset, name, data)[key], answer)
        for preset in ("fixed", "paper", "authors")
    )
    assert told == scores


def test_twins_give_what_the_faulty_graders_give(data: Path) -> None:
    """A twin grades the same reply to the same item as ``fixed``."""
    wanted = {
        "MATH-500": ("math500-prealgebra/1", "0.25", {"uncorrected": 1, "released": 0}),
        "AIME24": ("aime24-0", "033", {"released": 1, "evalchemy": 0}),
        "OlympiadBench": ("olympiadbench-9", "-2", {"first answer": 0, "released": 0}),
    }
    for name, (key, answer, scores) in wanted.items():
        benchmark: Benchmark = PRESETS["fixed"][name]
        item = items("fixed", name, data)[key]
        assert benchmark.grade(item, boxed(answer)) == 1.0
        told = {twin: benchmark.twins[twin](item, boxed(answer)) for twin in scores}
        assert told == scores, name
    assert set(PRESETS["fixed"]["MATH-500"].twins) == {"uncorrected", "released", "evalchemy"}
    assert not PRESETS["paper"]["MATH-500"].twins


def test_a_run_records_what_every_twin_gives(data: Path, tmp_path: Path) -> None:
    """Repeats are averaged, and every twin grades the very replies that the run has."""
    whole = load_suite("fixed")
    benchmarks = {name: whole.benchmarks[name] for name in MATHS}
    suite = Suite(name="maths", source="math", groups={"math": MATHS}, benchmarks=benchmarks)
    answers = {"30 + 3": "033", "7 x 9": "63", "1 - ": "0.25", "x^2 = 4": "-2,2"}

    def answer(prompt: str) -> str:
        return boxed(next((told for key, told in answers.items() if key in prompt), "none"))

    out = evaluate(
        FakeEngine(answer), suite, tmp_path / "run", model_ref=ModelRef("fake"), data=data
    )
    run = read_run(out)
    assert run.manifest.metrics == {
        "MATH-500": {"score": 1.0, "uncorrected": 1.0, "released": 0.5, "evalchemy": 0.5},
        "AIME24": {"score": 1.0, "released": 1.0, "evalchemy": 0.0},
        "AIME25": {"score": 1.0, "released": 1.0, "evalchemy": 1.0},
        "OlympiadBench": {"score": 0.0, "first answer": 0.0, "released": 0.0},
    }
    assert {name: len(found) for name, found in run.by_benchmark.items()} == {
        "MATH-500": 6,
        "AIME24": 10,
        "AIME25": 10,
        "OlympiadBench": 8,
    }


def test_corrections_replace_the_files_answer(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    problem = ROWS["math500.jsonl"][0]["problem"]
    assert corrected(problem, ("1",)) == ("1",)
    told = {digest(problem): Correction(("5", "\\frac{1}{4}"), "made up")}
    monkeypatch.setattr("transferscope.tasks.paper.answer_corrections.CORRECTIONS", told)
    item = items("fixed", "MATH-500", data)["math500-prealgebra/1"]
    assert grade("fixed", "MATH-500", item, "5") == 1.0
    assert PRESETS["fixed"]["MATH-500"].twins["uncorrected"](item, boxed("5")) == 0.0
    paper = items("paper", "MATH-500", data)["math500-prealgebra/1"]
    assert grade("paper", "MATH-500", paper, "5") == 0.0


def test_problems_that_lack_a_value_are_left_out(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    told = {digest("How long are two?"): "made up"}
    monkeypatch.setattr("transferscope.tasks.paper.answer_corrections.UNANSWERABLE", told)
    kept = (
        items("paper", "OlympiadBench", data).keys() - items("fixed", "OlympiadBench", data).keys()
    )
    assert kept == {"olympiadbench-5"}


@pytest.mark.parametrize(
    ("name", "file", "row", "message"),
    [
        ("MATH-500", "math500.jsonl", {"problem": "p"}, "no answer in 'answer'"),
        ("MATH-500", "math500.jsonl", {"problem": " ", "answer": "1"}, "no text in 'problem'"),
        ("AIME24", "aime24.jsonl", {"problem": "p", "answer": True}, "no answer in 'expected_answ"),
        ("OlympiadBench", "olympiadbench_mine.jsonl", {"question": "q"}, "no list in 'final_answ"),
        (
            "OlympiadBench",
            "olympiadbench_mine.jsonl",
            {"question": "q", "final_answer": [""]},
            "no answer in 'final_answer'",
        ),
        (
            "OlympiadBench",
            "olympiadbench_mine.jsonl",
            {"question": "q", "final_answer": ["1"], "error": "about"},
            "'error' is not a number",
        ),
    ],
)
def test_bad_rows_are_named(
    data: Path, name: str, file: str, row: dict[str, Any], message: str
) -> None:
    (data / file).write_text(json.dumps(row))
    with pytest.raises(InputError, match=rf"{file}:1: {message}"):
        items("fixed", name, data)


@pytest.mark.parametrize("preset", ["paper", "authors", "fixed"])
def test_golds_and_wrong_answers_by_hand(data: Path, preset: str) -> None:
    for name in MATHS:
        found = list(items(preset, name, data).values())
        told = validate(PRESETS[preset][name], found)
        assert told.passed, told.faults
        assert told.golds == len(found)


@pytest.mark.skipif(not BENCH.is_dir(), reason="the real items are not here")
@pytest.mark.parametrize("preset", ["paper", "authors", "fixed"])
@pytest.mark.parametrize(
    ("name", "count"), [("MATH-500", 500), ("AIME24", 30), ("AIME25", 30), ("OlympiadBench", 300)]
)
def test_every_real_answer_is_right_and_its_mutations_are_wrong(
    preset: str, name: str, count: int
) -> None:
    found = list(items(preset, name, BENCH).values())
    if (preset, name) == ("fixed", "OlympiadBench"):
        count -= len(UNANSWERABLE)
    assert len(found) == count
    told = validate(PRESETS[preset][name], found)
    assert told.passed, told.faults
    assert (told.golds, told.wrong > 3 * count) == (count, True)


@pytest.mark.skipif(not BENCH.is_dir(), reason="the real items are not here")
def test_the_released_matcher_cannot_match_two_fifths_of_olympiadbench() -> None:
    """An answer written without the file's dollar signs never equals one that has them."""
    released = PRESETS["fixed"]["OlympiadBench"].twins["released"]
    found = items("paper", "OlympiadBench", BENCH).values()
    matched = [released(item, boxed(item.data.listed.strip("$"))) for item in found]
    assert sum(matched) == 179

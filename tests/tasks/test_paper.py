"""Real benchmarks from files: readers by hand, graders by perfect and by poor answers."""

import json
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef
from transferscope.core.suite import load_suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import evaluate, evaluate_model
from transferscope.grade.ifeval import Instruction
from transferscope.runs import read_run
from transferscope.tasks import Item, validate
from transferscope.tasks.paper import PRESETS

BENCHMARKS = PRESETS["fixed"]

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

START = {
    "GSM8K": "gsm8k",
    "HeadQA": "headqa",
    "CoQA": "coqa",
    "IFEval": "ifeval",
    "MC-TACO": "mctaco",
}
LINES = {
    "gsm8k_mine.jsonl": [
        {"question": "Two and two?", "answer": "2 + 2 = <<2+2=4>>4\n#### 4"},
        {"question": "Nine less two?", "answer": "9 - 2 = 7\n#### 7"},
    ],
    "HeadQA.jsonl": [
        {
            "qtext": "Which is a bird?",
            "ra": "2",
            "answers": [{"aid": 1, "atext": "Cod"}, {"aid": 2, "atext": "Wren"}],
            "image": "",
        },
        {"qtext": "See the picture.", "ra": "1", "answers": [], "image": "x.png"},
    ],
    "coqa.jsonl": [
        {
            "story": "Ann had a red hat.",
            "questions": ["Who?", "What had she?", "And then?"],
            "answers": ["Ann", "a red hat"],
        }
    ],
    "ifeval.jsonl": [
        {
            "key": 7,
            "prompt": "Say something without commas, in lower case.",
            "instruction_id_list": ["punctuation:no_comma", "change_case:english_lowercase"],
            "kwargs": [{}, {}],
        }
    ],
    "mctaco.jsonl": [
        {"sentence": "He ate.", "question": "How long?", "answer": "an hour", "label": "yes"},
        {"sentence": "He ate.", "question": "How long?", "answer": "a year", "label": "no"},
        {"sentence": "He ate.", "question": "How often?", "answer": "daily", "label": "yes"},
    ],
}


def rows(name: str, data: Path, *, n: int | None, seed: int) -> list[Item]:
    return list(BENCHMARKS[name].items(n, seed=seed, data=data))


def grade(name: str, item: Item, reply: str) -> float:
    return BENCHMARKS[name].grade(item, reply)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name, lines in LINES.items():
        (folder / name).write_text("\n".join(map(json.dumps, lines)))
    return folder


def test_rows_by_hand(data: Path) -> None:
    gsm = {row.id: row for row in rows("GSM8K", data, n=None, seed=0)}
    assert {i: row.gold for i, row in gsm.items()} == {"gsm8k-0": "4", "gsm8k-1": "7"}
    (head,) = rows("HeadQA", data, n=None, seed=0)
    assert (head.gold, head.choices) == ("Wren", ("Cod", "Wren"))
    assert head.prompt == "Which is a bird?\n\nAnswer with one of these:\n- Cod\n- Wren"
    (coqa,) = rows("CoQA", data, n=None, seed=0)
    assert coqa.gold == "a red hat"
    assert coqa.prompt.endswith("Ann had a red hat.\n\nQ: Who?\nA: Ann\nQ: What had she?\nA:")
    (ifeval,) = rows("IFEval", data, n=None, seed=0)
    assert (ifeval.id, ifeval.weight) == ("ifeval-7", 2.0)
    taco = rows("MC-TACO", data, n=None, seed=0)
    assert sorted((row.cluster, row.gold) for row in taco) == [
        ("mctaco-0", "no"),
        ("mctaco-0", "yes"),
        ("mctaco-1", "yes"),
    ]
    assert len(rows("MC-TACO", data, n=1, seed=0)) in (1, 2)  # a whole question
    assert [row.id for row in rows("GSM8K", data, n=2, seed=1)] == [
        row.id for row in rows("GSM8K", data, n=2, seed=1)
    ]


def test_grades_by_hand(data: Path) -> None:
    first = {name: rows(name, data, n=None, seed=0)[-1] for name in START}
    gold = first["GSM8K"].gold
    assert grade("GSM8K", first["GSM8K"], f"So. The answer is {gold}.") == 1.0
    assert grade("GSM8K", first["GSM8K"], "The answer is 5.") == 0.0
    assert grade("CoQA", first["CoQA"], "The red hat!") == 1.0
    assert grade("CoQA", first["CoQA"], "a hat") == pytest.approx(2 / 3)
    assert grade("IFEval", first["IFEval"], "fine words here") == 1.0
    assert grade("IFEval", first["IFEval"], "fine, words") == 0.5
    assert grade("HeadQA", first["HeadQA"], "Wren") == 1.0


def test_a_run_grades_what_score_grades() -> None:
    thought = "<think>Paris, or a, b, c?</think>"
    assert grade("CoQA", Item("r", "p", gold="Rome"), f"{thought}Rome<|im_end|>") == 1.0
    pytest.importorskip("lm_eval")
    check = (Instruction("punctuation:no_comma", {}),)
    assert grade("IFEval", Item("r", "p", data=check), f"{thought}\n\nNo mark.") == 1.0
    assert grade("IFEval", Item("r", "p", data=check), f"{thought}A mark, here.") == 0.0


@pytest.mark.parametrize(
    ("name", "benchmark", "line", "message"),
    [
        ("gsm8k_mine.jsonl", "GSM8K", {"question": "q"}, "gsm8k_mine.jsonl:1: no text in 'answer'"),
        (
            "HeadQA.jsonl",
            "HeadQA",
            {"qtext": "q", "ra": "3", "answers": []},
            "'ra' doesn't name one of",
        ),
        ("coqa.jsonl", "CoQA", {"story": "s", "questions": [], "answers": []}, "no answered"),
        ("ifeval.jsonl", "IFEval", {"prompt": "p", "instruction_id_list": "x"}, "no list in"),
        (
            "mctaco.jsonl",
            "MC-TACO",
            {"sentence": "s", "question": "q", "answer": "a", "label": "maybe"},
            "neither yes nor no",
        ),
    ],
)
def test_bad_lines_are_named(
    data: Path, name: str, benchmark: str, line: dict[str, object], message: str
) -> None:
    (data / name).write_text(json.dumps(line))
    with pytest.raises(InputError, match=message):
        rows(benchmark, data, n=None, seed=0)


def test_missing_and_ambiguous_files_are_named_before_a_model_is_loaded(
    data: Path, tiny_model: Path, tmp_path: Path
) -> None:
    suite = load_suite("real")
    with pytest.raises(InputError, match="needs a local file; name a folder"):
        evaluate_model(str(tiny_model), suite, tmp_path / "run")
    (data / "gsm8k_two.jsonl").touch()
    with pytest.raises(InputError, match=r"2 files gsm8k\* for benchmark GSM8K"):
        evaluate_model(str(tiny_model), suite, tmp_path / "run", data=data)
    with pytest.raises(InputError, match=r"no files coqa\*"):
        rows("CoQA", tmp_path, n=1, seed=0)
    assert not (tmp_path / "run").exists()


def test_a_perfect_engine_scores_everything(data: Path, tmp_path: Path) -> None:
    def answer(prompt: str) -> str:
        if "Two and two" in prompt:
            return "The answer is 4."
        if "Nine" in prompt:
            return "The answer is 7."
        return "a red hat" if "Ann" in prompt else "fine words"

    def nats(prompt: str, option: str) -> float:
        if "bird" in prompt:
            return float(option == "Wren")
        return float((option == "yes") != ("a year" in prompt))

    suite = load_suite("real")
    engine = FakeEngine(answer, nats)
    out = evaluate(engine, suite, tmp_path / "run", model_ref=ModelRef("fake"), data=data)
    run = read_run(out)
    assert {name: len(found) for name, found in run.by_benchmark.items()} == {
        "GSM8K": 2,
        "HeadQA": 1,
        "CoQA": 1,
        "IFEval": 1,
        "MC-TACO": 3,
    }
    assert {outcome.score for outcome in run.outcomes} == {1.0}
    assert run.by_benchmark["IFEval"][0].weight == 2.0
    assert {o.cluster for o in run.by_benchmark["MC-TACO"]} == {"mctaco-0", "mctaco-1"}


@pytest.mark.skipif(not (DATA / "bench").is_dir(), reason="the real items are not here")
@pytest.mark.parametrize(
    ("benchmark", "count"),
    [("GSM8K", None), ("HeadQA", None), ("CoQA", 300), ("IFEval", 541), ("MC-TACO", 2189)],
)
def test_every_real_item_is_read(benchmark: str, count: int | None) -> None:
    found = rows(benchmark, DATA / "bench", n=None, seed=0)
    assert len({row.id for row in found}) == len(found)
    (file,) = (DATA / "bench").glob(f"{START[benchmark]}*.jsonl")
    lines = file.read_text().splitlines()
    with_image = sum(bool(json.loads(line).get("image")) for line in lines)
    assert len(found) == (count or len(lines) - with_image)
    assert all((row.gold is None) == (benchmark == "IFEval") for row in found)
    if benchmark == "IFEval":
        pytest.importorskip("lm_eval")
    told = validate(BENCHMARKS[benchmark], found)
    assert told.passed, told.faults
    assert told.golds == (0 if benchmark == "IFEval" else len(found))


def test_the_check_tells_what_a_constant_answer_scores(data: Path) -> None:
    """MC-TACO's three candidates are yes, no, yes: "yes" is right twice."""
    told = validate(BENCHMARKS["MC-TACO"], rows("MC-TACO", data, n=None, seed=0))
    assert (told.items, told.wrong, told.constant) == (3, 3, pytest.approx(2 / 3))

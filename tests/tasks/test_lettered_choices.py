"""GPQA-Diamond, ACPBench and HeadQA: prompts, order of options, graders and the authors' faults.

All rows are made up, in the original field names; the real files are read where they are there.
"""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError, MissingExtra
from transferscope.core.records import ModelRef
from transferscope.core.suite import load_suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import evaluate
from transferscope.runs import read_run
from transferscope.tasks import Item, validate
from transferscope.tasks.paper import PRESETS, acpbench
from transferscope.tasks.paper.acpbench import A_TASK, TASKS
from transferscope.tasks.paper.lettered import in_order, lettered

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bench"
GPQA, ACP, HEAD = "GPQA-Diamond", "ACPBench", "HeadQA"
Write = Callable[..., Path]


def gpqa_rows(count: int = 198) -> list[dict[str, Any]]:
    """Sums in the columns of the gated file."""
    return [
        {
            "Pre-Revision Question": "unused",
            "Question": f"A line,\nbroken: {at} + {at}?",
            "Correct Answer": f"{2 * at}\n",
            "Incorrect Answer 1": f"{2 * at + 1}",
            "Incorrect Answer 2": f"{2 * at + 2}",
            "Incorrect Answer 3": f"{2 * at + 3}",
            "Record ID": f"rec{at}",
        }
        for at in range(count)
    ]


def acp_rows(per_task: int = 50) -> list[dict[str, Any]]:
    options = ["go north", "go south", "go east", "stay"]
    listed = " ".join(f"{name}. {option}." for name, option in zip("ABCD", options, strict=True))
    return [
        {
            "id": at,
            "group": group,
            "context": f"A robot is in cell {at}. ",
            "question": f"What can it do ({group})? {listed}",
            "choices": {"text": options, "label": list("ABCD")},
            "answer": "ABCD"[at % 4],
        }
        for group in TASKS
        for at in range(per_task)
    ]


def head_rows(count: int = 40, options: int = 4) -> list[dict[str, Any]]:
    return [
        {
            "name": "Exam_1",
            "qid": at + 1,
            "qtext": f"Bone number {at}?",
            "ra": at % options + 1,
            "answers": [{"aid": n + 1, "atext": f"bone {at}-{n}"} for n in range(options)],
            "image": "",
        }
        for at in range(count)
    ]


def csv_file(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, rows: list[dict[str, Any]], folder: str = "data") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        if name.endswith(".csv"):
            csv_file(path, rows)
        else:
            path.write_text("\n".join(map(json.dumps, rows)))
        return path.parent

    return written


def drawn(preset: str, benchmark: str, data: Path, *, seed: int = 0) -> dict[str, Item]:
    items = PRESETS[preset][benchmark].items(None, seed=seed, data=data)
    assert len({item.id for item in items}) == len(items)
    return {item.id: item for item in items}


def test_the_prompt_by_hand(write: Write) -> None:
    data = write("headqa.jsonl", head_rows(1))
    (item,) = drawn("paper", HEAD, data).values()
    order = in_order("Bone number 0?", [f"bone 0-{n}" for n in range(4)])
    assert item.text.startswith(
        f"Bone number 0?\n\nA) {order[0]}\nB) {order[1]}\nC) {order[2]}\nD)"
    )
    assert item.text.endswith('"Answer: X", where X is the letter of the correct option (A to D).')
    assert (item.id, item.gold) == ("headqa-Exam_1-1", "ABCD"[order.index("bone 0-0")])
    assert item.choices == ("A", "B", "C", "D")


@pytest.mark.parametrize(
    ("benchmark", "name", "rows"),
    [
        (GPQA, "gpqa_diamond.csv", gpqa_rows(60)),
        (ACP, "acpbench_test.jsonl", acp_rows(20)),
        (HEAD, "headqa_en.jsonl", head_rows(60)),
    ],
)
def test_neither_the_file_nor_a_seed_changes_an_item(
    write: Write, benchmark: str, name: str, rows: list[dict[str, Any]]
) -> None:
    first = drawn("fixed", benchmark, write(name, rows))
    shuffled = random.Random(1).sample(rows, len(rows))
    random.seed(7)  # the global generator's state doesn't matter either
    assert drawn("fixed", benchmark, write(name, shuffled, "other"), seed=3) == first
    golds = Counter(item.gold for item in first.values())
    assert set(golds) == set("ABCD")


def test_the_order_of_the_options_in_the_row_does_not_matter(write: Write) -> None:
    (row,) = gpqa_rows(1)
    swapped = row | {
        "Incorrect Answer 1": row["Incorrect Answer 3"],
        "Incorrect Answer 3": row["Incorrect Answer 1"],
    }
    one = drawn("fixed", GPQA, write("gpqa_diamond.csv", [row]))
    assert drawn("fixed", GPQA, write("gpqa_diamond.csv", [swapped], "other")) == one


@pytest.mark.parametrize("preset", ["paper", "fixed"])
def test_how_letters_are_asked_for(preset: str) -> None:
    method = {name: PRESETS[preset][name].method() for name in (GPQA, ACP, HEAD)}
    assert {told["max_tokens"] for told in method.values()} == {32_768}
    assert (method[GPQA]["temperature"], method[GPQA]["top_p"]) == (0.6, 0.95)
    assert (method[ACP]["temperature"], method[HEAD]["temperature"]) == (0.0, 0.0)


def test_replies_are_read_as_the_project_reads_letters() -> None:
    item = lettered("sky", "What is up?", ["the sky", "a bird", "the sea"], 0)
    benchmark = PRESETS["fixed"][GPQA]
    gold = item.gold or ""
    others = [name for name in "ABC" if name != gold]
    right = [gold, f"Answer: {gold}", f"<think>{others[0]}?</think>So \\boxed{{{gold}}}."]
    wrong = ["", f"Answer: {others[0]}", "D", "Answer: X", f"<think>{gold}", "a guess"]
    assert [benchmark.grade(item, reply) for reply in right] == [1.0] * 3
    assert [benchmark.grade(item, reply) for reply in wrong] == [0.0] * 6


def test_an_option_that_equals_the_right_one_is_right() -> None:
    item = lettered("twice", "Two?", ["2", "3", "2", "4"], 0)
    benchmark = PRESETS["fixed"][ACP]
    assert len(item.data) == 2
    assert [benchmark.grade(item, name) for name in item.data] == [1.0, 1.0]
    assert validate(benchmark, [item]).passed
    assert not set(benchmark.wrong(item)) & set(item.data)


def test_the_authors_gpqa_puts_every_right_answer_at_d(write: Write) -> None:
    """The claim, run on rows of our own: one seed for each question shuffles all of them alike."""
    data = write("gpqa_diamond.csv", gpqa_rows())
    items = drawn("authors", GPQA, data)
    assert (len(items), {item.gold for item in items.values()}) == (198, {"D"})
    first = items["gpqa-rec1"]
    assert first.text.endswith("Options: A) 4, B) 3, C) 5, D) 2\n\nAnswer:")
    assert len({item.gold for item in drawn("fixed", GPQA, data).values()}) == 4


@pytest.mark.parametrize(
    ("gold", "reply", "authors", "ours"),
    [
        ("B", "Answer: B", 1.0, 1.0),
        ("B", r"\boxed{B}, which is a pity.", 0.0, 1.0),  # the article "a" is the answer A
        ("A", "It is hard to tell, a guess.", 1.0, 0.0),
        ("C", "I choose C; D is wrong.", 0.0, 1.0),
        ("D", "A, B, C or D", 1.0, 0.0),
        ("B", "", 0.0, 0.0),
    ],
)
def test_the_authors_gpqa_reads_the_last_single_letter(
    gold: str, reply: str, authors: float, ours: float
) -> None:
    fixed = PRESETS["fixed"][GPQA]
    item = Item("1", "?", gold=gold, choices=("A", "B", "C", "D"), data=(gold,))
    assert PRESETS["authors"][GPQA].grade(item, reply) == authors
    assert fixed.twins["last single letter"](item, reply) == authors
    assert fixed.grade(item, reply) == ours


@pytest.mark.parametrize(
    ("gold", "reply", "authors", "ours"),
    [
        ("B", "**Final Answer**: B.", 1.0, 1.0),
        ("B", "Answer: B. An action leads there.", 0.0, 1.0),  # "An" is A
        ("C", "Both are wrong. Cars move.", 1.0, 0.0),
        ("B", "**Final Answer**: option B.", 0.0, 1.0),
        ("B", "the answer is b", 0.0, 1.0),
        ("D", "no idea", 0.0, 0.0),
    ],
)
def test_the_authors_acpbench_reads_the_last_capital(
    gold: str, reply: str, authors: float, ours: float
) -> None:
    fixed = PRESETS["fixed"][ACP]
    item = Item("1", "?", gold=gold, choices=("A", "B", "C", "D"), data=(gold,))
    assert PRESETS["authors"][ACP].grade(item, reply) == authors
    assert fixed.twins["last capital letter"](item, reply) == authors
    assert fixed.grade(item, reply) == ours


def test_the_authors_acpbench_has_40_items_a_task_after_two_examples(write: Write) -> None:
    pytest.importorskip("lm_eval")
    data = write("acpbench_mcq.jsonl", acp_rows())
    items = drawn("authors", ACP, data)
    assert Counter(item.subset for item in items.values()) == dict.fromkeys(TASKS.values(), A_TASK)
    assert "acpbench-app-39" in items
    assert "acpbench-app-40" not in items
    text = items["acpbench-app-3"].text
    assert text.count("**Question**: ") == text.count(" **Thoughts**:") == 3
    last = text.rpartition("\n\n**Question**: ")[2]
    assert last.startswith("A robot is in cell 3.   What can it do (applicable_actions_mc)? A. go")
    assert last.endswith("D. stay. **Thoughts**:")


def test_the_authors_acpbench_needs_lm_eval(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write("acpbench_mcq.jsonl", acp_rows(1))
    monkeypatch.setattr(acpbench, "find_spec", lambda name: None)
    acpbench._examples.cache_clear()
    with pytest.raises(MissingExtra, match="ACPBench as the authors ran it"):
        drawn("authors", ACP, data)
    assert len(drawn("fixed", ACP, data)) == 7


def test_acpbench_tasks_count_the_same(write: Write) -> None:
    rows = [row for row in acp_rows(20) if row["group"] != "landmarks_mcq" or row["id"] < 5]
    weights: dict[str, float] = {}
    for item in drawn("fixed", ACP, write("acpbench.jsonl", rows)).values():
        weights[item.subset] = weights.get(item.subset, 0.0) + item.weight
        assert " A. " not in item.text
        assert item.text.count("stay") == 1
    assert len(set(weights.values())) == 1
    assert len(weights) == 7


def test_the_authors_headqa_is_the_bare_question(write: Write) -> None:
    rows = [*head_rows(2), head_rows(1)[0] | {"image": "x.png", "qid": 9}]
    items = drawn("authors", HEAD, write("headqa.jsonl", rows))
    assert PRESETS["authors"][HEAD].decoding is None
    assert items["headqa-Exam_1-2"].text == "Question: Bone number 1?\nAnswer:"
    assert (len(items), items["headqa-Exam_1-2"].gold) == (2, "bone 1-1")


@pytest.mark.parametrize(
    ("benchmark", "name", "row", "message"),
    [
        (GPQA, "gpqa_diamond.csv", {"Question": "q", "Correct Answer": ""}, "'Correct Answer'"),
        (ACP, "acpbench.jsonl", {"group": "x"}, "'group' is none of"),
        (ACP, "acpbench.jsonl", acp_rows(1)[0] | {"answer": "E"}, "'answer' is not the letter"),
        (ACP, "acpbench.jsonl", acp_rows(1)[0] | {"choices": []}, "no list of options"),
        (ACP, "acpbench.jsonl", acp_rows(1)[0] | {"question": "q"}, "doesn't end with its options"),
        (HEAD, "headqa.jsonl", head_rows(1)[0] | {"ra": 5}, "'ra' doesn't name"),
    ],
)
def test_bad_rows_are_named(
    write: Write, benchmark: str, name: str, row: dict[str, Any], message: str
) -> None:
    data = write(name, [row])
    with pytest.raises(InputError, match=message):
        drawn("fixed", benchmark, data)


def test_a_run_records_the_twins_beside_the_score(write: Write, tmp_path: Path) -> None:
    """The model is right three times; its last word of one letter is always the article."""
    data = write("gpqa_diamond.csv", gpqa_rows(40))
    golds = {item.text: item.gold for item in drawn("fixed", GPQA, data).values()}
    (tmp_path / "suite.toml").write_text(
        f'name = "one"\nsource = "other"\nscale = "unit"\n[groups]\nother = ["{GPQA}"]\n'
        f'[benchmarks.{GPQA}]\npack = "fixed"\nchance = 0.25\nrepeats = 3\n'
    )
    engine = FakeEngine(lambda prompt: f"\\boxed{{{gold_in(golds, prompt)}}}, which is a pity.")
    suite = load_suite(str(tmp_path / "suite.toml"))
    out = evaluate(engine, suite, tmp_path / "run", model_ref=ModelRef("fake"), data=data)
    run = read_run(out)
    assert [o.score for o in run.outcomes] == [1.0] * 120
    metrics = json.loads((out / "run.json").read_text())["metrics"][GPQA]
    always_a = sum(gold == "A" for gold in golds.values()) / 40
    assert metrics == pytest.approx({"score": 1.0, "last single letter": always_a})


def gold_in(golds: dict[str, str | None], prompt: str) -> str | None:
    (found,) = {gold for text, gold in golds.items() if text in prompt}
    return found

"""Graders on files: rules on rows of our own, and the figures of real model outputs."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.grade.score import score

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the real model outputs are not here")


def saved(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_math_reports_labels_boxes_flags_and_what_has_no_gold(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "prompt": "p", "response": "So \\boxed{4}.", "gold": "4", "label": True},
        {"id": "b", "prompt": "p", "response": "\\boxed{5}", "gold": 6, "label": True},
        {"id": "c", "prompt": "p", "response": "It is 7", "gold": "7", "finish": "length"},
        {"id": "d", "prompt": "p", "response": "8"},
    ]
    found = score("math", saved(tmp_path / "r.jsonl", rows))
    assert found.n == 4
    assert found.metrics == {
        "accuracy": 2 / 3,
        "finished": pytest.approx(2 / 3),
        "accuracy_finished": 0.5,
    }
    assert found.label_agreement == 0.5
    assert found.unmatched == ("d",)
    assert found.flags["truncated"] == 1
    assert found.to_json()["unmatched"] == ["d"]


def test_math_gold_of_a_file_is_that_of_the_longest_problem_in_the_prompt(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "prompt": "Solve: What is 2 + 2? Think.", "response": "4"},
        {"id": 2, "prompt": "Solve: What is 2 + 2 + 2? Think.", "response": "4"},
        {"id": 3, "prompt": "Solve: something else", "response": "4"},
    ]
    gold = [
        {"problem": "What is 2 + 2", "answer": "4"},
        {"question": "What is 2 + 2 + 2?", "answer": ["work\n#### 6"]},
    ]
    file = saved(tmp_path / "r.jsonl", rows)
    found = score("math", file, saved(tmp_path / "gold.jsonl", gold))
    assert found.metrics == {"accuracy": 0.5}
    assert found.unmatched == ("3",)
    with pytest.raises(InputError, match=r"gold.jsonl:1.*no text in problem"):
        score("math", file, saved(tmp_path / "gold.jsonl", [{"answer": "4"}]))
    with pytest.raises(InputError, match="no response has a gold answer"):
        score("math", file)


def test_choice_wants_letters(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "response": "The answer is (B).", "gold": "B"},
        {"id": 2, "response": "B", "gold": "(c)", "label": False},
        {"id": 3, "response": "A cat", "gold": "A", "label": False},
    ]
    found = score("choice", saved(tmp_path / "r.jsonl", rows))
    assert found.metrics == {"accuracy": 1 / 3}
    assert found.label_agreement == 1.0
    with pytest.raises(InputError, match=r"r.jsonl:1: .*'two' is not a letter"):
        score("choice", saved(tmp_path / "r.jsonl", [{"response": "B", "gold": "two"}]))
    for bad in ([], ["A", "two"], "None", 4):
        with pytest.raises(InputError, match="is not a letter"):
            score("choice", saved(tmp_path / "r.jsonl", [{"response": "B", "gold": bad}]))
    with pytest.raises(InputError, match="takes no gold file"):
        score("choice", saved(tmp_path / "r.jsonl", rows), tmp_path / "r.jsonl")


def test_any_letter_of_a_list_is_right_and_none_of_none(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "response": "The answer is (B).", "gold": ["A", "b"]},
        {"id": 2, "response": "C", "gold": ["A", "(B)"]},
        {"id": 3, "response": "A or B", "gold": ["A", "B"]},
        {"id": 4, "response": "B", "gold": "none"},
    ]
    found = score("choice", saved(tmp_path / "r.jsonl", rows))
    assert found.metrics == {"accuracy": 0.25}


def test_a_bare_i_is_a_letter_where_the_golds_reach_it(tmp_path: Path) -> None:
    rows = [{"id": 1, "response": "The answer is I.", "gold": "I"}]
    assert score("choice", saved(tmp_path / "r.jsonl", rows)).metrics == {"accuracy": 1.0}


def test_qa_takes_one_reference_or_several(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "response": "the red ball", "gold": "red ball", "label": True},
        {"id": 2, "response": "red", "gold": ["blue", "red", "green"], "label": True},
        {"id": 3, "response": "?"},
    ]
    found = score("qa", saved(tmp_path / "r.jsonl", rows))
    assert found.metrics == {"em": 1.0, "f1": 1.0}
    assert found.unmatched == ("3",)
    with pytest.raises(InputError, match="neither text nor a list"):
        score("qa", saved(tmp_path / "r.jsonl", [{"response": "x", "gold": [1]}]))
    with pytest.raises(InputError, match="no response has a gold"):
        score("qa", saved(tmp_path / "r.jsonl", [{"response": "x"}]))


def test_ifeval_counts_prompts_and_instructions(tmp_path: Path) -> None:
    pytest.importorskip("lm_eval")
    comma, lower = "punctuation:no_comma", "change_case:english_lowercase"
    gold = [{"prompt": "p", "instruction_id_list": [comma, lower], "kwargs": [{}, {}]}]
    asked = saved(tmp_path / "gold.jsonl", gold)
    text = "this is an english sentence, in lower case only."
    rows = [{"id": 1, "prompt": "p", "response": text}, {"id": 2, "prompt": "q", "response": text}]
    found = score("ifeval", saved(tmp_path / "r.jsonl", rows), asked)
    assert found.metrics["prompt_strict"] == 0.0
    assert found.metrics["instruction_strict"] == 0.5
    assert found.unmatched == ("2",)
    rows[1]["prompt"] = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\np<|im_end|>\n"
    templated = score("ifeval", saved(tmp_path / "r.jsonl", rows), asked)
    assert templated.unmatched == ()
    assert templated.metrics == found.metrics
    twice = [*gold, gold[0] | {"instruction_id_list": [comma, comma]}]
    with pytest.raises(InputError, match=r"gold.jsonl:2.*earlier line with other instructions"):
        score("ifeval", tmp_path / "r.jsonl", saved(tmp_path / "gold.jsonl", twice))
    gold[0]["instruction_id_list"] = ["no:such", lower]
    with pytest.raises(InputError, match="unknown instruction 'no:such'"):
        score("ifeval", tmp_path / "r.jsonl", saved(tmp_path / "gold.jsonl", gold))
    gold[0]["kwargs"] = []
    with pytest.raises(InputError, match=r"gold.jsonl:1.*as many kwargs"):
        score("ifeval", tmp_path / "r.jsonl", saved(tmp_path / "gold.jsonl", gold))
    with pytest.raises(InputError, match="needs the instructions"):
        score("ifeval", tmp_path / "r.jsonl")


def test_mctaco_reads_judgements(tmp_path: Path) -> None:
    (tmp_path / "gold.tsv").write_text("p\tq\ta\tyes\tk\np\tq\tb\tno\tk\n")
    (tmp_path / "said.txt").write_text("yes\nyes\n")
    found = score("mctaco", tmp_path / "said.txt", tmp_path / "gold.tsv")
    assert found.metrics == {"em": 0.0, "f1": pytest.approx(2 / 3)}
    with pytest.raises(InputError, match="needs MC-TACO's TSV"):
        score("mctaco", tmp_path / "said.txt")


def test_outsiders_register_graders(tmp_path: Path, install: Any) -> None:
    code = (
        "from transferscope.grade.score import Graded\n"
        "def grade(rows, gold, tick):\n"
        "    return Graded({'accuracy': 1.0}, {row.id: True for row in rows})\n"
    )
    install("graders", "always", "my_graders:grade", my_graders=code)
    file = saved(tmp_path / "r.jsonl", [{"response": "x"}])
    assert score("always", file).metrics == {"accuracy": 1.0}
    with pytest.raises(InputError, match=r"unknown grader 'maths'.*math, choice, .*always"):
        score("maths", file)


@real
@pytest.mark.parametrize(("file", "accuracy"), [("finetuning", 21.7), ("verification", 39.0)])
def test_gsm8k_agrees_with_every_label(file: str, accuracy: float) -> None:
    found = score("math", DATA / "responses" / f"gsm8k_6b_{file}.jsonl")
    assert found.n == 1319
    assert round(100 * found.metrics["accuracy"], 1) == accuracy
    assert found.label_agreement == 1.0


@real
@pytest.mark.parametrize(
    ("model", "em", "f1"), [("bert.norm", 42.7, 69.9), ("esim.elmo", 26.4, 54.9)]
)
def test_mctaco_figures(model: str, em: float, f1: float) -> None:
    folder = DATA / "responses" / "mctaco"
    found = score("mctaco", folder / f"{model}.output.txt", folder / "test_9442.tsv")
    assert found.n == 9442
    assert {name: round(100 * value, 1) for name, value in found.metrics.items()} == {
        "em": em,
        "f1": f1,
    }


@real
def test_ifeval_figures() -> None:
    """417 of 540 prompts and 697 of 832 instructions by the mended checkers.

    lm-eval's own checkers give 416 and 696 (77.0 and 83.7 %) where their random letter is drawn so:
    the answer to the prompt that wants four "#" has four, and they count a letter instead. Of two
    answers in capitals, one is now followed and one no longer.
    """
    pytest.importorskip("lm_eval")
    gold = DATA / "bench" / "ifeval_input_data.jsonl"
    found = score("ifeval", DATA / "responses" / "ifeval_gpt4.jsonl", gold)
    assert found.n == 541
    assert len(found.unmatched) == 1
    # the published 77.0 and 83.7 %, and what mending changes
    assert 540 * found.metrics["prompt_strict"] == pytest.approx(416)
    assert 832 * found.metrics["instruction_strict"] == pytest.approx(696)
    assert 540 * found.metrics["prompt_strict_mended"] == pytest.approx(417)
    assert 832 * found.metrics["instruction_strict_mended"] == pytest.approx(697)


@real
def test_ifeval_differs_from_lm_eval_in_the_mended_checkers_alone() -> None:
    """The published 77.0 and 83.7 %, by lm-eval's own loop; each verdict but three is ours too."""
    pytest.importorskip("lm_eval")
    from transferscope.grade.ifeval import Instruction, strict

    strict("", "x", [Instruction("punctuation:no_comma", {})])  # punkt and langdetect are settled
    from lm_eval.tasks.ifeval.utils import InputExample, test_instruction_following_strict

    golds = {}
    for line in (DATA / "bench" / "ifeval_input_data.jsonl").read_text().splitlines():
        row = json.loads(line)
        golds[row["prompt"].strip()] = row
    theirs, ours = {}, {}
    for line in (DATA / "responses" / "ifeval_gpt4.jsonl").read_text().splitlines():
        row = json.loads(line)
        if (asked := golds.get(row["prompt"].strip())) is None:
            continue
        ids, arguments = asked["instruction_id_list"], asked["kwargs"]
        random.seed(3)  # a draw by which "#" is no letter of the answer four times
        example = InputExample(asked["key"], ids, asked["prompt"], arguments)
        judged = test_instruction_following_strict(example, row["response"])
        theirs[asked["key"]] = tuple(judged.follow_instruction_list)
        instructions = [Instruction(i, a) for i, a in zip(ids, arguments, strict=True)]
        ours[asked["key"]] = strict(asked["prompt"], row["response"], instructions)
    assert [key for key in ours if ours[key] != theirs[key]] == [1122, 3456, 3617]
    assert (theirs[1122], ours[1122]) == ((True, False), (True, True))
    assert round(100 * sum(map(all, theirs.values())) / 540, 1) == 77.0
    assert round(100 * sum(map(sum, theirs.values())) / 832, 1) == 83.7


@real
@pytest.mark.parametrize(("model", "closed"), [("RL", 327), ("SFT", 346)])
def test_closed_boxes_of_the_paper_s_own_models(model: str, closed: int) -> None:
    pytest.importorskip("math_verify")
    file = DATA / "responses" / f"UniReason-{model}_hendrycks_math_500.jsonl"
    found = score("math", file, DATA / "bench" / "math500.jsonl")
    assert found.n == 500
    assert found.unmatched == ()
    assert round(500 * found.metrics["finished"]) == closed
    # By hand on the wrong ones: 4 wrong RL answers among the closed. Of the 13 SFT ones, 5 closed
    # their box while thinking and were cut before they answered.
    right = {"RL": (334, 323), "SFT": (352, 333)}[model]
    assert round(500 * found.metrics["accuracy"]) == right[0]
    assert round(closed * found.metrics["accuracy_finished"]) == right[1]

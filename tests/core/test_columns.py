"""Which column is which, in files as other programs write them."""

import pytest

from transferscope.core.columns import settle
from transferscope.core.errors import InputError
from transferscope.core.fieldnames import fields_given

CHAT = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        # Our own names stay what they are.
        (
            {"id": 1, "prompt": "q", "response": "a", "gold": "g", "label": True, "output": "x"},
            {n: n for n in ("id", "prompt", "response", "gold", "label")},
        ),
        # LLaMA-Factory's generated_predictions.jsonl: its label is the reference.
        (
            {"prompt": "q", "predict": "a", "label": "g"},
            {"prompt": "prompt", "response": "predict", "gold": "label"},
        ),
        ({"input": "q", "output": "a"}, {"prompt": "input", "response": "output"}),
        (
            {"input": "q", "output": "g", "prediction": "a"},
            {"prompt": "input", "response": "prediction", "gold": "output"},
        ),
        (
            {"question": "q", "answer": "g", "prediction": "a"},
            {"prompt": "question", "response": "prediction", "gold": "answer"},
        ),
        (
            {"question": "q", "answer": "a", "reference": "g"},
            {"prompt": "question", "response": "answer", "gold": "reference"},
        ),
        (
            {"Question": "q", "Model Output": "a", "Ground-Truth": "g"},
            {"prompt": "Question", "response": "Model Output", "gold": "Ground-Truth"},
        ),
        # A data set: the answer is the reference, and there is no response.
        ({"question": "q", "answer": "g"}, {"prompt": "question"}),
        # AlpacaEval's outputs.
        (
            {"instruction": "q", "output": "a", "generator": "m", "dataset": "d"},
            {"prompt": "instruction", "response": "output"}
            | {"model": "generator", "benchmark": "dataset"},
        ),
        # A batch of OpenAI's or vLLM's: its own ids are new in every batch.
        (
            {"id": "batch_1", "custom_id": "q-1", "response": {"body": {}}, "error": None},
            {"id": "custom_id", "response": "response"},
        ),
        # A chat holds the prompt and the response, or the prompt alone.
        (
            {"messages": CHAT, "answer": "g"},
            {"prompt": "messages", "response": "messages", "gold": "answer"},
        ),
        (
            {"messages": CHAT[:1], "completion": "a"},
            {"prompt": "messages", "response": "completion"},
        ),
        # TRL.
        (
            {"prompt": CHAT[:1], "completion": CHAT[1:]},
            {"prompt": "prompt", "response": "completion"},
        ),
        # lm-eval's samples.
        (
            {"doc_id": 0, "target": "g", "arguments": {"gen_args_0": {}}, "resps": [["a"]]},
            {"id": "doc_id", "prompt": "arguments", "response": "resps", "gold": "target"},
        ),
        # HumanEval's.
        (
            {"task_id": "HumanEval/0", "completion": "a"},
            {"id": "task_id", "response": "completion"},
        ),
        # A number is no text: neither an id of a benchmark nor a prediction of a class.
        ({"prediction": 3, "output": "a"}, {"response": "output"}),
    ],
)
def test_columns_of_answers(row, column):
    names = settle([row], {})
    assert {k: v for k, v in names.column.items() if k != "score"} == column
    assert set(names.guessed) == {ours for ours, theirs in column.items() if ours != theirs}


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (
            {"Model": "m", "Task": "gsm8k", "Accuracy": "0.6", "N": "1319", "Std Err": "0.01"},
            {"model": "Model", "benchmark": "Task", "score": "Accuracy"}
            | {"n": "N", "stderr": "Std Err"},
        ),
        ({"task": "gsm8k", "Score (%)": "60.5"}, {"benchmark": "task", "percent": "Score (%)"}),
        (
            {"index": "0", "benchmark": "gsm8k", "score": "1"},
            {"benchmark": "benchmark", "score": "score"},
        ),
        ({"question_id": "q", "correct": True}, {"id": "question_id", "score": "correct"}),
        # What is numbers all the way down is no name.
        ({"model": "m", "task": "1", "score": "1"}, {"model": "model", "score": "score"}),
    ],
)
def test_columns_of_scores(row, column):
    assert settle([row], {}).column == column


def test_what_the_user_says_goes_first_and_a_column_is_taken_once():
    row = {"id": 3, "question": "q", "score": 60.5, "response": "r", "output": "o"}
    names = settle([row], {"percent": "score", "response": "output", "id": "question"})
    assert names.column == {"percent": "score", "response": "output", "id": "question"}
    assert names.guessed == ()
    assert names.said == ""


def test_one_line_says_what_was_taken_for_what():
    row = {"instruction": "Add.", "input": "1 2", "output": "3", "correct": 1}
    assert settle([row], {}).said == (
        "read response = output, prompt = instruction + input, score = correct; "
        "if that is wrong, use --field NAME=COLUMN"
    )
    assert "\x1b" not in settle([{"out\x1bput": "a", "Prompt\x1b": "x"} | row], {}).said


def test_fields_on_the_command_line():
    assert fields_given(["response=a=b"]) == {"response": "a=b"}
    for bad, says in (
        (["respons=x"], "unknown field 'respons'; did you mean 'response'"),
        (["response"], "'response' is not of the form NAME=COLUMN"),
        (["gold=a", "gold=b"], "field 'gold' is given twice"),
    ):
        with pytest.raises(InputError, match=says):
            fields_given(bad)

"""The fields of an answer or a score, and the names that other programs use for them.

:mod:`.columns` decides which of a file's columns is which field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .errors import InputError
from .nearest import did_you_mean

SERIALS = ("idx", "index", "key")
"""Names of an item's number, or of the row number if the row has no answer."""
LAST = ("answer", "solution", "text", "content")
"""Names of a response if no other column can be one and the row has a reference (or no question).
In a dataset they are names of the reference or the question."""
_NUMBER = re.compile(
    r"[-+]?[\d.,]+(e[-+]?\d+)?\s*%?(\s*(±|\+/-).*)?|true|false|nan|n/?a|[-–—]", re.I
)


def _numeric(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text.strip()))


def is_text(value: Any) -> bool:
    """Whether this is text of any kind."""
    return isinstance(value, str)


def _word(value: Any) -> bool:
    """Whether this is text and not a number: in a table, every cell is text."""
    return isinstance(value, str) and not _numeric(value)


def _name(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return _numeric(value) if isinstance(value, str) else isinstance(value, int | float)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_said(value: Any) -> bool:
    """Whether this can be a response: text, messages, a server response, or a list of these."""
    return isinstance(value, str | list | dict)


def _gold(value: Any) -> bool:
    """Whether this can be a reference: one answer, several, or SQuAD's or TriviaQA's objects."""
    return not isinstance(value, dict) or bool(value.keys() & {"text", "aliases"})


def _any(_: Any) -> bool:
    return True


KNOWN: Mapping[str, tuple[Callable[[Any], bool], tuple[str, ...]]] = {
    "id": (
        _name,
        (
            *("doc_id", "question_id", "qid", "item_id", "sample_id", "example_id", "instance_id"),
            *("problem_id", "prompt_id", "task_id", "uid", "uuid", "unique_id", *SERIALS),
        ),
    ),
    "response": (
        is_said,
        (
            *("prediction", "predict", "predicted", "pred", "predictions", "preds", "responses"),
            *("model_output", "model_response", "model_answer", "model_prediction"),
            *("model_completion", "generated_text", "generated_answer", "generated_response"),
            *("generated", "generation", "generations", "completion", "completions"),
            *("sampled_text", "resps", "raw_response", "raw_output", "llm_output", "llm_response"),
            *("output_text", "outputs", "output", "reply", "assistant", "predicted_answer"),
            *("generated_texts", "model_outputs"),
        ),
    ),
    "gold": (
        _gold,
        (
            *(
                "reference",
                "references",
                "ground_truth",
                "groundtruth",
                "gt",
                "gts",
                "golden",
                "golds",
            ),
            *("gold_answer", "gold_answers", "golden_answers", "correct_answer", "expected"),
            *("expected_output", "expected_answer", "reference_answer", "ref", "target", "targets"),
            *("label", "labels", "answer", "answers", "final_answer", "solution", "output"),
        ),
    ),
    "prompt": (
        is_said,
        (
            *("question", "query", "instruction", "problem", "formatted_prompt", "full_prompt"),
            *("input", "inputs", "prompt_text", "input_text", "user", "user_prompt"),
            *("prompts", "questions", "source_text", "arguments"),
        ),
    ),
    "score": (
        _number,
        (
            *("correct", "is_correct", "correctness", "acc", "accuracy", "exact_match", "em"),
            *("passed", "is_passed", "pass", "is_right", "right", "value", "result"),
        ),
    ),
    "percent": (
        _number,
        (
            *("percentage", "pct", "score_%", "accuracy_%", "acc_%", "score_percent", "score_pct"),
            *("accuracy_percent", "accuracy_pct", "acc_pct", "percent_correct", "pct_correct"),
        ),
    ),
    "benchmark": (
        _word,
        (
            *("benchmark_name", "task", "task_name", "dataset", "dataset_name", "data_source"),
            *("eval", "evaluation", "eval_name", "tasks", "benchmarks"),
        ),
    ),
    "model": (
        _word,
        ("model_name", "model_id", "model_name_or_path", "generator", "models", "checkpoint"),
    ),
    "subset": (_word, ("subject", "subtask")),
    "metric": (_word, ("metric_name", "metrics")),
    "finish": (is_text, ("finish_reason", "stop_reason")),
    "tokens": (_whole, ("completion_tokens", "output_tokens", "num_output_tokens")),
    "repeat": (_whole, ("repetition", "attempt", "trial", "sample_idx", "sample_index")),
    "n": (
        _number,
        (
            *("n_samples", "num_samples", "n_examples", "num_examples", "n_items", "num_items"),
            *("n_questions", "num_questions", "samples", "examples", "items", "count"),
        ),
    ),
    "stderr": (_number, ("std_err", "stderror", "standard_error", "se", "acc_stderr")),
    "label": (_any, ()),
    "cluster": (is_text, ()),
    "weight": (_number, ()),
}
"""Our names, in the order in which they are settled, each with the kind of its values and its
common names, the most specific first. Each column is taken once: "output" is a response unless the
file also has a "prediction"; then it is the reference."""

MESSAGES = ("messages", "conversation", "conversations", "chat", "dialog", "dialogue", "trajectory")
"""Names of a whole chat: its last assistant message is the response, the rest is the prompt.
"""
CONTEXT = ("input", "context")
"""Columns that continue the "instruction" or "question" in the prompt."""


def fields_given(given: Iterable[str]) -> dict[str, str]:
    """The ``--field`` options as a mapping of our names to the file's.

    >>> fields_given(["response=output", "gold=answer"])
    {'response': 'output', 'gold': 'answer'}
    """
    found: dict[str, str] = {}
    for one in given:
        name, equals, column = one.partition("=")
        if not (equals and name and column):
            remedy = "for example: --field response=output"
            raise InputError(
                f"{one!r} is not of the form NAME=COLUMN", place="--field", remedy=remedy
            )
        if name not in KNOWN:
            remedy = did_you_mean(name, KNOWN)
            raise InputError(f"unknown field {name!r}", place="--field", remedy=remedy)
        if name in found:
            raise InputError(f"field {name!r} is given twice", place="--field", remedy="keep one")
        found[name] = column
    return found


def folded(column: str) -> str:
    """A column's name without case and separators; "(%)" becomes "_%"."""
    return re.sub(r"[\s\-_().\[\]]+", "_", column.casefold()).strip("_")

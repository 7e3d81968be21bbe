"""The fields of an answer or a score, and the names that other programs give them.

A file's names are settled once, from its first rows: what the user says (``--field NAME=COLUMN``,
or ``[columns]`` of a ``--map`` file) goes first, then our own name, then the names that are common
elsewhere. A common name is taken only where its values are of the right kind, and what was taken
for what is said (:attr:`Names.said`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import InputError
from .nearest import did_you_mean

SNIFFED = 50
"""Rows from whose names and values a file's names are settled."""


SERIALS = ("idx", "index", "key")
"""Names of an item's number; where no answer stands beside it, of the row's."""
LAST = ("answer", "solution", "text", "content")
"""Names of a response where nothing else can be one and a reference stands beside it (or nothing
was asked): in a dataset they are the reference, or the question."""
_NUMBER = re.compile(
    r"[-+]?[\d.,]+(e[-+]?\d+)?\s*%?(\s*(±|\+/-).*)?|true|false|nan|n/?a|[-–—]", re.I
)


def _numeric(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text.strip()))


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _word(value: Any) -> bool:
    """Text that is no number: in a table everything is text."""
    return isinstance(value, str) and not _numeric(value)


def _name(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return _numeric(value) if isinstance(value, str) else isinstance(value, int | float)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _said(value: Any) -> bool:
    """Text, messages, an answer of a server, or a list of them; no number and no serial."""
    return isinstance(value, str | list | dict)


def _any(value: Any) -> bool:
    return not isinstance(value, dict)


KNOWN: Mapping[str, tuple[Callable[[Any], bool], tuple[str, ...]]] = {
    "id": (
        _name,
        (
            *("doc_id", "question_id", "qid", "item_id", "sample_id", "example_id", "instance_id"),
            *("problem_id", "prompt_id", "task_id", "uid", "uuid", "unique_id", *SERIALS),
        ),
    ),
    "response": (
        _said,
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
        _any,
        (
            *("reference", "references", "ground_truth", "groundtruth", "gt", "golden", "golds"),
            *("gold_answer", "gold_answers", "golden_answers", "correct_answer", "expected"),
            *("expected_output", "expected_answer", "reference_answer", "ref", "target", "targets"),
            *("label", "labels", "answer", "answers", "final_answer", "solution", "output"),
        ),
    ),
    "prompt": (
        _said,
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
    "finish": (_text, ("finish_reason", "stop_reason")),
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
    "cluster": (_text, ()),
    "weight": (_number, ()),
}
"""Our names, in the order in which they are settled: the values' kind, and the common names, the
most telling first. A column is taken once: "output" is a response unless the file has a
"prediction", and then the reference."""

MESSAGES = ("messages", "conversation", "conversations", "chat", "dialog", "dialogue", "trajectory")
"""Names of a whole chat: its last assistant message is the response, what precedes it the prompt.
"""
CONTEXT = ("input", "context")
"""What follows an "instruction" or "question" in the prompt, where it is given apart."""


@dataclass(frozen=True, slots=True)
class Names:
    """A file's names: ``column`` maps ours to its; ``also`` is a column that ends the prompt.

    ``guessed`` are those of ours that nobody named and that the file calls something else.
    """

    column: Mapping[str, str]
    guessed: tuple[str, ...] = ()
    also: str = ""

    @property
    def said(self) -> str:
        """What was taken for what, on one line; empty where every name is as it should be."""
        if not self.guessed:
            return ""
        pairs = [f"{name} = {self.column[name]}" for name in self.guessed]
        if "prompt" in self.guessed and self.also:
            pairs = [f"{p} + {self.also}" if p.startswith("prompt =") else p for p in pairs]
        return f"read {', '.join(pairs)}; if that is wrong, say --field NAME=COLUMN"


def fields_given(given: Iterable[str]) -> dict[str, str]:
    """``--field`` options as our name to the file's.

    >>> fields_given(["response=output", "gold=answer"])
    {'response': 'output', 'gold': 'answer'}
    """
    found: dict[str, str] = {}
    for one in given:
        name, equals, column = one.partition("=")
        if not (equals and name and column):
            remedy = "write NAME=COLUMN, for example --field response=output"
            raise InputError(f"{one!r} names no column", place="--field", remedy=remedy)
        if name not in KNOWN:
            remedy = did_you_mean(name, KNOWN)
            raise InputError(f"unknown field {name!r}", place="--field", remedy=remedy)
        if name in found:
            raise InputError(f"field {name!r} twice", place="--field", remedy="keep one")
        found[name] = column
    return found


def settle(
    rows: Sequence[Mapping[str, Any]],
    given: Mapping[str, str],
    *,
    wanted: Iterable[str] = KNOWN,
) -> Names:
    """The names of a file whose first rows are ``rows``; only ``wanted`` ones of ours are sought.

    What is ``given`` is taken as it is: its column may be missing here and stand further down.
    """
    asked = set(wanted)
    file = _File(rows, [name for name in KNOWN if name in asked], given)
    file.take_own()
    if "response" in asked:
        file.take_response()
    for name in file.wanted:
        if name not in file.column and (column := file.first(name)):
            file.take(name, column)
    file.drop_row_numbers()
    guessed = tuple(name for name in KNOWN if name in file.guessed)
    return Names(file.column, guessed, file.context())


class _File:
    """A file's columns while its names are settled: what is taken, and what was a guess."""

    def __init__(
        self, rows: Sequence[Mapping[str, Any]], wanted: list[str], given: Mapping[str, str]
    ) -> None:
        self.wanted = wanted
        self.values: dict[str, list[Any]] = {}
        for row in rows[:SNIFFED]:
            for name, value in row.items():
                found = self.values.setdefault(name, [])
                if value is not None and value != "":
                    found.append(value)
        self.folded = {_folded(name): name for name in reversed(self.values)}
        self.column = {name: given[name] for name in wanted if name in given}
        self.taken = set(given.values())
        self.guessed: set[str] = set()

    def take(self, name: str, column: str) -> None:
        """Take ``column`` for our ``name``: a guess, and nothing else's from now on."""
        self.column[name] = column
        self.taken.add(column)
        self.guessed.add(name)

    def take_own(self) -> None:
        """Our own names, as they stand; and what they can't mean."""
        for name in self.wanted:
            if name in self.column or name not in self.values or name in self.taken:
                continue
            if name == "id" and "custom_id" in self.values:
                self.take("id", "custom_id")  # a batch's own ids are new in every batch
            elif not (name == "label" and self._is_gold()):
                self.column[name] = name
        self.taken |= set(self.column.values())
        if self.column.keys() & {"score", "percent"}:
            self.wanted = [name for name in self.wanted if name not in ("score", "percent")]
        if not self.column.keys() & {"response", "id"} and not self.first("response"):
            self.wanted = [name for name in self.wanted if name != "gold"]

    def take_response(self) -> None:
        """A column of responses, else the end of a chat, else one of the :data:`LAST`."""
        chat = next(
            (
                column
                for column, found in self.values.items()
                if _folded(column) in MESSAGES and column not in self.taken and found
                if all(isinstance(value, list) for value in found)
            ),
            "",
        )
        said = "" if "response" in self.column else self.first("response")
        if chat and not said and "response" not in self.column:
            self.take("response", chat)
        if chat and "prompt" not in self.column:
            self.take("prompt", chat)
        if said:
            self.take("response", said)
        elif "response" not in self.column and "score" not in self.column:
            self._take_last()

    def _take_last(self) -> None:
        for candidate in LAST:
            column = self.folded.get(candidate, "")
            if self._fits(column, _said):
                self.taken.add(column)
                if self.first("gold") or not self.first("prompt"):
                    self.take("response", column)
                    return
                self.taken.remove(column)

    def first(self, name: str) -> str:
        """The most telling column for ``name`` that is free and has values of its kind."""
        kind, known = KNOWN[name]
        columns = (self.folded.get(candidate, "") for candidate in (name, *known))
        return next((column for column in columns if self._fits(column, kind)), "")

    def drop_row_numbers(self) -> None:
        """A serial number is an item's only where an answer stands beside it."""
        guess = self.column.get("id", "") if "id" in self.guessed else ""
        if _folded(guess) in SERIALS and "response" not in self.column:
            self.guessed.remove("id")
            del self.column["id"]

    def context(self) -> str:
        """The column that ends the prompt, where there is one."""
        if _folded(self.column.get("prompt", "")) not in ("instruction", "question"):
            return ""
        columns = (self.folded.get(name, "") for name in CONTEXT)
        return next((column for column in columns if self._fits(column, _text)), "")

    def _fits(self, column: str, kind: Callable[[Any], bool]) -> bool:
        found = self.values.get(column) if column not in self.taken else None
        return bool(found) and all(map(kind, found or ()))

    def _is_gold(self) -> bool:
        """Whether "label" holds the reference answer, as beside LLaMA-Factory's "predict"."""
        if "gold" not in self.wanted or self.values.keys() & {"gold", "response"}:
            return False
        return any(isinstance(value, str) for value in self.values["label"])


def _folded(column: str) -> str:
    """A column's name without case and separators; "(%)" is kept as "_%"."""
    return re.sub(r"[\s\-_().\[\]]+", "_", column.casefold()).strip("_")

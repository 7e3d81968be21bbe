from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.train.decontaminate import decontaminate, find_overlap
from transferscope.train.queries import Query


def asked(*prompts: str) -> list[Query]:
    return [Query(str(at), "file", prompt, "1") for at, prompt in enumerate(prompts)]


def test_a_shared_run_of_n_words_removes_a_query() -> None:
    queries = asked("one two three four five", "one two three nine five", "ONE, two; Three: four!")
    found = find_overlap(queries, ["zero one two three four"], n=4)
    assert found.removed == ("0", "2")
    assert [query.id for query in found.kept] == ["1"]


def test_a_short_query_overlaps_when_all_of_it_is_there() -> None:
    queries = asked("What is 3 + 4?", "What is 3 + 5?", "?")
    found = find_overlap(queries, ["Tell me: what is 3 + 4, please?"])
    assert found.removed == ("0",)


def test_nothing_to_overlap_with() -> None:
    assert find_overlap(asked("a b c"), []).removed == ()
    assert find_overlap([], ["a b c"]).kept == ()


def test_what_is_left_may_be_trained_on() -> None:
    queries = asked("one two three", "four five")
    found = decontaminate(queries, ["zero one two three"], source="q.jsonl")
    assert ([query.id for query in found.queries], found.removed) == (["1"], 1)
    with pytest.raises(
        InputError, match=r"q.jsonl: every query \(2\) overlaps with the evaluation"
    ):
        decontaminate(queries, ["one two three", "four five six"], source="q.jsonl")


def test_what_a_teacher_leaves_unanswered_goes_as_well() -> None:
    queries = asked("one two three", "four five", "six", "seven")
    found = decontaminate(queries, ["one two three"], source="q.jsonl", unanswered={"0", "2"})
    assert [query.id for query in found.queries] == ["1", "3"]
    assert (found.removed, found.unanswered, found.left_out) == (1, ("2",), 2)
    with pytest.raises(InputError, match="the teacher has nothing to train on for any of 4"):
        decontaminate(queries, [], source="q.jsonl", unanswered=set("0123"))


def test_built_in_queries_stay_unless_they_are_asked_whole() -> None:
    queries = asked("one two three four five six seven eight nine", "ten")
    found = decontaminate(
        queries, ["one two three four five six seven eight 9"], source="procedural"
    )
    assert (found.queries, found.overlapping, found.removed) == (tuple(queries), ("0",), 0)
    with pytest.raises(InputError, match="built-in query 1 occurs in the evaluation"):
        decontaminate(queries, ["nine ten eleven"], source="procedural")


@given(st.lists(st.text("abc ", max_size=12), max_size=6), st.lists(st.text("abc ", max_size=20)))
def test_agrees_with_a_search_for_padded_text(queries: list[str], prompts: list[str]) -> None:
    def overlaps(query: str, prompt: str) -> bool:
        words, there = query.split(), f" {' '.join(prompt.split())} "
        size = min(2, len(words))
        runs = [" ".join(words[at : at + size]) for at in range(len(words) - size + 1)]
        return any(f" {run} " in there for run in runs if run)

    found = find_overlap(asked(*queries), prompts, n=2)
    expected = [str(i) for i, q in enumerate(queries) if any(overlaps(q, p) for p in prompts)]
    assert list(found.removed) == expected

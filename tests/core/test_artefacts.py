import csv
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.artefacts import (
    LOOP_CHARS,
    LOOP_REPEATS,
    LOOP_TAIL,
    flags_of,
    looped,
    prompt_echo,
    role_leak,
    stop_cut,
    truncated,
    unboxed,
    unclosed_think,
)

RESPONSES = Path(__file__).resolve().parents[3] / "shared" / "data" / "responses"
LABELS = Path(__file__).with_name("artefact_labels.csv")


def test_empty_is_inferred_and_truncated_is_recorded():
    assert flags_of(" \n\t", finish="length") == (("truncated", "empty"), ("empty",))
    assert flags_of("12", finish="length") == (("truncated",), ())
    assert flags_of("12", finish="stop") == ((), ())
    assert flags_of("12") == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        "The answer is 4. " * 5,
        "Let me see.\n" + "0" * 80,
        "A long start of an answer, in words. " + "wait, no: " * 12 + "wait,",
        "x" * 5000 + " then " + "again and " * 200,
        "ab\n" * 40 + "\n\n  ",
    ],
)
def test_loops(text):
    assert looped(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 + 1 + 1 + 1 = 4",
        "The answer is 4. " * 3,  # three times is no loop
        "no, " * 30 + "the answer is seven, as the third line of the text says.",  # it recovered
        " ".join(str(i) for i in range(200)),
        "word " * 17 + "and so on, " + " ".join(f"step {i}" for i in range(100)),
    ],
)
def test_not_loops(text):
    assert not looped(text)


def test_the_boundary_is_80_characters_four_units_and_a_fifth_of_the_tail():
    assert looped("ab" * 40)
    assert not looped("ab" * 39 + "a")
    unit = "".join(chr(0x4E00 + i) for i in range(50))
    assert looped(unit * 4)
    assert not looped(unit * 3 + unit[:49])
    start = "".join(chr(0x4E00 + i) for i in range(400))
    assert looped(start + "ab" * 50)  # 100 of 500 characters
    assert not looped(start + "ab" * 49)


@pytest.mark.parametrize("unit", ["a", "ab", "a" * 2000 + "b", " ", "\n", "<", "[THINK"])
def test_a_megabyte_is_looked_at_in_no_time(unit):
    text = unit * (1_000_000 // len(unit))
    for ending in ("", "x"):
        began = time.perf_counter()
        flags_of(text + ending, prompt="\\boxed{} " + text[:1000])
        assert time.perf_counter() - began < 1.0


@given(st.text("ab. ", min_size=1, max_size=40), st.integers(0, 60), st.integers(0, 30))
def test_loops_are_those_of_a_plain_search(unit: str, times: int, lead: int) -> None:
    text = "xyzw"[: lead % 5] * lead + (unit * times)[: 60 * len(unit)]
    tail = text.rstrip()[-LOOP_TAIL:]

    def plain() -> bool:
        for period in range(1, len(tail)):
            span = period
            while span < len(tail) and tail[-span - 1] == tail[-span - 1 + period]:
                span += 1
            if span >= max(LOOP_CHARS, LOOP_REPEATS * period, 0.2 * len(tail)):
                return True
        return False

    assert looped(text) == plain()


def test_a_stop_string_leaves_an_opened_mark_or_a_blank_behind_a_word() -> None:
    assert stop_cut("Alright, I have this:\n\n**")
    assert stop_cut("1. **Understand the ")
    assert stop_cut("and the next ")
    assert not stop_cut("It is **bold**")
    assert not stop_cut("the sum is 4 + ")  # a digit's blank is a token of its own
    assert not stop_cut("A paragraph ends.\n\n")
    assert not stop_cut("word " * 400 + "and the ")  # limits cut long answers
    assert stop_cut("word " * 400 + "**Re-reading the ")
    assert not stop_cut("yes")
    assert not stop_cut("")


def test_a_cut_is_inferred_from_long_answers_that_end_in_mid_sentence() -> None:
    long = "This is a sentence of an answer. " * 8
    assert truncated(long + "And then")
    assert not truncated(long + "And then it ended.")
    assert not truncated("And then")  # short answers need no full stop
    assert truncated(long + "```python\nprint(1)")
    assert truncated(long + "\\[ x = 1.")
    assert not truncated(long + "So \\boxed{\\frac{1}{2}}\n\\]")
    assert truncated(long + "So \\boxed{\\frac{1}{2}}. But perhaps the")
    asked = "Give \\boxed{your_answer}."
    assert truncated(long * 10, asked)
    assert not truncated(long * 10)
    assert not truncated(long * 10 + "\\boxed{4}.", asked)


def test_a_box_that_copies_the_request_is_no_answer() -> None:
    asked = "End in \\boxed{your_answer}."
    assert unboxed("I write \\boxed{your_answer}.", asked)
    assert not unboxed("It is \\boxed{\\text{a {b} c}}.", asked)
    assert unboxed("It is \\boxed{4", asked)
    assert not unboxed("It is 4.", "How many?")
    assert flags_of("It is 4.", prompt=asked) == (("extraction_failed",),) * 2
    assert flags_of("It is 4.", prompt=asked, extracted=True) == ((), ())
    assert flags_of("It is 4.", extracted=False) == (("extraction_failed",), ())


def test_thoughts_must_be_closed() -> None:
    assert unclosed_think("<think>so")
    assert not unclosed_think("<think>so</think>4")
    assert unclosed_think("<think>a</think><think>b")
    assert unclosed_think("so", "question <think>\n")
    assert not unclosed_think("so</think>4", "question <think>\n")
    assert not unclosed_think("so", "question <think>\n</think>")


def test_an_echo_begins_as_the_prompt_does_or_a_part_of_it() -> None:
    asked = "Tom has three apples and buys four more at the market of Bern today. How many now?"
    prompt = "Solve this. " + asked
    assert prompt_echo(asked.replace(" and ", "  and\n") + " Seven.", prompt)
    assert not prompt_echo(f"{asked} He has seven, since three and four are seven. " * 2, prompt)
    assert not prompt_echo("You say: " + prompt, prompt)
    assert not prompt_echo("Tom has seven.", prompt)
    assert prompt_echo("What is 3 times 4, please? I", "What is 3 times 4, please?")
    assert not prompt_echo("What?", "What?")  # too short to tell


@pytest.mark.parametrize(
    "text", ["4<|im_end|>", "4\nUser: and 5?", "Assistant: 4", "4\n### Instruction:", "[/INST] 4"]
)
def test_somebody_else_speaks(text: str) -> None:
    assert role_leak(text)
    assert not role_leak("A user asks, and the assistant: an answer. ## Instructions")


@pytest.fixture(scope="module")
def labelled() -> list[tuple[set[str], set[str]]]:
    """Labels and flags of 177 real answers, read one by one on 2026-11-24.

    Drawn at random by the kind of flag of an earlier version (44 of each, all of the rare), shown
    in mixed order without their flags: length, whether a box closes, and their last 95 characters
    (the last 700 where a loop was in question, the first 24 where a role). One reader.
    """
    if not RESPONSES.is_dir():
        pytest.skip("needs the real responses, which are not part of the repository")
    rows = {}
    for kind in ("RL", "SFT"):
        path = RESPONSES / f"UniReason-{kind}_hendrycks_math_500.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            rows[f"UniReason-{kind}", row["id"].rpartition("-")[2]] = row
    found = []
    with LABELS.open() as file:
        for label in csv.DictReader(file):
            row = rows[label["file"], label["id"]]
            flags = flags_of(row["response"], prompt=row["prompt"]).flags
            found.append((set(filter(None, label["labels"].split(";"))), set(flags)))
    return found


@pytest.mark.parametrize(
    ("kind", "rows"),
    [("truncated", 69), ("stop_cut", 49), ("looped", 16), ("role_leak", 40), ("clean", 41)],
)
def test_flags_agree_with_a_reader(
    labelled: list[tuple[set[str], set[str]]], kind: str, rows: int
) -> None:
    def has(names: set[str]) -> bool:
        return kind in names or (kind == "clean" and not names)

    flagged = [has(flags) for labels, flags in labelled if has(labels)]
    unflagged = [not has(flags) for labels, flags in labelled if not has(labels)]
    assert len(flagged) == rows
    assert sum(flagged) / rows >= 0.95
    assert sum(unflagged) / len(unflagged) >= 0.95

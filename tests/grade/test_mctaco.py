"""MC-TACO's two measures by hand, and its two files."""

from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.grade.mctaco import Candidate, em_and_f1, read_judged, read_tsv


def asked(question: str, *plausible: bool, passage: str = "p") -> list[Candidate]:
    return [Candidate(passage, question, f"a{at}", yes) for at, yes in enumerate(plausible)]


def test_a_question_is_matched_when_every_candidate_is() -> None:
    rows = [*asked("q", True, False, True), *asked("r", True, True)]
    # q: one of two found, one wrongly: precision 1/2, recall 1/2; r: all right
    em, f1 = em_and_f1(rows, [True, True, False, True, True])
    assert em == 0.5
    assert f1 == pytest.approx((0.5 + 1.0) / 2)


def test_nothing_plausible_and_nothing_judged_so() -> None:
    assert em_and_f1(asked("q", False, False), [False, False]) == (1.0, 1.0)
    assert em_and_f1(asked("q", False), [True]) == (0.0, 0.0)  # precision 0, recall 1
    assert em_and_f1(asked("q", True), [False]) == (0.0, 0.0)  # precision 1, recall 0


def test_the_same_question_on_another_passage_is_another_question() -> None:
    rows = [*asked("q", True), *asked("q", True, passage="other")]
    assert em_and_f1(rows, [True, False]) == (0.5, 0.5)
    with pytest.raises(ValueError, match="2 candidates and 1"):
        em_and_f1(rows, [True])


def test_bad_files_are_named_with_their_line(tmp_path: Path) -> None:
    tsv, judged = tmp_path / "gold.tsv", tmp_path / "judged.txt"
    tsv.write_text("p\tq\ta\tyes\tkind\np\tq\tb\tno\tkind\n")
    assert [c.plausible for c in read_tsv(tsv)] == [True, False]
    judged.write_text("yes\nNO\n")
    assert read_judged(judged, candidates=2) == [True, False]
    with pytest.raises(InputError, match="2 judgements for 3"):
        read_judged(judged, candidates=3)
    judged.write_text("yes\nmaybe\n")
    with pytest.raises(InputError, match=r"judged.txt:2"):
        read_judged(judged, candidates=2)
    tsv.write_text("p\tq\ta\tyes\nno tabs\n")
    with pytest.raises(InputError, match=r"gold.tsv:2"):
        read_tsv(tsv)
    tsv.write_text("")
    with pytest.raises(InputError, match="no candidate"):
        read_tsv(tsv)

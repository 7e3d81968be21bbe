"""Choice grading by hand-worked replies."""

from __future__ import annotations

import pytest

from transferscope.grade.choice import most_likely, names_only


def test_most_likely_takes_the_first_of_equals() -> None:
    assert most_likely([-3.0, -1.0, -1.0]) == 1
    with pytest.raises(ValueError, match="no options"):
        most_likely([])


def test_names_only() -> None:
    assert names_only("Anna lives in Rome.", "rome", ["Paris", "Rome"])
    assert not names_only("Rome or Paris", "Rome", ["Paris"])
    assert not names_only("Romeo", "Rome")
    assert not names_only("", "Rome")
    assert not names_only("<think>Rome, surely</think>Paris", "Rome")
    assert names_only("<think>Paris?</think>Rome", "Rome", ["Paris"])

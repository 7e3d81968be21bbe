"""From which score on an answer is right."""

import numpy as np
import pytest

from transferscope.core.right_answers import is_right


@pytest.mark.parametrize(
    ("score", "right"), [(0.0, False), (0.49, False), (0.5, True), (1.0, True)]
)
def test_half_of_the_points_is_right(score: float, right: bool) -> None:
    assert is_right(score) is right


def test_an_array_is_judged_element_by_element() -> None:
    assert is_right(np.array([0.25, 0.5, 0.75])).tolist() == [False, True, True]

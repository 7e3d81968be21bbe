from __future__ import annotations

import pytest

from transferscope.core.artefacts_against import script, script_changed, style_openings


def test_an_opening_that_tuning_brought_is_flagged_where_it_stands() -> None:
    tuned = ["Okay, let me think. 4"] * 15 + ["It is 4."] * 5
    base = [f"The answer number {n}." for n in range(20)]
    assert style_openings(base, tuned) == (True,) * 15 + (False,) * 5
    assert style_openings(["okay let me see"] * 1 + base[1:], tuned)[0]  # 1 of 20 is 5 %
    assert not any(style_openings(["okay let me see"] * 2 + base[2:], tuned))
    assert not any(style_openings(base, tuned[:9] + ["It is all 4."] * 11 + base[:0])[:9])


def test_few_answers_have_no_style() -> None:
    assert style_openings(["a b c"] * 19, ["x y z"] * 40) == (False,) * 40
    assert style_openings(["a b c"] * 40, ["x y z"] * 19) == (False,) * 19
    assert style_openings([], []) == ()


def test_short_answers_have_no_opening() -> None:
    assert not any(style_openings(["12"] * 20, ["yes"] * 20))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer is four.", "LATIN"),
        ("Ответ: четыре, потому что два и два.", "CYRILLIC"),
        ("答案是四因为二加二等于四没有别的", "CJK"),
        ("これはこたえですよんです", "CJK"),
        ("x = 4", None),
        ("", None),
    ],
)
def test_scripts(text: str, expected: str | None) -> None:
    assert script(text) == expected


def test_a_change_needs_two_scripts() -> None:
    latin, cjk = "The answer is four.", "答案是四因为二加二等于四没有别的"
    assert script_changed(latin, cjk)
    assert not script_changed(latin, "Die Antwort ist vier.")
    assert not script_changed(latin, "4")
    assert not script_changed("", cjk)

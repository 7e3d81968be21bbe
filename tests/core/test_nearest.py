"""core.nearest: ratios worked out by hand; 2 M / T with M matching and T all characters."""

from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.nearest import CUTOFF, did_you_mean, nearest

GROUPS = ["math", "other", "non"]


def test_a_missing_letter():
    # "mth" against "math": m and th match, 2 * 3 / 7 = 0.857.
    assert nearest("mth", GROUPS) == ["math"]
    assert did_you_mean("mth", GROUPS) == "did you mean 'math'?"


def test_a_missing_letter_in_a_key():
    assert nearest("margn", ["margin", "min_items", "max_artefact_rate"]) == ["margin"]


def test_case_and_separators_do_not_count():
    assert nearest("Max-Artefact.Rate", ["margin", "max_artefact_rate"]) == ["max_artefact_rate"]


def test_nothing_near():
    # "xyz" shares no letter with any of them.
    assert nearest("xyz", GROUPS) == []
    assert did_you_mean("xyz", GROUPS) == "use one of math, other, non"
    assert did_you_mean("xyz", []) == "none is known"


def test_the_most_similar_first_and_at_most_n():
    # To "abcd": itself 1, "abc" 6/7, "abx" 4/7 (below the cutoff), "abcx" 6/8.
    known = ["abx", "abcx", "abc", "abcd"]
    assert nearest("abcd", known) == ["abcd", "abc", "abcx"]
    assert nearest("abcd", known, n=1) == ["abcd"]
    assert CUTOFF > 4 / 7


def test_equal_ones_keep_their_order():
    assert nearest("ab", ["abc", "abd"]) == ["abc", "abd"]
    assert nearest("ab", ["abd", "abc"]) == ["abd", "abc"]


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=8))
def test_offered_names_are_known_and_the_name_itself_comes_first(name, others):
    assert set(nearest(name, others)) <= set(others)
    assert nearest(name, [*others, name], n=len(others) + 1)[:1] in ([name], [_same(name, others)])


def _same(name, others):
    def plain(text):
        return "".join(c for c in text.casefold() if c not in "-_. ")

    return next((other for other in others if plain(other) == plain(name)), name)

"""Stop strings against a search of the whole answer, token by token."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferscope.engines.stopping import StopStrings

from ..conftest import byte_tokenizer

BYTES = byte_tokenizer()


def ended(tokenizer, stops, answer):
    """Number of tokens after which the answer first counts as ended, asked after every one."""
    stopped = StopStrings(tokenizer, stops)
    lengths = range(1, len(answer) + 1)
    return next((n for n in lengths if stopped([answer[:n]]) == [True]), None)


def test_each_answer_ends_by_itself(tiny_tokenizer):
    stopped = StopStrings(tiny_tokenizer, ["w5"])  # w5 is token 8
    assert stopped([[7, 8], [9, 9], [8]]) == [True, False, True]
    assert stopped([]) == []


@pytest.mark.parametrize(
    ("stops", "after"),
    [
        ([], None),
        (["w4 w5"], 2),
        (["4 w5 w"], 3),
        (["w6", "5"], 2),
        (["w4 w6"], None),
    ],
)
def test_any_of_the_strings_over_any_number_of_tokens(tiny_tokenizer, stops, after):
    assert ended(tiny_tokenizer, stops, [7, 8, 9, 10]) == after


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(alphabet="ab\n é中", min_size=1, max_size=25),
    stops=st.lists(st.text(alphabet="ab\n é中", min_size=1, max_size=4), max_size=3),
)
def test_the_end_is_where_a_search_of_the_whole_answer_finds_it(text, stops):
    """Tokens are single bytes: characters straddle them, and the window is as narrow as it gets."""
    ids = BYTES.encode(text, add_special_tokens=False)
    lengths = range(1, len(ids) + 1)
    found = [n for n in lengths if any(stop in BYTES.decode(ids[:n]) for stop in stops)]
    assert ended(BYTES, stops, ids) == (found[0] if found else None)


def test_a_steps_cost_does_not_grow_with_the_answer(tiny_tokenizer):
    read = []

    class Counted:
        def batch_decode(self, ids):
            read.extend(map(len, ids))
            return tiny_tokenizer.batch_decode(ids)

    assert StopStrings(Counted(), ["é!"]).window == 5  # three bytes and two more
    assert ended(Counted(), ["é!"], [7] * 40) is None
    assert read == [1, 2, 3, 4] + [5] * 36

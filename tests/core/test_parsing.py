"""JSON and TOML read strictly: a key twice, nesting without end, numbers that nothing holds."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferscope.core.errors import InputError
from transferscope.core.files import json_lines, parse_toml
from transferscope.core.parsing import DECODER, MAX_DEPTH, quick_object, too_deep


def parsed(text):
    return dict(json_lines([text.encode()], path="f", remedy="mend it"))["f:1"]


@pytest.mark.parametrize(
    "text",
    [
        '{"score": 0.0, "score": 1.0}',
        '{"a": [{"b": {"score": 1, "x": 2, "score": 1}}]}',
        '{"sc\\u006fre": 1, "score": 1}',
    ],
)
def test_a_key_twice_is_named(text):
    with pytest.raises(InputError) as caught:
        parsed(text)
    said = "f:1: not valid JSON (key 'score' stands twice in one object); mend it"
    assert str(caught.value) == said


def test_a_key_twice_among_many_is_found_at_once():
    text = "{" + ", ".join(f'"{at}": 1' for at in range(200_000)) + ', "0": 2}'
    with pytest.raises(InputError, match="key '0' stands twice"):
        parsed(text)


def nested(depth, start="[", end="]"):
    return '{"a": ' + start * (depth - 1) + end * (depth - 1) + "}"


def test_nesting_is_read_to_100_levels_and_no_further():
    assert MAX_DEPTH == 100
    assert parsed(nested(100))
    for text in (nested(101), nested(5_000), nested(120, '{"b": [', "]}"), nested(300_000)):
        with pytest.raises(InputError, match=r"f:1: .*nested too deeply"):
            parsed(text)
    wide = {"a": [[1]] * 500}
    assert parsed(json.dumps(wide)) == wide
    assert not too_deep(wide)


def test_brackets_in_text_are_no_nesting():
    assert parsed(json.dumps({"a": "[{" * 500}))["a"].startswith("[{")


def test_toml_nested_without_end_is_one_line():
    assert parse_toml("a = " + "[" * 90 + "]" * 90, place="t")
    for depth in (120, 400, 100_000):
        with pytest.raises(InputError, match="t: not valid TOML: nested too deeply"):
            parse_toml("a = " + "[" * depth + "]" * depth, place="t")


def test_a_number_that_no_float_holds_is_infinite():
    """Of 300 digits it is whole still; beyond, what 1e400 is. 4,300 would stop Python's reader."""
    assert DECODER.decode("[%s]" % ("9" * 300)) == [10**300 - 1]
    for digits in (301, 400, 5_000, 100_000):
        assert DECODER.decode("[%s]" % ("9" * digits)) == [math.inf]
        assert DECODER.decode("[-%s]" % ("9" * digits)) == [-math.inf]


class Pairs(list):
    """Pairs of keys and values, in which a key may come twice."""


KEYS = st.sampled_from(["a", "b", "score", 'x"', "x\\\\", "é", ": ", '":', ""])
TEXTS = st.one_of(
    KEYS, st.text(max_size=6), st.sampled_from(['said "x": y', '\\":', '" :', "\\\\"])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(st.tuples(KEYS, inner), max_size=3).map(Pairs)
    ),
    max_leaves=8,
)


def written(value, draw):
    """JSON with any blanks that JSON allows."""
    space = lambda: "".join(draw.choices([" ", "\t", "\r", ""], weights=[1, 1, 1, 5], k=2))  # noqa: E731
    if isinstance(value, Pairs):
        parts = [f"{json.dumps(k)}{space()}:{space()}{written(v, draw)}" for k, v in value]
        return "{" + space() + ",".join(parts) + space() + "}"
    if isinstance(value, list):
        return "[" + f"{space()},{space()}".join(written(part, draw) for part in value) + "]"
    return json.dumps(value, ensure_ascii=draw.random() < 0.5)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(st.tuples(KEYS, VALUES), max_size=4).map(Pairs), st.randoms(use_true_random=False))
def test_what_is_read_quickly_is_what_the_strict_reader_reads(value, draw):
    """Whatever the strict reader refuses is in doubt; what is read is the same to the type."""
    line = written(value, draw).encode("utf-8", "surrogatepass")
    quick = quick_object(line)
    try:
        strict = DECODER.decode(line.decode())
    except ValueError:
        assert quick is None
    else:
        assert quick is None or repr(quick) == repr(strict)


def test_plain_rows_are_not_in_doubt():
    row = {"id": "a", "score": 1.0, "doc": {"q": ["x", {"y": None}]}, "said": 'a "b" c\n', "n": -3}
    for text in (
        json.dumps(row),
        json.dumps(row, separators=(",", ":")),
        json.dumps(row, indent=1),
    ):
        assert quick_object(text.encode()) == row


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 1, "a" : 2}',
        '{"a\\\\": 1, "a\\\\" : 1}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": "said \\": x", "b": 1, "b": 2}',
        '{"a": "\\\\", "b": "\\": ", "b": 2}',
        '{"a": %s}' % ("9" * 301),
        '{"a": %s}' % ("[" * 100 + "]" * 100),
        '{"a": NaN}',
        '{"a": 1e400}',
        '{"a": "\\ud800"}',
        "[1]",
        "",
    ],
)
def test_lines_in_doubt(line):
    assert quick_object(line.encode()) is None

"""JSON and TOML read strictly: a key twice, nesting without end, numbers that nothing holds."""

import json
import math

import pytest
from hypothesis import given
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
    said = "f:1: not valid JSON (key 'score' occurs twice in one object); mend it"
    assert str(caught.value) == said


def test_a_key_twice_among_many_is_found_at_once():
    text = "{" + ", ".join(f'"{at}": 1' for at in range(200_000)) + ', "0": 2}'
    with pytest.raises(InputError, match="key '0' occurs twice"):
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


# Texts that imitate keys, and keys that repeat or hide behind white space or an escape.
NAMES = st.sampled_from(["a", "b", 'a":', "\\u0061", "", "é", '": 1, "a'])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(NAMES, inner), max_size=3),
    max_leaves=8,
)
SPACES = st.sampled_from(["", " ", "\t ", "\n"])


@st.composite
def objects(draw):
    """An object as text; a list of pairs is an object, so that keys may repeat."""

    def written(value):
        if isinstance(value, list) and value and isinstance(value[0], tuple):
            pairs = [f"{json.dumps(k)}{draw(SPACES)}:{draw(SPACES)}{written(v)}" for k, v in value]
            return "{" + f"{draw(SPACES)},".join(pairs) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(written, value)) + "]"
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    return written(draw(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=4)))


def same(one, other):
    """Equal values of equal types; NaN equals NaN."""
    return repr(one) == repr(other)


@given(text=objects())
def test_the_fast_reader_agrees_with_the_strict_one_or_says_nothing(text):
    try:
        line = text.encode()
    except UnicodeEncodeError:
        return
    if (quick := quick_object(line)) is not None:
        assert same(quick, DECODER.decode(text))


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 1, "a" : 2}',
        '{"a": 1, "a"\n:2}',
        '{"a": 1, "\\u0061": 2}',
        '{"a": {"b": 1, "b": 2}}',
        '{"a": "x\\":", "a": 2}',
        '{"a\\\\": 1, "a\\\\" : 1}',
        '{"b": "x\\":", "a\\\\": 1, "a\\\\": 1}',
        '{"a": NaN}',
        '{"a": 1e400}',
        '{"a": ' + "9" * 301 + "}",
        '{"a": "\\ud800"}',
        "[1]",
        "",
        "\ufeff{}",
        nested(MAX_DEPTH + 1),
    ],
)
def test_what_the_fast_reader_leaves_to_the_strict_one(line):
    assert quick_object(line.encode()) is None


def test_most_lines_are_read_fast():
    quoted = json.dumps({"a": 'said "b": 1, "c" : 2'})
    for line in (
        *('{"a": [1, {"b": null}], "c": "d: e"}\n', ' {"a":"x"} ', '{"a" :1}', "{}", quoted),
        nested(MAX_DEPTH),
    ):
        assert same(quick_object(line.encode()), json.loads(line))

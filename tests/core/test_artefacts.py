import time

import pytest

from transferscope.core.artefacts import DETECTORS, flags_of, looped


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


@pytest.mark.parametrize("unit", ["a", "ab", "a" * 2000 + "b", " ", "\n"])
def test_a_megabyte_is_looked_at_in_no_time(unit):
    text = (unit * 1_000_000)[:1_000_000]
    began = time.perf_counter()
    for detect in DETECTORS.values():
        detect(text)
    assert time.perf_counter() - began < 0.5

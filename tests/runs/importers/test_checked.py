import math
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef
from transferscope.runs.importers.checked import checked
from transferscope.runs.importers.foreign_run import Results


def results(**about):
    return Results(ModelRef("m"), samples={}, provenance="imported:x", **about)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"engine": {"a": {"b": math.inf}}}, "setting engine.a.b is infinite"),
        ({"decoding": {"gsm8k": {"stop": [1, math.nan]}}}, "decoding.gsm8k.stop.1 is not a number"),
        ({"seed": 10**30}, r"setting seed is 1000000… \(31 digits\)"),
    ],
)
def test_settings_that_no_run_can_have(about, said):
    with pytest.raises(InputError, match=rf"r\.json: .*{said}; repair the file"):
        checked(lambda: results(**about), Path("r.json"))


def test_what_a_reader_raises_names_the_file():
    def read():
        raise ValueError("n 0 is not above 0")

    with pytest.raises(InputError, match=r"r\.json: n 0 is not above 0; repair the file"):
        checked(read, Path("r.json"))


def test_a_name_that_is_no_text_can_be_written():
    found = checked(
        lambda: Results(ModelRef("a\udcffb"), samples={}, provenance="imported:x"), Path("r")
    )
    assert found.model.name == "a?b"
    assert checked(results, Path("r.json")) == results()

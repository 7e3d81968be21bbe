import pytest
from pydantic import BaseModel, ValidationError

from transferscope.core.invalid import reason


class Settings(BaseModel, strict=False):
    steps: int


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.5, "1.5 is not a whole number"),
        (float("inf"), "Input should be a finite number"),
        ("many", "Input should be a valid integer, unable to parse string as an integer"),
    ],
)
def test_what_is_wrong_with_a_value(value, said):
    with pytest.raises(ValidationError) as caught:
        Settings(steps=value)
    assert reason(caught.value.errors()[0]) == said


def test_the_digits_to_write():
    error = {"type": "int_type", "input": 1e3, "msg": "no integer", "loc": ("steps",)}
    assert reason(error) == "1000.0 is not a whole number: write 1000"
    assert reason(error | {"input": 1e300}) == "1e+300 is not a whole number"

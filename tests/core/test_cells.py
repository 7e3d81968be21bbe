import pytest

from transferscope.core.cells import Cell, cell_of, count_of, is_missing


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("60.5", Cell(60.5)),
        ("60.5%", Cell(60.5, True)),
        (" 60,5 % ", Cell(60.5, True)),
        ("0,605", Cell(0.605)),
        (".5", Cell(0.5)),
        ("6.05e-1", Cell(0.605)),
        ("1,234.5", Cell(1234.5)),
        ("1.234,5", Cell(1234.5)),
        ("\u22120.1", Cell(-0.1)),
        ("61.2 ± 1.3", Cell(61.2, False, 1.3)),
        ("61.2% +/- 1.3%", Cell(61.2, True, 1.3)),
        *((text, None) for text in ("good", "", "1_0", "nan", "1 2", "60,5,1", "1 ±", "9" * 99)),
    ],
)
def test_numbers_as_people_write_them(text, cell):
    assert cell_of(text) == cell


@pytest.mark.parametrize(
    ("text", "count"),
    [("1319", 1319), ("1,319", 1319), ("1 319", 1319), ("1319.0", 1319), ("0", 0)]
    + [(text, None) for text in ("1.319", "1,31", "x", "", "1e3", "9" * 99)],
)
def test_counts(text, count):
    assert count_of(text) == count


def test_what_stands_for_nothing():
    assert all(map(is_missing, ("", " ", "-", "N/A", "nan", "—")))
    assert not is_missing("0")

import pytest

from transferscope.core import frames
from transferscope.core.errors import InputError
from transferscope.core.frames import Table

ROWS = [{"benchmark": "gsm8k", "delta": -2.5, "n": 40}, {"benchmark": "<b>", "delta": None}]
TABLE = Table.of("benchmarks", ROWS, ["benchmark", "delta", "n"])


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow", None])
def test_a_frame_has_the_rows_and_the_missing_values(backend):
    if backend is not None:
        pytest.importorskip(backend)
    frame = TABLE.to_frame(backend)
    columns = frame.column_names if backend == "pyarrow" else list(frame.columns)
    assert columns == ["benchmark", "delta", "n"]
    cells = frame["delta"].to_pylist() if backend == "pyarrow" else list(frame["delta"])
    assert cells[0] == -2.5
    assert cells[1] is None or cells[1] != cells[1]  # pandas writes NaN
    assert len(frame) == 2


def test_an_empty_table_has_its_columns():
    pandas = pytest.importorskip("pandas")
    frame = Table.of("flips", [], ["id", "base"]).to_frame("pandas")
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["id", "base"]
    assert len(frame) == 0


def test_rows_and_columns_are_read_by_name():
    assert len(TABLE) == 2
    assert TABLE["n"] == [40, None]
    assert next(iter(TABLE)) == {"benchmark": "gsm8k", "delta": -2.5, "n": 40}
    with pytest.raises(KeyError, match="no column 'gain'; there are benchmark, delta, n"):
        TABLE["gain"]


def test_columns_have_one_length():
    with pytest.raises(ValueError, match="different lengths"):
        Table("x", {"a": [1], "b": []})


def test_what_a_notebook_shows_is_short_and_escaped():
    assert repr(TABLE) == "<2 benchmarks: benchmark, delta, n; .to_frame() makes a data frame>"
    assert "&lt;b&gt;" in TABLE._repr_html_()
    assert "<b>" not in TABLE._repr_html_()
    long = Table("x", {"a": list(range(50))})
    assert long._repr_html_().count("<tr>") == 1 + frames.SHOWN
    assert "30 more rows" in long._repr_html_()


def test_a_backend_that_is_not_there(monkeypatch):
    with pytest.raises(InputError, match="no backend 'duck'; use one of pandas, polars, pyarrow"):
        TABLE.to_frame("duck")
    monkeypatch.setattr(frames, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="polars is not installed; pip install polars"):
        TABLE.to_frame("polars")
    with pytest.raises(InputError, match="pandas or polars is not installed; pip install pandas"):
        TABLE.to_frame()

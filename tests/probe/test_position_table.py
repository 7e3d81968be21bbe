"""The Parquet file holds every position as it was measured."""

import sys

import numpy as np
import pytest

from transferscope.core.errors import MissingExtra
from transferscope.core.labels import Labels
from transferscope.core.position_shifts import PositionShifts
from transferscope.probe.position_table import write_positions

MEASURED = (
    "kl_tuned_base",
    "kl_base_tuned",
    "js",
    "entropy_base",
    "entropy_tuned",
    "log_ratio",
    "rank_base",
    "rank_tuned",
    "lost_mass",
)
POSITIONS = PositionShifts(
    np.array([0, 0, 0, 2, 2]),
    np.array([7, 8, 7, 9, 8]),
    *(np.arange(5) + 10.0 * column for column in range(len(MEASURED))),
)
LABELS = Labels(("chains", "chains", "ordering"), {"chains": "math"})


def test_a_row_per_position(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "positions.parquet"
    write_positions(file, POSITIONS, LABELS, lambda token: f"t{token}")
    held = parquet.read_table(file).to_pydict()
    assert held["text"] == [0, 0, 0, 2, 2]
    assert held["benchmark"] == ["chains"] * 3 + ["ordering"] * 2
    assert held["position"] == [0, 1, 2, 0, 1]
    assert held["token"] == ["t7", "t8", "t7", "t9", "t8"]
    assert held["token_id"] == [7, 8, 7, 9, 8]
    for column, name in enumerate(MEASURED):
        assert held[name] == [10.0 * column + row for row in range(5)]
    assert len(held) == 14
    assert [path.name for path in tmp_path.iterdir()] == ["positions.parquet"]


def test_texts_without_labels_have_an_empty_benchmark(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_positions(tmp_path / "p.parquet", POSITIONS, Labels(), str)
    assert set(parquet.read_table(tmp_path / "p.parquet")["benchmark"].to_pylist()) == {""}


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match="probe"):
        write_positions(tmp_path / "p.parquet", POSITIONS, LABELS, str)
    assert list(tmp_path.iterdir()) == []

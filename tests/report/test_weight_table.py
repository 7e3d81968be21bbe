"""The weights table."""

import io

from rich.console import Console

from transferscope.core.weight_shift import MatrixChange, MatrixChanges, shift_of
from transferscope.report.weight_table import print_weights


def test_table_and_what_was_left_out() -> None:
    rows = (
        MatrixChange("model.layers.0.q_proj.weight", 1_000_000, 500_000, 1000, 4.0, 1e6, 12.34),
        MatrixChange("model.[red]norm.weight", 10, 0, 0, 0.0, 1.0, None),
    )
    out = io.StringIO()
    lacking = tuple(f"tensor{at}" for at in range(7))
    changes = MatrixChanges(rows, only_base=lacking, resized=("e",))
    print_weights(shift_of(changes), Console(file=out, width=80))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    q = next(line for line in lines if line.startswith("q_proj"))
    assert q.split() == ["q_proj", "1,000,000", "50.00", "0.10", "2.00e-03", "12.34"]
    assert any(line.startswith("[red]norm") for line in lines)
    assert any(line.startswith("outside the layers") for line in lines)
    text = " ".join(out.getvalue().split())
    assert "only in the base: tensor0, tensor1, tensor2, tensor3, tensor4 and 2 more" in text
    assert "compared on their common rows: e" in text

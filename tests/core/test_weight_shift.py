"""Aggregates of weight changes by hand."""

import pytest

from transferscope.core.weight_shift import MatrixChange, MatrixChanges, shift_of, together

Q = MatrixChange("model.layers.1.self_attn.q_proj.weight", 10, 5, 2, 9.0, 100.0, 1.5)
K = MatrixChange("model.layers.0.self_attn.k_proj.weight", 30, 3, 0, 16.0, 0.0, 2.5)
NORM = MatrixChange("model.norm.weight", 10, 0, 0, 0.0, 1.0, None)


def test_shares_and_norms_are_over_entries() -> None:
    part = together([Q, K, NORM])
    assert part.entries == 50
    assert part.changed_share == pytest.approx(8 / 50)
    assert part.changed_bf16_share == pytest.approx(2 / 50)
    assert part.relative_norm == pytest.approx((25 / 101) ** 0.5)
    assert part.stable_rank == pytest.approx(2.0)
    assert together([K]).relative_norm is None  # the base is 0
    assert together([NORM]).stable_rank is None
    with pytest.raises(ValueError, match="no entry"):
        together([])


def test_layers_in_order_and_kinds_by_what_changed() -> None:
    shift = shift_of(MatrixChanges((Q, NORM, K), only_base=("lm_head.weight",)))
    assert [part.layer for part in shift.layers] == [0, 1, None]
    assert [part.kind for part in shift.kinds] == ["k_proj", "q_proj", "norm"]
    document = shift.to_json()
    assert document["layers"][0]["layer"] == 0
    assert document["kinds"][0]["kind"] == "k_proj"
    assert document["matrices"][1]["name"] == "model.norm.weight"
    assert document["only_base"] == ["lm_head.weight"]
    assert document["changed_share"] == pytest.approx(8 / 50)


@pytest.mark.parametrize(
    ("name", "layer", "kind"),
    [
        ("transformer.h.11.attn.c_attn.bias", 11, "c_attn"),
        ("model.embed_tokens.weight", None, "embed_tokens"),
        ("layers.3.mlp.weight", 3, "mlp"),
        ("weight", None, "weight"),
    ],
)
def test_names_of_other_architectures(name: str, layer: int | None, kind: str) -> None:
    row = MatrixChange(name, 1, 0, 0, 0.0, 0.0, None)
    assert (row.layer, row.kind) == (layer, kind)

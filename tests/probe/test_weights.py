"""The weights probe on files made by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import save_file  # noqa: E402

from transferscope.core.errors import InputError  # noqa: E402
from transferscope.models import ModelSource  # noqa: E402
from transferscope.probe.tensors import Stored  # noqa: E402
from transferscope.probe.weights import matrix_change, matrix_changes, spectral_norm, weights_shift  # noqa: E402

Q, HEAD = "model.layers.0.q_proj.weight", "lm_head.weight"
EMBED = "model.embed_tokens.weight"
ONES = {"peft_type": "LORA", "r": 2, "lora_alpha": 4}


def model(folder: Path, tensors: dict[str, Any]) -> ModelSource:
    folder.mkdir()
    save_file(
        {n: torch.as_tensor(t).contiguous() for n, t in tensors.items()},
        folder / "model.safetensors",
    )
    return ModelSource(folder.name, str(folder))


def adapter(folder: Path, base: ModelSource, config: dict[str, Any], **tensors: Any) -> ModelSource:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(config))
    named = {f"base_model.model.{name}": torch.as_tensor(t) for name, t in tensors.items()}
    save_file(named, folder / "adapter_model.safetensors")
    return ModelSource(folder.name, base.weights, adapter=str(folder))


def test_shares_norm_and_rank_by_hand() -> None:
    base = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    # 2e-5 is above the threshold but below half a step of bfloat16 at 1; 0.5 is above both
    tuned = base + torch.tensor([[2e-5, 0.5], [5e-6, 0.0]])
    row = matrix_change("w", base, tuned)
    assert (row.entries, row.changed, row.changed_bf16) == (4, 2, 1)
    assert row.delta_squared == pytest.approx(0.25, rel=1e-4)
    assert row.base_squared == pytest.approx(30.0)
    assert row.stable_rank == pytest.approx(1.0, rel=1e-4)
    assert matrix_change("w", base, base).stable_rank is None
    assert matrix_change("b", base[0], tuned[0]).stable_rank is None
    identity = matrix_change("w", torch.zeros(8, 8), torch.eye(8))
    assert identity.stable_rank == pytest.approx(8.0)


@pytest.mark.parametrize("scale", [1.0, 1e-7])
def test_spectral_norm_equals_the_singular_value_decomposition(scale: float) -> None:
    rng = np.random.default_rng(0)
    matrix = scale * rng.standard_normal((70, 130)).astype(np.float32)
    expected = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)[0]
    # float32 products: a relative error of some 1e-7 times sqrt(130)
    assert spectral_norm(torch.tensor(matrix)) == pytest.approx(expected, rel=2e-6)
    assert spectral_norm(torch.tensor(matrix[:5])) == pytest.approx(
        np.linalg.svd(matrix[:5], compute_uv=False)[0], rel=2e-6
    )


def test_shards_ties_and_more_rows(tmp_path: Path) -> None:
    base = model(tmp_path / "base", {Q: torch.zeros(2, 2), EMBED: torch.ones(3, 2)})
    folder = tmp_path / "tuned"
    folder.mkdir()
    save_file({Q: torch.ones(2, 2).bfloat16()}, folder / "a.safetensors")
    save_file({EMBED: torch.ones(4, 2), HEAD: torch.ones(4, 2)}, folder / "b.safetensors")
    listed = {Q: "a.safetensors", EMBED: "b.safetensors", HEAD: "b.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": listed}))
    seen: list[tuple[int, int]] = []
    shift = weights_shift(
        base, ModelSource("tuned", str(folder)), tick=lambda _, at, of: seen.append((at, of))
    )
    assert shift.entries == 4 + 6  # the embedding's fourth row has no counterpart
    assert shift.changed_share == pytest.approx(0.4)
    assert (shift.resized, shift.only_tuned, shift.only_base) == ((EMBED,), (HEAD,), ())
    assert seen == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("config", "scaling"),
    [
        (ONES, 2.0),
        (ONES | {"use_rslora": True}, 4 / 2**0.5),
        (ONES | {"alpha_pattern": {"q_proj": 6}}, 3.0),
    ],
)
def test_an_adapter_changes_weights_by_its_product(
    tmp_path: Path, config: dict[str, Any], scaling: float
) -> None:
    base = model(tmp_path / "base", {Q: torch.zeros(3, 4), EMBED: torch.zeros(5, 3)})
    a, b = torch.arange(8.0).reshape(2, 4), torch.arange(6.0).reshape(3, 2)
    ea, eb = torch.ones(2, 5), torch.arange(6.0).reshape(3, 2)
    tuned = adapter(
        tmp_path / "adapter",
        base,
        config,
        **{
            "model.layers.0.q_proj.lora_A.weight": a,
            "model.layers.0.q_proj.lora_B.weight": b,
            "model.embed_tokens.lora_embedding_A": ea,
            "model.embed_tokens.lora_embedding_B": eb,
        },
    )
    rows = {row.name: row for row in matrix_changes(base, tuned).rows}
    assert rows[Q].delta_squared == pytest.approx(float((scaling * b @ a).pow(2).sum()))
    other = 4 / 2**0.5 if config.get("use_rslora") else 2.0
    assert rows[EMBED].delta_squared == pytest.approx(float((other * eb @ ea).pow(2).sum()))


def test_whole_tensors_of_an_adapter_replace_the_base_s(tmp_path: Path) -> None:
    base = model(tmp_path / "base", {HEAD: torch.zeros(2, 2)})
    tuned = adapter(
        tmp_path / "adapter",
        base,
        ONES,
        **{"lm_head.modules_to_save.default.weight": torch.ones(2, 2)},
    )
    assert weights_shift(base, tuned).changed_share == 1.0


def test_an_adapter_of_peft_itself(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")

    class Tiny(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q_proj = torch.nn.Linear(4, 3, bias=False)

        def forward(self, x: Any) -> Any:
            return self.q_proj(x)

    plain = Tiny()
    base = model(tmp_path / "base", {"q_proj.weight": plain.q_proj.weight.detach().clone()})
    wrapped = peft.get_peft_model(
        plain, peft.LoraConfig(r=2, lora_alpha=6, target_modules=["q_proj"])
    )
    torch.nn.init.normal_(wrapped.base_model.model.q_proj.lora_B["default"].weight)
    wrapped.save_pretrained(tmp_path / "adapter")
    merged = wrapped.merge_and_unload().q_proj.weight.detach()
    whole = model(tmp_path / "merged", {"q_proj.weight": merged})
    by_product = weights_shift(base, ModelSource("a", base.weights, str(tmp_path / "adapter")))
    by_merging = weights_shift(base, whole)
    # merging rounds base + product to float32 once
    assert by_product.relative_norm == pytest.approx(by_merging.relative_norm, rel=1e-5)


def test_what_cant_be_compared_is_one_line(tmp_path: Path) -> None:
    base = model(tmp_path / "base", {Q: torch.zeros(2, 2)})
    with pytest.raises(InputError, match="no tensor in common"):
        weights_shift(base, model(tmp_path / "other", {HEAD: torch.zeros(2, 2)}))
    with pytest.raises(InputError, match=r"is \(2, 2\) in the base and \(2, 3\)"):
        weights_shift(base, model(tmp_path / "wide", {Q: torch.zeros(2, 3)}))
    (tmp_path / "pickled").mkdir()
    with pytest.raises(InputError, match="pickled weights are never loaded"):
        weights_shift(base, ModelSource("p", str(tmp_path / "pickled")))
    (tmp_path / "pickled" / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="can't be read"):
        weights_shift(base, ModelSource("p", str(tmp_path / "pickled")))
    outside = tmp_path / "outside"
    outside.mkdir()
    listed = {"weight_map": {Q: "../base/model.safetensors"}}
    (outside / "model.safetensors.index.json").write_text(json.dumps(listed))
    with pytest.raises(InputError, match="has no weight_map from tensors to file names"):
        weights_shift(base, ModelSource("o", str(outside)))


def test_adapters_that_are_no_product_are_refused(tmp_path: Path) -> None:
    base = model(tmp_path / "base", {Q: torch.zeros(2, 2)})
    dora = adapter(tmp_path / "dora", base, ONES | {"use_dora": True}, x=torch.ones(1))
    with pytest.raises(InputError, match=r"use_dora is not supported: the change .*; merge it"):
        weights_shift(base, dora)
    half = {"model.layers.0.q_proj.lora_A.weight": torch.ones(2, 2)}
    with pytest.raises(InputError, match="only one of its two factors"):
        weights_shift(base, adapter(tmp_path / "half", base, ONES, **half))
    with pytest.raises(InputError, match="the base is an adapter"):
        weights_shift(dora, base)
    both = {
        "elsewhere.lora_A.weight": torch.ones(2, 2),
        "elsewhere.lora_B.weight": torch.ones(2, 2),
    }
    with pytest.raises(InputError, match=r"changes elsewhere\.weight, which the base does not"):
        weights_shift(base, adapter(tmp_path / "far", base, ONES, **both))


def test_rows_are_read_some_at_a_time_and_together_are_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    held = {Q: torch.randn(70, 80), "norm.weight": torch.randn(90), "scale": torch.tensor(2.0)}
    base = model(tmp_path / "base", held)
    moved = model(tmp_path / "tuned", {n: t + 1e-5 * torch.randn(t.shape) for n, t in held.items()})
    low = {"model.layers.0.q_proj.lora_A.weight": torch.randn(2, 80)}
    low["model.layers.0.q_proj.lora_B.weight"] = torch.randn(70, 2)
    lora = adapter(tmp_path / "adapter", base, ONES, **low)
    whole = [matrix_changes(base, tuned) for tuned in (moved, lora)]
    read: list[int] = []
    rows_of = Stored.__getitem__

    def noted(self: Stored, rows: slice) -> torch.Tensor:
        read.append(len(found := rows_of(self, rows)))
        assert found.numel() <= 240
        return found

    monkeypatch.setattr(Stored, "__getitem__", noted)
    monkeypatch.setattr("transferscope.probe.weights.CHUNK", 240)
    for tuned, expected in zip((moved, lora), whole, strict=True):
        for ours, theirs in zip(matrix_changes(base, tuned).rows, expected.rows, strict=True):
            assert (ours.changed, ours.changed_bf16) == (theirs.changed, theirs.changed_bf16)
            assert ours.delta_squared == pytest.approx(theirs.delta_squared, rel=1e-6)
            if theirs.stable_rank is not None:
                assert ours.stable_rank == pytest.approx(theirs.stable_rank, rel=1e-5)
    assert sum(read) == 4 * (70 + 90 + 1)


def test_equal_singular_values_are_no_trouble() -> None:
    assert spectral_norm(3 * torch.eye(200)) == pytest.approx(3.0)
    row = matrix_change("w", torch.zeros(200, 300), torch.eye(200, 300))
    assert row.stable_rank == pytest.approx(200.0, rel=1e-5)  # float32


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_one_line(tmp_path: Path, value: float) -> None:
    good = model(tmp_path / "good", {Q: torch.ones(100, 100)})
    bad = model(tmp_path / "bad", {Q: torch.full((100, 100), value)})
    with pytest.raises(InputError, match=r"the tuned model's model\.layers\.0\.q_proj\.weight"):
        weights_shift(good, bad)
    with pytest.raises(InputError, match=r"the base's model\.layers\.0\.q_proj\.weight has values"):
        weights_shift(bad, good)


@pytest.mark.parametrize("kept", [0, 5, 20, 5000])
def test_a_truncated_file_is_one_line(tmp_path: Path, kept: int) -> None:
    base = model(tmp_path / "base", {Q: torch.ones(100, 100)})
    short = model(tmp_path / "short", {Q: torch.ones(100, 100)})
    file = tmp_path / "short" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    for pair in ((base, short), (short, base)):
        with pytest.raises(InputError, match=r"short/model\.safetensors: can't be read") as caught:
            weights_shift(*pair)
        assert "\n" not in str(caught.value)


def test_an_index_that_names_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    base = model(tmp_path / "base", {Q: torch.ones(2, 2)})
    folder = tmp_path / "part"
    folder.mkdir()
    save_file({HEAD: torch.ones(2, 2)}, folder / "a.safetensors")
    index = folder / "model.safetensors.index.json"
    for file, message in (("b", r"names b\.safetensors, which is missing"), ("a", "no tensor")):
        index.write_text(json.dumps({"weight_map": {Q: f"{file}.safetensors"}}))
        with pytest.raises(InputError, match=f"{message}.*; copy the complete model"):
            weights_shift(base, ModelSource("part", str(folder)))


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int32", "int64", "bool", "float8_e4m3fn", "float8_e5m2"]
)
def test_codes_are_no_weights(tmp_path: Path, dtype: str) -> None:
    base = model(tmp_path / "base", {Q: torch.ones(4, 4)})
    codes = torch.ones(4, 4).to(getattr(torch, dtype))
    quantised = model(tmp_path / "codes", {Q: codes})
    told = rf"codes/model\.safetensors: {Q} is stored as [A-Z0-9_]+; only .*; dequantise first"
    for pair in ((base, quantised), (quantised, base)):
        with pytest.raises(InputError, match=told):
            weights_shift(*pair)
    low = {"model.layers.0.q_proj.lora_A.weight": codes[:2].contiguous()}
    low["model.layers.0.q_proj.lora_B.weight"] = torch.ones(4, 2)
    with pytest.raises(InputError, match=r"lora_A\.weight is stored as"):
        weights_shift(base, adapter(tmp_path / "adapter", base, ONES, **low))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_weights_of_every_float_are_read(tmp_path: Path, dtype: str) -> None:
    base = model(tmp_path / "base", {Q: torch.ones(4, 4)})
    tuned = model(tmp_path / "tuned", {Q: 2 * torch.ones(4, 4, dtype=getattr(torch, dtype))})
    assert weights_shift(base, tuned).relative_norm == 1.0


def test_a_quantised_model_is_refused_by_its_config(tmp_path: Path) -> None:
    base = model(tmp_path / "base", {Q: torch.ones(4, 4)})
    tuned = model(tmp_path / "tuned", {Q: torch.ones(4, 4)})
    config = tmp_path / "tuned" / "config.json"
    config.write_text(json.dumps({"quantization_config": {"quant_method": "gptq"}}))
    for pair in ((base, tuned), (tuned, base)):
        with pytest.raises(InputError, match=r"config\.json: has a quantization_config.*; deq"):
            weights_shift(*pair)
    config.write_text(json.dumps({"quantization_config": None}))
    assert weights_shift(base, tuned).changed_share == 0.0


def test_a_tensor_without_numbers_is_one_line(tmp_path: Path) -> None:
    held = {Q: torch.ones(2, 2), "model.extra": torch.zeros(0, 4)}
    one, other = model(tmp_path / "one", held), model(tmp_path / "other", held)
    with pytest.raises(InputError, match=r"model\.extra of shape \(0, 4\) is empty; save"):
        weights_shift(one, other)


def test_stacked_experts_have_a_rank_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # ranks 1 (one direction), 3 (the identity) and none (unchanged): the mean is 2
    experts = torch.stack([torch.ones(3, 4), torch.eye(3, 4), torch.zeros(3, 4)])
    base = torch.zeros(3, 3, 4)
    assert matrix_change("experts", base, experts).stable_rank == pytest.approx(2.0)
    assert matrix_change("experts", base, base).stable_rank is None
    assert matrix_change("conv1d", torch.zeros(3, 1, 4), torch.ones(3, 1, 4)).stable_rank is None
    before = {Q: torch.zeros(2, 2), "model.layers.0.experts.down_proj": base}
    after = {Q: torch.ones(2, 2), "model.layers.0.experts.down_proj": experts}
    pair = model(tmp_path / "base", before), model(tmp_path / "tuned", after)
    for chunk in (12, 1 << 19):  # an expert at a time, and all at once
        monkeypatch.setattr("transferscope.probe.weights.CHUNK", chunk)
        assert weights_shift(*pair).stable_rank == pytest.approx((1.0 + 2.0) / 2)

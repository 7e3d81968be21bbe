import pytest
import torch

from transferscope.probe.disk_buffer import spilled


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_bits_come_back_in_order(dtype):
    tensors = [torch.randn(n, 3).to(dtype) for n in (2, 1, 5)]
    tensors.append(torch.tensor([[float("nan"), float("inf"), -0.0]], dtype=dtype))
    with spilled(iter(tensors), "cpu") as found:
        for mine, theirs in zip(tensors, found, strict=True):
            assert theirs.dtype == dtype
            assert mine.shape == theirs.shape
            assert mine.view(torch.uint8).equal(theirs.view(torch.uint8))


def test_a_transposed_tensor_is_written_as_it_reads():
    tensor = torch.arange(6.0).reshape(2, 3).T
    with spilled([tensor], "cpu") as found:
        assert next(found).equal(tensor)

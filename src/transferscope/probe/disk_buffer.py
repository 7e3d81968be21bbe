"""Tensors of one width on the disk, in their own dtype, read back in order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def spilled(tensors: Iterable[torch.Tensor], device: Any) -> Iterator[Iterator[torch.Tensor]]:
    """Write all of ``tensors`` to a file, one in memory at a time; inside, read them once more.

    The file has no name and is gone with the block. Bits stay as they are.
    """
    with tempfile.TemporaryFile(prefix="transferscope-") as file:
        shapes: list[tuple[torch.Size, torch.dtype]] = []
        for tensor in tensors:
            shapes.append((tensor.shape, tensor.dtype))
            tensor.cpu().contiguous().view(torch.uint8).numpy().tofile(file)
        file.seek(0)
        yield (_read(file, shape, dtype).to(device) for shape, dtype in shapes)


def _read(file: Any, shape: torch.Size, dtype: torch.dtype) -> torch.Tensor:
    count = shape.numel() * dtype.itemsize
    content = np.fromfile(file, dtype=np.uint8, count=count)
    if len(content) != count:
        raise OSError(f"{len(content)} of {count} bytes came back from the disk")
    return torch.from_numpy(content).view(dtype).reshape(shape)

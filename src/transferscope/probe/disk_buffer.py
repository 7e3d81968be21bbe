"""Tensors buffered on disk in their own dtype and read back in order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def spilled(tensors: Iterable[torch.Tensor], device: Any) -> Iterator[Iterator[torch.Tensor]]:
    """Write all ``tensors`` to a temporary file and yield an iterator that reads them back.

    Only one tensor is in memory at a time, and every bit is preserved. The file is anonymous and is
    deleted when the context ends. Raises :class:`OSError` if the file was truncated.
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
        raise OSError(f"only {len(content)} of {count} bytes could be read back from disk")
    return torch.from_numpy(content).view(dtype).reshape(shape)

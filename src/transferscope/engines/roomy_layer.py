"""One layer of a KV cache that grows in place and is put together from others."""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import DynamicLayer

ROOM = 128
"""Number of columns by which a cache grows."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values with room for further columns.

    For every token, the library's own layer copies all it holds into a larger tensor. For long
    answers that takes most of a step's time and fragments the heap (13 GB where 1.3 GB are held).
    """

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self._rooms: list[torch.Tensor | None] = [None, None]

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        *args: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append columns and return all keys and values."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys = self._append(0, self.keys, key_states)
        self.values = self._append(1, self.values, value_states)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows; they are copied once, with space for further columns."""
        if self.get_seq_length() == 0:
            return
        self._rooms = [None, None]  # a shallow copy of this layer keeps its own
        self.keys = self._selected(0, self.keys, indices)
        self.values = self._selected(1, self.values, indices)

    def put(self, rows: torch.Tensor, part: RoomyLayer, source: torch.Tensor, size: Size) -> None:
        """Write the rows ``source`` of ``part`` to ``rows`` of this layer, aligned at the right.

        The first call makes room for ``size`` (rows, columns). Columns to the left of a shorter
        part are zero.
        """
        if part.get_seq_length() == 0:
            return
        if not self.is_initialized:
            self.lazy_initialization(part.keys, part.values)
            self.keys = self._vacant(0, part.keys, size)
            self.values = self._vacant(1, part.values, size)
        start = size[1] - part.get_seq_length()
        self.keys[rows, :, start:] = part.keys[source]
        self.values[rows, :, start:] = part.values[source]

    def _append(self, which: int, held: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        before = held.shape[-2] if held.numel() else 0
        after = before + new.shape[-2]
        room = self._rooms[which]
        if room is None or room.shape[-2] < after:
            room = new.new_empty((*new.shape[:-2], after + ROOM, new.shape[-1]))
            if before:
                room[..., :before, :] = held
            self._rooms[which] = room
        room[..., before:after, :] = new
        return room[..., :after, :]

    def _selected(self, which: int, held: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        width = held.shape[-2]
        room = held.new_empty((len(rows), held.shape[1], width + ROOM, held.shape[-1]))
        self._rooms[which] = room
        kept: torch.Tensor = room[..., :width, :]
        torch.index_select(held, 0, rows, out=kept)
        return kept

    def _vacant(self, which: int, like: torch.Tensor, size: Size) -> torch.Tensor:
        rows, width = size
        room = like.new_zeros((rows, like.shape[1], width + ROOM, like.shape[-1]))
        self._rooms[which] = room
        return room[..., :width, :]


Size = tuple[int, int]
"""Rows and columns of a layer."""

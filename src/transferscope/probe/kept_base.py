"""A base that stays loaded while several models that were tuned from it are probed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING

from ..models import load_model, load_tokenizer, with_adapter
from .model_pairs import adapter_on

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from .model_pairs import Opened

    Pair = tuple[Opened, Opened]


class KeptBase:
    """Loads the base ``name`` when a probe first needs it and keeps it until :meth:`release`.

    Memory holds the base and at most one tuned model. An adapter on the very base is put into the
    loaded base and taken out afterwards. ``dtype`` and ``device_map`` are those of
    :func:`~transferscope.models.load_model`.
    """

    def __init__(self, name: str, *, dtype: str = "float32", device_map: str | None = None) -> None:
        self.name = name
        self._dtype, self._device_map = dtype, device_map
        self._base: Opened | None = None

    @contextmanager
    def beside(self, tuned: str) -> Iterator[Callable[[], Pair]]:
        """Inside, the function gives base and ``tuned`` as the probes take loaded models.

        It loads them at its first call; on leaving, the tuned model is freed. After an error the
        base is freed, too. Raises as :func:`~transferscope.models.load_model` does.
        """
        try:
            with ExitStack() as stack:
                pair = cache(lambda: stack.enter_context(self._pair(tuned)))
                yield pair
        except BaseException:  # after Ctrl-C, too, the base must not stay in memory
            self.release()
            raise
        finally:
            pair.cache_clear()
            gc.collect()  # a loaded model refers to itself

    def release(self) -> None:
        """Free the base; the next probe loads it again."""
        self._base = None
        gc.collect()

    @contextmanager
    def _pair(self, tuned: str) -> Iterator[Pair]:
        base = self._opened()
        adapter = adapter_on(self.name, tuned)
        if adapter is None:
            yield base, (self._load(tuned), load_tokenizer(tuned))
            return
        adapted = with_adapter(base[0], adapter)
        yield base, (adapted, load_tokenizer(tuned))
        adapted.unload()
        if self._device_map is not None:
            self.release()  # PEFT may have moved the layers of an offloaded base

    def _opened(self) -> Opened:
        if self._base is None:
            self._base = self._load(self.name), load_tokenizer(self.name)
        return self._base

    def _load(self, name: str) -> PreTrainedModel:
        return load_model(name, dtype=self._dtype, device_map=self._device_map)

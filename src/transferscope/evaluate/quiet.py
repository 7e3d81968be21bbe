"""Run lm-eval without its logging and progress bars."""

from __future__ import annotations

import contextlib
import functools
import logging
import random
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def quiet_lm_eval() -> Iterator[None]:
    """Silence lm-eval and datasets while the block runs, then restore all settings.

    Python's global random state is restored too: lm-eval draws task ids from it that it never
    uses. lm-eval can't switch off the progress bar "building contexts", so it is replaced here.
    """
    import datasets
    import lm_eval.api.task

    logger = logging.getLogger("lm_eval")
    level, bars = logger.level, not datasets.utils.are_progress_bars_disabled()
    generator = random.getstate()
    logger.setLevel(logging.ERROR)
    if bars:
        datasets.disable_progress_bars()
    silent = functools.partial(lm_eval.api.task.tqdm, disable=True)
    try:
        with _replaced(lm_eval.api.task, "tqdm", silent):
            yield
    finally:
        random.setstate(generator)
        logger.setLevel(level)
        if bars:
            datasets.enable_progress_bars()


@contextlib.contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)

"""lm-eval without its logging, progress bars and environment survey."""

from __future__ import annotations

import contextlib
import functools
import logging
import random
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def quiet_lm_eval() -> Iterator[None]:
    """Silence lm-eval and datasets; leaves everything as it was.

    Also Python's global generator, from which lm-eval draws task ids that it never uses.

    lm-eval has no switches for three of these: the "building contexts" bar, ``add_env_info``,
    which runs pip, lscpu and others for 2 s after every call (a run records its own versions), and
    ``get_git_commit_hash``, which asks git about the working directory and lets git complain.
    """
    import datasets
    import lm_eval.api.task
    import lm_eval.evaluator

    logger = logging.getLogger("lm_eval")
    level, bars = logger.level, not datasets.utils.are_progress_bars_disabled()
    generator = random.getstate()
    logger.setLevel(logging.ERROR)
    if bars:
        datasets.disable_progress_bars()
    silent = functools.partial(lm_eval.api.task.tqdm, disable=True)
    try:
        with (
            _replaced(lm_eval.api.task, "tqdm", silent),
            _replaced(lm_eval.evaluator, "add_env_info", _no_survey),
            _replaced(lm_eval.evaluator, "get_git_commit_hash", _no_hash),
        ):
            yield
    finally:
        random.setstate(generator)
        logger.setLevel(level)
        if bars:
            datasets.enable_progress_bars()


def _no_survey(storage: dict[str, Any]) -> None:
    """In place of lm-eval's ``add_env_info``."""


def _no_hash() -> None:
    """In place of lm-eval's ``get_git_commit_hash``."""


@contextlib.contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)

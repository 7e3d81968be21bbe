"""lm-eval is silent inside, and everything is as it was outside."""

import logging
import random

import datasets
import lm_eval.api.task
import pytest

from transferscope.evaluate.quiet import quiet_lm_eval


def touched() -> list[object]:
    """All that the silence changes while it lasts."""
    return [
        lm_eval.api.task.tqdm,
        logging.getLogger("lm_eval").level,
        datasets.utils.are_progress_bars_disabled(),
        random.getstate(),
    ]


@pytest.fixture
def noisy():
    """lm-eval that logs and datasets with bars, whatever ran before."""
    logger, bars = logging.getLogger("lm_eval"), datasets.utils.are_progress_bars_disabled()
    level = logger.level
    logger.setLevel(logging.INFO)
    datasets.enable_progress_bars()
    yield logger
    logger.setLevel(level)
    if bars:
        datasets.disable_progress_bars()


def chatter(logger: logging.Logger) -> None:
    logger.warning("said by lm-eval")
    list(lm_eval.api.task.tqdm([1, 2, 3], desc="building contexts"))


def test_nothing_is_said_inside(noisy, capfd, caplog):
    chatter(noisy)
    assert "building contexts" in capfd.readouterr().err
    assert caplog.messages == ["said by lm-eval"]
    caplog.clear()
    with quiet_lm_eval():
        chatter(noisy)
        assert list(lm_eval.api.task.tqdm([1, 2, 3])) == [1, 2, 3]
        noisy.error("a real error")
        assert datasets.utils.are_progress_bars_disabled()
    assert capfd.readouterr() == ("", "")
    assert caplog.messages == ["a real error"]


def test_everything_is_put_back(noisy):
    before = touched()
    with quiet_lm_eval():
        assert [a == b for a, b in zip(touched(), before, strict=True)] == [False] * 3 + [True]
        random.random()
    assert touched() == before


def test_an_error_passes_through_and_everything_is_put_back(noisy):
    before = touched()
    with pytest.raises(ValueError, match="empty"), quiet_lm_eval():
        random.randrange(random.randint(0, 0))
    assert touched() == before


def test_inside_itself_it_stays_silent(noisy):
    before = touched()
    with quiet_lm_eval():
        with quiet_lm_eval():
            pass
        assert noisy.level == logging.ERROR
        assert datasets.utils.are_progress_bars_disabled()
    assert touched() == before

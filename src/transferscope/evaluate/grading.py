"""Grading of many replies, several at once where a grader waits for other processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..grade.programs import at_once
from ..tasks import Benchmark, Item

Grade = Callable[[Item, str], float]


def graded(
    benchmark: Benchmark, grade: Grade, replies: Sequence[tuple[Item, str]]
) -> Iterator[float]:
    """The scores that ``grade``, one of ``benchmark``'s graders, gives; in the replies' order.

    Raises what ``grade`` raises, at the reply for which it does.
    """
    if not benchmark.concurrent:
        yield from (grade(item, reply) for item, reply in replies)
        return
    with ThreadPoolExecutor(at_once()) as threads:
        yield from threads.map(grade, [item for item, _ in replies], [text for _, text in replies])

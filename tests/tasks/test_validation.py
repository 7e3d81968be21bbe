"""The check of a benchmark finds each kind of fault; counts are by hand."""

from __future__ import annotations

from transferscope.core.records import Decoding
from transferscope.tasks import Benchmark, Item, validate
from transferscope.tasks.validation import SHOWN


def benchmark(*items: Item, **more: object) -> Benchmark:
    settings = {"grade": lambda item, reply: float(reply == item.gold)} | more
    return Benchmark(about="x", items=lambda n, *, seed, data: items, **settings)  # type: ignore[arg-type]


def test_what_is_right_passes() -> None:
    items = [Item(str(at), "?", gold="ab"[at % 2], choices=("a", "b")) for at in range(3)]
    found = validate(benchmark(), items)
    assert found.passed
    assert (found.items, found.golds, found.wrong, found.n_faults) == (3, 3, 3, 0)
    assert found.constant == 2 / 3  # "a" is right twice


def test_a_place_is_a_constant_answer_too() -> None:
    items = [Item(str(at), "?", gold=f"g{at}", choices=(f"g{at}", f"w{at}")) for at in range(4)]
    assert validate(benchmark(), items).constant == 1.0


def test_every_fault_is_told() -> None:
    items = [
        Item("1", "?", gold="a", choices=("a", "a")),
        Item("2", "?", gold="c", choices=("a", "b")),
        Item("2", "?", gold="a", choices=("a",)),
    ]
    assert validate(benchmark(), items).faults == (
        "2: 2 items have this id",
        "1: two options are the same",
        "2: the gold answer is not among the options",
        "2: fewer than two options to choose from",
    )
    generated = benchmark(
        grade=lambda item, reply: 0.5, decoding=Decoding(), wrong=lambda item: ["no"]
    )
    assert validate(generated, [Item("1", "?", gold="yes"), Item("2", "?")]).faults == (
        "1: the gold answer scores 0.5",
        "1: the wrong answer 'no' scores 0.5",
        "2: the wrong answer 'no' scores 0.5",
    )


def test_faults_are_bounded_and_nothing_is_no_pass() -> None:
    items = [Item(str(at), "?", gold="c", choices=("a", "b")) for at in range(SHOWN + 5)]
    found = validate(benchmark(), items)
    assert (len(found.faults), found.n_faults) == (SHOWN, SHOWN + 5)
    assert not validate(benchmark(), []).passed

from transferscope.runs.importers.values import count, number, share, text


def test_numbers():
    assert [number(v) for v in (1, True, 0.5, float("nan"), "1", None)] == [
        1,
        1,
        0.5,
        None,
        None,
        None,
    ]
    assert [share(v) for v in (0, 1.0, 1.5, -0.1)] == [0.0, 1.0, None, None]


def test_counts_and_texts():
    assert [count(v) for v in (3, 0, True, 3.0, "3")] == [3, None, None, None, None]
    assert [text(v) for v in ("a", "", 1, None)] == ["a", None, None, None]

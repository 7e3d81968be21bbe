import pytest

from transferscope.core.ending_code import code_ends, in_table, open_block, row_cut


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        ("=====", True),
        ("SELECT 1;", True),
        ("total = a + b;", True),
        ("main();", True),
        ("$ make test", True),
        ("He bought milk, eggs and;", False),
        ("$5 and $6", False),
    ],
)
def test_lines_of_code_that_are_whole(line, ends):
    assert code_ends(line) is ends


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("```python\nx = 1", True),
        ("```python\nx = 1\n```", False),
        ("so \\[ x = 1", True),
        ("so \\[ x = 1 \\]", False),
        ("\\begin{align} x", True),
        ('{"a": [1, 2', True),
        ('{"a": [1, 2]}', False),
        ("the answer is \\boxed{\\frac{1}{2}", True),
        ("the answer is \\boxed{\\frac{1}{2}}", False),
        ("~~~ and ~~struck~~", True),
    ],
)
def test_blocks_that_nothing_closes(text, is_open):
    assert bool(open_block(text)) is is_open


def test_a_tables_last_row():
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert in_table(table + "| 3")
    assert row_cut(table + "| 3", "| 3")
    assert not row_cut(table + "| 3 | 4 |", "| 3 | 4 |")
    assert not in_table("One line.\nAnother.")

"""The program in a reply."""

import pytest

from transferscope.grade.program_text import program_in

REPLIES = {
    "the last of two": ("a\n```python\nx = 1\n```\nb\n```python\nx = 2\n```\n", "x = 2\n"),
    "without a language": ("```\nx = 1\n```", "x = 1\n"),
    "no block": ("x = 1\nprint(x)", "x = 1\nprint(x)"),
    "only another language": ("```bash\nls\n```", ""),
    "output after the program": ("```py\nx = 1\n```\nprints\n```text\n1\n```", "x = 1\n"),
    "never closed": ("Here:\n```python\nx = 1\ny = 2", "x = 1\ny = 2"),
    "cut after a closed one": ("```python\nx = 1\n```\n```python\ny =", "x = 1\n"),
    "reasoning": ("<think>\n```python\nx = 1\n```\n</think>\n```python\nx = 2\n```", "x = 2\n"),
    "only reasoning": ("<think>\n```python\nx = 1\n```\n", ""),
    "indented and longer fences": ("  ````python3 title\nx = '```'\n  ````", "x = '```'\n"),
    "waves": ("~~~python\nx = 1\n~~~", "x = 1\n"),
    "empty": ("", ""),
}


@pytest.mark.parametrize(("reply", "program"), REPLIES.values(), ids=REPLIES.keys())
def test_the_block_of_a_reply(reply: str, program: str) -> None:
    assert program_in(reply) == program


def test_the_block_that_defines_the_function() -> None:
    reply = "```python\ndef add(a, b):\n    return a + b\n```\nUse:\n```python\nadd(1, 2)\n```"
    assert program_in(reply, "add") == "def add(a, b):\n    return a + b\n"
    assert program_in(reply, "ad") == "add(1, 2)\n"
    assert program_in(reply) == "add(1, 2)\n"

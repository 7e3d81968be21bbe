"""Write docs/api.md from the docstrings of the Python API; ``--check`` only compares.

.venv/bin/python tools/api_page.py [--check]
"""

import ast
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import transferscope as ts
from transferscope import api, notebook
from transferscope.core import frames
from transferscope.runs import Run

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
HEAD = """# Python API

<!-- Written by tools/api_page.py from the docstrings; change those. -->

    import transferscope as ts

Every function is typed and does what the command of the same name does. A path is a string or a
`Path`. [examples/notebook.ipynb](../examples/notebook.ipynb) goes from two lm-eval folders to a
decision.
"""
TYPES: tuple[type[Any], ...] = (
    notebook.ComparisonView,
    notebook.ModelView,
    frames.Table,
    Run,
)


def text_of(thing: object) -> str:
    """A docstring as Markdown: reStructuredText's roles become code."""
    found = inspect.getdoc(thing) or ""
    found = re.sub(r":\w+:`~?\.*([^`]+)`", lambda role: f"`{role[1].rpartition('.')[2]}`", found)
    return found.replace("``", "`")


def parameters_of(function: ast.FunctionDef) -> list[str]:
    """The parameters as the source writes them."""
    depth, parts = 0, [""]
    for character in ast.unparse(function.args):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def signature_of(function: ast.FunctionDef) -> str:
    """The call, a parameter per line if it is long."""
    parts = parameters_of(function)
    line = f"ts.{function.name}({', '.join(parts)})"
    lines = [f"ts.{function.name}(", *(f"    {part}," for part in parts), ")"]
    return "\n".join(f"    {text}" for text in ([line] if len(line) <= 88 else lines))


def functions() -> str:
    """A section per function."""
    tree = ast.parse(Path(api.__file__).read_text(encoding="utf-8"))
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    parts = []
    for name in ts._API:
        returned = ast.unparse(found[name].returns) if found[name].returns else "None"
        text = text_of(getattr(api, name))
        parts.append(
            f"## {name}\n\n{signature_of(found[name])}\n\n{text}\n\nReturns `{returned}`.\n"
        )
    return "\n".join(parts)


def types() -> str:
    """A section per type, with its public members."""
    parts = []
    for kind in TYPES:
        members = [
            f"- `{name}`: {text_of(member).splitlines()[0]}"
            for name, member in vars(kind).items()
            if not name.startswith("_")
            and text_of(getattr(member, "fget", member))
            and (callable(member) or hasattr(member, "fget") or hasattr(member, "func"))
        ]
        parts.append(f"## {kind.__name__}\n\n{text_of(kind)}\n\n" + "\n".join(members) + "\n")
    return "\n".join(parts)


def main() -> int:
    """Write the page, or compare it; the exit code."""
    page = "\n".join([HEAD, functions(), types()])
    if "--check" in sys.argv:
        if PAGE.read_text(encoding="utf-8") != page:
            print("docs/api.md is out of date; run: python tools/api_page.py")
            return 1
        return 0
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""No module imports itself through others: not inside a function, not by a string either.

import-linter's ``acyclic_siblings`` compares packages and modules beside each other. These tests
also see a package that imports its own child, and ``import_module("a literal")``.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp
import networkx
import pytest

import transferscope
from transferscope.documents.catalog import DOCUMENTS

SOURCE = Path(transferscope.__file__).parent
PENDING = {
    ("transferscope.compare.result", "transferscope.report"),
    ("transferscope.compare.result", "transferscope.report.terminal"),
    ("transferscope.train.arm", "transferscope.train"),
    ("transferscope.train.cleaned", "transferscope.train"),
}
"""Imports that close a circle and are about to go. Nothing may be added."""


def by_string(text: str) -> Iterator[str | None]:
    """Names given to ``import_module`` in a module's source; ``None`` for a computed one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            first = node.args[0]
            literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
            yield first.value if literal else None


def circles(imports: networkx.DiGraph) -> list[list[str]]:
    return sorted(
        sorted(found) for found in networkx.strongly_connected_components(imports) if len(found) > 1
    )


@pytest.fixture(scope="module")
def imports() -> networkx.DiGraph:
    graph = grimp.build_graph("transferscope", cache_dir=None)
    found = networkx.DiGraph()
    for module in graph.modules:
        found.add_edges_from(
            (module, one) for one in graph.find_modules_directly_imported_by(module)
        )
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        names = by_string(path.read_text(encoding="utf-8"))
        found.add_edges_from((module, name) for name in names if name in graph.modules)
    return found


def test_no_circle(imports: networkx.DiGraph) -> None:
    assert imports.number_of_edges() > 800
    imports = imports.copy()
    imports.remove_edges_from(PENDING)
    assert circles(imports) == []


def test_a_computed_import_only_re_exports_a_package_s_own_modules() -> None:
    computed = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if None in by_string(path.read_text(encoding="utf-8"))
    }
    # The catalogue names models of core and of its own package: downwards, as all imports go.
    computed.discard("documents/catalog.py")
    assert all(home.startswith(("core.", "documents.")) for home, _ in DOCUMENTS.values())
    assert all(Path(name).name == "__init__.py" for name in computed)


def test_the_tests_see_circles_and_strings() -> None:
    text = "def f():\n    import_module('a.b')\n    importlib.import_module(f'.{x}')\n"
    assert list(by_string(text)) == ["a.b", None]
    assert circles(networkx.DiGraph([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")])) == [
        ["a", "b", "c"]
    ]

"""Distributions on sys.path add objects of every kind; a broken one warns and does not crash."""

import json
import sys

import pytest

from transferscope.cli import main
from transferscope.core.errors import InputError
from transferscope.core.plugins import PluginWarning, plugins
from transferscope.core.suite import load_suite
from transferscope.runs import read_run
from transferscope.runs.importers import import_results


def test_each_broken_plugin_is_a_warning(install, capsys):
    install("graders", "bad", "my_bad:grade", my_bad="raise ValueError('two\\nlines')")
    install("graders", "absent", "no_such_module:grade")
    install("graders", "good", "my_good:grade", my_good="grade = 3")
    with pytest.warns(PluginWarning) as said:
        assert plugins("graders") == {"good": 3}
    texts = sorted(str(one.message) for one in said)
    assert len(texts) == 2
    assert texts[0].startswith("plugin 'absent' of graders (no_such_module:grade) is left out")
    assert texts[1] == "plugin 'bad' of graders (my_bad:grade) is left out: ValueError: two lines"
    assert plugins("probes") == {}
    out = capsys.readouterr()
    assert out.out + out.err == ""  # the core prints nothing


def test_the_command_line_prints_a_broken_plugin_as_one_line(install, capsys):
    install("probes", "bad", "my_bad_probe:run", my_bad_probe="raise ValueError('no')")
    install("probes", "mine", "my_probe:run", my_probe="def run(a, b): return {'pair': a + b}")
    for _ in range(2):
        main(["probe", "run", "mine", "a", "b"])
    found = capsys.readouterr()
    assert found.out == "pair: ab\n" * 2
    line = "transferscope: plugin 'bad' of probes (my_bad_probe:run) is left out: ValueError: no\n"
    assert found.err == line


def test_an_importer(install, tmp_path):
    code = """
from transferscope.core.records import ModelRef, ScoreRow
from transferscope.runs.importers import Importer, Results

def read(path, taxonomy):
    scores = (ScoreRow("gsm8k", float(path.read_text()), n=10),)
    return Results(ModelRef("m"), "imported:mine", {}, scores)

IMPORTER = Importer(lambda path: path.suffix == ".mine", read)
"""
    install("importers", "mine", "my_importer:IMPORTER", my_importer=code)
    file = tmp_path / "results.mine"
    file.write_text("0.5")
    for at, format in enumerate(("mine", "auto")):
        done = import_results(file, tmp_path / f"run{at}", format=format)
        assert done.format == "mine"
        assert read_run(done.path).scores[0].score == 0.5
    with pytest.raises(InputError, match=r"unknown format 'other'; use one of auto, .*csv, mine"):
        import_results(file, tmp_path / "no", format="other")


def test_a_suite(install, tmp_path):
    toml = (
        'name = "mine"\nsource = "math"\n[groups]\nmath = ["chains"]\n'
        '[benchmarks.chains]\npack = "mini"\n'
    )
    code = "from pathlib import Path\nSUITE = Path(__file__).with_name('mine.toml')\n"
    install("suites", "mine", "my_suite:SUITE", my_suite=code)
    (tmp_path / "site" / "mine.toml").write_text(toml)
    assert load_suite("mine").groups == {"math": ("chains",)}
    with pytest.raises(
        InputError, match=r"no suite .yours.; use one of mini, paper, .*, real, mine"
    ):
        load_suite("yours")


def test_a_probe(install, capsys):
    code = "def measure(base, tuned):\n    return {'pair': base + tuned, 'rows': [1]}\n"
    install("probes", "mine", "my_probe:measure", my_probe=code)
    main(["probe", "run", "mine", "a", "b", "--json"])
    assert json.loads(capsys.readouterr().out) == {"pair": "ab", "rows": [1]}
    main(["probe", "run", "mine", "a", "b"])
    assert capsys.readouterr().out == "pair: ab\n"
    with pytest.raises(SystemExit, match="2"):
        main(["probe", "run", "yours", "a", "b"])
    assert "no probe 'yours'; use one of mine" in capsys.readouterr().err


def test_nothing_of_it_is_loaded_for_what_ships(install):
    install("suites", "mini", "my_taken:SUITE", my_taken="raise AssertionError")
    assert load_suite("mini").name == "mini"
    assert "my_taken" not in sys.modules

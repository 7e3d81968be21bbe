"""A distribution on sys.path adds one of everything; a broken one is a line, not a crash."""

import json
import sys

import pytest

from transferscope.cli import main
from transferscope.core.errors import InputError
from transferscope.core.plugins import plugins
from transferscope.core.suite import load_suite
from transferscope.runs import read_run
from transferscope.runs.importers import import_results


def test_a_broken_plugin_is_one_line(install, capsys):
    install("graders", "bad", "my_bad:grade", my_bad="raise ValueError('two\\nlines')")
    install("graders", "absent", "no_such_module:grade")
    install("graders", "good", "my_good:grade", my_good="grade = 3")
    assert plugins("graders") == {"good": 3}
    err = capsys.readouterr().err
    assert "plugin 'bad' of graders (my_bad:grade) is left out: ValueError: two lines" in err
    assert "plugin 'absent' of graders" in err
    assert err.count("\n") == 2
    assert plugins("probes") == {}


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
    with pytest.raises(InputError, match="no suite 'yours'; use one of mini, paper, real, mine"):
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

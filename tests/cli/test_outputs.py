import os

import pytest

from transferscope.cli.outputs import check_outputs
from transferscope.core.errors import InputError


@pytest.fixture
def place(tmp_path):
    run = tmp_path / "run"
    (run / "responses").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "results.json").write_text("{}")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.json").symlink_to("results.json")
    return tmp_path


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"--md": "a.md", "--csv": "./x/../a.md"}, "is given twice, for --md and --csv"),
        ({"--md": "results.json"}, "is an input of this command; name another file"),
        ({"--md": "link.json"}, "is an input of this command"),
        ({"--out": "results.json"}, "is an input of this command; name a different folder"),
        ({"--md": "run/a.md"}, "is inside the run folder .*run; name a path outside it"),
        ({"--out": "run/responses/new"}, "is inside the run folder"),
        ({"--out": "run"}, "is a run folder; name a different folder"),
        ({"--out": "model"}, r"is a model folder \(config\.json\)"),
        ({"--md": "pipe"}, "is not a regular file"),
    ],
)
def test_outputs_that_would_be_written_over_something(place, outputs, said):
    (place / "x").mkdir()
    with pytest.raises(InputError, match=said):
        check_outputs({o: place / p for o, p in outputs.items()}, [place / "results.json"])


def test_outputs_that_are_fine(place):
    check_outputs({"--md": place / "a.md", "--csv": None}, [place / "results.json", None])
    check_outputs({"--out": place / "run"}, resumes=True)
    # a file that is there is written over, unless it is an input or may be one's data
    (place / "old.md").write_text("")
    check_outputs({"--md": place / "old.md"}, [place])
    with pytest.raises(InputError, match="is a file of the input"):
        check_outputs({"--md": place / "results.json"}, [place])

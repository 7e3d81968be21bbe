from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.modelnames import chosen_model, split_model

MODELS = {"acme/Base-7B": "t.csv:2", "acme/tuned": "t.csv:3", "other/tuned": "t.csv:4"}


@pytest.mark.parametrize(
    ("path", "file", "model"),
    [
        ("out::acme/tuned", "out", "acme/tuned"),
        ("a.csv", "a.csv", None),
        ("a.csv::", "a.csv::", None),
        ("::tuned", "::tuned", None),
    ],
)
def test_a_path_and_one_of_its_models(path, file, model):
    assert split_model(Path(path)) == (Path(file), model)


def test_a_file_that_is_really_called_so_is_that_file(tmp_path):
    (tmp_path / "a::b").write_text("")
    assert split_model(tmp_path / "a::b") == (tmp_path / "a::b", None)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("acme/tuned", "acme/tuned"),
        ("ACME/TUNED", "acme/tuned"),
        ("base-7b", "acme/Base-7B"),
    ],
)
def test_a_model_is_known_without_case_and_organisation(wanted, found):
    assert chosen_model(MODELS, wanted, Path("t.csv")) == found
    assert chosen_model({"one": "t.csv:2"}, None, Path("t.csv")) == "one"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (
            None,
            r"t\.csv:3: contains results of 3 models "
            r"\(acme/Base-7B, acme/tuned and other/tuned\); name",
        ),
        # two models end so: neither is taken
        ("tuned", r"t\.csv: no model 'tuned', only "),
        ("base_7b", r"did you mean t\.csv::acme/Base-7B\?"),
        ("zzz", "; name one of them"),
    ],
)
def test_what_is_not_one_model_is_refused(wanted, said):
    with pytest.raises(InputError, match=said):
        chosen_model(MODELS, wanted, Path("t.csv"))

"""Whose responses a run holds: by its model's fingerprint, against what is said."""

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef
from transferscope.models import find_model, fingerprint
from transferscope.probe.response_source import prefix_of, writer_of

from .conftest import a_run_of, tiny_llama, word_tokenizer


@pytest.fixture
def marks(paths):
    return [fingerprint(find_model(path)) for path in paths]


def test_the_prefix_is_read_off_the_weights(paths, marks, tmp_path):
    assert marks[0] != marks[1]
    for mark, prefix in zip(
        [*marks, "other", None], ["base", "tuned", "shared", "shared"], strict=True
    ):
        writer = ModelRef("its name", fingerprint=mark)
        assert prefix_of(writer, *paths) == prefix
        assert prefix_of(writer, *paths, said="shared") == "shared"
    a_run_of(ModelRef("its name", fingerprint=marks[1]), tmp_path / "run")
    assert writer_of(tmp_path / "run") == ModelRef("its name", fingerprint=marks[1])
    assert prefix_of(writer_of(tmp_path / "run"), *paths) == "tuned"


def test_another_name_of_the_same_weights_is_the_same_model(paths, marks, tmp_path):
    tiny_llama(0).save_pretrained(tmp_path / "copy")
    word_tokenizer().save_pretrained(tmp_path / "copy")
    pair = str(tmp_path / "copy"), paths[1]
    assert prefix_of(ModelRef(paths[0], fingerprint=marks[0]), *pair) == "base"


def test_a_contradiction_is_refused_with_the_writer_s_name(paths, marks):
    told = (
        "the tuned model did not write these responses: m did, whose weights are those of the base"
    )
    with pytest.raises(InputError, match=told):
        prefix_of(ModelRef("m", fingerprint=marks[0]), *paths, said="tuned")
    with pytest.raises(
        InputError,
        match="the base model did not write these responses: m did, whose weights",
    ):
        prefix_of(ModelRef("m", fingerprint=marks[1]), *paths, said="base")
    with pytest.raises(InputError, match="neither of the two models"):
        prefix_of(ModelRef("m", fingerprint="other"), *paths, said="base")


def test_what_does_not_name_its_writer_is_what_it_is_said_to_be(paths, rows):
    assert writer_of(rows) is None
    for writer in (None, ModelRef("a server's")):
        assert prefix_of(writer, *paths) == "shared"
        assert prefix_of(writer, *paths, said="tuned") == "tuned"


def test_a_model_against_itself(paths, marks):
    both = paths[0], paths[0]
    writer = ModelRef("m", fingerprint=marks[0])
    assert prefix_of(writer, *both) == "base"
    assert prefix_of(writer, *both, said="tuned") == "tuned"

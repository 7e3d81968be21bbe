"""Files of models: what is read, and what is refused in one line."""

from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.evaluate.cohort_file import CohortModel, is_cohort, read_cohort


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_list_and_tables(tmp_path: Path) -> None:
    plain = written(tmp_path, "m.txt", "# ours\norg/base\n\n/models/tuned  # the second\n")
    assert read_cohort(plain) == [
        CohortModel("org/base", None, "base"),
        CohortModel("/models/tuned", None, "tuned"),
    ]
    toml = '[[models]]\nmodel = "a/x"\n[[models]]\nmodel = "b/x"\nbase = "a/x"\nname = "x-2"\n'
    assert read_cohort(written(tmp_path, "m.toml", toml)) == [
        CohortModel("a/x", None, "x"),
        CohortModel("b/x", "a/x", "x-2"),
    ]
    assert is_cohort(str(plain))
    assert not is_cohort("org/base")
    assert not is_cohort(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("m.txt", "# none\n", "names no model; give one model per line"),
        ("m.txt", "a/x\nb/x\n", "two models have the name 'x'; add name"),
        ("m.txt", "..\n", "'..' can't be the name of a run folder"),
        ("m.toml", "", r"has no \[\[models\]\]; give one model"),
        ("m.toml", "model = 1\n", "unknown key 'model'"),
        ("m.toml", '[[models]]\nbase = "a"\n', r"\[\[models\]\] 1: has no key 'model'"),
        ("m.toml", '[[models]]\nmodel = "a"\nsize = "b"\n', "unknown key 'size'; use model, base"),
        ("m.toml", "[[models]]\nmodel = 1\n", "every value must be a text"),
        ("m.toml", "[[models]\n", "not valid TOML"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        read_cohort(written(tmp_path, name, text))
    assert "\n" not in str(caught.value)

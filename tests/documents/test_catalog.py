"""The published schemas describe what is written, and the command lists and prints them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from transferscope.cli import main
from transferscope.core.typed_record import plain
from transferscope.documents import DOCUMENTS, json_schema

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_fits_the_published_schema(name: str, tmp_path: Path) -> None:
    known = max((n for n in DOCUMENTS if name.startswith(n)), key=len)
    document = json.loads(json.dumps(plain(CASES[name](tmp_path))))
    Draft202012Validator.check_schema(json_schema(known))
    schema = Draft202012Validator(json_schema(known))
    assert [error.message for error in schema.iter_errors(document)] == []
    whole = isinstance(document, dict)
    wrong = {**document, "colour": 1} if whole else [{**document[0], "colour": 1}]
    assert not schema.is_valid(wrong)


def test_the_command_lists_and_prints(capsys: pytest.CaptureFixture[str]) -> None:
    main(["schema"])
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == list(DOCUMENTS)
    for name in DOCUMENTS:
        main(["schema", name])
        schema = json.loads(capsys.readouterr().out)
        assert schema["title"] == name
        assert schema.get("additionalProperties", schema["type"] == "array") in (False, True)


def test_an_unknown_name_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["schema", "compairson"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "transferscope: unknown document 'compairson'; did you mean 'comparison'?\n"
    )

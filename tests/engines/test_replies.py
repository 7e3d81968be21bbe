from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from transferscope.engines.replies import error_message, json_object, pause_asked, remedy_of


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"", "set the environment variable {env} to the server's key"),
        (404, b"maximum context length", "check base_url (most end in /v1) and the model's name"),
        (400, b"This model's maximum context LENGTH is 4096", "lower max_gen_toks"),
        (400, b"Extra inputs are not permitted", "add --engine-args strict=yes"),
        (500, b"\xff oops", "see the server's log"),
    ],
)
def test_what_helps_against_a_refusal(status, body, said):
    assert remedy_of(status, body).startswith(said)


def test_pauses_are_seconds_or_a_date():
    assert [pause_asked(text) for text in ("7", "-7", "1e9", "soon", "999999", "")] == [
        7.0,
        *[0.0] * 5,
    ]
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < pause_asked(later) <= 90
    assert pause_asked("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"[" * 100_000, b"\xff", b"1" * 5_000])
def test_a_body_that_is_no_object_is_empty(body):
    assert json_object(body) == {}


def test_errors_of_both_forms():
    assert error_message({"error": {"message": "too long"}}) == "too long"
    assert error_message({"error": "too long"}) == "too long"
    assert error_message({"detail": "not found"}) == "not found"
    assert error_message({"detail": [{"msg": "x"}]}) == ""

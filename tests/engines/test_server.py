"""What a server engine is told, before any server is asked."""

import pytest

from transferscope.core.errors import InputError
from transferscope.engines import ServerOptions

URL = "http://localhost:8000/v1"


def test_options_are_read_from_text() -> None:
    given = {"base_url": URL + "/", "tokenizer": "a/b", "concurrency": "4", "timeout": "1.5"}
    options = ServerOptions.parse(given | {"strict": "yes"})
    assert options == ServerOptions(URL + "/", "a/b", 4, 1.5, strict=True)
    assert options.url("completions") == f"{URL}/completions"
    assert options.version_url == "http://localhost:8000/version"
    assert ServerOptions.parse({"base_url": URL}) == ServerOptions(URL)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({}, "engine openai needs base_url; add --engine-args base_url=http://HOST:PORT/v1"),
        ({"api_key": "sk-1"}, "no option 'api_key'; use base_url, tokenizer, concurrency"),
        ({"base_url": "localhost:8000"}, "base_url: can't be used; give http://HOST:PORT/v1"),
        ({"base_url": "ftp://host/v1"}, "give http://HOST:PORT/v1"),
        ({"base_url": "http://"}, "give http://HOST:PORT/v1"),
        ({"base_url": "http://host:port/v1"}, "give http://HOST:PORT/v1"),
        ({"base_url": "http://[::1/v1"}, "give http://HOST:PORT/v1"),
        ({"base_url": "http://ho st/v1"}, "give http://HOST:PORT/v1"),
        ({"base_url": "http://me:sk-1@host/v1"}, "the key comes from the environment"),
        ({"base_url": "http://host/v1?key=sk-1"}, "the key comes from the environment"),
        ({"base_url": f"{URL}/chat/completions"}, "leave out /completions"),
        ({"concurrency": "0"}, "concurrency: can't be used; use a whole number from 1 to 1024"),
        ({"concurrency": "2.5"}, "use a whole number"),
        ({"concurrency": "1e9"}, "use a whole number"),
        ({"timeout": "0"}, "timeout: can't be used; use seconds"),
        ({"timeout": "nan"}, "use seconds"),
        ({"timeout": "soon"}, "use seconds"),
        ({"strict": "perhaps"}, "strict: can't be used; use yes or no"),
        ({"api_key_env": "sk-1"}, "name an environment variable that holds the key"),
        ({"api_key_env": "NO_SUCH_sk1"}, "set the environment variable that it names"),
    ],
)
def test_what_cant_be_used_is_refused(given: dict[str, str], what: str) -> None:
    url = {} if "base_url" in given or not given else {"base_url": URL}
    with pytest.raises(InputError) as caught:
        ServerOptions.parse(url | given)
    assert what in str(caught.value)
    assert "sk-1" not in str(caught.value)
    assert "sk1" not in str(caught.value)


def test_the_key_is_read_from_the_environment_and_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert ServerOptions(URL).key() is None
    monkeypatch.setenv("OPENAI_API_KEY", " sk-1\n")
    monkeypatch.setenv("MY_KEY", "sk-2")
    assert ServerOptions(URL).key() == "sk-1"
    other = ServerOptions(URL, api_key_env="MY_KEY")
    assert other.key() == "sk-2"
    assert "sk-2" not in repr(other)
    monkeypatch.setenv("MY_KEY", "sk\n2 — no header holds this")
    with pytest.raises(InputError, match=r"environment variable MY_KEY: .* can't be an API key"):
        other.key()

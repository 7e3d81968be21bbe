"""Settings of an OpenAI-compatible server, validated strictly without contacting the server."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from ..core.errors import InputError

KEY_ENV = "OPENAI_API_KEY"
"""Environment variable that holds the API key; without a value, no key is sent."""
MOST_CONCURRENT = 1024
LONGEST_TIMEOUT = 86_400.0
"""Longest timeout in seconds: a day."""
PLACE = "--engine-args"
_SWITCH = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Settings of an engine that talks to a server. Raises :class:`InputError` for invalid ones.

    ``base_url`` is the address up to ``/completions`` (``http://localhost:8000/v1``). ``tokenizer``
    names the served model's tokenizer (a model's name or folder), with which prompts are rendered
    and encoded here. Without it the server's own chat template applies, and choices can't be
    scored. Up to ``concurrency`` requests run at a time, each for at most ``timeout`` seconds.
    ``api_key_env`` names the environment variable that holds the key; the key is never stored.
    ``strict`` sends only OpenAI's own fields. Otherwise ``top_k``, ``min_p`` and
    ``repetition_penalty`` are sent with neutral values, because some servers would take them from
    the model's ``generation_config.json``. A server that is busy, still loading or unreachable is
    waited for, up to ``wait`` seconds.
    """

    base_url: str
    tokenizer: str | None = None
    concurrency: int = 16
    timeout: float = 600.0
    api_key_env: str = KEY_ENV
    strict: bool = False
    wait: float = 180.0

    def __post_init__(self) -> None:
        _check_url(self.base_url)
        if not 1 <= self.concurrency <= MOST_CONCURRENT:
            raise _wrong("concurrency", f"use a whole number from 1 to {MOST_CONCURRENT}")
        if not 0.0 < self.timeout <= LONGEST_TIMEOUT:
            raise _wrong("timeout", f"use seconds above 0, at most {LONGEST_TIMEOUT:g}")
        if not 0.0 <= self.wait <= LONGEST_TIMEOUT:
            raise _wrong("wait", f"use seconds from 0 to {LONGEST_TIMEOUT:g}")
        self.key()

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> ServerOptions:
        """Parse the ``key=value`` pairs of a command line."""
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(given) - set(known)):
            what = f"engine openai has no option {unknown[0]!r}"
            raise InputError(what, place=PLACE, remedy=f"use {', '.join(known)}")
        if "base_url" not in given:
            remedy = "add --engine-args base_url=http://HOST:PORT/v1"
            raise InputError("engine openai needs base_url", place=PLACE, remedy=remedy)
        _refuse_joined(given["base_url"], known)
        strict = given.get("strict", "no").lower()
        if strict not in _SWITCH:
            raise _wrong("strict", "use yes or no")
        return cls(
            base_url=given["base_url"],
            tokenizer=given.get("tokenizer"),
            concurrency=int(_number(given.get("concurrency", "16"), int)),
            timeout=_number(given.get("timeout", "600"), float),
            api_key_env=given.get("api_key_env", KEY_ENV),
            strict=_SWITCH[strict],
            wait=_number(given.get("wait", "180"), float),
        )

    def url(self, path: str) -> str:
        """Return the address of ``path`` under ``base_url``."""
        return f"{self.base_url.rstrip('/')}/{path}"

    @property
    def version_url(self) -> str:
        """Address at which vLLM reports its version: next to ``/v1``, not under it."""
        return f"{self.base_url.rstrip('/').removesuffix('/v1')}/version"

    def key(self) -> str | None:
        """Read the key from the environment. No error message ever contains it."""
        # Nor may it contain a key that was given in place of a variable's name.
        if not self.api_key_env.isidentifier():
            raise _wrong("api_key_env", "name an environment variable that holds the key")
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            if self.api_key_env != KEY_ENV:
                raise _wrong("api_key_env", "set the environment variable that it names")
            return None
        if not (key.isascii() and key.isprintable() and " " not in key):
            what = "the value can't be an API key: it has spaces or unprintable characters"
            place = f"environment variable {self.api_key_env}"
            raise InputError(what, place=place, remedy="set it to the server's key")
        return key


def _refuse_joined(url: str, known: Sequence[str]) -> None:
    """Refuse ``base_url=...,tokenizer=X`` in one argument, as other programs take it."""
    for part in url.split(",")[1:]:
        if (name := part.partition("=")[0].strip()) in known:
            what = f"the value of base_url also holds {name}="
            remedy = f"give {PLACE} once for each: {PLACE} base_url=... {PLACE} {name}=..."
            raise InputError(what, place=PLACE, remedy=remedy)


def _wrong(option: str, remedy: str) -> InputError:
    return InputError("can't be used", place=f"{PLACE} {option}", remedy=remedy)


def _number(text: str, kind: type[int] | type[float]) -> float:
    """Parse a finite number; -1 for anything else, which the range checks refuse."""
    try:
        number = float(kind(text))
    except (ValueError, OverflowError):
        return -1.0
    return number if math.isfinite(number) else -1.0


def _check_url(url: str) -> None:
    """Refuse anything but a server's address, and an address that contains a key."""
    remedy = "give http://HOST:PORT/v1 or https://..."
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        raise _wrong("base_url", remedy) from None
    if not usable or not url.isprintable() or " " in url:
        raise _wrong("base_url", remedy)
    if "@" in parts.netloc or parts.query or parts.fragment:
        remedy = "leave out user:password@, ? and #; the key comes from the environment"
        raise _wrong("base_url", remedy)
    if parts.path.rstrip("/").endswith("/completions"):
        raise _wrong("base_url", "leave out /completions and /chat/completions")

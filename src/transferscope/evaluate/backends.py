"""The engines by name: what each is told, checked and compared before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ..core.errors import InputError, MissingExtra
from ..engines.protocol import Engine
from ..engines.server import PLACE, ServerOptions
from ..models import AUTO, find_model, fingerprint, settled


@dataclass(frozen=True, slots=True)
class Backend:
    """An engine with its options, not yet opened.

    ``identity`` is what a run must agree in to be gone on with, as the open engine describes it.
    ``check`` raises :class:`InputError` for a model that it can't be opened with and loads nothing,
    ``fingerprint`` identifies the weights (``None`` where they are out of sight).
    """

    identity: Mapping[str, Any]
    scores_choices: bool
    check: Callable[[str], object]
    fingerprint: Callable[[str], str | None]
    open: Callable[[str], Engine]


def _transformers(given: Mapping[str, str], dtype: str | None) -> Backend:
    """transformers, in this process."""
    if given:
        what = f"engine hf takes no options, so no {min(given)!r}"
        raise InputError(what, place=PLACE, remedy="leave it out, or use --engine openai")
    if find_spec("torch") is None:
        raise MissingExtra("eval", needed_for="engine hf")
    weights = settled(dtype)

    def open_(model: str) -> Engine:
        from ..engines.hf import HFEngine

        return HFEngine(model, dtype=weights)

    return Backend(
        identity={"engine": "hf", "dtype": weights},
        scores_choices=True,
        check=find_model,
        fingerprint=lambda model: fingerprint(find_model(model)),
        open=open_,
    )


def _server(given: Mapping[str, str], dtype: str | None) -> Backend:
    """An OpenAI-compatible server, which calls its models what it likes."""
    if find_spec("httpx2") is None:
        raise MissingExtra("eval", needed_for="engine openai")
    if dtype not in (None, AUTO):
        what = "the server has chosen the weights' dtype"
        raise InputError(what, place="--dtype", remedy="leave it out with --engine openai")
    options = ServerOptions.parse(given)

    def check(model: str) -> None:
        if not (model.strip() and model.isprintable()):
            remedy = "name the model as the server's /models lists it"
            raise InputError("no model is named", place="engine openai", remedy=remedy)
        if options.tokenizer is not None:
            find_model(options.tokenizer)

    def open_(model: str) -> Engine:
        from ..engines.openai import OpenAIEngine

        return OpenAIEngine(model, options)

    return Backend(
        identity={
            "engine": "openai",
            "tokenizer": options.tokenizer,
            "strict": options.strict,
        },
        scores_choices=options.tokenizer is not None,
        check=check,
        fingerprint=lambda _: None,
        open=open_,
    )


ENGINES: dict[str, Callable[[Mapping[str, str], str | None], Backend]] = {
    "hf": _transformers,
    "openai": _server,
}
"""From options and dtype (``None`` or ``auto``: the engine's own) to a backend."""


def backend(
    engine: str, options: Mapping[str, str] | None = None, *, dtype: str | None = None
) -> Backend:
    """The engine called ``engine``. Raises :class:`InputError` for unknown ones and options."""
    if engine not in ENGINES:
        raise InputError(
            f"unknown engine {engine!r}",
            remedy=f"use one of {', '.join(ENGINES)} (for vLLM: start `vllm serve MODEL` and use "
            "--engine openai)",
        )
    return ENGINES[engine](options or {}, dtype)


def engine_options(pairs: Iterable[str]) -> dict[str, str]:
    """``key=value`` items as a mapping.

    Raises :class:`InputError` for another form and a key given twice. No value is repeated in it.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key.isidentifier() and equals and value):
            remedy = "write --engine-args base_url=http://localhost:8000/v1"
            raise InputError("not of the form key=value", place=PLACE, remedy=remedy)
        if key in found:
            raise InputError(f"{key} is given twice", place=PLACE, remedy="give it once")
        found[key] = value
    return found

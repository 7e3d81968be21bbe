"""Engines by name: options are parsed and checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ..core.errors import InputError, MissingExtra
from ..engines.prompt_form import AS_USUAL, PromptForm
from ..engines.protocol import Engine
from ..engines.server import PLACE, ServerOptions
from ..engines.vllm_options import VLLMOptions
from ..models import AUTO, find_model, fingerprint, settled


@dataclass(frozen=True, slots=True)
class Backend:
    """An engine with its options, not yet opened.

    ``identity`` holds the settings in which a run must agree to be resumed, in the form in which
    the open engine describes them. ``check`` loads nothing and raises :class:`InputError` for a
    model that can't be opened. ``fingerprint`` identifies the weights (``None`` if they aren't
    accessible).
    """

    identity: Mapping[str, Any]
    scores_choices: bool
    check: Callable[[str], object]
    fingerprint: Callable[[str], str | None]
    open: Callable[[str], Engine]


def _transformers(given: Mapping[str, str], dtype: str | None, form: PromptForm) -> Backend:
    """transformers, in this process."""
    if given:
        what = f"engine hf takes no options, but {min(given)!r} is given"
        raise InputError(what, place=PLACE, remedy="leave it out, or use --engine openai")
    if find_spec("torch") is None:
        raise MissingExtra("eval", needed_for="engine hf")
    weights = settled(dtype)

    def open_(model: str) -> Engine:
        from ..engines.hf import HFEngine

        return HFEngine(model, dtype=weights, form=form)

    return Backend(
        identity={"engine": "hf", "dtype": weights, **form.described()},
        scores_choices=True,
        check=find_model,
        fingerprint=lambda model: fingerprint(find_model(model)),
        open=open_,
    )


def _server(given: Mapping[str, str], dtype: str | None, form: PromptForm) -> Backend:
    """An OpenAI-compatible server, which chooses the names of its models."""
    if find_spec("httpx2") is None:
        raise MissingExtra("eval", needed_for="engine openai")
    if dtype not in (None, AUTO):
        what = "the dtype of the weights is set by the server"
        raise InputError(what, place="--dtype", remedy="leave it out with --engine openai")
    options = ServerOptions.parse(given)
    if form.thinking is not None and options.strict and options.tokenizer is None:
        raise InputError(
            "thinking is switched by a field that strict=yes leaves out",
            place="--thinking",
            remedy="leave out strict=yes, or add --engine-args tokenizer=MODEL",
        )

    def check(model: str) -> None:
        if not (model.strip() and model.isprintable()):
            remedy = "name the model as the server's /models lists it"
            raise InputError("the model has no name", place="engine openai", remedy=remedy)
        if options.tokenizer is None:
            return
        try:
            find_model(options.tokenizer)
        except InputError as err:
            raise InputError(err.what, place=f"{PLACE} tokenizer", remedy=err.remedy) from None

    def open_(model: str) -> Engine:
        from ..engines.openai import OpenAIEngine

        return OpenAIEngine(model, options, form=form)

    return Backend(
        identity={
            "engine": "openai",
            "tokenizer": options.tokenizer,
            "strict": options.strict,
            **form.described(),
        },
        scores_choices=options.tokenizer is not None,
        check=check,
        fingerprint=lambda _: None,
        open=open_,
    )


def _vllm(given: Mapping[str, str], dtype: str | None, form: PromptForm) -> Backend:
    """vLLM, in this process."""
    options = VLLMOptions.parse(given)
    if find_spec("vllm") is None:
        raise MissingExtra("vllm", needed_for="engine vllm")
    weights = settled(dtype)

    def open_(model: str) -> Engine:
        from ..engines.vllm import VLLMEngine

        return VLLMEngine(model, options, dtype=weights, form=form)

    return Backend(
        identity={"engine": "vllm", "dtype": weights, **form.described()},
        scores_choices=True,
        check=find_model,
        fingerprint=lambda model: fingerprint(find_model(model)),
        open=open_,
    )


ENGINES: dict[str, Callable[[Mapping[str, str], str | None, PromptForm], Backend]] = {
    "hf": _transformers,
    "vllm": _vllm,
    "openai": _server,
}
"""Makes a backend from options, a dtype (``None`` or ``auto``: the engine's default) and the
prompts' form."""


def backend(
    engine: str,
    options: Mapping[str, str] | None = None,
    *,
    dtype: str | None = None,
    form: PromptForm = AS_USUAL,
) -> Backend:
    """The engine named ``engine``. Raises :class:`InputError` for an unknown name or option."""
    if engine not in ENGINES:
        raise InputError(
            f"unknown engine {engine!r}",
            remedy=f"use one of {', '.join(ENGINES)}",
        )
    return ENGINES[engine](options or {}, dtype, form)


def engine_options(pairs: Iterable[str]) -> dict[str, str]:
    """Parse ``key=value`` items into a mapping.

    Raises :class:`InputError` for any other form and for a key given twice. The message never
    repeats a value, which may be an API key.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key.isidentifier() and equals and value):
            remedy = "write --engine-args base_url=http://localhost:8000/v1"
            raise InputError("an item is not of the form key=value", place=PLACE, remedy=remedy)
        if key in found:
            raise InputError(f"{key} is given twice", place=PLACE, remedy="give it once")
        found[key] = value
    return found

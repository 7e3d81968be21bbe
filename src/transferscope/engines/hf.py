"""The transformers engine: batched generation and scoring with finish reasons and token counts.

lm-eval's own wrapper records neither finish reason nor token count. When choices are scored, a
prompt is read once for all of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from ..core.errors import InputError
from ..core.records import Decoding, Generation, Message, Tick, no_tick
from ..models import (
    AUTO,
    encode,
    find_model,
    load_model,
    load_tokenizer,
    position_limit,
    require_ids,
)
from .decode import chooser, decode
from .packed_linear import pack_linears
from .prompt_form import AS_USUAL, PromptForm
from .protocol import sample_seed, times_before
from .rendering import encode_pair, rendered, template_digest
from .scoring import float32_head, score
from .stopping import StopStrings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LOGIT_BYTES = 256 * 2**20
"""Upper bound in bytes on one batch's float32 logits when continuations are scored."""

CACHE_BYTES = 2 * 2**30
"""Upper bound in bytes on one batch's KV cache, which the default token budget respects."""
MOST_TOKENS = 32_768
"""Largest default token budget."""


class HFEngine:
    """One causal language model of transformers.

    ``dtype`` defaults to what the machine multiplies (:func:`~transferscope.models.settled`).
    Log-likelihoods always compute the output head in float32: bf16 logits come in steps of 1/8, so
    choices would tie. A batch holds at most ``batch_size`` rows and ``token_budget`` tokens (prompt
    and answer); the default budget is the number of tokens whose KV cache fits into 2 GiB, at most
    32,768.
    """

    def __init__(
        self,
        model: str,
        *,
        dtype: str = AUTO,
        batch_size: int = 256,
        token_budget: int | None = None,
        device_map: str | None = None,
        form: PromptForm = AS_USUAL,
    ) -> None:
        source = find_model(model)
        loaded = load_model(source, dtype=dtype, device_map=device_map)
        pack_linears(loaded)
        limits: dict[str, Any] = {"batch_size": batch_size, "token_budget": token_budget}
        self._set(loaded, load_tokenizer(source), model, form=form, **limits)

    @classmethod
    def from_loaded(
        cls,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str,
        batch_size: int = 256,
        token_budget: int | None = None,
        form: PromptForm = AS_USUAL,
    ) -> HFEngine:
        """Wrap a model that is already in memory, for use during training.

        Every call puts the model into evaluation mode and afterwards restores its previous mode.
        """
        engine = cls.__new__(cls)
        limits: dict[str, Any] = {"batch_size": batch_size, "token_budget": token_budget}
        engine._set(model, tokenizer, name, form=form, **limits)
        return engine

    def _set(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        name: str,
        *,
        batch_size: int,
        token_budget: int | None,
        form: PromptForm,
    ) -> None:
        self.model, self.tokenizer, self.name, self.form = model, tokenizer, name, form
        self.batch_size = batch_size
        self.token_budget = default_budget(model) if token_budget is None else token_budget
        ends = model.generation_config.eos_token_id
        ends = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
        own = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
        self.end_ids: tuple[int, ...] = tuple(dict.fromkeys([*own, *ends]))
        pad = tokenizer.pad_token_id
        self.pad_id: int = pad if pad is not None else self.end_ids[0] if self.end_ids else 0
        self.max_length = position_limit(model)

    def render(self, messages: Sequence[Message]) -> str:
        """Apply the chat template; see :func:`.rendering.rendered`."""
        return rendered(self.tokenizer, messages, self.form)

    def encode(self, prompt: str) -> list[int]:
        """Return the token ids of a rendered prompt without doubling its start token."""
        return encode(self.tokenizer, prompt)

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, *, tick: Tick = no_tick
    ) -> list[Generation]:
        """Return one answer per rendered prompt, generated in batches, longest prompts first.

        ``tokens`` counts the generated tokens without the end token. At a temperature above 0, an
        answer depends on the decoding's seed, the prompt and how often it was asked before in this
        call, but not on other prompts (up to the rounding of other batches). Raises
        :class:`InputError` if a prompt and its answer exceed the context length: prompts are never
        truncated.
        """
        answers: list[Generation] = [Generation("")] * len(prompts)
        done = 0
        for found in self._generated(prompts, decoding, times_before(prompts)):
            for at, answer in found:
                answers[at] = answer
            done += len(found)
            tick("generate", done, len(prompts))
        return answers

    def generate_each(
        self, prompts: Sequence[str], decoding: Decoding, *, nth: Sequence[int]
    ) -> Iterator[tuple[int, Generation]]:
        """Yield answers after each batch; see :class:`~.protocol.Streaming`."""
        for found in self._generated(prompts, decoding, nth):
            yield from found

    def _generated(
        self, prompts: Sequence[str], decoding: Decoding, nth: Sequence[int]
    ) -> Iterator[list[tuple[int, Generation]]]:
        """Yield the answers of one batch after the other with their places."""
        ids = [self.encode(prompt) for prompt in prompts]
        require_ids(self.model, ids, name=self.name)
        for row in ids:
            self._check_length(len(row), decoding.max_tokens)
        order = sorted(range(len(ids)), key=lambda i: (-len(ids[i]), i))
        for batch in self._batches([len(ids[i]) for i in order], decoding.max_tokens):
            chosen = [order[i] for i in batch]
            seeds = [sample_seed(decoding.seed, prompts[i], nth[i]) for i in chosen]
            with self._evaluating():
                found = self._generate_batch([ids[i] for i in chosen], decoding, seeds)
            yield list(zip(chosen, found, strict=True))

    def unfit(self, prompts: Sequence[str], answer: int) -> Mapping[int, str]:
        """Return why a prompt with ``answer`` more tokens exceeds the context, by its index."""
        if self.max_length is None:
            return {}
        lengths = (len(self.encode(prompt)) for prompt in prompts)
        return {
            at: _too_long(length, answer, self.max_length)
            for at, length in enumerate(lengths)
            if length + answer > self.max_length
        }

    def loglikelihoods(
        self, pairs: Sequence[tuple[str, str]], *, tick: Tick = no_tick
    ) -> list[float]:
        """Return log p(continuation | prompt) in nats, with the output head in float32.

        As in lm-eval, a prompt's trailing spaces belong to the continuation, whose tokens are those
        that the full text has beyond the prompt's. Raises :class:`InputError` if a pair exceeds
        the context length or a continuation adds no token.
        """
        asked = [self._encode_pair(prompt, continuation) for prompt, continuation in pairs]
        require_ids(self.model, [row for pair in asked for row in pair], name=self.name)
        for prompt, after in asked:
            self._check_length(len(prompt) + len(after), 0)
        # Choices of one prompt stay together, so that the prompt is read once for all of them.
        order = sorted(range(len(asked)), key=lambda i: (-len(asked[i][0]), asked[i][0], i))
        scores = [0.0] * len(asked)
        done = 0
        with self._evaluating(), float32_head(self.model):
            while done < len(order):
                batch = self._scoring_batch([asked[i] for i in order[done:]])
                chosen = order[done : done + batch]
                found = score(self.model, [asked[i] for i in chosen], pad=self.pad_id)
                for i, nats in zip(chosen, found, strict=True):
                    scores[i] = nats
                done += batch
                tick("loglikelihoods", done, len(asked))
        return scores

    def _encode_pair(self, prompt: str, continuation: str) -> tuple[list[int], list[int]]:
        empty = self.end_ids[:1]
        return encode_pair(self.tokenizer, prompt, continuation, empty=empty, name=self.name)

    def describe(self) -> Mapping[str, Any]:
        """Return engine, dtype, device, batch limits, chat template's hash, library versions."""
        return {
            "engine": "hf",
            **self.form.described(),
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "device": self.model.device.type,
            "batch_size": self.batch_size,
            "token_budget": self.token_budget,
            "template": template_digest(self.tokenizer, self.form),
            "versions": {name: version(name) for name in ("torch", "transformers")},
        }

    def _check_length(self, prompt: int, answer: int) -> None:
        if self.max_length is not None and prompt + answer > self.max_length:
            raise InputError(
                _too_long(prompt, answer, self.max_length),
                place=self.name,
                remedy="allow shorter answers or use a model with a longer context",
            )

    def _batches(self, lengths: Sequence[int], answer: int) -> Iterator[range]:
        """Split ``lengths`` (descending) into ranges within both limits, of at least one row."""
        start = 0
        while start < len(lengths):
            rows = max(1, min(self.batch_size, self.token_budget // (lengths[start] + answer)))
            yield range(start, min(start + rows, len(lengths)))
            start += rows

    def _scoring_batch(self, pairs: Sequence[tuple[list[int], list[int]]]) -> int:
        """Return how many of the first pairs fit within the limits, at least one."""
        vocabulary = self.model.get_input_embeddings().weight.shape[0]
        prompt = after = 0
        for rows, pair in enumerate(pairs[: self.batch_size]):
            prompt, after = max(prompt, len(pair[0])), max(after, len(pair[1]))
            too_wide = (rows + 1) * (prompt + after) > self.token_budget
            if rows and (too_wide or 4 * (rows + 1) * after * vocabulary > LOGIT_BYTES):
                return rows
        return min(len(pairs), self.batch_size)

    def _generate_batch(
        self, ids: Sequence[list[int]], decoding: Decoding, seeds: Sequence[int]
    ) -> list[Generation]:
        stops = StopStrings(self.tokenizer, decoding.stop) if decoding.stop else None
        answers = decode(
            self.model,
            ids,
            max_tokens=decoding.max_tokens,
            choose=chooser(decoding.temperature, decoding.top_p, seeds=seeds),
            ends=self.end_ids,
            pad=self.pad_id,
            stopped=stops,
        )
        return [self._answer(row, stops, decoding) for row in answers]

    def _answer(self, row: list[int], stops: StopStrings | None, decoding: Decoding) -> Generation:
        """Turn one row of generated ids, including any end token, into an answer."""
        length, finish = len(row), "length"
        if row and row[-1] in self.end_ids:
            length, finish = length - 1, "stop"
        elif stops is not None and stops([row])[0]:
            finish = "stop_string"
        text = str(self.tokenizer.decode(row[:length], skip_special_tokens=True))
        found = [at for stop in decoding.stop if (at := text.find(stop)) >= 0]
        whole = text[: min(found, default=len(text))]
        return Generation(whole, length, finish, tuple(row[:length]))

    @contextlib.contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Switch to evaluation mode without gradients; restore the mode afterwards."""
        training = self.model.training
        self.model.eval()
        try:
            # Not inference_mode: if the model cached its tensors, training would break.
            with torch.no_grad():
                yield
        finally:
            self.model.train(training)


def _too_long(prompt: int, answer: int, limit: int) -> str:
    asked = f"a prompt of {prompt} tokens"
    asked += f" and an answer of {answer} exceed" if answer else " exceeds"
    return f"{asked} the model's context length of {limit}"


def default_budget(model: PreTrainedModel) -> int:
    """Return the number of tokens per batch whose KV cache stays within ``CACHE_BYTES``.

    It depends on the model's configuration alone, so a model is batched alike on every machine.
    """
    config = model.config.get_text_config()
    heads = getattr(config, "num_attention_heads", None)
    layers, width = (getattr(config, key, None) for key in ("num_hidden_layers", "hidden_size"))
    if not (heads and layers and width):  # recurrent models have no KV cache
        return MOST_TOKENS
    head = getattr(config, "head_dim", None) or width // heads
    kept = getattr(config, "num_key_value_heads", None) or heads
    bytes_per_token: int = 2 * layers * kept * head * model.dtype.itemsize
    return max(1, min(MOST_TOKENS, CACHE_BYTES // bytes_per_token))

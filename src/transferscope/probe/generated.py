"""Responses for the token probe, written by the model along whose answers it walks."""

from __future__ import annotations

from ..core.errors import InputError
from ..core.records import Decoding, Tick, no_tick
from .texts import Prompt, ResponseRow, Responses


def generate_responses(
    model: str,
    prompts: Responses,
    *,
    max_tokens: int = 256,
    dtype: str = "float32",
    device_map: str | None = None,
    tick: Tick = no_tick,
) -> Responses:
    """Greedy answers of ``model`` to the prompts; their own responses are left out.

    The prompts come back rendered, so that the probe sees what the model saw. Raises
    :class:`InputError` for an unknown model.
    """
    if max_tokens < 1:
        raise InputError(f"{max_tokens} tokens are no answer", remedy="give 1 or more")
    from ..engines import HFEngine

    engine = HFEngine(model, dtype=dtype, device_map=device_map)

    def rendered(prompt: Prompt) -> str:
        return prompt if isinstance(prompt, str) else engine.render(prompt)

    texts = [rendered(row.prompt) for row in prompts.rows]
    answers = engine.generate(texts, Decoding(max_tokens=max_tokens), tick=tick)
    rows = [ResponseRow(text, a.text) for text, a in zip(texts, answers, strict=True)]
    return Responses(rows, prompts.labels)

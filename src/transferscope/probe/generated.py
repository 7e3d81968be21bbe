"""Generation of responses for the token probe by one of the compared models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.files import holding, read_json_lines, write_atomically
from ..core.records import Decoding, Tick, digest, no_tick
from .shard_identity import writer_identity
from .texts import Prompt, ResponseRow, Responses, read_responses

if TYPE_CHECKING:
    from ..engines import HFEngine

KEPT = "responses.jsonl"


def kept_responses(
    out: Path, model: str, prompts: Responses, *, tick: Tick = no_tick, **options: Any
) -> Responses:
    """Run :func:`generate_responses` once and keep the answers in ``out/responses.jsonl``.

    All shards therefore use the same answers, and combining them loads no model. Processes that
    share a disk wait for the first one. Every line records a digest of its settings.

    Raises :class:`InputError` if the file belongs to another model, other prompts or settings.
    """
    settings = digest([writer_identity(model), prompts.rows, options])
    path = out / KEPT
    if not path.is_file():
        with holding(out / f".{KEPT}.lock"):
            if not path.is_file():
                found = generate_responses(model, prompts, tick=tick, **options)
                write_atomically(path, _lines(found, settings))
    rows = read_json_lines(path, remedy="remove the file")
    if any(row.get("settings") != settings for _, row in rows):
        what = "holds answers from another model, to other prompts, or with other settings"
        raise InputError(what, place=str(path), remedy="name another --out")
    return Responses(read_responses(path).rows, prompts.labels)


def _lines(responses: Responses, settings: str) -> list[str]:
    names = responses.labels.benchmarks or [""] * len(responses.rows)
    lines = []
    for row, name in zip(responses.rows, names, strict=True):
        line: dict[str, Any] = {"prompt": row.prompt, "response": row.response}
        line |= {"response_ids": row.ids} if row.ids else {}
        line |= {"benchmark": name} if name else {}
        group = responses.labels.groups.get(name)
        line |= {"group": group} if group else {}
        lines.append(json.dumps(line | {"settings": settings}, ensure_ascii=False) + "\n")
    return lines


def generate_responses(
    model: str,
    prompts: Responses,
    *,
    max_tokens: int = 256,
    dtype: str = "float32",
    device_map: str | None = None,
    tick: Tick = no_tick,
) -> Responses:
    """Generate greedy answers of ``model`` to the prompts, ignoring responses they come with.

    Prompts are returned as rendered and answers with their token ids, so that the probe scores
    exactly what the model read and wrote. Raises :class:`InputError` for an unknown model and for a
    prompt that leaves no room for its answer.
    """
    if max_tokens < 1:
        what = f"a limit of {max_tokens} tokens allows no answer"
        raise InputError(what, remedy="give 1 or more")
    from ..engines import HFEngine

    engine = HFEngine(model, dtype=dtype, device_map=device_map)

    def rendered(prompt: Prompt) -> str:
        return prompt if isinstance(prompt, str) else engine.render(prompt)

    texts = [rendered(row.prompt) for row in prompts.rows]
    _require_room(engine, texts, max_tokens)
    answers = engine.generate(texts, Decoding(max_tokens=max_tokens), tick=tick)
    rows = [ResponseRow(text, a.text, a.ids) for text, a in zip(texts, answers, strict=True)]
    return Responses(rows, prompts.labels)


def _require_room(engine: HFEngine, prompts: Sequence[str], max_tokens: int) -> None:
    """Refuse prompts too long for an answer.

    The engine refuses them too, but its remedy names a benchmark's limit.
    """
    limit = engine.max_length
    if limit is None:
        return
    for number, prompt in enumerate(prompts, start=1):
        length = len(engine.encode(prompt))
        if length + max_tokens > limit:
            raise InputError(
                f"prompt {number} has {length} tokens; with an answer of {max_tokens} it exceeds "
                f"the model's context length of {limit}",
                place=engine.name,
                remedy="lower --max-tokens, or leave the prompt out",
            )

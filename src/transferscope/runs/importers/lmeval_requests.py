"""Read requests and responses from a row of lm-eval's samples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...core.records import digest


def message_hash_of(rows: list[Mapping[str, Any]], *, fewshot: int) -> str | None:
    """A hash of what was asked, before the chat template.

    lm-eval doesn't store the messages, but hashes of the document and of its target. Together with
    the number of few-shot examples, they are equal in two runs that asked the same. Task versions,
    which may change the wording, are compared separately.
    """
    parts = [[row.get("doc_hash"), row.get("target_hash")] for row in rows]
    if not all(isinstance(part, str) for pair in parts for part in pair):
        return None
    return digest([sorted(parts), fewshot])


def rendered_hash_of(row: Mapping[str, Any]) -> str | None:
    """lm-eval's hash of the first request's rendered prompt, truncated to 16 digits."""
    value = row.get("prompt_hash")
    return value[:16] if isinstance(value, str) else None


def _requests(row: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """(prompt, continuation or settings) of every request.

    The row has ``gen_args_0`` to ``gen_args_N`` with ``arg_0`` and ``arg_1``; old files have nested
    lists.
    """
    value = row.get("arguments")
    if isinstance(value, dict):
        value = [value.get(f"gen_args_{i}") for i in range(len(value))]
    pairs = []
    for request in value if isinstance(value, list) else ():
        if isinstance(request, dict):
            pairs.append((request.get("arg_0"), request.get("arg_1")))
        else:
            padded = [*(request if isinstance(request, list) else []), None, None]
            pairs.append((padded[0], padded[1]))
    return pairs


def prompt_of(row: Mapping[str, Any]) -> str:
    """The first request's prompt; for chat servers, the messages are a list with one string."""
    prompt, _ = next(iter(_requests(row)), ("", None))
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    return prompt if isinstance(prompt, str) else json.dumps(prompt)


def generated(row: Mapping[str, Any]) -> list[str]:
    """All repeats of the generated response; empty for log-likelihood requests."""
    responses = row.get("resps")
    first = responses[0] if isinstance(responses, list) and responses else None
    if not isinstance(first, list) or not all(isinstance(text, str) for text in first):
        return []
    return first


def chosen(row: Mapping[str, Any], metric: str, *, delimiter: str) -> str | None:
    """The most likely choice by the metric's rule: total, per character or per byte.

    ``delimiter`` precedes a choice in its request. ``None`` if there was no choice, and for metrics
    with a different rule.
    """
    requests, responses = _requests(row), row.get("resps")
    if "acc_mutual_info" in row:  # the second half scores the choices without the question
        requests = requests[: len(requests) // 2]
    if metric == "acc_mutual_info" or len(requests) < 2 or not isinstance(responses, list):
        return None
    choices = [continuation for _, continuation in requests]
    if len(set(map(str, choices))) == 1:  # the choice is part of the context, as in winogrande
        choices = [context for context, _ in requests]
    try:
        nats = [float(responses[i][0][0]) for i in range(len(requests))]
        names = [choice.removeprefix(delimiter) for choice in choices]
    except (TypeError, ValueError, IndexError, AttributeError, KeyError):
        return None
    lengths = [1] * len(names)
    if metric == "acc_norm":
        lengths = [max(len(name), 1) for name in names]
    elif metric == "acc_bytes":
        lengths = [max(len(name.encode("utf-8", "replace")), 1) for name in names]
    best = max(range(len(names)), key=lambda i: nats[i] / lengths[i])
    return str(names[best])

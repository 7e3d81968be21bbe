"""Read an lm-eval run's settings from its results: model, backend, decoding, versions, limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.records import ModelRef
from ...core.unpacking import bare_stem
from .lmeval_tasks import Task, fewshot, section
from .settings import flat
from .values import text

_NAMES = ("peft", "delta", "pretrained", "model", "path", "engine")
"""Model arguments that name the model, in lm-eval's own order."""
_BACKENDS = frozenset(
    {"hf", "hf-auto", "huggingface", "hf-causal", "hf-causal-experimental", "hf-seq2seq", "vllm"}
    | {"hf-multimodal", "vllm-vlm", "sglang", "sglang-generate", "local-completions", "gguf"}
    | {"local-chat-completions", "openai-completions", "openai-chat-completions", "CUSTOM"}
)
"""Names of backends, which may be given in place of a model's name."""
_ENGINE_ARGS = (
    *("dtype", "max_length", "max_model_len", "max_gen_toks", "truncation", "backend"),
    *("add_bos_token", "enable_thinking", "think_end_token"),
    *("load_in_4bit", "load_in_8bit", "quantization"),
)
"""Model arguments that change answers. Others are not stored: they may contain paths and keys."""


def model_of(raw: Mapping[str, Any], file: Path) -> ModelRef:
    """The model's name, revision and commit, and the base of an adapter.

    A model that was passed as an object may have no name except its backend's ("hf"). Then it is
    named after the file, or after the folder if the file is named by its task or by lm-eval.
    """
    config, arguments = section(raw, "config"), _arguments(raw)
    named = [raw.get("model_name"), *(arguments.get(key) for key in _NAMES)]
    if (backend := text(config.get("model"))) not in _BACKENDS:
        named.append(backend)
    stem = bare_stem(file)
    if stem not in raw["results"] and not stem.startswith("results"):
        named.append(stem)
    base = arguments.get("pretrained") if {"peft", "delta"} & set(arguments) else None
    return ModelRef(
        name=next((known for name in named if (known := text(name))), file.parent.name),
        base=text(base),
        revision=text(config.get("model_revision")) or text(arguments.get("revision")),
        fingerprint=text(config.get("model_sha")),
    )


def engine_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """lm-eval's backend, and the arguments that change answers."""
    config, arguments = section(raw, "config"), _arguments(raw)
    about: dict[str, Any] = {"engine": f"lm-eval {raw.get('model_source') or config.get('model')}"}
    about |= {key: str(arguments[key]) for key in _ENGINE_ARGS if key in arguments}
    if dtype := config.get("model_dtype"):
        about["dtype"] = str(dtype).removeprefix("torch.")
    if sha := text(raw.get("system_instruction_sha")):
        about["system_instruction"] = sha[:16]
    if isinstance(raw.get("fewshot_as_multiturn"), bool):
        about["fewshot_as_multiturn"] = raw["fewshot_as_multiturn"]
    return about


def decoding_of(tasks: Sequence[Task], raw: Mapping[str, Any]) -> dict[str, Any]:
    """How answers were drawn and scored; by task if the tasks of a benchmark differ."""
    by_task = {task.place.task: _task_decoding(task, raw) for task in tasks}
    first, *others = by_task.values()
    return first if all(settings == first for settings in others) else by_task


def template_of(raw: Mapping[str, Any]) -> str | None:
    """The hash of the chat template; ``None`` if none was applied."""
    sha = text(raw.get("chat_template_sha"))
    return sha[:16] if sha else None


def versions_of(benchmarks: Mapping[str, Sequence[Task]], raw: Mapping[str, Any]) -> dict[str, str]:
    """Versions of lm-eval and transformers, and of every benchmark's tasks."""
    tools = {"lm-eval": "lm_eval_version", "transformers": "transformers_version"}
    found = {name: str(raw[key]) for name, key in tools.items() if raw.get(key)}
    known = section(raw, "versions")
    for name, tasks in benchmarks.items():
        if own := {str(known[t.place.task]) for t in tasks if t.place.task in known}:
            found[f"task {name}"] = ", ".join(sorted(own))
    return found


def seed_of(raw: Mapping[str, Any]) -> int:
    """The seed of Python's global generator."""
    seed = section(raw, "config").get("random_seed")
    return seed if type(seed) is int else 0


def settings_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a run, in the form of :func:`.settings.flat`."""
    return flat(
        engine_of(raw),
        template=template_of(raw),
        seed=seed_of(raw),
        limit=_number(section(raw, "config").get("limit")),
    )


def limit_of(limit: float | None, raw: Mapping[str, Any], notes: list[str]) -> int | None:
    """Items per task; a fractional limit becomes the largest number of items that resulted."""
    if limit is None:
        return None
    if limit >= 1:
        return int(limit)
    rows = [row for row in section(raw, "n-samples").values() if isinstance(row, dict)]
    most = max((n for row in rows if type(n := row.get("effective")) is int), default=None)
    notes.append(f"limit {limit} is a fraction of each task: at most {most} items")
    return most


def _number(limit: object) -> float | None:
    if not isinstance(limit, int | float) or isinstance(limit, bool) or not 0 < limit < 2**53:
        return None
    return limit


def _task_decoding(task: Task, raw: Mapping[str, Any]) -> dict[str, Any]:
    name, (metric, filter_) = task.place.task, task.key or ("", "")
    config = section(raw, "configs", name)
    repeats = config.get("repeats", 1)
    return {
        **section(config, "generation_kwargs"),
        "method": config.get("output_type"),
        "fewshot": fewshot(name, raw),
        "repeats": repeats if type(repeats) is int else 1,
        "metric": f"{metric} by question" if task.by_question else metric,
        "filter": filter_,
    }


def _arguments(raw: Mapping[str, Any]) -> dict[str, Any]:
    """``model_args``: an object, or text like ``pretrained=NAME,dtype=float``."""
    value = section(raw, "config").get("model_args")
    if isinstance(value, str):
        pairs = (part.partition("=") for part in value.split(","))
        return {key: text for key, _, text in pairs}
    return section(raw, "config", "model_args")

"""Convert results of every lm-eval since 0.3 to the form of the newest version.

===============  ============================================================================
0.3              ``results``, ``versions`` and ``config`` only; metrics without a filter
0.4.0, 0.4.1     groups are listed among the tasks, marked by ``groups`` and indented aliases
0.4.2            ``group_subtasks`` lists the members of every group
0.4.3 and later  ``n-samples`` and ``higher_is_better``
===============  ============================================================================

If no size is given, it is derived from the score and its standard error: for n 0/1 outcomes with
mean s, lm-eval's standard error is sqrt(s (1 - s) / (n - 1)).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

MARKS = {"lm_eval_version", "configs", "n-shot", "group_subtasks"}
"""Top-level keys; results of 0.4 have at least one of them."""
_BINARY = {"acc", "acc_norm", "exact_match", "em"}
"""Metrics that are nearly always 0 or 1 per item, so that rounded numbers still give the size."""
_LEVEL = re.compile(r"^( *)- ")
_DECIMALS = 6
"""Numbers with no more decimals than these may have been rounded."""
_LARGEST = 1e7
_ROUGH = 0.02
"""Largest relative change of a size that the rounding of its standard error may cause."""


def is_lm_eval(raw: Mapping[str, Any]) -> bool:
    """Whether lm-eval 0.3 or newer wrote this JSON document."""
    results = raw.get("results")
    if not isinstance(results, dict) or "config_general" in raw:  # lighteval's
        return False
    if not all(isinstance(row, dict) for row in results.values()):
        return False
    return bool(MARKS & set(raw)) or _is_0_3(raw)


def upgraded(raw: Mapping[str, Any]) -> dict[str, Any]:
    """``raw`` (accepted by :func:`is_lm_eval`) as the newest lm-eval would have written it."""
    new = dict(raw)
    if _is_0_3(raw):
        new |= _with_filters(raw)
    if not isinstance(raw.get("group_subtasks"), dict):
        new["group_subtasks"] = _members(new)
    known = raw.get("n-samples")
    sizes = dict(known) if isinstance(known, dict) else {}
    for task, row in new["results"].items():
        if task not in sizes and (n := size_of(row)) is not None:
            sizes[task] = {"effective": n}
    return new | {"n-samples": sizes}


def size_of(row: Mapping[str, Any]) -> int | None:
    """The number of items of a task, from its first score that is a mean of 0/1 outcomes.

    ``None`` if there is none, or if all items have the same score, which makes the error 0.

    >>> size_of({"acc,none": 0.7, "acc_stderr,none": 0.016211987406533075})
    800
    """
    for key, score in row.items():
        metric, _, filter_ = key.partition(",")
        error = row.get(f"{metric}_stderr,{filter_}")
        if not (_is_number(score) and _is_number(error)) or not (0 < score < 1 and 0 < error < 1):
            continue
        if (n := _size(score, error, rounded=metric in _BINARY)) is not None:
            return n
    return None


def _size(score: float, error: float, *, rounded: bool) -> int | None:
    """The n for which ``score`` is a fraction and ``error`` its standard error (maybe rounded)."""
    estimate = score * (1 - score) / error**2 + 1
    if estimate > _LARGEST:
        return None
    slack, room = 1e-6 * estimate, 1e-6 * estimate
    if rounded and _rounding(score) and 2 * _rounding(error) <= _ROUGH * error and estimate < 1e5:
        slack += 2 * _rounding(error) / error * estimate
        room += _rounding(score) * estimate
    around = range(max(2, math.ceil(estimate - slack)), math.floor(estimate + slack) + 1)
    fitting = [n for n in around if abs(score * n - round(score * n)) <= room]
    return min(fitting, key=lambda n: abs(n - estimate), default=None)


def _is_0_3(raw: Mapping[str, Any]) -> bool:
    config, versions = raw.get("config"), raw.get("versions")
    if MARKS & set(raw) or not isinstance(versions, dict) or not raw["results"]:
        return False
    ours = config is None or (isinstance(config, dict) and "model_args" in config)
    plain = all("," not in key for row in raw["results"].values() for key in row)
    return ours and plain and set(raw["results"]) <= set(versions)


def _with_filters(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Add the filter "none" and the number of examples per task: 0.3 had one number for all."""
    config = raw.get("config") or {}
    results = {
        task: {f"{metric},none": value for metric, value in row.items()}
        for task, row in raw["results"].items()
    }
    return {"results": results, "n-shot": dict.fromkeys(results, config.get("num_fewshot") or 0)}


def _members(raw: Mapping[str, Any]) -> dict[str, list[str]]:
    """The members of every group of 0.4.0: deeper rows after it, and names that begin with its own.

    A group has no configuration, and its version is "N/A".
    """
    results, groups, versions = raw["results"], raw.get("groups"), raw.get("versions")
    marked = set(groups) if isinstance(groups, dict) else set()
    if isinstance(versions, dict):
        marked |= {task for task, version in versions.items() if version == "N/A"}
    names = list(results)
    levels = [_level(results[name].get("alias")) for name in names]
    found = {}
    for at, group in enumerate(names):
        if group not in marked:
            continue
        below = []
        for name, level in zip(names[at + 1 :], levels[at + 1 :], strict=True):
            if level <= levels[at]:
                break
            below.append(name)
        alike = [n for n in names if n.startswith(f"{group}_") and n not in below]
        found[group] = below + alike
    return found


def _level(alias: object) -> int:
    """The nesting level of a row: "  - abstract_algebra" is in a group of a group."""
    match = _LEVEL.match(alias) if isinstance(alias, str) else None
    return max(len(match[1]), 1) if match else 0


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _rounding(value: float) -> float:
    """Half a unit of the last decimal; 0 for a number with too many decimals to be rounded."""
    decimals = len(repr(value).partition(".")[2])
    return 0.5 * 10.0**-decimals if "e" not in repr(value) and decimals <= _DECIMALS else 0.0

"""Settings of joined runs: those that all share, and those that are stored per benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_RUN, _ENGINE = "run's ", "engine "
_TEMPLATE, _SEED, _LIMIT = (f"{_RUN}{name}" for name in ("template", "seed", "limit"))


class Shared(NamedTuple):
    """A run's settings as in a manifest; ``apart`` has those that are not shared, by benchmark."""

    engine: dict[str, Any]
    template: str | None
    seed: int
    limit: int | None
    apart: dict[str, dict[str, Any]]


def flat(
    engine: Mapping[str, Any], *, template: str | None, seed: int, limit: float | None
) -> dict[str, Any]:
    """The settings of one run, under the names that are shown for differences."""
    named = {f"{_ENGINE}{key}": value for key, value in engine.items()}
    return {_TEMPLATE: template, _SEED: seed, _LIMIT: limit, **named}


def is_setting(name: str) -> bool:
    """Whether the name is from :func:`flat`; a benchmark's decoding also has other names."""
    return name.startswith((_RUN, _ENGINE))


def shared(settings: Mapping[str, Mapping[str, Any]]) -> Shared:
    """Split settings, as returned by :func:`flat`, by benchmark (at least one).

    >>> one, other = (flat({}, template=t, seed=0, limit=None) for t in ("a", "b"))
    >>> shared({"gsm8k": one, "boolq": other}).apart
    {'gsm8k': {"run's template": 'a'}, 'boolq': {"run's template": 'b'}}
    """
    first, *others = settings.values()
    keys = dict.fromkeys(key for each in settings.values() for key in each)
    differ = [
        key
        for key in keys
        if isinstance(first.get(key), list)  # values of several files that form one benchmark
        or any(each.get(key) != first.get(key) for each in others)
    ]
    same = {key: first.get(key) for key in keys if key not in differ}
    return Shared(
        engine={k.removeprefix(_ENGINE): v for k, v in same.items() if k.startswith(_ENGINE)},
        template=same.get(_TEMPLATE),
        seed=same.get(_SEED) or 0,
        limit=same.get(_LIMIT),
        apart={name: {key: each.get(key) for key in differ} for name, each in settings.items()}
        if differ
        else {},
    )

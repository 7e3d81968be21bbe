"""``eval --dry-run``: what an evaluation could detect, and what it would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from ..core.errors import InputError
from .shared import Float, Int, print_json
from .tables import print_table

if TYPE_CHECKING:
    from ..compare.planned_power import Resolution
    from ..core.suite import Suite
    from ..evaluate.cost_estimate import Cost, Total
    from ..evaluate.dry_run import DryRun

_ABOVE_0 = Number(gt=0)


@dataclass(frozen=True)
class DryRunOptions:
    """Options that only apply with ``--dry-run``.

    Parameters
    ----------
    gpus
        For --dry-run: number of GPUs (or machines) that share the work.
    tokens_per_second
        For --dry-run: answer tokens per second of one GPU, instead of measuring this machine.
    price_per_hour
        For --dry-run: dollars per hour of one GPU.
    as_json
        For --dry-run: print one JSON document to stdout.
    """

    gpus: Annotated[Int | None, Parameter(validator=Number(gte=1))] = None
    tokens_per_second: Annotated[Float | None, Parameter(validator=_ABOVE_0)] = None
    price_per_hour: Annotated[Float | None, Parameter(validator=_ABOVE_0)] = None
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False

    def refuse_without_dry_run(self) -> None:
        """Raise :class:`InputError` if one of the options is given."""
        given = {
            "--gpus": self.gpus,
            "--tokens-per-second": self.tokens_per_second,
            "--price-per-hour": self.price_per_hour,
            "--json": self.as_json or None,
        }
        for option, value in given.items():
            if value is not None:
                raise InputError("only applies with --dry-run", place=option, remedy="remove it")


def show_dry_run(
    model: str, suite: Suite, options: DryRunOptions, *, how: Mapping[str, Any]
) -> None:
    """Estimate and print; ``how`` are the arguments of :func:`~transferscope.evaluate.dry_run`."""
    from ..compare.planned_power import Planned, benchmark_resolution, group_resolution
    from ..evaluate.cost_estimate import Speed, cost_of, speed_of, total_of
    from ..evaluate.dry_run import dry_run

    rate = options.tokens_per_second
    found = dry_run(model, suite, measure=rate is None, **how)
    speed = Speed(None, rate) if rate is not None else None
    if found.measured is not None:
        speed = speed_of(found.measured.calls)
    costs = [cost_of(work, found.measured, speed) for work in found.workloads]
    total = total_of(costs, gpus=options.gpus or 1, price_per_hour=options.price_per_hour)
    planned = {work.benchmark: Planned(work.items, work.units) for work in found.workloads}
    alone = {name: benchmark_resolution(each) for name, each in planned.items()}
    groups = {
        group: group_resolution([planned[name] for name in names])
        for group, names in suite.groups.items()
    }
    if options.as_json:
        rows = [
            asdict(work) | asdict(cost) | asdict(alone[work.benchmark])
            for work, cost in zip(found.workloads, costs, strict=True)
        ]
        print_json(
            {
                "model": model,
                "suite": suite.name,
                "benchmarks": rows,
                "groups": [{"group": group, **asdict(each)} for group, each in groups.items()],
                "speed": None if speed is None else asdict(speed),
                "measured": found.measured is not None,
                "tokens_counted": found.counted,
                "total": asdict(total),
            }
        )
        return
    _print(found, costs, alone, groups)
    for line in _notes(found, total, rate):
        print(line)


def _print(
    found: DryRun,
    costs: Sequence[Cost],
    alone: Mapping[str, Resolution],
    groups: Mapping[str, Resolution],
) -> None:
    heads = ("group", "benchmark", "items", "x", "se", "detects", "prompts", "answers", "time")
    rows = []
    for work, cost in zip(found.workloads, costs, strict=True):
        counts = (f"{work.items:,}", str(work.repeats))
        tokens = (_short(cost.prompt_tokens), _bounded(_short(cost.answer_tokens), cost.bound))
        hours = _bounded(_duration(cost.hours), cost.bound and cost.hours is not None)
        power = _resolution(alone[work.benchmark])
        rows.append((work.group, work.benchmark, *counts, *power, *tokens, hours))
    for group, each in groups.items():
        rows.append((group, "all", "", "", *_resolution(each), "", "", ""))
    print_table(heads, rows, right=frozenset(heads[2:]))


def _notes(found: DryRun, total: Total, rate: float | None) -> list[str]:
    from ..compare.planned_power import DISCORDANCE

    bound = total.bound
    lines = [
        "",
        f"tokens: {_short(total.prompt_tokens)} of prompts, "
        f"{_bounded(_short(total.answer_tokens), bound)} of answers",
    ]
    if total.hours is not None:
        on = "one GPU" if rate is not None else "this machine"
        times = f"time: {_bounded(_duration(total.hours), bound)} on {on}"
        if total.gpus > 1:
            times += f", {_bounded(_duration(total.hours_on_gpus), bound)} on {total.gpus}"
        lines.append(times)
    if total.dollars is not None:
        lines.append(f"price: {_bounded(f'${total.dollars:,.2f}', bound)}")
    lines += ["", "se: standard error of a score of 50 %, in points"]
    flips = f"{100 * DISCORDANCE:.0f} % of the items flip"
    lines.append(f"detects: change in points that has 80 % power if {flips}")
    if bound:
        lines.append("<: upper bound; fewer than half of the measured answers ended")
    if found.measured is None and rate is None:
        lines.append("time: not measured (only with engine hf and a model on this machine);")
        lines.append("  --tokens-per-second gives the speed of one GPU")
    if not found.counted:
        lines.append("prompts: a quarter of the characters, without the model's tokenizer")
    return lines


def _resolution(each: Resolution) -> tuple[str, str]:
    return f"{each.stderr:.1f}", "none" if each.change is None else f"{each.change:.1f}"


def _bounded(text: str, bound: bool) -> str:
    return f"< {text}" if bound else text


def _short(tokens: float) -> str:
    """A number of tokens in at most five characters."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if tokens >= size:
            return f"{tokens / size:.{0 if tokens >= 100 * size else 1}f}{unit}"
    return f"{tokens:.0f}"


def _duration(hours: float | None) -> str:
    if hours is None:
        return ""
    if hours < 1.5 / 60.0:
        return f"{3600.0 * hours:.0f} s"
    return f"{60.0 * hours:.0f} min" if hours < 1.5 else f"{hours:,.1f} h"

"""The functions of the command line, typed, for notebooks and scripts.

``import transferscope as ts`` gives access to all of them::

    comparison = ts.compare("results/base", "results/tuned")
    comparison["tuned"].benchmarks.to_frame()
    comparison.save_html("report.html")

Paths are :class:`str` or :class:`~pathlib.Path`. Every function that takes a run accepts a run
folder, another harness's results or a run from :func:`load`. Notes that the command line prints to
stderr while it reads results become a :class:`ResultsWarning`.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .core.records import Tick, no_tick

if TYPE_CHECKING:
    from .compare.policy import Policy
    from .compare.sample_size import Plan
    from .core.hidden_shift import HiddenShift
    from .core.suite import Suite
    from .core.table_index import TableIndex
    from .core.token_shift import TokenShift
    from .core.weight_shift import WeightShift
    from .documents.gate_result import GateResult
    from .documents.ranking import Ranking
    from .grade.audit import Audit
    from .grade.score import Scored
    from .notebook import ComparisonView
    from .published import Recomputed
    from .report.report_input import ReportInput
    from .runs import Run

PathLike = str | Path
Results = "Run | str | Path"


class ResultsWarning(UserWarning):
    """A note about the results that were read, such as an assumption or a skipped file."""


def load(
    path: PathLike,
    *,
    mapping: PathLike | None = None,
    source: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> Run:
    """Read a run folder or another harness's results; ``"PATH::MODEL"`` selects one model.

    ``mapping`` is a TOML file that maps tasks to groups. ``source`` is the group that the models
    were tuned on. ``fields`` maps transferscope's field names to the columns of the file
    (``{"response": "output"}``). Raises :class:`InputError` if the results can't be read.
    """
    (run,) = _opened([path], mapping=mapping, source=source, fields=fields)
    return run


def compare(
    base: Run | PathLike,
    *tuned: Run | PathLike,
    mapping: PathLike | None = None,
    source: str | None = None,
    fields: Mapping[str, str] | None = None,
    seed: int = 0,
    replicates: int = 10_000,
) -> ComparisonView:
    """Compare tuned models with their base, as ``transferscope compare`` does.

    Scores are in percent, changes in points. Raises :class:`InputError` if the runs have no item
    in common or if results can't be read.
    """
    from .compare import compare_runs
    from .notebook import ComparisonView

    runs = _several(base, tuned, mapping=mapping, source=source, fields=fields)
    found = compare_runs(runs[0], runs[1:], seed=seed, replicates=replicates)
    return ComparisonView.of(found, runs[0], runs[1:])


def rank(
    base: Run | PathLike,
    *tuned: Run | PathLike,
    allowed_loss: float = 2.0,
    mapping: PathLike | None = None,
    source: str | None = None,
    fields: Mapping[str, str] | None = None,
    seed: int = 0,
    replicates: int = 10_000,
) -> Ranking:
    """Rank tuned models by retention, then by source gain, as ``transferscope rank`` does.

    ``allowed_loss`` is the number of points that a group other than the source may lose. Raises
    :class:`InputError` in the same cases as :func:`compare`.
    """
    from .compare.rank import rank as rank_runs

    runs = _several(base, tuned, mapping=mapping, source=source, fields=fields)
    how: dict[str, Any] = {"seed": seed, "replicates": replicates}
    return rank_runs(runs[0], runs[1:], allowed_loss=allowed_loss, **how)


def gate(
    base: Run | PathLike,
    tuned: Run | PathLike,
    policy: Policy | PathLike,
    *,
    previous: Run | PathLike | None = None,
    again: Run | PathLike | None = None,
    mapping: PathLike | None = None,
    source: str | None = None,
    fields: Mapping[str, str] | None = None,
    seed: int = 0,
    replicates: int = 10_000,
) -> GateResult:
    """Judge ``tuned`` by a policy, as ``transferscope gate`` does.

    ``policy`` is a TOML file or a :class:`~transferscope.compare.policy.Policy`. ``previous`` is
    the previous release, ``again`` a second run of the base. The result's ``.verdict`` is PASS,
    REGRESSED or INCONCLUSIVE. Raises :class:`InputError` if the policy or results can't be used.
    """
    from .compare.gate import gate as judge
    from .compare.policy import load_policy

    rules = load_policy(Path(policy)) if isinstance(policy, str | Path) else policy
    extra = {name: run for name, run in (("previous", previous), ("again", again)) if run}
    inputs = [base, tuned, *extra.values()]
    runs = _opened(inputs, mapping=mapping, source=source, fields=fields)
    more: dict[str, Any] = dict(zip(extra, runs[2:], strict=True))
    return judge(runs[0], runs[1], rules, **more, seed=seed, replicates=replicates)


def index(
    scores: PathLike,
    *,
    scale: Literal["unit", "published", "cohort", "per-model"] | None = None,
    definition: Literal["robust", "linear", "relative"] = "robust",
    source: str | None = None,
    seed: int = 0,
) -> TableIndex:
    """Compute the Transferability Index from a CSV file of scores, as ``transferscope index``.

    Raises :class:`InputError` if the table can't be used.
    """
    from .core.table_index import index_file

    return index_file(Path(scores), scale=scale, definition=definition, source=source, seed=seed)


def published() -> Recomputed:
    """Recompute the index of the paper's cohort (arXiv 2507.00432)."""
    from .published import recompute

    return recompute()


def plan(effect: float, discordance: float) -> Plan:
    """Compute how many items are needed to show a change of ``effect`` points with 80 % power.

    ``discordance`` is the share of items (0 to 1) that only one of the two models gets right.
    Raises :class:`InputError` if no experiment can have these values.
    """
    from .compare.sample_size import plan as planned

    return planned(effect, discordance)


def score(
    grader: str,
    file: PathLike,
    gold: PathLike | None = None,
    *,
    out: PathLike | None = None,
    fields: Mapping[str, str] | None = None,
    tick: Tick = no_tick,
) -> Scored:
    """Grade saved responses, as ``transferscope score`` does.

    ``grader`` is math, choice, qa, ifeval, mctaco or the name of a plugin's grader. ``gold`` is a
    file of reference answers, ``out`` a JSONL file to write. Raises :class:`InputError` if a file
    can't be read.
    """
    from .grade.score import score as score_file

    paths = [None if path is None else Path(path) for path in (gold, out)]
    return score_file(grader, Path(file), paths[0], columns=fields or {}, out=paths[1], tick=tick)


def audit(
    responses: PathLike, base: PathLike | None = None, *, fields: Mapping[str, str] | None = None
) -> Audit:
    """Flag artefacts in saved answers, as ``transferscope audit`` does.

    ``base`` is a file with the base model's answers to the same items; the style and script flags
    need it. Raises :class:`InputError` if a file can't be read.
    """
    from .grade.audit import audit as audit_file

    beside = None if base is None else Path(base)
    return audit_file(Path(responses), beside, columns=fields or {})


def evaluate(
    model: str,
    suite: Suite | PathLike = "mini",
    *,
    out: PathLike,
    engine: str = "hf",
    engine_args: Mapping[str, str] | None = None,
    limit: int | None = None,
    max_tokens: int | None = None,
    seed: int = 0,
    dtype: str = "auto",
    template: bool = True,
    thinking: bool | None = None,
    data: PathLike | None = None,
    base: str | None = None,
    tick: Tick = no_tick,
) -> Run:
    """Evaluate a model on a suite, write the run folder ``out`` and return the run.

    ``limit`` is the number of items per benchmark; the default is the suite's own number for
    benchmarks read from files, else 40. ``max_tokens`` caps the length of all answers. Without
    ``template``, the model's chat template is not applied; ``thinking`` switches its reasoning on
    or off (``None``: its template's own default). A second call resumes where the first stopped.
    Raises :class:`InputError` if the settings can't be used, and :class:`MissingExtra` if the
    packages of ``[eval]`` are not installed.
    """
    from .core.suite import Suite, load_suite
    from .engines.prompt_form import PromptForm
    from .evaluate import default_limit, evaluate_model
    from .runs import read_run

    chosen = suite if isinstance(suite, Suite) else load_suite(str(suite))
    how: dict[str, Any] = {"engine": engine, "engine_args": dict(engine_args or {})}
    how |= {"dtype": dtype, "seed": seed, "base": base, "tick": tick}
    how |= {"n": default_limit(chosen) if limit is None else limit, "max_tokens": max_tokens}
    how["form"] = PromptForm(template, thinking)
    where = None if data is None else Path(data)
    evaluate_model(model, chosen, Path(out), data=where, **how)
    return read_run(out)


def probe_hidden(
    base: str, tuned: str, texts: PathLike | Sequence[str], *, tick: Tick = no_tick, **options: Any
) -> HiddenShift:
    """Measure how far hidden states moved: PCA shift, CKA and relative L2 by layer.

    ``texts`` are strings, a JSONL file or a run folder. ``options`` are the keyword arguments of
    :func:`~transferscope.probe.hidden.hidden_features` (``pooling``, ``dtype``, ``max_tokens``,
    ``batch_tokens``, ``device_map``). Raises :class:`InputError` if the models can't be compared.
    """
    from .core.labels import Labels
    from .probe.jobs import Split, probe_hidden
    from .probe.texts import Texts, open_texts

    rows = open_texts(texts) if isinstance(texts, str | Path) else Texts(list(texts), Labels([]))
    found = probe_hidden(base, tuned, rows, Split(), tick=tick, **options)
    assert found is not None, "only a probe that is split into shards can lack a result"
    return found


def probe_tokens(
    base: str,
    tuned: str,
    responses: PathLike | Sequence[tuple[str, str]],
    *,
    prefix: Literal["tuned", "base", "shared"] = "shared",
    tick: Tick = no_tick,
    **options: Any,
) -> TokenShift:
    """Measure how next-token distributions moved along responses: KL both ways, JS and ranks.

    ``responses`` are pairs of prompt and response, a JSONL file or a run folder. ``prefix`` says
    which model wrote them. ``options`` are the keyword arguments of
    :func:`~transferscope.probe.tokens.token_positions`. Raises :class:`InputError` if the models'
    tokenizers differ.
    """
    from .core.labels import Labels
    from .probe.jobs import Split, probe_tokens
    from .probe.texts import ResponseRow, Responses, open_responses

    if isinstance(responses, str | Path):
        rows = open_responses(responses)
    else:
        rows = Responses([ResponseRow(*pair) for pair in responses], Labels([]))
    found = probe_tokens(base, tuned, rows, Split(), prefix=prefix, tick=tick, **options)
    assert found is not None, "only a probe that is split into shards can lack a result"
    return found[1]


def probe_weights(base: str, tuned: str, *, tick: Tick = no_tick) -> WeightShift:
    """Measure how much of the weights changed, by layer and kind of matrix.

    Raises :class:`InputError` if the models have no tensors in common.
    """
    from .probe.weights import weights_shift

    return weights_shift(base, tuned, tick=tick)


def study(
    file: PathLike,
    *,
    out: PathLike | None = None,
    data: PathLike | None = None,
    dtype: str = "auto",
    tick: Tick = no_tick,
) -> ReportInput:
    """Run a controlled study from one TOML file, and return what its report shows.

    ``out`` is the folder for its stages; the default is next to the file. A second call resumes
    where the first stopped. Raises :class:`InputError` if the study can't be run.
    """
    from .study import load_study, run_study

    file = Path(file)
    folder = file.with_suffix("") if out is None else Path(out)
    where = None if data is None else Path(data)
    return run_study(load_study(file), folder, data=where, dtype=dtype, tick=tick, say=_warn)


def _several(base: Run | PathLike, tuned: Iterable[Run | PathLike], **how: Any) -> list[Run]:
    from .core.errors import InputError

    inputs = list(tuned)
    if not inputs:
        raise InputError("no tuned run given", remedy="name at least one run after the base")
    return _opened([base, *inputs], tuned=True, **how)


def _opened(
    inputs: Sequence[Run | PathLike],
    *,
    mapping: PathLike | None,
    source: str | None,
    fields: Mapping[str, str] | None,
    tuned: bool = False,
) -> list[Run]:
    """Open runs; temporary files of imported results are kept until all runs are released."""
    from .runs.importers.open_runs import open_runs

    stack = ExitStack()
    try:
        runs = open_runs(
            inputs,
            stack,
            mapping=None if mapping is None else Path(mapping),
            source=source,
            columns=fields or {},
            tuned=tuned,
            say=_warn,
        )
    except BaseException:  # Ctrl-C must not leave temporary files behind either
        stack.close()
        raise
    left = {id(run) for run in runs}

    def gone(key: int) -> None:
        left.discard(key)
        if not left:
            stack.close()

    for run in runs:
        weakref.finalize(run, gone, id(run))
    return runs


def _warn(text: str) -> None:
    """Issue a warning that points to the line of the user's code."""
    level, frame = 1, sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith("transferscope"):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    warnings.warn(text, ResultsWarning, stacklevel=level)

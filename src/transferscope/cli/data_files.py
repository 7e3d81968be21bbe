"""The command ``data``: where a suite's data files come from, and which of them are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..core.errors import InputError
from ..core.shown import sentence
from .shared import Json, app, print_json, say
from .tables import print_table

if TYPE_CHECKING:
    from ..core.suite import Suite
    from ..tasks import Benchmark
    from ..tasks.paper.data_folder import Drawn, Stored


@app.command
def data(
    *,
    suite: str = "paper",
    data: Path | None = None,
    download: Annotated[bool, Parameter(negative=())] = False,
    as_json: Json = False,
) -> None:
    """List the data files of a suite: sources, licences, sizes, and which of them are there.

    Parameters
    ----------
    suite
        A built-in suite or a suite file.
    data
        Folder of the files (default: a folder in the cache, which eval reads too).
    download
        Download the missing files from the Hugging Face hub. HF_TOKEN and HF_ENDPOINT apply.
    """
    from ..core.suite import load_suite
    from ..tasks.paper.data_folder import default_folder, drawn, missing, stored

    folder = default_folder() if data is None else data
    benchmarks = _benchmarks(load_suite(suite))
    refused: Mapping[str, str] = {}
    if download:
        from ..tasks.paper.hub_download import download_all

        lacking = missing(stored(folder, benchmarks))
        refused = download_all(lacking, folder, tell=lambda file: say(f"wrote {file}"))
    found = stored(folder, benchmarks)
    counts = {name: drawn(name, each.items, folder) for name, each in benchmarks.items()}
    if as_json:
        print_json(_document(folder, found, counts))
    else:
        _print(folder, found, counts)
    _refuse(refused)


def _benchmarks(suite: Suite) -> Mapping[str, Benchmark]:
    """The benchmarks of ``suite`` that are read from files."""
    from ..tasks import FILE_PACKS, all_packs, find_benchmark

    packs, place = all_packs(), f"suite {suite.name} [benchmarks.{{}}]"
    found = {
        name: find_benchmark(own.pack, name, packs, place=place.format(name))
        for name, own in suite.benchmarks.items()
        if own.pack in FILE_PACKS
    }
    if not found:
        remedy = "name a suite that reads files: paper, authors, fixed, paper-lite, real"
        raise InputError("needs no data files", place=f"suite {suite.name}", remedy=remedy)
    return found


def _refuse(refused: Mapping[str, str]) -> None:
    """Report files that were not downloaded, one line for each reason; the last is the error."""
    reasons: dict[str, list[str]] = {}
    for target, why in refused.items():
        reasons.setdefault(why, []).append(target)
    lines = [f"not downloaded: {', '.join(targets)}; {why}" for why, targets in reasons.items()]
    for line in lines[:-1]:
        say(line)
    if lines:
        raise InputError(lines[-1])


def _document(folder: Path, found: Sequence[Stored], counts: Mapping[str, Drawn]) -> dict[str, Any]:
    files = [
        asdict(each.source)
        | {"pinned": each.source.pinned, "page": each.source.page, "state": each.state}
        | {"found": [str(file) for file in each.files]}
        for each in found
    ]
    return {
        "folder": str(folder),
        "files": files,
        "benchmarks": [asdict(count) for count in counts.values()],
    }


def _print(folder: Path, found: Sequence[Stored], counts: Mapping[str, Drawn]) -> None:
    print(f"data folder: {sentence(folder)}\n")
    rows = [(*_row(each, counts), each.source.licence) for each in found]
    heads = ("file", "there", "items", "size", "licence")
    print_table(heads, rows, right=frozenset({"items", "size"}))
    print("\nsources, on https://huggingface.co/datasets:")
    for each in found:
        source = each.source
        files = source.files[0]
        if len(source.files) > 1:
            files = f"{files} and {len(source.files) - 1} more, put together"
        revision = source.revision[:12] if source.pinned else f"{source.revision} (not pinned)"
        gated = "; needs an account" if source.gated else ""
        print(f"  {source.target}: {source.dataset}\n    {files} at {revision}{gated}")
    for count in counts.values():
        if count.fault and all(s.files for s in found if s.source.benchmark == count.benchmark):
            say(f"{count.benchmark}: {count.fault}")
    for each in found:
        if each.state == "missing" and counts[each.source.benchmark].items is not None:
            say(f"{each.source.benchmark} is read from other files, without {each.source.target}")
    lacking = [each.source.target for each in found if each.state == "missing"]
    if lacking:
        say(f"missing: {', '.join(lacking)}; add --download, or copy them into the folder")


def _row(each: Stored, counts: Mapping[str, Drawn]) -> tuple[str, str, str, str]:
    """Name, state, number of items of the whole benchmark, and size."""
    count = counts[each.source.benchmark]
    state = {"found": "yes", "missing": "no", "several": "several"}[each.state]
    if each.state == "found" and count.fault:
        state = "unusable"
    shown = each.files[0].name if each.state == "found" else each.source.target
    size = sum(file.stat().st_size for file in each.files) or each.source.size
    megabytes = "" if size is None else f"{size / 1e6:,.1f} MB"
    return shown, state, "" if count.items is None else f"{count.items:,}", megabytes

"""Where the files of the paper's benchmarks come from: hub data sets at pinned revisions.

The revisions are commits that public evaluation code pins. Where none was found, the file is taken
from the hub's own conversion to parquet (the branch ``refs/convert/parquet``), and its revision is
not pinned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

HUB = "https://huggingface.co/datasets"
CONVERTED = "refs/convert/parquet"
"""The branch on which the hub keeps a data set as parquet."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file of the data folder, and the files of a hub data set that it is made of.

    ``target`` is its name in the data folder, ``start`` the beginning by which the reader finds it,
    and ``instead`` lists beginnings of other files that also serve the benchmark. ``rows`` and
    ``size`` (bytes, of all ``files``) are ``None`` if they aren't known. A ``gated`` data set needs
    an account that has accepted its terms.
    """

    benchmark: str
    target: str
    start: str
    dataset: str
    revision: str
    files: tuple[str, ...]
    licence: str
    rows: int | None = None
    size: int | None = None
    gated: bool = False
    instead: tuple[str, ...] = ()

    @property
    def pinned(self) -> bool:
        """Whether ``revision`` is a commit."""
        return _COMMIT.fullmatch(self.revision) is not None

    @property
    def page(self) -> str:
        """The data set's page on the hub."""
        return f"{HUB}/{self.dataset}"


_HALUEVAL = "12a856119f03975a94509091e8cada3e6be6ead7"
_LIVECODEBENCH = "0fe84c3912ea0c4d4a78037083943e8f0c4dd505"
_ACPBENCH_TASKS = ("app", "areach", "just", "land", "prog", "reach", "val")

SOURCES = (
    Source(
        benchmark="MATH-500",
        target="math500.jsonl",
        start="math500",
        dataset="HuggingFaceH4/MATH-500",
        revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
        files=("test.jsonl",),
        licence="MIT",
        rows=500,
    ),
    Source(
        benchmark="AIME24",
        target="aime24.parquet",
        start="aime24",
        dataset="HuggingFaceH4/aime_2024",
        revision="2fe88a2f1091d5048c0f36abc874fb997b3dd99a",
        files=("data/train-00000-of-00001.parquet",),
        licence="not stated",
        rows=30,
    ),
    Source(
        benchmark="AIME25",
        target="aime25.jsonl",
        start="aime25",
        dataset="math-ai/aime25",
        revision="563bb8404243c5f09de6ec262f2db674fe5bce9b",
        files=("test.jsonl",),
        licence="not stated",
        rows=30,
        size=15_813,
    ),
    Source(
        benchmark="OlympiadBench",
        target="olympiadbench.parquet",
        start="olympiadbench",
        dataset="Hothan/OlympiadBench",
        revision="91184b52131e7fc9455fef848035173aea8cc01a",
        files=("OlympiadBench/OE_TO_maths_en_COMP/OE_TO_maths_en_COMP.parquet",),
        licence="Apache-2.0",
        rows=674,
    ),
    *(
        Source(
            benchmark="LiveCodeBench-v2",
            target=f"livecodebench_{name}",
            start=f"livecodebench_{name.removesuffix('jsonl')}",
            dataset="livecodebench/code_generation_lite",
            revision=_LIVECODEBENCH,
            files=(name,),
            licence="see its page",
            rows=rows,
            size=size,
            instead=("livecodebench_test", "leetcode_contest"),
        )
        for name, rows, size in (
            ("test.jsonl", 400, 1_252_609_773),
            ("test2.jsonl", 111, 713_377_060),
        )
    ),
    Source(
        benchmark="GPQA-Diamond",
        target="gpqa_diamond.csv",
        start="gpqa",
        dataset="Idavidrein/gpqa",
        revision="633f5ee89ab8ad4522a9f850766b73f62147ffdd",
        files=("gpqa_diamond.csv",),
        licence="CC BY 4.0",
        rows=198,
        size=1_373_492,
        gated=True,
    ),
    Source(
        benchmark="ACPBench",
        target="acpbench.jsonl",
        start="acpbench",
        dataset="ibm-research/acp_bench",
        revision="05e5883d9afbcfa3bdc8f270cb345ef0b9526d4a",
        files=tuple(f"acp_{task}_mcq/test.parquet" for task in _ACPBENCH_TASKS),
        licence="CDLA-Permissive-2.0",
        rows=900,
    ),
    Source(
        benchmark="HeadQA",
        target="headqa_en.jsonl",
        start="headqa",
        dataset="dvilares/head_qa",
        revision=CONVERTED,
        files=("en/test/0000.parquet",),
        licence="MIT",
        rows=2742,
    ),
    Source(
        benchmark="CoQA",
        target="coqa.parquet",
        start="coqa",
        dataset="EleutherAI/coqa",
        revision=CONVERTED,
        files=("default/validation/0000.parquet",),
        licence="by domain",
        rows=500,
    ),
    Source(
        benchmark="IFEval",
        target="ifeval.jsonl",
        start="ifeval",
        dataset="google/IFEval",
        revision="966cd89545d6b6acfd7638bc708b98261ca58e84",
        files=("ifeval_input_data.jsonl",),
        licence="Apache-2.0",
        rows=541,
    ),
    *(
        Source(
            benchmark="HaluEval",
            target=f"halueval_{part}.parquet",
            start=f"halueval_{part}",
            dataset="pminervini/HaluEval",
            revision=_HALUEVAL,
            files=(f"{part}/data-00000-of-00001.parquet",),
            licence="Apache-2.0",
            rows=10_000,
        )
        for part in ("qa", "dialogue", "summarization")
    ),
    Source(
        benchmark="MC-TACO",
        target="mctaco.parquet",
        start="mctaco",
        dataset="CogComp/mc_taco",
        revision=CONVERTED,
        files=("plain_text/test/0000.parquet",),
        licence="not stated",
        rows=9442,
    ),
    Source(
        benchmark="GSM8K",
        target="gsm8k.parquet",
        start="gsm8k",
        dataset="openai/gsm8k",
        revision="740312add88f781978c0658806c59bc2815b9866",
        files=("main/test-00000-of-00001.parquet",),
        licence="MIT",
        rows=1319,
    ),
)
"""All files, in the order of the paper's suite; GSM8K belongs to the suite ``real``."""


def sources_of(benchmarks: Iterable[str]) -> list[Source]:
    """The files that the named benchmarks are read from, in the order of :data:`SOURCES`."""
    wanted = set(benchmarks)
    return [source for source in SOURCES if source.benchmark in wanted]

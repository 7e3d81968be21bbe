"""Real benchmarks from the user's files, with their original field names; nothing is downloaded.

``eval --data DIR`` gives the folder of JSON-lines files (:mod:`.local_files`). The prompts are
worded by this package and the same for every model.
"""

from __future__ import annotations

from ..definition import Benchmark
from . import coqa, gsm8k, headqa, ifeval_prompts, mctaco_candidates

BENCHMARKS: dict[str, Benchmark] = {
    "GSM8K": gsm8k.BENCHMARK,
    "HeadQA": headqa.BENCHMARK,
    "CoQA": coqa.BENCHMARK,
    "IFEval": ifeval_prompts.BENCHMARK,
    "MC-TACO": mctaco_candidates.BENCHMARK,
}

"""The paper's twelve benchmarks, from the user's files; nothing is downloaded.

``eval --data DIR`` gives the folder of files with their original field names (:mod:`.local_files`).
Each benchmark is a file here, and its ``PRESETS`` are the packs it is in:

- ``paper`` follows the paper's text,
- ``authors`` does what the released code did,
- ``fixed`` is what a careful evaluator does, with the faulty graders beside it as twins.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..definition import Benchmark, Pack
from . import coqa, gsm8k, headqa, ifeval_prompts, livecodebench, mctaco_candidates

_BENCHMARKS: Mapping[str, Mapping[str, Benchmark]] = {
    "GSM8K": gsm8k.PRESETS,
    "LiveCodeBench-v2": livecodebench.PRESETS,
    "HeadQA": headqa.PRESETS,
    "CoQA": coqa.PRESETS,
    "IFEval": ifeval_prompts.PRESETS,
    "MC-TACO": mctaco_candidates.PRESETS,
}
PRESETS: Mapping[str, Pack] = {
    preset: {name: presets[preset] for name, presets in _BENCHMARKS.items() if preset in presets}
    for preset in ("paper", "authors", "fixed")
}
"""The packs, by name."""

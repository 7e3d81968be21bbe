"""The paper's twelve benchmarks, from the user's files; nothing is downloaded.

``eval --data DIR`` gives the folder of files with their original field names (:mod:`.local_files`).
Each benchmark is a file here, and its ``PRESETS`` are the packs it is in:

- ``paper`` follows the paper's text,
- ``authors`` does what the released code did,
- ``fixed`` is what a careful evaluator does, with the faulty graders beside it as twins,
- ``short`` is ``fixed`` with short answers, for the suite ``real`` and small models.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..definition import Benchmark, Pack
from . import (
    acpbench,
    aime,
    coqa,
    gpqa,
    gsm8k,
    halueval,
    headqa,
    ifeval_prompts,
    livecodebench,
    math500,
    mctaco_candidates,
    olympiadbench,
)

_BENCHMARKS: Mapping[str, Mapping[str, Benchmark]] = {
    "MATH-500": math500.PRESETS,
    "AIME24": aime.AIME24,
    "AIME25": aime.AIME25,
    "OlympiadBench": olympiadbench.PRESETS,
    "GSM8K": gsm8k.PRESETS,
    "LiveCodeBench-v2": livecodebench.PRESETS,
    "GPQA-Diamond": gpqa.PRESETS,
    "ACPBench": acpbench.PRESETS,
    "HeadQA": headqa.PRESETS,
    "CoQA": coqa.PRESETS,
    "IFEval": ifeval_prompts.PRESETS,
    "HaluEval": halueval.PRESETS,
    "MC-TACO": mctaco_candidates.PRESETS,
}
PRESETS: Mapping[str, Pack] = {
    preset: {name: presets[preset] for name, presets in _BENCHMARKS.items() if preset in presets}
    for preset in ("paper", "authors", "fixed", "short")
}
"""The packs, by name."""

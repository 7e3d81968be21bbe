"""Tasks of one file that become one benchmark are said, those that are parts by nature are not."""

import json
from pathlib import Path

from transferscope.core.taxonomy import load_taxonomy
from transferscope.runs.importers import import_results
from transferscope.runs.importers.explain import explain
from transferscope.runs.importers.foreign_run import Taken
from transferscope.runs.importers.pooled import pooled

SAID = (
    "nq_open and Natural Questions are pooled, because all are mapped to nq_open; remove one of "
    "them, or give it an entry of its own in a --map file"
)


def test_two_names_of_one_benchmark_are_said(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    rows = [
        {"benchmark": task, "id": str(at), "score": at % 2}
        for task in ("nq_open", "Natural Questions", "mmlu_anatomy", "mmlu_virology")
        for at in range(4)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert import_results(file, tmp_path / "run").notes == (SAID,)
    assert explain(file).notes == (SAID,)


def test_what_is_left_out_or_named_once_is_not_pooled() -> None:
    taxonomy = load_taxonomy()
    taken = [Taken("a", "gsm8k", "gsm8k"), Taken("b", "gsm8k", "gsm8k"), Taken("a", "own", "own")]
    gone = Taken("a", "gsm8k_5shot", "gsm8k", left_out="not comparable")
    assert pooled([*taken, gone], taxonomy) == ()
    shots = [Taken("a", f"gsm8k_{n}shot", "gsm8k") for n in range(6)]
    (said,) = pooled(shots, taxonomy)
    assert said.startswith("gsm8k_0shot, gsm8k_1shot, gsm8k_2shot, gsm8k_3shot and 2 more are pool")

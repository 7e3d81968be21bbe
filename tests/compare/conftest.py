"""Runs written to disk from score arrays."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from transferscope.core.records import ModelRef, Outcome, Response
from transferscope.core.suite import Suite
from transferscope.runs import Manifest, Run, RunWriter, read_run

SUITE = Suite.model_validate(
    {
        "name": "law",
        "source": "law",
        "groups": {"law": ["cases", "statutes"], "rest": ["chat"]},
        "benchmarks": {
            "cases": {"pack": "p"},
            "statutes": {"pack": "p", "chance": 0.25},
            "chat": {"pack": "p"},
        },
    }
)
WriteRun = Callable[..., Run]


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    def write(
        name: str,
        scores: Mapping[str, Sequence[float | Sequence[float]]],
        *,
        flags: Mapping[tuple[str, int], tuple[str, ...]] | None = None,
        clusters: Mapping[str, Sequence[str]] | None = None,
        order: int = 1,
        first: int = 0,
    ) -> Run:
        manifest = Manifest(ModelRef(name), SUITE.model_dump(mode="json"), SUITE.hash, limit=None)
        with RunWriter.open(tmp_path / name, manifest) as writer:
            for benchmark, values in scores.items():
                rows, texts = [], []
                for at, value in list(enumerate(values, start=first))[::order]:
                    repeats = value if isinstance(value, Sequence) else [value]
                    for repeat, score in enumerate(repeats):
                        rows.append(
                            Outcome(
                                benchmark,
                                f"{at:04}",
                                float(score),
                                repeat=repeat,
                                cluster=clusters[benchmark][at - first] if clusters else "",
                                chance=SUITE.benchmarks[benchmark].chance
                                if benchmark in SUITE.benchmarks
                                else 0.0,
                                flags=(flags or {}).get((benchmark, at), ()),
                                message_hash=f"m{at}",
                            )
                        )
                        text = f"{name} says {score}"
                        texts.append(Response(f"{at:04}", repeat, f"question {at}", text))
                writer.write_benchmark(benchmark, rows, texts)
        return read_run(tmp_path / name)

    return write

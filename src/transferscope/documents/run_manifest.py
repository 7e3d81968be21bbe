"""``run.json``: what was evaluated, how, and which results are committed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field

from ..core.records import ModelRef
from ..core.suite import Suite
from ..core.typed_record import Absent, Document, record

Score = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]


@record()
class Committed:
    """A complete benchmark: where its lines in outcomes.jsonl end, and how many there are.

    ``failed`` is the number of its requests that got no answer.
    """

    outcomes_bytes: Count
    n: Count
    failed: Absent[Count] = 0


@record()
class Manifest(Document):
    """Content of ``run.json``.

    ``suite`` is the whole suite, so that a run is self-contained. ``decoding`` maps a benchmark to
    how its answers were generated. The other maps describe results imported from other harnesses:
    ``left_out`` maps a task that could not be imported to the reason; ``metrics`` maps a benchmark
    that was scored in several ways to its scores (0..1) by metric and filter, with the metric of
    the outcomes first; ``contradictions`` maps a benchmark whose samples don't give the reported
    score to what differs. ``shard`` (like ``"2/8"``) says that the run holds this share of the
    items only.
    """

    model: ModelRef
    suite: Mapping[str, Any]
    suite_hash: str
    engine: Mapping[str, Any] = field(default_factory=dict)
    decoding: Mapping[str, Any] = field(default_factory=dict)
    template: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    provenance: str = "evaluated"
    status: Literal["running", "complete"] = "running"
    seed: int = 0
    limit: int | None = None
    schema: Literal[1] = 1
    complete: Mapping[str, Committed] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    contradictions: Mapping[str, str] = field(default_factory=dict)
    shard: Absent[Annotated[str, Field(pattern=r"^[0-9]{1,4}/[0-9]{1,4}$")] | None] = None

    @property
    def committed(self) -> int:
        """Number of bytes of outcomes.jsonl that belong to committed benchmarks."""
        return max((entry.outcomes_bytes for entry in self.complete.values()), default=0)

    @property
    def failed(self) -> int:
        """Number of requests without an answer; rerunning the same command retries them."""
        return sum(entry.failed for entry in self.complete.values())

    def load_suite(self) -> Suite:
        """The suite as an object."""
        return Suite.model_validate(self.suite)

    def identity(self) -> dict[str, Any]:
        """What must match for a run to be resumed, under the names that users know.

        The number of items of an evaluated run may grow.
        """
        return {
            "model": self.model.name,
            "engine": self.engine.get("engine"),
            "model fingerprint": self.model.fingerprint,
            "base": self.model.base,
            "suite": self.suite_hash,
            "decoding": _plain(self.decoding),
            "seed": self.seed,
            "limit": None if self.provenance == "evaluated" else self.limit,
            "chat template": self.template,
            "dtype": self.engine.get("dtype"),
            "tokenizer": self.engine.get("tokenizer"),
            "strict": self.engine.get("strict"),
            "use of the chat template": self.engine.get("chat_template"),
            "thinking": self.engine.get("thinking"),
            "provenance": self.provenance,
            "shard": self.shard,
        }


def _plain(value: Any) -> Any:
    """``value`` as it is after a round trip through JSON: lists for tuples, string keys."""
    return json.loads(json.dumps(value))

"""Shards of an evaluation give, merged, the folder that one process writes, byte by byte."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import Decoding, NoAnswer
from transferscope.core.shard import Shard, all_shards
from transferscope.core.suite import parse_suite
from transferscope.engines import FakeEngine, HFEngine
from transferscope.evaluate import evaluate
from transferscope.evaluate.merge_shards import merge_shards
from transferscope.runs import read_run

from .test_run import PACKS, REF, SAID, fake, question, suite

PACKED = {
    "tiny": {
        **PACKS["tiny"],
        "sums": replace(
            PACKS["tiny"]["sums"], twins={"lenient": lambda item, reply: float(len(reply) == 1)}
        ),
    }
}
OPTIONS: dict[str, Any] = {"model_ref": REF, "n": 4, "seed": 1, "packs": PACKED}


def content(folder: Path) -> dict[str, bytes]:
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {name: text for name, text in files.items() if name != ".run.lock"}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return evaluate(fake(), suite(repeats=2), tmp_path / "whole", **OPTIONS)


def shards(folder: Path, of: int, **options: Any) -> list[Path]:
    return [
        evaluate(
            fake(),
            suite(repeats=2),
            folder / f"{shard.number}-of-{of}",
            shard=shard,
            **OPTIONS | options,
        )
        for shard in all_shards(of)
    ]


@pytest.mark.parametrize("of", [1, 2, 3, 4])
def test_merged_shards_are_the_run_of_one_process(tmp_path: Path, whole: Path, of: int) -> None:
    parts = shards(tmp_path, of)
    merged = merge_shards(tmp_path / "merged", parts[::-1], packs=PACKED)
    assert content(merged) == content(whole)
    metrics = read_run(merged).manifest.metrics["sums"]
    assert metrics == {"score": pytest.approx(0.5), "lenient": pytest.approx(0.5)}
    # Again: nothing changes.
    before = content(merged)
    merge_shards(merged, parts, packs=PACKED)
    assert content(merged) == before


def test_clusters_stay_together_and_the_shard_is_recorded(tmp_path: Path, whole: Path) -> None:
    """Four sums in two stories: the third shard of three has colours only."""
    parts = [read_run(path) for path in shards(tmp_path, 3)]
    clusters = [{o.cluster for o in run.by_benchmark.get("sums", ())} for run in parts]
    assert clusters == [{"story0"}, {"story1"}, set()]
    assert [len(run.by_benchmark["colours"]) for run in parts] == [2, 1, 1]
    assert [run.manifest.shard for run in parts] == ["1/3", "2/3", "3/3"]
    assert "shard" not in json.loads((whole / "run.json").read_text())
    with pytest.raises(InputError, match="a different shard: it has 1/3, requested 2/3"):
        evaluate(fake(), suite(repeats=2), parts[0].path, shard=Shard(2, 3), **OPTIONS)


def test_a_shard_can_grow(tmp_path: Path) -> None:
    parts = shards(tmp_path, 2, n=2)
    assert shards(tmp_path, 2) == parts
    grown = merge_shards(tmp_path / "merged", parts, packs=PACKED)
    whole = evaluate(fake(), suite(repeats=2), tmp_path / "whole", **OPTIONS)
    assert content(grown) == content(whole)


def test_a_request_that_failed_is_merged_as_failed_and_later_replaced(tmp_path: Path) -> None:
    class Streams(FakeEngine):
        broken = True

        def generate_each(self, prompts: Any, decoding: Any, *, nth: Any) -> Any:
            for at, prompt in enumerate(prompts):
                lost = self.broken and question(prompt) == "1+1?"
                (answer,) = self.generate([prompt], decoding)
                yield at, NoAnswer("lost") if lost else answer

        def loglikelihoods_each(self, pairs: Any) -> Any:
            yield from enumerate(self.loglikelihoods(pairs))

    engine = Streams(lambda prompt: SAID[question(prompt)])

    def run() -> Path:
        parts = [
            evaluate(engine, suite(), tmp_path / str(shard.number), shard=shard, **OPTIONS)
            for shard in all_shards(2)
        ]
        return merge_shards(tmp_path / "merged", parts, packs=PACKED)

    partial = read_run(run())
    assert [(f.id, f.why) for f in partial.failures] == [("s1-1", "lost")]
    assert [o.id for o in partial.by_benchmark["sums"]] == ["s1-0", "s1-2", "s1-3"]
    engine.broken = False
    mended = read_run(run())
    assert mended.failures == ()
    assert {o.id for o in mended.by_benchmark["sums"]} == {f"s1-{i}" for i in range(4)}
    assert mended.manifest.metrics["sums"]["lenient"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("named", "what"),
    [
        ([], "no shard is named"),
        ([1, 3], r"2 of 3 shards are named, missing: 2/3; run eval with --shard 2/3"),
        ([1, 2, 3, 2], r"is shard 2/3, and so is .*2-of-3; name each shard once"),
        ([1, "copy", 2, 3], r"copy: is shard 1/3, and so is"),
        ([1, "whole"], "whole: is not a shard of a run; name folders that eval --shard"),
        ([1, "seed"], r"seed: is a shard of another evaluation: seed differs from .*1-of-3"),
        ([1, "limit"], "limit: is a shard of another evaluation: limit differs"),
        ([1, "of"], "of: is a shard of another evaluation: number of shards differs"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, whole: Path, named: list[Any], what: str
) -> None:
    parts = dict(enumerate(shards(tmp_path, 3), start=1))
    shutil.copytree(parts[1], tmp_path / "copy")
    for name, change in {
        "seed": {"seed": 2},
        "limit": {"n": 3},
        "of": {"shard": Shard(2, 4)},
    }.items():
        given = OPTIONS | {"shard": Shard(2, 3)} | change
        engine = FakeEngine(lambda prompt: "1")
        evaluate(engine, suite(repeats=2), tmp_path / name, **given)
    paths = [parts[each] if isinstance(each, int) else tmp_path / each for each in named]
    with pytest.raises(InputError, match=what) as told:
        merge_shards(tmp_path / "merged", paths, packs=PACKED)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "merged").exists()


def test_items_of_other_data_are_refused(tmp_path: Path) -> None:
    parts = shards(tmp_path, 2)
    fewer = replace(PACKED["tiny"]["sums"], items=lambda n, *, seed, data: _sums(2))
    more = replace(PACKED["tiny"]["sums"], items=lambda n, *, seed, data: _sums(6))
    for items, what in ((fewer, "has other items of sums"), (more, "lacks items of sums")):
        packs = {"tiny": PACKED["tiny"] | {"sums": items}}
        with pytest.raises(InputError, match=what):
            merge_shards(tmp_path / "merged", parts, packs=packs)


def _sums(n: int) -> Any:
    return PACKS["tiny"]["sums"].items(n, seed=1, data=None)


def test_more_shards_than_items(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="shard 5/5 has no item of any benchmark; split into fewer"
    ):
        evaluate(fake(), suite(), tmp_path / "run", shard=Shard(5, 5), **OPTIONS)


def test_mini_clusters_and_order(tmp_path: Path) -> None:
    """A built-in pack: passages with four questions each, and choices."""
    toml = """
    name = "passages"
    source = "math"
    [groups]
    math = ["chains"]
    non = ["dialogue_reading", "supported"]
    [benchmarks]
    chains = {pack = "mini"}
    dialogue_reading = {pack = "mini"}
    supported = {pack = "mini"}
    """
    chosen = parse_suite(toml, place="test")
    options: dict[str, Any] = {"model_ref": REF, "n": 18}
    engine = FakeEngine(lambda prompt: str(len(prompt)))
    whole = evaluate(engine, chosen, tmp_path / "whole", **options)
    parts = [
        evaluate(engine, chosen, tmp_path / str(shard.number), shard=shard, **options)
        for shard in all_shards(4)
    ]
    clusters = [{o.cluster for o in read_run(part).outcomes if o.cluster} for part in parts]
    assert sum(map(len, clusters)) == len(set.union(*clusters))
    assert content(merge_shards(tmp_path / "merged", parts)) == content(whole)


def test_sampled_answers_of_a_model_do_not_depend_on_the_shard(
    tiny_model: Path, tmp_path: Path
) -> None:
    """transformers on the processor in float32; batches of other sizes and lengths."""
    decoding = Decoding(temperature=1.0, top_p=0.95, max_tokens=8)
    packs = {"tiny": PACKS["tiny"] | {"sums": replace(PACKS["tiny"]["sums"], decoding=decoding)}}
    engine = HFEngine(str(tiny_model), dtype="float32")
    options = OPTIONS | {"packs": packs, "n": 6}
    whole = evaluate(engine, suite(repeats=3), tmp_path / "whole", **options)
    parts = [
        evaluate(engine, suite(repeats=3), tmp_path / str(shard.number), shard=shard, **options)
        for shard in all_shards(3)
    ]
    assert content(merge_shards(tmp_path / "merged", parts, packs=packs)) == content(whole)
    texts = [each.response for each in read_run(whole).responses("sums").values()]
    assert len(set(texts)) > len(texts) // 2

"""lm-eval's tasks on our engines: samples, groups, flags, failures, resume, and one rule."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval")

from lm_eval.evaluator import evaluate as lm_eval_evaluate

from transferscope.compare import compare_runs
from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef, NoAnswer
from transferscope.core.shard import all_shards
from transferscope.core.suite import Benchmark, Suite
from transferscope.engines import FakeEngine
from transferscope.engines.lm_eval_model import EngineLM
from transferscope.evaluate import evaluate
from transferscope.evaluate.lm_eval_loader import UNMAPPED, LmEvalTasks, plain
from transferscope.evaluate.merge_shards import in_order, merge_shards
from transferscope.evaluate.part_answerer import Part, PartAnswerer
from transferscope.evaluate.quiet import quiet_lm_eval
from transferscope.evaluate.run import prepare
from transferscope.runs import Run, read_run
from transferscope.runs.importers import import_results

from .lm_eval_tasks import write_tasks

REF = ModelRef("fake", fingerprint="f")
SAID = {"0+1?": "It is 1", "1+1?": "2", "2+1?": "It is 9", "3+1?": "It is 4\nor 5"}


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> LmEvalTasks:
    """Without lm-eval's own tasks, which take long to index."""
    return LmEvalTasks(write_tasks(tmp_path_factory.mktemp("lm_eval") / "tasks"), defaults=False)


def question(prompt: str) -> str:
    return prompt.splitlines()[0].removeprefix("user: ")


def fake(calls: list[str] | None = None) -> FakeEngine:
    def answer(prompt: str) -> str:
        if calls is not None:
            calls.append(question(prompt))
        return SAID.get(question(prompt), "no idea")

    return FakeEngine(answer, lambda _, option: -1.0 if "red" in option else -2.0)


def run_of(engine: Any, suite: Suite, out: Path, tasks: LmEvalTasks, **options: Any) -> Run:
    how = {"n": 4, "seed": 1} | options
    return read_run(evaluate(engine, suite, out, model_ref=REF, lm_eval=tasks, **how))


def test_tasks_become_a_suite_by_the_taxonomy(tasks: LmEvalTasks) -> None:
    suite = tasks.suite(["mmlu", "local_sums"], seed=0)
    assert suite.groups == {"other": ("mmlu",), UNMAPPED: ("local_sums",)}
    assert suite.benchmarks["mmlu"] == Benchmark(pack="lm-eval", chance=0.25)
    assert suite.benchmarks["local_sums"].chance is None
    (part,) = tasks.suite(["mmlu_anatomy"], seed=0).benchmarks.values()
    assert part.pack == "lm-eval:mmlu_anatomy"


def test_end_to_end(tasks: LmEvalTasks, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    suite = tasks.suite(["mmlu", "local_sums"], seed=1)
    ticks: list[tuple[str, int, int]] = []
    run = run_of(fake(), suite, tmp_path / "run", tasks, tick=lambda *a: ticks.append(a))
    sums, mmlu = run.by_benchmark["local_sums"], run.by_benchmark["mmlu"]
    # By the first filter: "2" alone is no "It is 2", which the lenient filter finds.
    assert [(o.id, o.score, o.finish, o.tokens) for o in sums] == [
        ("0", 1.0, "stop", 3),
        ("1", 0.0, "stop", 1),
        ("2", 0.0, "stop", 3),
        ("3", 1.0, "stop_string", 3),
    ]
    assert [o.flags for o in sums] == [(), ("extraction_failed",), (), ()]
    assert run.responses("local_sums")["1", 0].response == "2"
    assert [(o.id, o.subset, o.score) for o in mmlu] == [
        (f"{task}:{at}", task, float(at % 3 == 0))
        for task in ("mmlu_anatomy", "mmlu_astronomy")
        for at in range(4)
    ]
    assert {o.chance for o in mmlu} == {0.25}
    assert run.responses("mmlu")["mmlu_anatomy:1", 0].response == "red"
    decoding = run.manifest.decoding["local_sums"]
    assert (decoding["metric"], decoding["filter"]) == ("exact_match", "strict")
    assert (decoding["method"], decoding["do_sample"]) == ("generate_until", False)
    assert run.manifest.versions["task local_sums"] == "3.0"
    assert ticks[0] == ("mmlu", 0, 8)
    assert ticks[-1] == ("local_sums", 4, 4)
    assert capfd.readouterr() == ("", "")
    other = replace(run, manifest=replace(run.manifest, model=ModelRef("other")))
    (compared,) = compare_runs(run, [other]).tuned
    assert {b.benchmark: b.n for b in compared.benchmarks} == {"mmlu": 8, "local_sums": 4}


def test_what_lm_eval_writes_itself_is_read_alike(tasks: LmEvalTasks, tmp_path: Path) -> None:
    """lm-eval's own results of the same engine, through the importer."""
    suite = tasks.suite(["mmlu", "local_sums"], seed=1)
    mine = run_of(fake(), suite, tmp_path / "run", tasks)
    objects = {**tasks.load("mmlu", seed=1, place=""), **tasks.load("local_sums", seed=1, place="")}
    numbers = {name: [0, 1, 2, 3] for name in objects}
    with quiet_lm_eval():
        result = lm_eval_evaluate(
            EngineLM(fake(), benchmark="all", documents=numbers),
            {"tasks": objects, "groups": {}},
            limit=4,
            bootstrap_iters=0,
            apply_chat_template=True,
            fewshot_as_multiturn=True,
        )
    file = tmp_path / "results.json"
    file.write_text(json.dumps({**plain(result), "config": {"model": "fake"}}))
    theirs = read_run(import_results(file, tmp_path / "imported").path)

    def told(run: Run, benchmark: str) -> list[Any]:
        outcomes = run.by_benchmark[benchmark]
        return [(o.id, o.score, o.subset, o.chance, o.message_hash) for o in outcomes]

    for benchmark in ("mmlu", "local_sums"):
        assert told(mine, benchmark) == told(theirs, benchmark)
        assert mine.manifest.decoding[benchmark] == theirs.manifest.decoding[benchmark]


def test_more_items_and_failures_are_asked_and_nothing_else(
    tasks: LmEvalTasks, tmp_path: Path
) -> None:
    class Streams(FakeEngine):
        broken = True

        def generate_each(self, prompts: Any, decoding: Any, *, nth: Any) -> Any:
            for at, prompt in enumerate(prompts):
                (answer,) = self.generate([prompt], decoding)
                yield at, NoAnswer("lost") if self.broken and "1+1?" in prompt else answer

        def loglikelihoods_each(self, pairs: Any) -> Any:
            for at, (prompt, option) in enumerate(pairs):
                asked.append(f"{question(prompt)}{option.strip()}")
                lost = self.broken and asked[-1] == "Colour 2?blue"
                yield at, NoAnswer("lost") if lost else -float(len(option))

    asked: list[str] = []
    suite = tasks.suite(["mmlu", "local_sums"], seed=1)
    engine = Streams(lambda p: asked.append(question(p)) or SAID.get(question(p), ""))
    run = run_of(engine, suite, tmp_path / "run", tasks, n=3)
    assert [(f.benchmark, f.id, f.why) for f in run.failures] == [
        ("mmlu", "mmlu_anatomy:2", "lost"),
        ("mmlu", "mmlu_astronomy:2", "lost"),
        ("local_sums", "1", "lost"),
    ]
    assert [o.id for o in run.by_benchmark["local_sums"]] == ["0", "2"]
    asked.clear()
    engine.broken = False
    run = run_of(engine, suite, tmp_path / "run", tasks, n=4)
    colours = [f"Colour {at}?{option}" for at in (2, 3) for option in ("red", "green", "blue")]
    assert asked == [*colours, *colours, "1+1?", "3+1?"]
    assert not run.failures
    whole = run_of(engine, suite, tmp_path / "whole", tasks, n=4)
    assert sorted(run.outcomes, key=lambda o: o.key) == sorted(whole.outcomes, key=lambda o: o.key)


def test_answers_are_kept_within_a_task(tasks: LmEvalTasks, tmp_path: Path) -> None:
    calls: list[str] = []

    class Power(Exception):
        pass

    class Dying(FakeEngine):
        def generate_each(self, prompts: Any, decoding: Any, *, nth: Any) -> Any:
            for at, prompt in enumerate(prompts):
                if len(calls) == 2:
                    raise Power
                calls.append(question(prompt))
                yield at, self.generate([prompt], decoding)[0]

        def loglikelihoods_each(self, pairs: Any) -> Any:
            raise AssertionError

    suite = tasks.suite(["local_sums"], seed=1)
    with pytest.raises(Power):
        run_of(Dying(lambda p: SAID[question(p)]), suite, tmp_path / "run", tasks)
    again: list[str] = []
    run = run_of(fake(again), suite, tmp_path / "run", tasks)
    assert (calls, again) == (["0+1?", "1+1?"], ["2+1?", "3+1?"])
    assert [o.score for o in run.by_benchmark["local_sums"]] == [1.0, 0.0, 0.0, 1.0]


def test_a_suite_file_names_tasks(tasks: LmEvalTasks, tmp_path: Path) -> None:
    """A benchmark may bear another name than its tasks, beside one in Python."""
    suite = Suite(
        name="mine",
        source="math",
        groups={"math": ("sums", "chains")},
        benchmarks={
            "sums": Benchmark(pack="lm-eval:local_sums", chance=0.1),
            "chains": Benchmark(pack="mini"),
        },
    )
    run = run_of(fake(), suite, tmp_path / "run", tasks, n=2)
    assert [(o.id, o.chance) for o in run.by_benchmark["sums"]] == [("0", 0.1), ("1", 0.1)]
    assert len(run.by_benchmark["chains"]) == 2
    jobs = prepare(suite, n=2, seed=1, lm_eval=tasks)
    assert jobs[0].texts() == ["0+1?", "1+1?"]


def test_candidate_answers_to_one_question_are_one_item(tasks: LmEvalTasks, tmp_path: Path) -> None:
    """Always "yes" names both of two, one of them plausible: F1 = 2/3; then 1 of 1."""
    suite = tasks.suite(["mc_taco"], seed=0)
    asked: list[str] = []

    def nats(prompt: str, option: str) -> float:
        asked.append(question(prompt))
        return float("yes" in option)

    (benchmark,) = suite.benchmarks
    run = run_of(FakeEngine({}, nats), suite, tmp_path / "run", tasks, n=2)
    assert [(o.id, o.score) for o in run.by_benchmark[benchmark]] == [("0", pytest.approx(2 / 3))]
    asked.clear()
    run = run_of(FakeEngine({}, nats), suite, tmp_path / "run", tasks, n=3)
    assert set(asked) == {"He ate. When? at noon?"}
    assert [o.id for o in run.by_benchmark[benchmark]] == ["0", "2"]
    assert run.by_benchmark[benchmark][1].score == 1.0
    assert run.manifest.decoding[benchmark]["metric"] == "f1 by question"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("local_summs", r"no task 'local_summs'; did you mean 'local_sums'"),
        ("local_rolling", "can't be run here: its output_type is loglikelihood_rolling"),
    ],
)
def test_tasks_that_are_refused(tasks: LmEvalTasks, name: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        tasks.suite([name], seed=0)


def test_what_needs_greedy_decoding_is_refused_before_anything_is_asked(
    tasks: LmEvalTasks, tmp_path: Path
) -> None:
    suite = tasks.suite(["local_greedy"], seed=0)
    with pytest.raises(InputError, match="whether greedy decoding yields the choice"):
        run_of(fake(), suite, tmp_path / "run", tasks)
    assert not (tmp_path / "run").exists()


def test_data_out_of_reach_is_one_line(tmp_path: Path) -> None:
    folder = write_tasks(tmp_path / "tasks")
    (folder / "sums.jsonl").unlink()
    found = LmEvalTasks(folder)
    with pytest.raises(
        InputError, match=r"task local_sums: can't be loaded: .*check that its data"
    ):
        found.load("local_sums", seed=0, place="--tasks")
    with pytest.raises(InputError, match="no such folder; name a folder of lm-eval's YAML tasks"):
        LmEvalTasks(tmp_path / "nowhere")


def test_a_cap_on_answers(tasks: LmEvalTasks, tmp_path: Path) -> None:
    suite = tasks.suite(["local_sums"], seed=1)
    run = run_of(fake(), suite, tmp_path / "run", tasks, max_tokens=1)
    assert {o.tokens for o in run.by_benchmark["local_sums"]} == {1}
    assert run.manifest.decoding["local_sums"]["max_gen_toks"] == 1
    free = run_of(fake(), suite, tmp_path / "free", tasks)
    assert free.manifest.decoding["local_sums"].get("max_gen_toks") != 1


def test_shards_and_parts_of_workers_are_one_run(tasks: LmEvalTasks, tmp_path: Path) -> None:
    """Two tasks in one benchmark, and an item of several documents."""
    suite = tasks.suite(["mmlu", "local_sums", "mc_taco"], seed=1)
    whole = run_of(fake(), suite, tmp_path / "whole", tasks)
    shards = [
        run_of(fake(), suite, tmp_path / str(shard.number), tasks, shard=shard).path
        for shard in all_shards(2)
    ]
    merged = read_run(merge_shards(tmp_path / "merged", shards, lm_eval=tasks))
    assert merged.outcomes == whole.outcomes
    assert [merged.responses(name) for name in merged.by_benchmark] == [
        whole.responses(name) for name in whole.by_benchmark
    ]
    for name in ("run.json", "outcomes.jsonl"):
        assert (merged.path / name).read_bytes() == (whole.path / name).read_bytes()
    drawn: dict[str, Any] = {"n": 4, "seed": 1, "data": None, "lm_eval": tasks}
    worker = PartAnswerer(suite, lambda _: fake(), **drawn)
    for job in prepare(suite, n=4, seed=1, lm_eval=tasks):
        name = job.item.benchmark
        answers = [
            worker(Part(0, "m", name, shard, job.of_shard(shard).lacking)).asked
            for shard in all_shards(2)[::-1]
        ]
        assert in_order(job, answers).outcomes == list(whole.by_benchmark[name])

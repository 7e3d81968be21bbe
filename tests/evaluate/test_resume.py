"""What was measured is kept and only the rest is asked, whatever ended the command before."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from transferscope.compare import compare_runs
from transferscope.compare.gate import gate
from transferscope.compare.policy import parse_policy
from transferscope.core.errors import InputError
from transferscope.core.records import NoAnswer
from transferscope.core.suite import parse_suite
from transferscope.engines import FakeEngine, calls, endpoint
from transferscope.engines.asking import Request
from transferscope.engines.openai import TRIAL
from transferscope.engines.rendering import messages_of
from transferscope.evaluate import evaluate, evaluate_model
from transferscope.runs import read_run
from transferscope.runs.writer import claimed

from ..engines.serving import Server, completion, serving
from .test_backends import arguments, run
from .test_run import PACKS, REF, SAID, question, suite

TOML = """
name = "two"
source = "math"
[groups]
math = ["chains"]
other = ["equations"]
[benchmarks.chains]
pack = "mini"
[benchmarks.equations]
pack = "mini"
"""
SUITE = parse_suite(TOML, place="two.toml")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "BACKOFF", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


class Teacher:
    """Answers every prompt, but for those that ``trouble`` has something else for."""

    def __init__(self) -> None:
        self.trouble: dict[str, Any] = {}
        self.asked: list[str] = []
        self.left: int | None = None
        self._lock = threading.Lock()

    def __call__(self, path: str, payload: Any) -> Any:
        if payload is None:
            return {}
        prompt = payload["messages"][-1]["content"]
        if prompt == TRIAL[-1]["content"]:
            return completion("one")
        with self._lock:
            if self.left == 0:
                return 401, b""
            self.left = None if self.left is None else self.left - 1
            self.asked.append(prompt)
        return self.trouble.get(prompt, completion(f"It is {len(prompt)}."))


@pytest.fixture
def teacher() -> Teacher:
    return Teacher()


@pytest.fixture
def server(teacher: Teacher) -> Iterator[Server]:
    with serving(teacher) as running:
        yield running


def ask(server: Server, out: Path, *, concurrency: int = 2, **options: Any) -> Any:
    settings: dict[str, Any] = {"n": 6, "engine": "openai", "name": "m"} | options
    args = {"base_url": server.base_url, "concurrency": str(concurrency)}
    return read_run(evaluate_model("m", SUITE, out, engine_args=args, **settings))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The run of which nothing failed."""
    with pytest.MonkeyPatch.context() as patch, serving(Teacher()) as server:
        patch.setenv("NO_PROXY", "127.0.0.1")
        return ask(server, tmp_path_factory.mktemp("whole") / "run")


def prompts(run_: Any, benchmark: str) -> list[str]:
    """What was asked, in the order of the items."""
    kept = run_.responses(benchmark)
    asked = [messages_of(kept[o.id, 0].prompt) for o in run_.by_benchmark[benchmark]]
    return [messages[-1]["content"] for messages in asked]


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


FILTERED = completion("partial", finish_reason="content_filter")


@pytest.mark.parametrize(("trouble", "why"), [((500, b""), "answered 500"), (FILTERED, "filter")])
def test_a_request_that_fails_is_in_no_score_and_asked_again(
    server: Server, tmp_path: Path, whole: Any, *, trouble: Any, why: str
) -> None:
    teacher = server.answer
    bad = prompts(whole, "chains")[2]
    teacher.trouble[bad] = trouble
    partial = ask(server, tmp_path / "run")
    assert [o.id for o in partial.by_benchmark["chains"]] == ["0-0", "0-1", "0-3", "0-4", "0-5"]
    (failure,) = partial.failures
    assert (failure.benchmark, failure.id) == ("chains", "0-2")
    assert why in failure.why
    assert (partial.manifest.status, partial.manifest.failed) == ("complete", 1)
    # Asked again, and nothing else is; while it fails, nothing changes.
    before = content(tmp_path / "run")
    teacher.asked.clear()
    ask(server, tmp_path / "run")
    assert set(teacher.asked) == {bad}
    assert content(tmp_path / "run") == before
    # Once it is answered, the run is what it would have been.
    teacher.trouble.clear()
    teacher.asked.clear()
    mended = ask(server, tmp_path / "run")
    assert teacher.asked == [bad]
    assert (mended.failures, mended.manifest.failed) == ((), 0)
    assert sorted(mended.outcomes, key=lambda o: o.key) == sorted(
        whole.outcomes, key=lambda o: o.key
    )
    assert mended.responses("chains") == whole.responses("chains")


def test_what_was_answered_before_an_end_is_not_asked_again(
    server: Server, teacher: Teacher, tmp_path: Path
) -> None:
    # One at a time: beside a refusal, an answer on its way would be lost and asked for again.
    # A server that has replied and then refuses 16 requests in a row is taken to be broken.
    whole = ask(server, tmp_path / "whole", n=24, concurrency=1)
    everything = sorted(teacher.asked)
    teacher.asked.clear()
    for left in (4, 3, None):
        teacher.left = left
        if left is None:
            again = ask(server, tmp_path / "run", n=24, concurrency=1)
        else:
            with pytest.raises(InputError, match=r"answered 401.*16 requests in a row failed"):
                ask(server, tmp_path / "run", n=24, concurrency=1)
    assert sorted(teacher.asked) == everything
    assert content(tmp_path / "run") == content(tmp_path / "whole")
    assert again.outcomes == whole.outcomes


def test_more_items_are_added(server: Server, teacher: Teacher, tmp_path: Path, whole: Any) -> None:
    ask(server, tmp_path / "run", n=2)
    first = list(teacher.asked)
    grown = ask(server, tmp_path / "run", n=6)
    assert len(teacher.asked) == 12
    assert len(set(teacher.asked)) == 12
    assert set(first) < set(teacher.asked)
    assert sorted(grown.outcomes, key=lambda o: o.key) == sorted(
        whole.outcomes, key=lambda o: o.key
    )
    assert grown.responses("equations") == whole.responses("equations")
    assert (grown.manifest.limit, grown.manifest.status) == (6, "complete")
    with pytest.raises(InputError, match="a different limit: it has 6, requested 3; use --limit 6"):
        ask(server, tmp_path / "run", n=3)


def test_where_nothing_is_answered_nothing_is_recorded(
    server: Server, teacher: Teacher, tmp_path: Path, whole: Any
) -> None:
    for name in ("chains", "equations"):
        teacher.trouble |= dict.fromkeys(prompts(whole, name), FILTERED)
    told = "benchmark chains: no request was answered: the reply ended with finish_reason 'content"
    with pytest.raises(InputError, match=told):
        ask(server, tmp_path / "run", n=2)
    teacher.trouble.clear()
    assert ask(server, tmp_path / "run", n=2).manifest.status == "complete"


def test_compare_and_gate_name_what_failed(
    server: Server, teacher: Teacher, tmp_path: Path, whole: Any
) -> None:
    base, chains = whole, prompts(whole, "chains")
    teacher.trouble = {chains[0]: FILTERED, chains[3]: FILTERED}
    tuned = ask(server, tmp_path / "tuned", name="t")
    (result,) = compare_runs(base, [tuned]).tuned
    assert [(b.benchmark, b.n) for b in result.benchmarks] == [("chains", 4), ("equations", 6)]
    said = (
        "chains: requests failed for 0 of the base's 6 items and 2 of the tuned run's 6 items (the "
        "reply ended with finish_reason 'content_filter'); they are left out of both"
    )
    assert any(said in text for text in compare_runs(base, [tuned]).differences)
    policy = parse_policy("[guards.chains]\nmargin = 50.0\n", place="policy.toml")
    told = gate(base, tuned, policy, replicates=99)
    assert told.verdict == "INCONCLUSIVE"
    assert "the tuned run has only 4 of the 6 items of base" in " ".join(told.reasons)
    assert said in told.differences


def test_the_command_says_what_failed(
    server: Server,
    teacher: Teacher,
    tmp_path: Path,
    whole: Any,
    *,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("two.toml").write_text(TOML)
    teacher.trouble[prompts(whole, "chains")[1]] = (500, b"")
    command = ("eval", "m", "--suite", "two.toml", "--out", "run", "--limit", "2")
    code, _, err = run(capsys, *command, *arguments(base_url=server.base_url))
    assert code == 0
    assert "chains: 1 of 2 requests failed (answered 500); its score uses the 1 answers" in err
    assert "left out of every score; rerun the same command to retry them" in err
    with claimed(tmp_path / "run"):
        code, _, err = run(capsys, *command, *arguments(base_url=server.base_url))
    assert code == 2
    assert "run: process " in err
    assert "is writing to it; wait for it to finish, or name another folder: --out DIR" in err


def test_duplicates_are_refused_with_what_helps(
    server: Server, teacher: Teacher, tmp_path: Path
) -> None:
    """What two evaluations at once left behind before there was a lock."""
    out = tmp_path / "run"
    ask(server, out, n=2)
    file = out / "outcomes.jsonl"
    file.write_bytes(file.read_bytes() * 2)
    raw = json.loads((out / "run.json").read_text())
    for name in raw["complete"]:
        raw["complete"][name] = {"outcomes_bytes": file.stat().st_size, "n": 4}
    (out / "run.json").write_text(json.dumps(raw))
    teacher.asked.clear()
    with pytest.raises(InputError, match=r"duplicate answer: .*again into another folder: --out"):
        ask(server, out, n=2)
    assert teacher.asked == []


def test_an_engine_that_does_not_stream_is_kept_by_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transferscope.engines.asking.CHUNK", 2)
    monkeypatch.setattr("transferscope.engines.asking.PAIRS", 4)
    asked: list[str] = []

    class Dying(FakeEngine):
        lives = 1

        def _alive(self) -> None:
            if self.lives == 0:
                raise KeyError
            self.lives -= 1

        def generate(self, prompts: Any, decoding: Any, *, tick: Any = None) -> Any:
            self._alive()
            asked.extend(prompts)
            return super().generate(prompts, decoding)

        def loglikelihoods(self, pairs: Any, *, tick: Any = None) -> Any:
            self._alive()
            asked.extend("".join(pair) for pair in pairs)
            return super().loglikelihoods(pairs)

    options: dict[str, Any] = {"model_ref": REF, "n": 4, "seed": 1, "packs": PACKS}
    engine = Dying(lambda prompt: SAID[question(prompt)])
    for _ in range(3):
        engine.lives = 1
        with pytest.raises(KeyError):
            evaluate(engine, suite(), tmp_path / "run", **options)
    engine.lives = 1
    evaluate(engine, suite(), tmp_path / "run", **options)
    assert len(asked) == len(set(asked)) == 4 + 8  # four sums, two options of four colours
    plain = FakeEngine(lambda prompt: SAID[question(prompt)])
    evaluate(plain, suite(), tmp_path / "whole", **options)
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_other_items_under_the_same_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"model_ref": REF, "n": 2, "seed": 1, "packs": PACKS}
    engine = FakeEngine(lambda prompt: SAID[question(prompt)])
    evaluate(engine, suite(), tmp_path / "run", **options)
    for name in ("outcomes.jsonl", "run.json"):
        file = tmp_path / "run" / name
        file.write_text(file.read_text().replace('"s1-0"', '"t1-0"'))
    with pytest.raises(InputError, match=r"contains other items of sums .such as 't1-0'.; name"):
        evaluate(engine, suite(), tmp_path / "run", **options)


def test_a_sample_that_failed_is_asked_by_itself(tmp_path: Path) -> None:
    """Its number, from which its seed is made, is that of the first time."""
    calls: list[tuple[str, int]] = []
    second = Request(0, ("s1-1", 0, 1), "").sample

    class Streams(FakeEngine):
        broken = True

        def generate_each(self, prompts: Any, decoding: Any, *, nth: Any) -> Any:
            for at, (prompt, n) in enumerate(zip(prompts, nth, strict=True)):
                calls.append((question(prompt), n))
                lost = self.broken and (question(prompt), n) == ("1+1?", second)
                (answer,) = self.generate([prompt], decoding)
                yield at, NoAnswer("lost") if lost else answer

        def loglikelihoods_each(self, pairs: Any) -> Any:
            yield from enumerate(self.loglikelihoods(pairs))

    options: dict[str, Any] = {"model_ref": REF, "n": 2, "seed": 1, "packs": PACKS}
    engine = Streams(lambda prompt: SAID[question(prompt)])
    evaluate(engine, suite(repeats=3), tmp_path, **options)
    (failure,) = read_run(tmp_path).failures
    assert (failure.id, failure.repeat, failure.why) == ("s1-1", 1, "lost")
    calls.clear()
    engine.broken = False
    evaluate(engine, suite(repeats=3), tmp_path, **options)
    assert calls == [("1+1?", second)]
    assert len(read_run(tmp_path).by_benchmark["sums"]) == 6


def test_an_option_that_failed_leaves_its_item_without_a_score(tmp_path: Path) -> None:
    asked: list[str] = []

    class Streams(FakeEngine):
        broken = True

        def generate_each(self, prompts: Any, decoding: Any, *, nth: Any) -> Any:
            yield from enumerate(self.generate(prompts, decoding))

        def loglikelihoods_each(self, pairs: Any) -> Any:
            for at, (prompt, option) in reversed([*enumerate(pairs)]):
                asked.append(f"{question(prompt)}{option}")
                lost = self.broken and asked[-1] == "Sky 1?grey"
                yield at, NoAnswer("lost") if lost else -float(len(option))

    options: dict[str, Any] = {"model_ref": REF, "n": 3, "seed": 1, "packs": PACKS}
    engine = Streams(lambda prompt: SAID[question(prompt)])
    evaluate(engine, suite(), tmp_path / "run", **options)
    run_ = read_run(tmp_path / "run")
    assert [o.id for o in run_.by_benchmark["colours"]] == ["c0", "c2"]
    assert [(f.id, f.why) for f in run_.failures] == [("c1", "lost")]
    asked.clear()
    engine.broken = False
    evaluate(engine, suite(), tmp_path / "run", **options)
    assert asked == ["Sky 1?grey", "Sky 1?blue"]
    assert [o.id for o in read_run(tmp_path / "run").by_benchmark["colours"]] == ["c0", "c2", "c1"]


def test_an_interrupt_says_what_to_do(
    server: Server,
    teacher: Teacher,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("two.toml").write_text(TOML)

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(endpoint.Endpoint, "ask_each", interrupted)
    command = ("eval", "m", "--suite", "two.toml", "--out", "run", "--limit", "2")
    code, _, err = run(capsys, *command, *arguments(base_url=server.base_url))
    assert code == 130
    assert err.endswith("interrupted; the same command resumes where it stopped\n")

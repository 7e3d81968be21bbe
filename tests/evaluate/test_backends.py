"""Engines by name, on the command line: what is refused, and a server from end to end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from transferscope.cli import main
from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef
from transferscope.engines import FakeEngine, HFEngine
from transferscope.evaluate import (
    check_model,
    engine_options,
    evaluate,
    evaluate_model,
    open_engine,
)
from transferscope.evaluate.run import prepare
from transferscope.runs import read_run

from ..engines.serving import Model, Server, completion, serving
from .test_evaluate_model import SUITE, TOML, Killed

URL = "http://localhost:8000/v1"
SERVER = {"base_url": URL, "tokenizer": "smollm2-135m"}
KEY = "sk-of-nobody"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def server(tiny_model: Path) -> Iterator[Server]:
    with serving(Model(HFEngine(str(tiny_model), dtype="float32"))) as running:
        yield running


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a suite and queries."""
    (tmp_path / "small.toml").write_text(TOML)
    (tmp_path / "chat.toml").write_text(
        TOML.replace('"fractions"', '"chains"').replace(
            "[benchmarks.fractions]", "[benchmarks.chains]"
        )
    )
    rows = [{"prompt": f"What is {n} + 1?", "gold": str(n + 1)} for n in range(3)]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(list(argv))
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


def arguments(**options: Any) -> list[str]:
    found = ["--engine", "openai"]
    for key, value in options.items():
        found += ["--engine-args", f"{key}={value}"]
    return found


EVAL = ("eval", "org/tiny", "--suite", "small.toml", "--out", "run", "--limit", "2")
DISTILL = ("distill", "org/tiny", "--queries", "queries.jsonl", "--out", "t.jsonl")


@pytest.mark.parametrize("command", [EVAL, (*EVAL, "--dry-run"), DISTILL])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--engine", "vllm"], "engine vllm needs packages that are not installed; run: pip"),
        (["--engine", "tgi"], "unknown engine 'tgi'; use one of hf, vllm, openai"),
        (["--engine", "vllm", "--engine-args", "gpus=2"], "engine vllm has no option 'gpus'; use "),
        (["--engine-args", "batch=1"], "engine hf takes no options, but 'batch' is given; leave"),
        (arguments(), "engine openai needs base_url; add --engine-args base_url=http://"),
        (arguments(base_url="localhost:8000"), "--engine-args base_url: can't be used"),
        (
            arguments(base_url=URL, tokenizer="nobody"),
            "--engine-args tokenizer: unknown model 'nob",
        ),
        (arguments(base_url=f"{URL},tokenizer=x"), "the value of base_url also holds tokenizer=; "),
        (arguments(base_url=URL, api_key=KEY), "no option 'api_key'; use base_url"),
        (
            [*arguments(base_url=URL), "--dtype", "float32"],
            "--dtype: the dtype of the weights is set",
        ),
        ([*arguments(base_url=URL), "--engine-args", KEY], "not of the form key=value"),
        ([*arguments(base_url=URL), *arguments(base_url=URL)[2:]], "base_url is given twice"),
    ],
)
def test_wrong_engines_and_options_are_one_line(
    command: tuple[str, ...],
    options: list[str],
    told: str,
    files: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = sorted(files.iterdir())
    code, out, err = run(capsys, *command, *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert KEY not in err
    assert sorted(files.iterdir()) == before


def test_choices_without_a_tokenizer_are_refused_before_anything_is_asked(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for dry in ([], ["--dry-run"]):
        code, _, err = run(capsys, *EVAL, *arguments(base_url=URL), *dry)
        assert code == 2
        assert "benchmark fractions: its choices can't be scored through a server's chat" in err
        assert "add --engine-args tokenizer=MODEL" in err


def test_a_dry_run_asks_no_server(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = "http://127.0.0.1:9/v1"
    options = arguments(base_url=url, tokenizer="smollm2-135m")
    code, out, _ = run(capsys, *EVAL, *options, "--dry-run")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()[1:3]] == ["fractions", "equations"]
    check_model("anything goes", SUITE, engine="openai", engine_args=SERVER)
    with pytest.raises(InputError, match="the model has no name"):
        check_model(" ", SUITE, engine="openai", engine_args=SERVER)


def test_options_are_read_from_pairs() -> None:
    assert engine_options(["base_url=http://h/v1?a=b", "x=1"]) == {
        "base_url": "http://h/v1?a=b",
        "x": "1",
    }
    for wrong in ("x", "=1", "x=", "a b=1"):
        with pytest.raises(InputError, match="not of the form key=value"):
            engine_options([wrong])


def test_a_run_over_a_server_equals_the_run_here(
    server: Server,
    tiny_model: Path,
    files: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.asked.clear()
    options = arguments(base_url=server.base_url, tokenizer=tiny_model)
    code, _, err = run(capsys, *EVAL, "--base", "org/base", *options)
    assert (code, err.splitlines()[-1]) == (0, "run folder: run")
    here = read_run(evaluate_model(str(tiny_model), SUITE, "here", n=2, dtype="float32"))
    there = read_run(files / "run")
    assert there.by_benchmark == here.by_benchmark
    for benchmark in ("fractions", "equations"):
        assert there.responses(benchmark) == here.responses(benchmark)
    manifest = there.manifest
    assert (manifest.model.name, manifest.model.base) == ("org/tiny", "org/base")
    assert manifest.model.fingerprint is None
    assert manifest.engine["base_url"] == server.base_url
    assert manifest.template == here.manifest.template
    assert manifest.versions["server"] == "0.99.1"
    # The key was sent, and is in no file.
    assert {headers["authorization"] for _, headers, _ in server.asked} == {f"Bearer {KEY}"}
    written = [path for path in (files / "run").rglob("*") if path.is_file()]
    assert not any(KEY.encode() in path.read_bytes() for path in written)
    # A complete run asks nothing again.
    server.asked.clear()
    assert run(capsys, *EVAL, "--base", "org/base", *options)[0] == 0
    assert server.asked == []


def test_a_run_belongs_to_its_engine(server: Server, tiny_model: Path, tmp_path: Path) -> None:
    def kill(benchmark: str, done: int, total: int) -> None:
        if benchmark == "equations":
            raise Killed

    over: dict[str, Any] = {"base_url": server.base_url, "tokenizer": str(tiny_model)}
    asked: dict[str, Any] = {"n": 1, "name": "mine", "engine": "openai"}
    out = tmp_path / "run"
    with pytest.raises(Killed):
        evaluate_model("org/tiny", SUITE, out, engine_args=over, tick=kill, **asked)
    with pytest.raises(InputError, match="a different engine: it has openai, requested hf"):
        evaluate_model(str(tiny_model), SUITE, out, **asked | {"engine": "hf"})
    changed = over | {"tokenizer": f"{tiny_model}/"}
    with pytest.raises(InputError, match="a different tokenizer"):
        evaluate_model("org/tiny", SUITE, out, engine_args=changed, **asked)
    with pytest.raises(InputError, match="a different strict: it has False, requested True"):
        evaluate_model("org/tiny", SUITE, out, engine_args=over | {"strict": "yes"}, **asked)
    # It goes on, on another number of connections too.
    evaluate_model("org/tiny", SUITE, out, engine_args=over | {"concurrency": "2"}, **asked)
    assert read_run(out).manifest.status == "complete"


def test_chat_needs_no_tokenizer(
    server: Server, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("eval", "org/tiny", "--suite", "chat.toml", "--out", "run", "--limit", "2")
    assert run(capsys, *command, *arguments(base_url=server.base_url))[0] == 0
    run_ = read_run(files / "run")
    assert run_.manifest.template == "server"
    assert run_.manifest.engine["tokenizer"] is None
    assert all(row.message_hash and row.tokens is not None for row in run_.by_benchmark["chains"])


def test_a_teacher_over_a_server(
    server: Server,
    tiny_model: Path,
    files: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    options = arguments(base_url=server.base_url, tokenizer=tiny_model, api_key_env="MY_KEY")
    settings = ("--samples", "2", "--max-tokens", "8", "--json")
    code, out, _ = run(capsys, *DISTILL, *settings, *options)
    assert code == 0
    told = json.loads(out)
    assert (told["queries"], told["responses"]) == (3, 6)
    text = (files / "t.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert {(row["model"], row["engine"]) for row in rows} == {("org/tiny", "openai")}
    assert rows[0]["response"] != rows[1]["response"]
    assert KEY not in text
    server.asked.clear()
    assert run(capsys, *DISTILL, *settings, *options)[0] == 0
    assert server.payloads == []  # all are there


def test_a_wrong_name_leaves_no_run_behind(
    server: Server, tiny_model: Path, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def listing(path: str, payload: Any) -> Any:
        if path == "/v1/models":
            return {"data": [{"id": "org/tiny"}]}
        if payload is not None and payload["model"] != "org/tiny":
            return 404, {"error": {"message": "no such model"}}
        return server.answer(path, payload)

    with serving(listing) as named:
        options = arguments(base_url=named.base_url, tokenizer=tiny_model)
        code, _, err = run(capsys, "eval", "org/tyni", *EVAL[2:], *options)
        assert code == 2
        assert "the server has no model 'org/tyni'; name one that it lists: org/tiny" in err
        assert not (files / "run").exists()
        assert run(capsys, *EVAL, *options)[0] == 0
    assert read_run(files / "run").manifest.model.name == "org/tiny"


def test_an_empty_run_of_another_name_is_replaced(
    server: Server, tiny_model: Path, tmp_path: Path
) -> None:
    """A server that refuses every item after its trial leaves a manifest without an answer."""
    out, options = tmp_path / "run", {"tokenizer": str(tiny_model), "wait": "0"}

    def refusing(path: str, payload: Any) -> Any:
        asked.append(payload)
        trial = payload is None or len([each for each in asked if each]) <= 2
        return server.answer(path, payload) if trial else (400, {"error": {"message": "no"}})

    asked: list[Any] = []
    how: dict[str, Any] = {"engine": "openai", "n": 2}
    with serving(refusing) as bad:
        over = options | {"base_url": bad.base_url}
        with pytest.raises(InputError, match="answered 400: no"):
            evaluate_model("org/tyni", SUITE, out, engine_args=over, **how)
    assert (out / "run.json").is_file()
    over = options | {"base_url": server.base_url}
    evaluate_model("org/tiny", SUITE, out, engine_args=over, **how)
    assert read_run(out).manifest.model.name == "org/tiny"


def test_a_teacher_that_does_not_sample_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda *_: completion("It is 2.")) as greedy:
        options = arguments(base_url=greedy.base_url)
        code, _, err = run(capsys, *DISTILL, *options)
        assert code == 2
        assert "are all equal, so the server does not sample" in err
        assert (files / "t.jsonl").read_text() == ""
        assert run(capsys, *DISTILL, *options, "--temperature", "0")[0] == 0


def test_a_query_that_is_too_long_is_named_and_the_others_continue(
    tiny_model: Path, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same with the model in this process and on a server that refuses it."""
    rows = [{"id": "short", "prompt": "What is 1 + 1?", "gold": "2"}]
    rows.append({"id": "long", "prompt": "What is 1 + 1? " * 200, "gold": "2"})
    (files / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = ("--samples", "2", "--max-tokens", "8", "--json")

    def refusing(path: str, payload: Any) -> Any:
        if payload and len(payload["messages"][-1]["content"]) > 1000:
            told = "This model's maximum context length is 2048 tokens."
            return 400, {"error": {"message": told}}
        return completion(f"It is {payload and payload.get('seed')}.")

    with serving(refusing) as server:
        for place in (("openai", arguments(base_url=server.base_url)), ("hf", [])):
            out = ("--out", f"{place[0]}.jsonl")
            model = str(tiny_model) if place[0] == "hf" else "org/tiny"
            code, told, err = run(
                capsys, "distill", model, *DISTILL[2:4], *out, *settings, *place[1]
            )
            assert code == 0, err
            found = json.loads(told)
            assert (found["responses"], found["failed"], found["too_long"]) == (2, 0, ["long"])
            assert "1 queries are too long for the teacher's context" in err
            assert "(long); lower --max-tokens" in err


def test_an_item_that_is_too_long_has_no_score(tiny_model: Path, tmp_path: Path) -> None:
    engine = HFEngine(str(tiny_model), dtype="float32")
    (fractions, _) = prepare(SUITE, n=4, seed=0)
    lengths = [
        max(len(engine.encode(engine.render(item.messages) + option)) for option in item.choices)
        for item in fractions.items
    ]
    engine.max_length = max(lengths) - 1
    run_ = read_run(evaluate(engine, SUITE, tmp_path / "run", model_ref=ModelRef("m"), n=4))
    assert len(run_.failed["fractions"]) == lengths.count(max(lengths)) < 4
    assert len(run_.failed["equations"]) == 4
    lost = [failure for failures in run_.failed.values() for failure in failures]
    told = f" the model's context length of {engine.max_length}"
    assert all(told in failure.why for failure in lost)
    for name, outcomes in run_.by_benchmark.items():
        assert len(outcomes) + len(run_.failed.get(name, ())) == 4


def test_ties_at_the_top_are_recorded(tmp_path: Path) -> None:
    def nats(prompt: str, option: str) -> float:
        return -1.0

    tied = FakeEngine({}, nats)
    run_ = read_run(evaluate(tied, SUITE, tmp_path / "tied", model_ref=ModelRef("m"), n=4))
    assert {outcome.flags for outcome in run_.by_benchmark["fractions"]} == {("tied",)}
    clear = FakeEngine({}, lambda _, option: -float(sum(map(ord, option))))
    run_ = read_run(evaluate(clear, SUITE, tmp_path / "clear", model_ref=ModelRef("m"), n=4))
    assert {outcome.flags for outcome in run_.by_benchmark["fractions"]} == {()}


def test_a_server_that_is_gone_is_one_line(
    tiny_model: Path, files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr("transferscope.engines.calls.BACKOFF", 0.0)
    with serving(lambda *_: {}) as gone:
        url = gone.base_url
    options = arguments(base_url=url, tokenizer=tiny_model, wait=0)
    code, _, err = run(capsys, *EVAL, *options)
    assert code == 2
    assert not (files / "run").exists()  # so that a corrected command starts anew
    assert f"transferscope: {url}/completions: can't be reached (" in err
    assert "Traceback" not in err
    engine = open_engine(
        "org/tiny", engine="openai", engine_args={"base_url": url, "tokenizer": str(tiny_model)}
    )
    assert engine.name == "org/tiny"  # opening asks nothing

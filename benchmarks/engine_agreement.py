"""How far the engines agree with transformers in float32 on one model's answers and choices.

    python benchmarks/engine_agreement.py                # hf in bfloat16 against float32
    python benchmarks/engine_agreement.py --vllm PYTHON  # a Python that has vLLM: in-process, and
                                                         # as a server on loopback
    python benchmarks/engine_agreement.py --llama-server FILE --gguf MODEL.gguf

Prompts, limits and options are those of suite mini, decoding is greedy. Prints one JSON object with
a row per engine and dtype: answers whose text and finish reason are equal, the largest difference
of a choice's log-likelihood in nats, and the questions for which the same choice is likeliest.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from transferscope.core.records import Decoding
from transferscope.engines import HFEngine, OpenAIEngine, ServerOptions
from transferscope.engines.protocol import Engine, Needs, require
from transferscope.models import find_model

CONTEXT = 2048
"""Tokens of context that servers get."""
STARTING = 600.0
"""Seconds that a server may take to load."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What every engine is asked: chats with their decoding, and questions with their options."""

    chats: Sequence[tuple[Sequence[Mapping[str, str]], Decoding]]
    questions: Sequence[tuple[Sequence[Mapping[str, str]], Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Told:
    """An engine's answers as (text, finish reason), and the options' log-likelihoods in nats."""

    answers: Sequence[tuple[str, str | None]]
    nats: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One engine beside hf in float32; ``None`` where it was not asked or can't tell."""

    engine: str
    dtype: str
    answers: int
    equal_answers: int
    equal_finishes: int | None
    choices: int
    max_difference: float | None
    same_pick: int | None
    seconds: float


def asked_of(items: int) -> Asked:
    """``items`` items of every benchmark of suite mini."""
    from transferscope.core.suite import load_suite
    from transferscope.evaluate.benchmark_job import OwnJob
    from transferscope.evaluate.run import prepare

    chats: list[tuple[Any, Decoding]] = []
    questions: list[tuple[Any, Sequence[str]]] = []
    for job in prepare(load_suite("mini"), n=items, seed=0):
        assert isinstance(job, OwnJob)
        for item in job.items:
            if job.benchmark.decoding is None:
                questions.append((item.messages, item.choices))
            else:
                chats.append((item.messages, replace(job.benchmark.decoding, temperature=0.0)))
    return Asked(chats, questions)


def told_by(engine: Engine, asked: Asked, *, choices: bool = True) -> Told:
    """What ``engine`` answers; options are scored only with ``choices``."""
    answers: dict[int, tuple[str, str | None]] = {}
    for decoding in dict.fromkeys(decoding for _, decoding in asked.chats):
        places = [at for at, (_, own) in enumerate(asked.chats) if own == decoding]
        prompts = [engine.render(asked.chats[at][0]) for at in places]
        for at, answer in zip(places, engine.generate(prompts, decoding), strict=True):
            answers[at] = (answer.text, answer.finish)
    nats: list[list[float]] = []
    if choices:
        pairs = [(engine.render(m), option) for m, options in asked.questions for option in options]
        found = iter(engine.loglikelihoods(pairs))
        nats = [[next(found) for _ in options] for _, options in asked.questions]
    return Told([answers[at] for at in range(len(asked.chats))], nats)


def agreement(engine: str, dtype: str, told: Told, reference: Told, seconds: float) -> Agreement:
    """Compare an engine's answers with the reference's."""
    answers = list(zip(told.answers, reference.answers, strict=True))
    known = [(own, other) for own, other in answers if own[1] is not None]
    nats = list(zip(told.nats, reference.nats, strict=bool(told.nats)))
    both = [pair for own, other in nats for pair in zip(own, other, strict=True)]
    return Agreement(
        engine=engine,
        dtype=dtype,
        answers=len(answers),
        equal_answers=sum(own[0] == other[0] for own, other in answers),
        equal_finishes=sum(own[1] == other[1] for own, other in known) if known else None,
        choices=len(both),
        max_difference=max((abs(own - other) for own, other in both), default=None),
        same_pick=sum(best(own) == best(other) for own, other in nats) if nats else None,
        seconds=round(seconds, 1),
    )


def best(nats: Sequence[float]) -> int:
    """The likeliest option, the first of several."""
    return max(range(len(nats)), key=lambda at: nats[at])


@contextmanager
def started(command: Sequence[str], **env: str) -> Iterator[None]:
    """Run a server in a process group of its own, which is ended as a whole."""
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            env={**os.environ, **env},
            start_new_session=True,
        )
        try:
            yield
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(30)


def served(
    command: Sequence[str], port: int, model: str, asked: Asked, *, choices: bool, **env: str
) -> dict[str, Told]:
    """What a server tells that gets token ids and one that gets messages."""
    url = f"http://127.0.0.1:{port}/v1"
    found: dict[str, Told] = {}
    with started(command, **env):
        for form, tokenizer in (("ids", model), ("chat", None)):
            engine = OpenAIEngine("served", ServerOptions(url, tokenizer=tokenizer, wait=STARTING))
            scores = choices and tokenizer is not None
            require(engine, Needs(temperature=0.7, scores=scores), say=said)
            found[form] = told_by(engine, asked, choices=scores)
    return found


def said(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def vllm_server(python: str, folder: str, dtype: str, port: int) -> list[str]:
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", folder]
    command += ["--served-model-name", "served", "--host", "127.0.0.1", "--port", str(port)]
    return [*command, "--dtype", dtype, "--max-model-len", str(CONTEXT), "--enforce-eager"]


def llama_server(file: str, gguf: str, port: int) -> list[str]:
    """Keys and values in float32 and no flash attention: otherwise answers differ."""
    command = [file, "-m", gguf, "--alias", "served", "--host", "127.0.0.1", "--port", str(port)]
    return [
        *command,
        "-c",
        str(8 * CONTEXT),
        "-np",
        "8",
        "-ctk",
        "f32",
        "-ctv",
        "f32",
        "-fa",
        "off",
    ]


def in_process(python: str, model: str, dtype: str, asked: Asked) -> Told:
    """What engine vllm tells, in a Python that has vLLM."""
    source = str(Path(__file__).parents[1] / "src")
    job = {"model": model, "dtype": dtype, "asked": asdict(asked)}
    with tempfile.TemporaryDirectory() as folder:
        task, result = Path(folder, "task.json"), Path(folder, "result.json")
        task.write_text(json.dumps(job))
        command = [python, __file__, "--worker", str(task), str(result)]
        env = {**os.environ, "PYTHONPATH": source, **VLLM_ENV}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the in-process run failed:\n{done.stderr[-3000:]}")
        found = json.loads(result.read_text())
    return Told([(text, finish) for text, finish in found["answers"]], found["nats"])


def work(task: Path, result: Path) -> None:
    """Answer a task of :func:`in_process`."""
    from transferscope.engines import VLLMEngine, VLLMOptions

    job = json.loads(task.read_text())
    options = VLLMOptions(max_model_len=CONTEXT, enforce_eager=True)
    engine = VLLMEngine(job["model"], options, dtype=job["dtype"])
    chats = [
        (messages, Decoding(**{**decoding, "stop": tuple(decoding["stop"])}))
        for messages, decoding in job["asked"]["chats"]
    ]
    told = told_by(engine, Asked(chats, job["asked"]["questions"]))
    result.write_text(json.dumps({"answers": told.answers, "nats": told.nats}))


VLLM_ENV = {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "2"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--items", type=int, default=5, help="items of each benchmark")
    parser.add_argument("--dtypes", default="float32", help="of vLLM, separated by commas")
    parser.add_argument("--vllm", default=os.environ.get("VLLM_PYTHON"), metavar="PYTHON")
    parser.add_argument("--llama-server", default=os.environ.get("LLAMA_SERVER"), metavar="FILE")
    parser.add_argument("--gguf", help="the same weights in float32, for llama-server")
    parser.add_argument("--without-bfloat16", action="store_true", help="skip hf in bfloat16")
    parser.add_argument("--worker", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(*args.worker)
        return
    asked = asked_of(args.items)
    folder = find_model(args.model).weights
    reference = told_by(HFEngine(args.model, dtype="float32"), asked)
    rows: list[Agreement] = []

    def add(engine: str, dtype: str, told: Told, begun: float) -> None:
        rows.append(agreement(engine, dtype, told, reference, time.monotonic() - begun))
        said(json.dumps(asdict(rows[-1])))

    if not args.without_bfloat16:
        begun = time.monotonic()
        add("hf", "bfloat16", told_by(HFEngine(args.model, dtype="bfloat16"), asked), begun)
    for dtype in args.dtypes.split(",") if args.vllm else ():
        begun = time.monotonic()
        add("vllm", dtype, in_process(args.vllm, args.model, dtype, asked), begun)
        begun, port = time.monotonic(), free_port()
        command = vllm_server(args.vllm, folder, dtype, port)
        found = served(command, port, args.model, asked, choices=True, **VLLM_ENV)
        for form, told in found.items():
            add(f"openai, vLLM server, {form}", dtype, told, begun)
    if args.llama_server and args.gguf:
        begun, port = time.monotonic(), free_port()
        command = llama_server(args.llama_server, args.gguf, port)
        found = served(command, port, args.model, asked, choices=False)
        for form, told in found.items():
            add(f"openai, llama.cpp, {form}", Path(args.gguf).stem, told, begun)
    print(json.dumps({"model": args.model, "rows": [asdict(row) for row in rows]}, indent=1))


if __name__ == "__main__":
    main()

"""Our evaluation beside the command line of lm-eval: same tasks, items, model, dtype and limits.

Both are started as commands, so that starting and loading count. The tasks are YAML files of
lm-eval, written to a temporary folder with items of the mini pack: ``answers`` are generated, by
greedy decoding and with lengths from a word to the limit; ``choices`` are options whose
log-likelihoods are compared. The commands take turns (A B A B), and the fastest of their rounds
counts. lm-eval's batch size is the fastest of ``--batches`` in the first round. Prints one JSON
object.

*cpu* is the processor time of the command and its children, which neighbours of the machine hardly
change; *wall* is the clock's. *per_item* leaves out the start, which a run over two items measures.
Scores must be equal item by item in float32. In bfloat16 a batch of another shape rounds
differently, and lm-eval also rounds the logits of choices; there the mean scores must agree within
three standard errors of their paired difference.

The floor is the processor time of the products alone at the speeds measured beside it (see
``peaks.py``), as if all answers were decoded in one batch.

    nice -n 5 .venv/bin/python benchmarks/eval_throughput.py [--items 240] [--shots 5] [--threads 1]
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from peaks import floor_of_answers, floor_of_choices

from transferscope.engines.rendering import rendered
from transferscope.models import encode, find_model, load_tokenizer, parameter_count
from transferscope.runs import read_run
from transferscope.tasks.mini import items

MODEL, ITEMS, MAX_TOKENS = "smollm2-135m", 240, 128
ANSWERS = (
    "word_problems",
    "dialogue_reading",
    "sequences",
    "chains",
    "program_output",
    "equations",
)
CHOICES = ("fractions", "ordering", "planning", "supported", "temporal")
STEPWISE = " Explain every step."
"""Added to every fourth question, for answers of different lengths."""
GOALS = {"answers": 3.0, "choices": 2.5}
VLLM = """
import json, sys
from vllm import LLM, SamplingParams

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    model = LLM(asked["model"], dtype=asked["dtype"], max_model_len=2048)
    settings = SamplingParams(temperature=0.0, max_tokens=asked["max_tokens"])
    tokenizer = model.get_tokenizer()
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in asked["prompts"]]
    found = model.generate([{"prompt_token_ids": row} for row in ids], settings)
    with open(sys.argv[1], "w") as file:
        json.dump([answer.outputs[0].text for answer in found], file)
"""
"""A program for another environment; its prompts come through stdin."""
GRADER = '''"""Right if the answer contains the gold one."""


def process_results(doc, results):
    return {"acc": float(doc["gold"].lower() in results[0].lower())}
'''


def documents(kind: str, count: int, *, seed: int) -> list[dict[str, Any]]:
    """Rows of a task, its sources in turn."""
    sources = ANSWERS if kind == "answers" else CHOICES
    each = -(-count // len(sources))
    drawn = {name: items(name, each, seed=seed) for name in sources}
    found = []
    for at in range(count):
        draft = drawn[sources[at % len(sources)]][at // len(sources)].draft
        more = STEPWISE if kind == "answers" and not at % 4 else ""
        row = {"question": draft.prompt + more, "gold": draft.gold}
        found.append(row | ({"choices": list(draft.choices)} if kind == "choices" else {}))
    return found


def write_task(folder: Path, kind: str, count: int, *, shots: int) -> None:
    """One task with its rows, and with examples that are the same for every item."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = folder / f"{kind}.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in documents(kind, count, seed=0)))
    task: dict[str, Any] = {
        "task": kind,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(rows)}},
        "test_split": "test",
        "doc_to_text": "{{question}}",
        "num_fewshot": shots,
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": 1.0},
    }
    if shots:
        examples = documents(kind, shots, seed=1)
        task["fewshot_config"] = {"sampler": "first_n", "samples": examples}
    if kind == "answers":
        (folder / "speed_grader.py").write_text(GRADER)
        settings = {"until": [], "do_sample": False, "max_gen_toks": MAX_TOKENS}
        task |= {"output_type": "generate_until", "generation_kwargs": settings}
        task |= {"doc_to_target": "{{gold}}"}
    else:
        task |= {"output_type": "multiple_choice", "doc_to_choice": "{{choices}}"}
        task |= {"doc_to_target": "{{choices.index(gold)}}"}
    text = yaml.safe_dump(task, sort_keys=False)
    if kind == "answers":
        text += "process_results: !function speed_grader.process_results\n"
    (folder / f"{kind}.yaml").write_text(text)


@dataclass(frozen=True)
class Way:
    """A command that evaluates; ``batch`` is lm-eval's."""

    name: str
    kind: str
    tasks: Path
    weights: str
    dtype: str
    batch: int | None = None

    def command(self, out: Path, limit: int) -> list[str]:
        include = "--include-path" if self.batch is None else "--include_path"
        shared = ["--tasks", self.kind, include, str(self.tasks), "--limit", str(limit)]
        if self.batch is None:
            own = ["-m", "transferscope", "eval", self.weights, "--out", str(out)]
            return [sys.executable, *own, "--dtype", self.dtype, *shared]
        own = ["-m", "lm_eval", "run", "--model", "hf", "--device", "cpu", "--log_samples"]
        own += ["--model_args", f"pretrained={self.weights},dtype={self.dtype}"]
        own += ["--apply_chat_template", "--batch_size", str(self.batch), "--output_path", str(out)]
        return [sys.executable, *own, *shared]


@dataclass(frozen=True)
class Took:
    """Seconds of one command and what it found: item scores, and answers where it writes them."""

    cpu: float
    wall: float
    scores: Mapping[str, float]
    texts: Mapping[str, str]
    tokens: Mapping[str, int]


def run(way: Way, limit: int, threads: int) -> Took:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        env = {"HF_HOME": scratch, "HF_HUB_OFFLINE": "1"}  # every command builds its data set anew
        cpu, wall = command_times(way.command(out, limit), env, threads)
        read = our_answers if way.batch is None else their_answers
        return Took(cpu, wall, *read(out, way.kind))


def command_times(
    command: Sequence[str], env: Mapping[str, str], threads: int, given: str = ""
) -> tuple[float, float]:
    """Seconds of processors (children of the command included) and of the clock."""
    env = {**os.environ, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false", **env}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, input=given
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:200]} failed:\n{done.stderr[-3000:]}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


Answers = tuple[dict[str, float], dict[str, str], dict[str, int]]


def our_answers(out: Path, kind: str) -> Answers:
    found = read_run(out)
    outcomes = found.by_benchmark[kind]
    return (
        {row.id: row.score for row in outcomes},
        {id_: row.response for (id_, _), row in found.responses(kind).items()},
        {row.id: row.tokens for row in outcomes if row.tokens is not None},
    )


def their_answers(out: Path, kind: str) -> Answers:
    (path,) = out.glob(f"**/samples_{kind}_*.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return (
        {str(row["doc_id"]): float(row["acc"]) for row in rows},
        {str(row["doc_id"]): str(row["filtered_resps"][0]) for row in rows},
        {},
    )


def with_vllm(python: str, weights: str, dtype: str, given: argparse.Namespace) -> Took:
    """The same answers from vLLM in another environment; starting and loading count."""
    asked = {"model": weights, "dtype": dtype, "max_tokens": MAX_TOKENS}
    asked["prompts"] = prompts_of("answers", given)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "answers.json"
        command = [python, "-c", VLLM, str(out)]
        env = {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "2", "PYTHONPATH": ""}
        cpu, wall = command_times(command, env, given.threads, json.dumps(asked))
        texts = json.loads(out.read_text())
    rows = documents("answers", given.items, seed=0)
    scores = [float(r["gold"].lower() in t.lower()) for r, t in zip(rows, texts, strict=True)]
    ids = list(map(str, range(len(texts))))
    by_id = dict(zip(ids, scores, strict=True)), dict(zip(ids, texts, strict=True))
    return Took(cpu, wall, *by_id, {})


def agreement(ours: Took, theirs: Took, kind: str, dtype: str) -> dict[str, Any]:
    """Compare item by item; ends the run if the two didn't do the same work."""
    if ours.scores.keys() != theirs.scores.keys():
        raise SystemExit(f"{kind}: the two sides scored different items")
    pairs = [(ours.scores[id_], theirs.scores[id_]) for id_ in ours.scores]
    gaps = [one - other for one, other in pairs]
    mean = sum(gaps) / len(gaps)
    error = math.sqrt(sum((gap - mean) ** 2 for gap in gaps)) / len(gaps)
    found: dict[str, Any] = {
        "score_ours": round(sum(one for one, _ in pairs) / len(pairs), 4),
        "score_theirs": round(sum(other for _, other in pairs) / len(pairs), 4),
        "equal_item_scores": round(sum(gap == 0.0 for gap in gaps) / len(gaps), 4),
    }
    if kind == "answers":
        same = [ours.texts[id_] == theirs.texts[id_] for id_ in ours.texts]
        found["equal_answers"] = round(sum(same) / len(same), 4)
    if abs(mean) > (0.0 if dtype == "float32" else 3 * error):
        raise SystemExit(f"{kind} in {dtype}: the scores differ: {found}")
    return found


def fastest(rounds: Sequence[Took]) -> dict[str, float]:
    return {
        "cpu": round(min(each.cpu for each in rounds), 2),
        "wall": round(min(each.wall for each in rounds), 2),
    }


def compared(kind: str, dtype: str, given: argparse.Namespace, tasks: Path) -> dict[str, Any]:
    """One kind of task in one dtype."""
    weights = find_model(MODEL).weights
    mine = Way("transferscope", kind, tasks, weights, dtype)
    other = replace(mine, name="lm-eval", batch=given.batches[0])
    starts = {"ours": run(mine, 2, given.threads), "theirs": run(other, 2, given.threads)}
    ours = [run(mine, given.items, given.threads)]
    tried = {
        size: run(replace(other, batch=size), given.items, given.threads) for size in given.batches
    }
    best = min(tried, key=lambda size: tried[size].cpu)
    theirs = [tried[best]]
    for _ in range(given.rounds - 1):
        ours.append(run(mine, given.items, given.threads))
        theirs.append(run(replace(other, batch=best), given.items, given.threads))
    mine_took, their_took = fastest(ours), fastest(theirs)
    ratio = {key: round(their_took[key] / mine_took[key], 2) for key in mine_took}
    beyond = {
        key: (their_took[key] - getattr(starts["theirs"], key))
        / (mine_took[key] - getattr(starts["ours"], key))
        for key in mine_took
    }
    found: dict[str, Any] = {
        "items": given.items,
        "lm_eval_cpu_by_batch_size": {size: round(took.cpu, 1) for size, took in tried.items()},
        "seconds_ours": mine_took,
        "seconds_lm_eval": their_took,
        "start_ours": fastest([starts["ours"]]),
        "start_lm_eval": fastest([starts["theirs"]]),
        "ratio": ratio,
        "ratio_per_item": {key: round(value, 2) for key, value in beyond.items()},
        "reached": ratio["cpu"] >= GOALS[kind],
        **agreement(ours[0], theirs[0], kind, dtype),
    }
    if given.vllm_python and kind == "answers":
        served = with_vllm(given.vllm_python, weights, dtype, given)
        found["vllm"] = {
            "seconds": fastest([served]),
            "ratio_to_ours": {
                key: round(value / mine_took[key], 2) for key, value in fastest([served]).items()
            },
            **agreement(ours[0], served, kind, dtype),
        }
    least = floor(kind, dtype, given, ours[0])
    spent = mine_took["cpu"] - starts["ours"].cpu
    found["cpu_seconds_floor"] = round(least, 2)
    found["share_of_peaks"] = {
        "whole_command": round(least / mine_took["cpu"], 2),
        "after_the_start": round(least / spent, 2),
    }
    if kind == "answers":
        tokens = sum(ours[0].tokens.values())
        found["answer_tokens"] = {"mean": round(tokens / given.items, 1), "limit": MAX_TOKENS}
        found["answer_tokens_a_second"] = {
            "ours": round(tokens / mine_took["wall"], 1),
            "lm_eval": round(tokens / their_took["wall"], 1),
        }
    return found


def prompts_of(kind: str, given: argparse.Namespace) -> list[str]:
    """Rendered prompts of all items, examples as earlier turns of the conversation."""
    words = load_tokenizer(MODEL)
    before: list[dict[str, str]] = []
    for row in documents(kind, given.shots, seed=1):
        before += [{"role": "user", "content": row["question"]}]
        before += [{"role": "assistant", "content": row["gold"]}]
    return [
        rendered(words, [*before, {"role": "user", "content": row["question"]}])
        for row in documents(kind, given.items, seed=0)
    ]


def floor(kind: str, dtype: str, given: argparse.Namespace, took: Took) -> float:
    """Processor seconds of the products alone, at speeds measured now."""
    env = os.environ | {"OMP_NUM_THREADS": str(given.threads)}
    command = [sys.executable, str(Path(__file__).with_name("peaks.py"))]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    words, weights = load_tokenizer(MODEL), parameter_count(MODEL) or 0
    ids = [encode(words, prompt) for prompt in prompts_of(kind, given)]
    head = len(words) * load_config(MODEL)["hidden_size"]  # shared with the embeddings
    flops, bandwidth = json.loads(done.stdout)[dtype]
    shared: dict[str, Any] = {"weights": weights, "head": head, "peaks": (flops, bandwidth)}
    if kind == "answers":
        lengths = list(took.tokens.values())
        return floor_of_answers(ids, lengths, dtype=dtype, **shared)
    options = [row["choices"] for row in documents(kind, given.items, seed=0)]
    lengths = [len(encode(words, " " + text)) for texts in options for text in texts]
    return floor_of_choices(ids, lengths, **shared)


def load_config(model: str) -> dict[str, Any]:
    return json.loads((Path(find_model(model).weights) / "config.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--shots", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--kinds", nargs="+", choices=GOALS, default=list(GOALS))
    parser.add_argument("--vllm-python", help="Python of an environment with vLLM's CPU build")
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"])
    given = parser.parse_args()
    report: dict[str, Any] = {"model": MODEL, "shots": given.shots, "threads": given.threads}
    with tempfile.TemporaryDirectory() as scratch:
        for kind in given.kinds:
            write_task(Path(scratch), kind, given.items, shots=given.shots)
            report[kind] = {
                dtype: compared(kind, dtype, given, Path(scratch)) for dtype in given.dtypes
            }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()

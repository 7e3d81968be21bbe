"""Is the mini suite a measuring instrument? Base, noised and tuned copies of the embedded model.

Three things must hold for every benchmark: the base doesn't guess and isn't perfect, a copy with
noise on its weights falls, and a copy tuned on the benchmark's own training seeds rises.

    python benchmarks/mini_calibration.py --cache /tmp/mini-calibration > mini.json

Finished benchmarks are kept in the cache folder and skipped by the next call.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from transferscope.core.records import ModelRef, digest
from transferscope.core.suite import Suite, load_suite
from transferscope.engines import HFEngine
from transferscope.evaluate import evaluate
from transferscope.models import load_model, load_tokenizer
from transferscope.runs import read_run
from transferscope.tasks.mini import BENCHMARKS, training_items

MODEL = "smollm2-135m"


def score_of(model: Any, tokenizer: Any, benchmark: str, n: int) -> float:
    """Score in percent, by the same way as ``transferscope eval``."""
    suite = load_suite("mini")
    alone = Suite(
        name=suite.name,
        source=suite.group_of[benchmark],
        groups={suite.group_of[benchmark]: (benchmark,)},
        benchmarks={benchmark: suite.benchmarks[benchmark]},
    )
    engine = HFEngine.from_loaded(model, tokenizer, name=MODEL)
    with tempfile.TemporaryDirectory() as folder:
        evaluate(engine, alone, Path(folder) / "run", model_ref=ModelRef(MODEL), n=n, seed=0)
        outcomes = read_run(Path(folder) / "run").outcomes
    return round(100 * sum(o.score for o in outcomes) / len(outcomes), 1)


def add_noise(model: Any, relative: float, seed: int) -> None:
    """Gaussian noise on every weight tensor, ``relative`` times that tensor's own deviation."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim < 2:
                continue  # norm gains: one relative size for them and for matrices means nothing
            noise = torch.randn(weight.shape, generator=generator)
            weight.add_((relative * weight.float().std() * noise).to(weight.dtype))


def tune(tokenizer: Any, benchmark: str, *, examples: int, rate: float, batch: int) -> Any:
    """The base after one pass over training items: AdamW on fp32 weights, bf16 autocast."""
    model = load_model(MODEL).train()
    rows = []
    for item in training_items(benchmark, examples):
        chat = [{"role": "user", "content": item.draft.prompt}]
        prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        head = tokenizer(prompt, add_special_tokens=False).input_ids
        tail = tokenizer(
            item.draft.example + tokenizer.eos_token, add_special_tokens=False
        ).input_ids
        rows.append((head, tail))
    random.Random(0).shuffle(rows)
    total = -(-len(rows) // batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / total)
    for start in range(0, len(rows), batch):
        chunk = rows[start : start + batch]
        width = max(len(head) + len(tail) for head, tail in chunk)
        ids = torch.full((len(chunk), width), int(tokenizer.pad_token_id))
        labels = torch.full((len(chunk), width), -100)
        for row, (head, tail) in enumerate(chunk):
            ids[row, : len(head) + len(tail)] = torch.tensor(head + tail)
            labels[row, len(head) : len(head) + len(tail)] = torch.tensor(tail)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
    return model.to(torch.bfloat16).eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/mini-calibration"))
    parser.add_argument("--n", type=int, default=200, help="items per benchmark, for all stages")
    parser.add_argument("--noise", type=float, default=0.3, help="relative to a tensor's deviation")
    parser.add_argument("--examples", type=int, default=320)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=sorted(BENCHMARKS))
    parser.add_argument("--stages", nargs="*", default=["base", "noised", "tuned"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = {k: getattr(options, k) for k in ("n", "noise", "examples", "rate", "batch")}
    options.cache /= digest(settings)  # figures of another recipe are never mixed in
    options.cache.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(MODEL)
    suite = load_suite("mini")

    def once(stage: str, benchmark: str, n: int, model: Any) -> None:
        path = options.cache / f"{benchmark}.{stage}.{n}.json"
        if path.exists():
            return
        start = time.perf_counter()
        score = score_of(model(), tokenizer, benchmark, n)
        seconds = round(time.perf_counter() - start, 1)
        path.write_text(json.dumps({"score": score, "seconds": seconds}))
        print(f"{benchmark} {stage}: {score} ({seconds} s)", file=sys.stderr, flush=True)

    if "base" in options.stages:
        base = load_model(MODEL, dtype="bfloat16")
        for name in options.only:
            once("base", name, options.n, lambda: base)
    if "noised" in options.stages:
        noised = load_model(MODEL, dtype="bfloat16")
        add_noise(noised, options.noise, seed=0)
        for name in options.only:
            once("noised", name, options.n, lambda: noised)
    if "tuned" in options.stages:
        recipe = {k: settings[k] for k in ("examples", "rate", "batch")}
        for name in options.only:
            once("tuned", name, options.n, lambda name=name: tune(tokenizer, name, **recipe))

    table: dict[str, dict[str, float]] = {}
    for name in options.only:
        row = {"chance": round(100 * suite.benchmarks[name].chance, 1)}
        for stage in ("base", "noised", "tuned"):
            path = options.cache / f"{name}.{stage}.{options.n}.json"
            if path.exists():
                row[stage] = json.loads(path.read_text())["score"]
        table[name] = row
    print(json.dumps({"model": MODEL, "settings": settings, "benchmarks": table}, indent=1))


if __name__ == "__main__":
    main()

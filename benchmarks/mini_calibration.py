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
import time
from pathlib import Path
from typing import Any

import torch

from transferscope.core.suite import load_suite
from transferscope.models import load_model, load_tokenizer
from transferscope.tasks import PACKS, task_name
from transferscope.tasks.mini import BENCHMARKS, training_items

MODEL = "smollm2-135m"


def evaluate(model: Any, tokenizer: Any, benchmark: str, n: int) -> float:
    """Score in percent by lm-eval, exactly as ``transferscope eval`` asks for it."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    manager = TaskManager(
        include_path=str(PACKS["mini"]), include_defaults=False, metadata={"n": n, "seed": 0}
    )
    name = task_name("mini", benchmark)
    results = simple_evaluate(
        HFLM(pretrained=model, tokenizer=tokenizer, batch_size=32),
        tasks=[name],
        task_manager=manager,
        apply_chat_template=True,
        bootstrap_iters=0,
        log_samples=False,
    )
    return round(100 * float(results["results"][name]["score,none"]), 1)


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
    parser.add_argument("--base-n", type=int, default=200)
    parser.add_argument("--n", type=int, default=100, help="items for the noised and tuned copies")
    parser.add_argument("--noise", type=float, default=0.3, help="relative to a tensor's deviation")
    parser.add_argument("--examples", type=int, default=192)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=sorted(BENCHMARKS))
    parser.add_argument("--stages", nargs="*", default=["base", "noised", "tuned"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.cache.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(MODEL)
    suite = load_suite("mini")

    def once(stage: str, benchmark: str, n: int, model: Any) -> None:
        path = options.cache / f"{benchmark}.{stage}.{n}.json"
        if path.exists():
            return
        start = time.perf_counter()
        score = evaluate(model(), tokenizer, benchmark, n)
        seconds = round(time.perf_counter() - start, 1)
        path.write_text(json.dumps({"score": score, "seconds": seconds}))
        print(f"{benchmark} {stage}: {score} ({seconds} s)", file=sys.stderr, flush=True)

    if "base" in options.stages:
        base = load_model(MODEL, dtype="bfloat16")
        for name in options.only:
            once("base", name, options.base_n, lambda: base)
    if "noised" in options.stages:
        noised = load_model(MODEL, dtype="bfloat16")
        add_noise(noised, options.noise, seed=0)
        for name in options.only:
            once("noised", name, options.n, lambda: noised)
    if "tuned" in options.stages:
        settings = {"examples": options.examples, "rate": options.rate, "batch": options.batch}
        for name in options.only:
            once("tuned", name, options.n, lambda name=name: tune(tokenizer, name, **settings))

    table: dict[str, dict[str, float]] = {}
    for name in options.only:
        row = {"chance": round(100 * suite.benchmarks[name].chance, 1)}
        for stage in ("base", "noised", "tuned"):
            for path in options.cache.glob(f"{name}.{stage}.*.json"):
                row[stage] = json.loads(path.read_text())["score"]
        table[name] = row
    settings = {"base_n": options.base_n, "n": options.n, "noise": options.noise}
    settings |= {"examples": options.examples, "rate": options.rate, "batch": options.batch}
    print(json.dumps({"model": MODEL, "settings": settings, "benchmarks": table}, indent=1))


if __name__ == "__main__":
    main()

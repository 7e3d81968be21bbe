"""Token distributions: the probe beside two bare forward passes with their heads, and full logits.

Both models read the same tokens. *Bare*: ``model(ids)`` of each, in the probe's own batches. *In
chunks*: the same with the head on the probe's chunks of positions, which is what it runs itself.
*Full*: whole logits of a text, then the same divergences. Prints one JSON object: ratios of times
measured in this run, the share of the machine's matrix-product speed, and the peak of memory
beyond the models at three text lengths, each in a fresh process. The longest text is twice the
probe's batch, so that a peak that grew with the text would show; long texts are fewer.

    nice -n 5 .venv/bin/python benchmarks/probe_tokens.py
"""

import argparse
import copy
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from probe_hidden import gemm_flops

from transferscope.models import load_model, load_tokenizer
from transferscope.probe import tokens
from transferscope.probe.divergences import divergences
from transferscope.probe.heads import final_states
from transferscope.probe.tokens import token_shift

MODEL, TEXTS, LENGTHS = "smollm2-135m", 24, (256, 1024, 4096)
ROUNDS, BATCH_TOKENS, AT_MOST = 3, 2048, 1.15
WORDS = "The weight of the boat was measured twice before it left for the island again "


def pair() -> tuple:
    """The base and a copy whose weights are moved a little."""
    words = load_tokenizer(MODEL)
    base = load_model(MODEL)
    tuned = copy.deepcopy(base)
    with torch.no_grad():
        for parameter in tuned.parameters():
            parameter.mul_(1.001)
    return base, tuned, words


def rows_of(words: object, length: int) -> list[tuple[str, str]]:
    """A prompt of a word and a response of ``length`` tokens."""
    ids = words(WORDS * (length // 14))["input_ids"][:length]
    return [("Write", words.decode(ids))] * max(2, TEXTS * LENGTHS[0] // length)


def ids_of(words: object, rows: list) -> torch.Tensor:
    return torch.tensor([words(p)["input_ids"] + words(r)["input_ids"] for p, r in rows])


def chunked(base: object, tuned: object, ids: torch.Tensor) -> None:
    """Body and head of both models over batches of the probe's size, logits in its chunks."""
    with torch.inference_mode():
        for model in (base, tuned):
            for batch in ids.split(max(1, BATCH_TOKENS // ids.shape[1])):
                states = final_states(model, {"input_ids": batch}).flatten(0, 1)
                for chunk in states.split(tokens.POSITIONS):
                    model.lm_head(chunk)


def bare(base: object, tuned: object, ids: torch.Tensor) -> None:
    with torch.inference_mode():
        for model in (base, tuned):
            for batch in ids.split(max(1, BATCH_TOKENS // ids.shape[1])):
                model(batch, use_cache=False)


def full(base: object, tuned: object, ids: torch.Tensor) -> None:
    """Whole logits of both models, a text at a time."""
    with torch.inference_mode():
        for row in ids:
            both = [m(row[None], use_cache=False).logits[0, :-1] for m in (base, tuned)]
            divergences(*both, row[1:])


def best_of(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Least seconds of each way; they take turns, so that a busy neighbour meets all of them."""
    found = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            found[name] = min(found[name], time.perf_counter() - start)
    return found


def memory(way: str, length: int) -> float | None:
    """MB of peak memory beyond what both models take, in a process of its own.

    ``None`` where it was killed: it did not fit.
    """
    command = [sys.executable, __file__, "--way", way, "--length", str(length)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        return None
    done.check_returncode()
    return json.loads(done.stdout.splitlines()[-1])


def resident(field: str) -> float:
    """MB of this process: ``VmRSS`` now, ``VmHWM`` at its peak (Linux)."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if field in x)
    return int(line.split()[1]) / 1024


def child(way: str, length: int) -> float:
    base, tuned, words = pair()
    rows, ids = rows_of(words, length), ids_of(words, rows_of(words, length))
    bare(base, tuned, ids[:1, :8])
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = resident("VmRSS")
    if way == "ours":
        token_shift((base, words), (tuned, words), rows)
    else:
        full(base, tuned, ids)
    return round(resident("VmHWM") - before, 1)


def report() -> dict[str, object]:
    base, tuned, words = pair()
    rows = rows_of(words, LENGTHS[0])
    ids = ids_of(words, rows)
    ways = {
        "ours": lambda: token_shift((base, words), (tuned, words), rows),
        "two_bare_passes_in_chunks": lambda: chunked(base, tuned, ids),
        "two_bare_passes": lambda: bare(base, tuned, ids),
        "full_logits": lambda: full(base, tuned, ids),
    }
    seconds = best_of(ways, ROUNDS)
    lengths = [n for n in LENGTHS if n < base.config.max_position_embeddings]
    floor = seconds["two_bare_passes"]
    multiplied = sum(p.numel() for p in base.parameters() if p.ndim == 2)  # the head is tied
    flops = 2 * 2 * multiplied * ids.numel() / seconds["ours"]
    return {
        "texts": TEXTS,
        "response_tokens": LENGTHS[0],
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "times_two_bare_passes": {n: round(v / floor, 2) for n, v in seconds.items()},
        "reached": seconds["ours"] <= AT_MOST * floor,
        "share_of_gemm_speed": round(flops / gemm_flops(), 2),
        "peak_mb_beyond_the_models": {
            way: {str(n): memory(way, n) for n in lengths} for way in ("ours", "full_logits")
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--way")
    parser.add_argument("--length", type=int)
    given = parser.parse_args()
    print(json.dumps(child(given.way, given.length) if given.way else report(), indent=1))

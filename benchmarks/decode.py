"""Answers of the evaluation: our decoding beside ``generate`` of transformers and beside its floor.

The same model, prompts of one mini benchmark, dtype and token limit on both sides, once for every
kind of processor that oneDNN can play and both dtypes. Prints one JSON object: ratios of times
measured in this run, and the share of answers that are equal (bfloat16 rounds differently in
batches of another shape; float32 shows what is left of that). A kind that this machine is not is
left as it is by oneDNN, and the float32 of ``generate`` is MKL's, which knows no such limit.

The floor is the time that the products alone take at the speeds measured beside it: every token
read costs 2 FLOPs a weight, and a step reads all weights once, whichever takes longer. Seconds are
those of all threads' processors (``--threads 1``: of one), so that neighbours count little.

    nice -n 5 .venv/bin/python benchmarks/decode.py [--kinds default] [--dtypes float32]
"""

import argparse
import json
import os
import subprocess
import sys
import time

import torch
from peaks import floor_of_answers, speeds
from transformers import GenerationConfig

from transferscope.engines import HFEngine
from transferscope.engines.decode import chooser, decode
from transferscope.models import parameter_count
from transferscope.tasks.mini import items

MODEL, ITEMS, MAX_TOKENS = "smollm2-135m", 60, 96
KINDS = {"vnni": "AVX512_CORE_VNNI", "bf16": "AVX512_CORE_BF16", "default": "DEFAULT"}
DTYPES = ("float32", "bfloat16")


def prompts_of(engine: HFEngine, count: int) -> list[list[int]]:
    """Rendered questions, as the suite asks them."""
    asked = [item.draft.prompt for item in items("word_problems", count)]
    return [engine.encode(engine.render([{"role": "user", "content": text}])) for text in asked]


def ours(engine: HFEngine, ids: list[list[int]]) -> list[list[int]]:
    return decode(
        engine.model,
        ids,
        max_tokens=MAX_TOKENS,
        choose=chooser(0.0),
        ends=engine.end_ids,
        pad=engine.pad_id,
    )


def theirs(engine: HFEngine, ids: list[list[int]]) -> list[list[int]]:
    width = max(map(len, ids))
    rows = [[engine.pad_id] * (width - len(row)) + row for row in ids]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in ids]
    config = GenerationConfig(
        max_new_tokens=MAX_TOKENS,
        do_sample=False,
        eos_token_id=list(engine.end_ids),
        pad_token_id=engine.pad_id,
    )
    engine.model.generation_config = GenerationConfig()
    with torch.no_grad():
        output = engine.model.generate(
            input_ids=torch.tensor(rows),
            attention_mask=torch.tensor(mask),
            generation_config=config,
        )
    answers = []
    for row in output[:, width:].tolist():
        end = next((at for at, token in enumerate(row) if token in engine.end_ids), len(row) - 1)
        answers.append(row[: end + 1])
    return answers


def report(dtype: str, count: int) -> dict[str, object]:
    engine = HFEngine(MODEL, dtype=dtype)
    ids = prompts_of(engine, count)
    ours(engine, ids[:8])  # the first pass allocates
    seconds, answers = {}, {}
    for name, draw in (("ours", ours), ("generate", theirs)):
        start = time.process_time()
        answers[name] = draw(engine, ids)
        seconds[name] = time.process_time() - start
    pairs = list(zip(answers["ours"], answers["generate"], strict=True))
    lengths = [len(answer) for answer in answers["ours"]]
    head = engine.model.get_input_embeddings().weight.numel()  # shared with the output layer
    least = floor_of_answers(
        ids,
        lengths,
        weights=parameter_count(MODEL) or 0,
        head=head,
        dtype=dtype,
        peaks=speeds(dtype),
    )
    return {
        "items": len(ids),
        "mean_answer_tokens": round(sum(lengths) / len(lengths), 1),
        "cpu_seconds_ours": round(seconds["ours"], 2),
        "cpu_seconds_generate": round(seconds["generate"], 2),
        "cpu_seconds_floor": round(least, 2),
        "speed_up": round(seconds["generate"] / seconds["ours"], 2),
        "ratio_to_floor": round(seconds["ours"] / least, 2),
        "equal_answers": round(sum(mine == other for mine, other in pairs) / len(pairs), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=list(DTYPES))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        torch.set_num_threads(given.threads)
        print(json.dumps(report(given.one, given.items)))
        return
    found: dict[str, dict[str, object]] = {}
    for kind in given.kinds:
        for dtype in given.dtypes:
            command = [sys.executable, __file__, "--one", dtype, "--items", str(given.items)]
            command += ["--threads", str(given.threads)]
            env = {**os.environ, "ONEDNN_MAX_CPU_ISA": KINDS[kind]}  # read once a process
            done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
            found.setdefault(kind, {})[dtype] = json.loads(done.stdout)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

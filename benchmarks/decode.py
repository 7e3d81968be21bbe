"""Answers of the evaluation: our decoding beside ``generate`` of transformers, in one batch each.

The same model, prompts of one mini benchmark, dtype and token limit on both sides. Prints one JSON
object: the ratio of times measured in this run, and the share of answers that are equal (bfloat16
rounds differently in batches of another shape; ``--dtype float32`` shows what is left of that).

    nice -n 5 .venv/bin/python benchmarks/decode.py
"""

import argparse
import json
import time

import torch
from transformers import GenerationConfig

from transferscope.engines import HFEngine
from transferscope.engines.decode import chooser, decode
from transferscope.tasks.mini import items

MODEL, ITEMS, MAX_TOKENS = "smollm2-135m", 96, 96


def prompts_of(engine: HFEngine) -> list[list[int]]:
    """Rendered questions, as the suite asks them."""
    asked = [item.draft.prompt for item in items("word_problems", ITEMS)]
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


def report(dtype: str) -> dict[str, object]:
    engine = HFEngine(MODEL, dtype=dtype)
    ids = prompts_of(engine)
    ours(engine, ids[:8])  # the first pass allocates
    seconds, answers = {}, {}
    for name, draw in (("ours", ours), ("generate", theirs)):
        start = time.perf_counter()
        answers[name] = draw(engine, ids)
        seconds[name] = time.perf_counter() - start
    pairs = list(zip(answers["ours"], answers["generate"], strict=True))
    lengths = [len(answer) for answer in answers["ours"]]
    return {
        "dtype": dtype,
        "items": len(ids),
        "mean_answer_tokens": round(sum(lengths) / len(lengths), 1),
        "seconds_ours": round(seconds["ours"], 2),
        "seconds_generate": round(seconds["generate"], 2),
        "speed_up": round(seconds["generate"] / seconds["ours"], 2),
        "equal_answers": round(sum(mine == other for mine, other in pairs) / len(pairs), 3),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--dtype", default="bfloat16")
    print(json.dumps(report(parser.parse_args().dtype), indent=1))

"""One GPU of 80 GB, in under 8 minutes: what our documents could not try without one.

The same steps run on the processor and on the GPU, and their numbers are compared: evaluation,
packed scoring of GRPO rows with its gradient, and both probes. Then ``probe tokens`` and ``probe
hidden`` measure two large models with random weights one after the other (``--sequential``), beside
two bare forward passes. No network. Prints one JSON object with the card's name; exits 1 if a check
fails, and 2 with one line on a machine without a GPU.

    python benchmarks/gpu.py [--model FOLDER] [--billions 7]

``--model`` is a folder with SmolLM2-135M-Instruct's weights if the machine can't download it.
``--small`` runs the same steps with tiny random models on the processor alone, to test this script.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from transferscope.core.records import Decoding
from transferscope.engines import HFEngine
from transferscope.models import find_model, load_model, load_tokenizer
from transferscope.probe.hidden import hidden_shift
from transferscope.probe.tokens import token_shift
from transferscope.tasks.mini import items
from transferscope.train.prompt_packing import packed_scores

WORDS = "The weight of the boat was measured twice before it left for the island again. "
SHAPES = {  # width, feed-forward width, layers, heads, key-value heads: Qwen2.5's sizes
    7: (3584, 18944, 28, 28, 4),
    14: (5120, 13824, 48, 40, 8),
}
GIB = 2**30


@dataclass(frozen=True)
class Scale:
    """Sizes of the steps."""

    items: int
    max_tokens: int
    rollouts: int
    response: int
    texts: int
    text_tokens: int
    large_texts: int


FULL = Scale(64, 96, 8, 64, 32, 128, 64)
SMALL = Scale(6, 8, 3, 6, 6, 24, 6)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--billions", type=int, choices=SHAPES, default=7)
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args()
    if not given.small and not torch.cuda.is_available():
        print("no GPU that torch can use; --small tries the script without one", file=sys.stderr)
        raise SystemExit(2)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        report = measured(given, Path(scratch))
    report["seconds"] = round(time.perf_counter() - start, 1)
    print(json.dumps(report, indent=1))
    raise SystemExit(1 if report["failed"] else 0)


def measured(given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """All steps; a step that raises is a failed check, and the others still run."""
    device, scale = ("cpu", SMALL) if given.small else ("cuda", FULL)
    base = write_tiny(scratch / "tiny", seed=0) if given.small else given.model
    tuned = write_moved(base, scratch / "moved")
    billions = None if given.small else given.billions
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "products": lambda: products(device),
        "evaluation": lambda: evaluation(base, device, scale),
        "packed_grpo_rows": lambda: packed_rows(base, device, scale),
        "probes": lambda: probes(base, tuned, device, scale),
        "large_probes": lambda: large_probes(base, billions, device, scale, scratch),
    }
    found: dict[str, Any] = {
        "card": "none (--small)" if given.small else torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "failed": [],
    }
    for name, step in steps.items():
        begin = time.perf_counter()
        try:
            found[name] = step()
        except Exception as err:  # a fault of one step must not hide the others' figures
            found[name] = {"checks": {"ran": False}, "error": f"{type(err).__name__}: {err}"[:300]}
        found[name]["seconds"] = round(time.perf_counter() - begin, 1)
        wrong = [check for check, fine in found[name].get("checks", {}).items() if not fine]
        found["failed"] += [f"{name}: {check}" for check in wrong]
        release(device)
    return found


def release(device: str) -> None:
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def timed(device: str, run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of a call until the device has finished, and its result."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    found = run()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, found


def write_tiny(folder: Path, *, seed: int) -> str:
    """A random Llama of two layers and a tokenizer of one token a byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    words = ["<pad>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    raw = Tokenizer(models.BPE({word: at for at, word in enumerate(words)}, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    PreTrainedTokenizerFast(tokenizer_object=raw, **special).save_pretrained(folder)
    torch.manual_seed(seed)
    llama((64, 128, 2, 4, 2), len(words), initializer_range=0.3).save_pretrained(folder)
    return str(folder)


def llama(shape: Sequence[int], vocabulary: int, **settings: Any) -> LlamaForCausalLM:
    """Random weights of a shape; see ``SHAPES``."""
    width, inner, layers, heads, kept = shape
    sizes = {"hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers}
    sizes |= {"num_attention_heads": heads, "num_key_value_heads": kept}
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, **sizes, **ids, **settings))


def write_moved(base: str, folder: Path) -> str:
    """The base with its weights moved a little."""
    model = load_model(base, device_map="cpu")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.001)
    model.save_pretrained(folder)
    load_tokenizer(base).save_pretrained(folder)
    return str(folder)


def products(device: str) -> dict[str, Any]:
    """Floating-point operations a second of a large product, as torch multiplies by default."""
    size, found = (512 if device == "cpu" else 8192), {}
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.randn(2, size, size, dtype=dtype, device=device)
        best = min(timed(device, lambda a=a, b=b: a @ b)[0] for _ in range(5))
        found[str(dtype).removeprefix("torch.")] = round(2 * size**3 / best / 1e12, 2)
    return {"tflops": found}


def evaluation(base: str, device: str, scale: Scale) -> dict[str, Any]:
    """Answers and log-likelihoods on the device beside those of the processor in float32."""
    asked = items("word_problems", scale.items)
    rows = [
        (item.draft.prompt, " " + text)
        for item in items("planning", scale.items)
        for text in item.draft.choices
    ]
    ways = {
        "cpu float32": {"dtype": "float32", "device_map": "cpu"},
        "float32": {"dtype": "float32", "device_map": device},
        "bfloat16": {"dtype": "bfloat16", "device_map": device},
        "device_map auto": {"dtype": "float32", "device_map": "auto"},
    }
    answers, nats, found = {}, {}, {}
    for name, options in ways.items():
        engine = HFEngine(base, **options)
        prompts = [engine.render([{"role": "user", "content": one.draft.prompt}]) for one in asked]
        engine.generate(prompts[:2], Decoding(max_tokens=2))  # the first pass allocates
        decoding = Decoding(max_tokens=scale.max_tokens)
        spent, drawn = timed(device, lambda e=engine, p=prompts, d=decoding: e.generate(p, d))
        scoring, nats[name] = timed(device, lambda e=engine: e.loglikelihoods(rows))
        answers[name] = [answer.text for answer in drawn]
        found[name] = {
            "tokens_a_second": round(sum(answer.tokens for answer in drawn) / spent, 1),
            "choices_a_second": round(len(rows) / scoring, 1),
        }
    first = "cpu float32"
    for name in ways:
        same = [one == other for one, other in zip(answers[name], answers[first], strict=True)]
        gaps = [abs(one - other) for one, other in zip(nats[name], nats[first], strict=True)]
        found[name] |= {
            "equal_answers": round(sum(same) / len(same), 3),
            "largest_gap_in_nats": round(max(gaps), 5),
        }
    checks = {
        # A near tie may fall the other way, and everything after it differs.
        "float32 answers": found["float32"]["equal_answers"] >= 0.9,
        "float32 log-likelihoods": found["float32"]["largest_gap_in_nats"] <= 0.01,
        "bfloat16 log-likelihoods": found["bfloat16"]["largest_gap_in_nats"] <= 3.0,
        "device_map": found["device_map auto"]["largest_gap_in_nats"] <= 0.01,
    }
    return {"by_way": found, "checks": checks}


def packed_rows(base: str, device: str, scale: Scale) -> dict[str, Any]:
    """Log-probabilities and gradient of a group of responses packed behind their prompts."""
    from trl.trainer.utils import add_fused_lm_head

    torch.manual_seed(0)
    keep, rows = scale.response, 4 * scale.rollouts
    prompts = torch.randint(3, 250, (4, 16)).repeat_interleave(scale.rollouts, 0)
    ids = torch.cat([prompts, torch.randint(3, 250, (rows, keep))], dim=1)
    weight = torch.linspace(-1, 1, rows)[:, None]
    found: dict[str, Any] = {}
    for place in dict.fromkeys(("cpu", device)):
        model = load_model(base, device_map=place)
        add_fused_lm_head(model, temperature=1.0, outputs=("log_probs", "entropy"))
        at = [tensor.to(place) for tensor in (ids, torch.ones_like(ids), weight)]

        def step(model: Any = model, at: Any = at) -> torch.Tensor:
            model.zero_grad()
            scores = packed_scores(model, at[0], at[1], keep)
            (scores.log_probs_BK * at[2]).sum().backward()
            return scores.log_probs_BK.detach().cpu()

        step()
        spent, scores = timed(place, step)
        gradients = [p.grad.norm() for p in model.parameters() if p.grad is not None]
        found[place] = (scores, float(torch.stack(gradients).norm()), rows * keep / spent)
    (one, norm, _), (other, moved, _) = found["cpu"], found[device]
    gap = float((one - other).abs().max())
    return {
        "largest_gap_in_nats": round(gap, 6),
        "gradient_norm": [round(norm, 4), round(moved, 4)],
        "response_tokens_a_second": {place: round(row[2], 1) for place, row in found.items()},
        "checks": {"scores": gap <= 0.01, "gradient": abs(moved / norm - 1) <= 0.01},
    }


def rows_of(tokenizer: Any, count: int, length: int) -> list[tuple[str, str]]:
    """A prompt of a word and a response of ``length`` tokens, each beginning elsewhere."""
    ids = tokenizer(WORDS * (2 + length // 8))["input_ids"]
    return [("Write", tokenizer.decode(ids[at % 8 : at % 8 + length])) for at in range(count)]


def probes(base: str, tuned: str, device: str, scale: Scale) -> dict[str, Any]:
    """Both probes of the base and the moved model, on the processor and on the device."""
    rows = rows_of(load_tokenizer(base), scale.texts, scale.text_tokens)
    texts = [response + str(at) for at, (_, response) in enumerate(rows)]
    found = {}
    for place in dict.fromkeys(("cpu", device)):
        tokens = token_shift(base, tuned, rows, device_map=place)
        hidden = hidden_shift(base, tuned, texts, device_map=place)
        layer = hidden.layers[-1]
        found[place] = [tokens.kl_tuned_base, tokens.js, hidden.d_layerwise, layer.rel_l2]
    gaps = [
        abs(one - other) / max(abs(one), 1e-9)
        for one, other in zip(found["cpu"], found[device], strict=True)
    ]
    return {
        "kl_js_pca_l2": {place: [float(f"{v:.6g}") for v in row] for place, row in found.items()},
        "largest_relative_gap": round(max(gaps), 5),
        "checks": {"same numbers": max(gaps) <= 0.02},
    }


def large_probes(
    base: str, billions: int | None, device: str, scale: Scale, scratch: Path
) -> dict[str, Any]:
    """Both probes of two random models, one after the other, beside two bare forward passes."""
    tokenizer = AutoTokenizer.from_pretrained(find_model(base).tokenizer_path)
    names = [str(scratch / f"large-{seed}") for seed in (1, 2)]
    for seed, name in enumerate(names):
        shape = (96, 192, 3, 4, 2) if billions is None else SHAPES[billions]
        torch.manual_seed(seed)
        torch.set_default_dtype(torch.bfloat16)
        with torch.device(device):
            model = llama(shape, max(len(tokenizer), 152_064 if billions else 0))
        torch.set_default_dtype(torch.float32)
        size = sum(parameter.numel() for parameter in model.parameters())
        model.save_pretrained(name)
        tokenizer.save_pretrained(name)
        del model
        release(device)
    rows = rows_of(tokenizer, scale.large_texts, scale.text_tokens)
    ids = [
        tokenizer(prompt + response)["input_ids"][: scale.text_tokens] for prompt, response in rows
    ]
    width = min(map(len, ids))
    batch = torch.tensor([row[:width] for row in ids], device=device)
    options: dict[str, Any] = {"dtype": "bfloat16", "device_map": device}
    loading = bare = 0.0
    for name in names:
        spent, model = timed(device, lambda name=name: load_model(name, **options))
        loading += spent
        bare += timed(device, lambda model=model: forward(model, batch))[0]
        del model
        release(device)
    bytes_of_one = size * torch.bfloat16.itemsize
    found: dict[str, Any] = {
        "billions_of_weights": round(size / 1e9, 3),
        "seconds_loading_both": round(loading, 1),
        "tokens_a_second_two_bare_passes": round(batch.numel() / bare, 1),
    }
    checks = {}
    texts = [response + str(at) for at, (_, response) in enumerate(rows)]
    runs = {
        "tokens": lambda: token_shift(*names, rows, sequential=True, **options),
        "hidden": lambda: hidden_shift(*names, texts, **options),
    }
    for name, run in runs.items():
        release(device)
        spent, _ = timed(device, run)
        own = max(spent - loading, 1e-9)
        found[f"probe_{name}"] = {
            "seconds": round(spent, 1),
            "tokens_a_second_without_loading": round(batch.numel() / own, 1),
            "times_two_bare_passes": round(own / bare, 2),
        }
        if device == "cuda":
            peak = torch.cuda.max_memory_allocated() / bytes_of_one
            found[f"probe_{name}"]["peak_in_models"] = round(peak, 2)
            checks[f"{name}: one model in memory at a time"] = peak < 1.6
    return found | {"checks": checks}


@torch.inference_mode()
def forward(model: Any, batch: torch.Tensor) -> None:
    """Body and head over all rows, 2,048 tokens at a time as the probes have them."""
    for part in batch.split(max(1, 2048 // batch.shape[1])):
        model(part, use_cache=False)


if __name__ == "__main__":
    main()

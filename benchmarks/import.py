"""Import of an lm-eval samples file, beside ``json.loads`` per line and pandas in chunks.

The same 5,000 documents at two lengths of text: time goes with the file's size, memory doesn't.
With two filters (gsm8k) every document stands in the file twice, and the file is read twice: first
for what the second filter rescued. The others parse every line once and keep nothing, ours also
writes the run folder. Prints one JSON object; ratios are times over ``json.loads``, measured in
this run. Peak memory is ru_maxrss of a fresh process. ``--beside`` measures another version on the
same files, given its ``src`` folder.

    .venv/bin/python benchmarks/import.py [--mb 200] [--beside ../before/src]
"""

import argparse
import importlib.util
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DOCUMENTS = 5_000
DATE = "2026-11-24T08-00-00.000000"
FILTERS = ("strict-match", "flexible-extract")
WORDS = ("so", "then", "we", "add", "the", "sum", "of", "both", "sides,", "which", "is", "équal")


def write(folder: Path, megabytes: float, filters: tuple[str, ...]) -> Path:
    """Samples and results as lm-eval 0.4.13 writes them; returns the samples file."""
    draw = random.Random(0)
    per_row = megabytes * 1e6 / (DOCUMENTS * len(filters))
    text = " ".join(draw.choices(WORDS, k=int(per_row * len(WORDS) / len(" ".join(WORDS)) + 1)))
    folder.mkdir(parents=True)
    samples = folder / f"samples_gsm8k_{DATE}.jsonl"
    with samples.open("w", encoding="utf-8") as file:
        for name in filters:
            for doc in range(DOCUMENTS):
                row = {
                    "doc_id": doc,
                    "doc": {"question": f"Question {doc}?", "answer": f"#### {doc}"},
                    "target": f"#### {doc}",
                    "arguments": {"gen_args_0": {"arg_0": f"Q: {doc}?", "arg_1": {"until": []}}},
                    "resps": [[f"{doc}: {text} #### {doc}"]],
                    "filtered_resps": [str(doc)],
                    "filter": name,
                    "metrics": ["exact_match"],
                    "doc_hash": f"{doc:064x}",
                    "prompt_hash": f"{doc:064x}",
                    "target_hash": f"{doc:064x}",
                    "exact_match": float((doc * 7919) % 10 < (5 if name == FILTERS[0] else 6)),
                }
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    results = {
        "results": {"gsm8k": {f"exact_match,{name}": 0.5 for name in filters}},
        "configs": {"gsm8k": {"output_type": "generate_until"}},
        "model_name": "acme/synthetic",
        "lm_eval_version": "0.4.13",
    }
    (folder / f"results_{DATE}.json").write_text(json.dumps(results))
    return samples


def ours(samples: Path) -> int:
    from transferscope.runs import read_run
    from transferscope.runs.importers import import_results

    with tempfile.TemporaryDirectory(dir=samples.parent) as out:
        import_results(samples.parent, Path(out) / "run")
        return len(read_run(Path(out) / "run").outcomes)


def json_loads(samples: Path) -> int:
    with samples.open("rb") as lines:
        return len({json.loads(line)["doc_id"] for line in lines})


def pandas(samples: Path) -> int:
    import pandas

    found: set[int] = set()
    for chunk in pandas.read_json(samples, lines=True, chunksize=1000):
        found.update(chunk["doc_id"])
    return len(found)


WAYS = {"ours": ours, "beside": ours, "json_loads": json_loads, "pandas": pandas}


def measure(way: str, samples: Path, beside: Path | None) -> dict[str, float]:
    """Seconds and peak memory of one way, alone in a fresh process; imports are not timed."""
    path = {"PYTHONPATH": str(beside)} if way == "beside" else {}
    done = subprocess.run(
        [sys.executable, __file__, "--way", way, "--samples", str(samples)],
        env={**os.environ, **path},
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def child(way: str, samples: Path) -> dict[str, float]:
    if way in ("ours", "beside"):
        import transferscope.runs.importers.lmeval  # noqa: F401
    elif way == "pandas":
        import pandas  # noqa: F401
    start, used = time.perf_counter(), time.process_time()
    assert WAYS[way](samples) == DOCUMENTS
    seconds, cpu = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    megabytes = samples.stat().st_size / 1e6
    return {
        "mb": round(megabytes, 1),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 3),
        "mb_per_second": round(megabytes / seconds, 1),
        "peak_mb": round(peak, 1),
    }


def main(megabytes: float, beside: Path | None) -> dict[str, object]:
    present = {"pandas": importlib.util.find_spec("pandas"), "beside": beside}
    ways = [way for way in WAYS if present.get(way, way)]
    alike = [way for way in ways if way != "pandas"]
    report: dict[str, object] = {"documents": DOCUMENTS}
    with tempfile.TemporaryDirectory() as scratch:
        cases = {
            "one_filter": (megabytes, FILTERS[:1], ways),
            "quarter_of_the_text": (megabytes / 4, FILTERS[:1], alike),
            "two_filters": (megabytes, FILTERS, alike),
        }
        for name, (size, filters, measured) in cases.items():
            samples = write(Path(scratch) / name, size, filters)
            rows = {way: measure(way, samples, beside) for way in measured}
            for key in ("seconds", "cpu_seconds"):
                for row in rows.values():
                    times = row[key] / rows["json_loads"][key]
                    row[f"{key}_times_json_loads"] = round(times, 2)
            report[name] = rows
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mb", type=float, default=200)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--samples", type=Path)
    options = parser.parse_args()
    asked = options.way is not None
    found = child(options.way, options.samples) if asked else main(options.mb, options.beside)
    print(json.dumps(found, indent=None if asked else 1))

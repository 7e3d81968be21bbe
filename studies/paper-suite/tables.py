"""Print the study's table: scores, answer tokens and cut answers of every kept run.

.venv/bin/python studies/paper-suite/tables.py
"""

from pathlib import Path

from transferscope.runs import Run, read_run

MODELS = ("base", "on-policy-rl", "off-policy-sft")


def cell(run: Run, benchmark: str) -> str:
    """Score in percent, tokens per answer, and the share of answers that the limit cut."""
    rows = run.by_benchmark[benchmark]
    weight = sum(row.weight for row in rows)
    score = 100.0 * sum(row.score * row.weight for row in rows) / weight
    tokens = sum(row.tokens or 0 for row in rows) / len(rows)
    cut = 100.0 * sum("truncated" in row.flags for row in rows) / len(rows)
    return f"{score:.1f} ({tokens:.0f}, {cut:.0f} %)"


def main() -> None:
    """Print the table in Markdown."""
    runs = [read_run(Path(__file__).parent / "runs" / name) for name in MODELS]
    print("| benchmark | answers |", " | ".join(MODELS), "|")
    print("|---|---|" + "---|" * len(MODELS))
    for benchmark, rows in runs[0].by_benchmark.items():
        cells = " | ".join(cell(run, benchmark) for run in runs)
        print(f"| {benchmark} | {len(rows)} | {cells} |")
    total = [sum(row.tokens or 0 for row in run.outcomes) for run in runs]
    print("| all, tokens | |", " | ".join(f"{count:,}" for count in total), "|")


if __name__ == "__main__":
    main()

"""Tasks of lm-eval in a folder, their data beside them: what tests run instead of a hub's."""

from __future__ import annotations

import json
from pathlib import Path

GENERATE = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
num_fewshot: 0
generation_kwargs: {{until: ["\\n"], do_sample: false}}
filter_list:
  - name: strict
    filter:
      - function: regex
        regex_pattern: "It is (\\\\d+)"
      - function: take_first
  - name: lenient
    filter:
      - function: regex
        regex_pattern: "(\\\\d+)"
      - function: take_first
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
metadata: {{version: 3.0}}
"""
CHOOSE = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: {kind}
doc_to_text: "{{{{question}}}}"
doc_to_choice: ["red", "green", "blue"]
doc_to_target: gold
metric_list:
  - {{metric: {metric}, aggregation: mean, higher_is_better: true}}
metadata: {{version: 1.0}}
"""
PLAUSIBLE = """
task: mc_taco
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{sentence}}}} {{{{question}}}} {{{{answer}}}}?"
doc_to_choice: ["no", "yes"]
doc_to_target: label
metric_list:
  - {{metric: acc}}
  - {{metric: f1}}
metadata: {{version: 1.0}}
"""
GROUP = """
group: mmlu
task: [mmlu_anatomy, mmlu_astronomy]
aggregate_metric_list:
  - {metric: acc, weight_by_size: true}
"""


def write_tasks(folder: Path, *, n: int = 5) -> Path:
    """``local_sums`` (generated, two filters), ``mmlu`` (a group of two choices), ``mc_taco``
    (scored by question) and two that are refused."""
    folder.mkdir(exist_ok=True)
    sums = [{"question": f"{i}+1?", "answer": str(i + 1), "id": "same"} for i in range(n)]
    choices = [{"question": f"Colour {i}?", "gold": i % 3} for i in range(n)]
    for name, rows in (("sums", sums), ("choices", choices)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "sums.yaml").write_text(
        GENERATE.format(name="local_sums", file=folder / "sums.jsonl")
    )
    kinds = {
        "mmlu_anatomy": ("multiple_choice", "acc"),
        "mmlu_astronomy": ("multiple_choice", "acc"),
        "local_rolling": ("loglikelihood_rolling", "word_perplexity"),
        "local_greedy": ("multiple_choice", "exact_match"),
    }
    for name, (kind, metric) in kinds.items():
        text = CHOOSE.format(name=name, kind=kind, metric=metric, file=folder / "choices.jsonl")
        (folder / f"{name}.yaml").write_text(text)
    proposed = [("How long?", "an hour", 1), ("How long?", "a year", 0), ("When?", "at noon", 1)]
    rows = [
        {"sentence": "He ate.", "question": question, "answer": answer, "label": label}
        for question, answer, label in proposed
    ]
    (folder / "taco.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "taco.yaml").write_text(PLAUSIBLE.format(file=folder / "taco.jsonl"))
    (folder / "mmlu.yaml").write_text(GROUP)
    return folder

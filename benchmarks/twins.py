"""What known faults of released graders do to scores: the paper's benchmarks with their twins.

The graders of the pack ``fixed`` and their twins grade the same answers: real responses where there
are some, else right answers of the benchmark in the forms in which models write them. ``lost``
counts the answers that only the own grader accepts, ``gained`` those that only the twin accepts.

Prints one JSON object with a section per benchmark. DATA is a folder with the original files in
``bench`` and saved responses in ``responses``; a benchmark whose files are missing is left out.

    .venv/bin/python benchmarks/twins.py [--data DATA] [--only NAME]
"""

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transferscope.core.files import read_json_lines
from transferscope.grade.maths import finished
from transferscope.tasks import Item
from transferscope.tasks.paper import PRESETS
from transferscope.tasks.paper.maths_golds import boxed

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
OPEN_HEADING = re.compile(r"(?:^|\n)(?:\d\. )?\*\*(?:\w[\w ]* )?$")
"""What is left of "**Problem:" and "**Understanding the Problem:" at the stop "Problem:"."""

Pairs = Sequence[tuple[Item, str]]
Section = Callable[[Path], Mapping[str, Any]]


def compared(benchmark: str, pairs: Pairs) -> dict[str, Any]:
    """Scores in percent of the own grader and of every twin."""
    task = PRESETS["fixed"][benchmark]
    own = [task.grade(item, reply) for item, reply in pairs]
    found: dict[str, Any] = {"n": len(pairs), "own": percent(own)}
    for name, grade in task.twins.items():
        scores = [grade(item, reply) for item, reply in pairs]
        both = list(zip(own, scores, strict=True))
        found[name] = {
            "score": percent(scores),
            "lost": sum(mine > theirs for mine, theirs in both),
            "gained": sum(mine < theirs for mine, theirs in both),
        }
    return found


def percent(scores: Sequence[float]) -> float:
    return round(100 * sum(scores) / len(scores), 1)


def drawn(benchmark: str, data: Path) -> Sequence[Item]:
    return PRESETS["fixed"][benchmark].items(None, seed=0, data=data / "bench")


# --- Maths ---------------------------------------------------------------------------------------


def math500(data: Path) -> Mapping[str, Any]:
    """The responses of the paper's own two models, joined by the problem's text in the prompt."""
    problems = [(item.text.rpartition("\n\n")[0], item) for item in drawn("MATH-500", data)]
    found: dict[str, Any] = {}
    for model in ("UniReason-RL", "UniReason-SFT"):
        path = data / "responses" / f"{model}_hendrycks_math_500.jsonl"
        rows = [row for _, row in read_json_lines(path, remedy="name a file of JSON lines")]
        pairs = []
        for row in rows:
            asked = [(text, item) for text, item in problems if text in row["prompt"]]
            item = max(asked, key=lambda each: len(each[0]))[1]
            pairs.append((item, row["response"]))
        closed = [pair for pair in pairs if "\\boxed{" in pair[1] and finished(pair[1])]
        found[model] = {
            "all": compared("MATH-500", pairs),
            "closed_box": compared("MATH-500", closed),
            "cut_in_a_heading": sum(OPEN_HEADING.search(reply) is not None for _, reply in pairs),
        }
    return found


def aime(data: Path) -> Mapping[str, Any]:
    """Right answers as integers, and as the three digits that the contest asks for."""
    return {
        name: {
            "integer": compared(name, [(i, boxed(i.data.listed)) for i in drawn(name, data)]),
            "three_digits": compared(
                name, [(i, boxed(i.data.listed.zfill(3))) for i in drawn(name, data)]
            ),
        }
        for name in ("AIME24", "AIME25")
    }


def olympiadbench(data: Path) -> Mapping[str, Any]:
    """The file's right answers with and without its dollar signs, and lists in reverse order."""
    benchmark = PRESETS["fixed"]["OlympiadBench"]
    items = [
        item
        for item in drawn("OlympiadBench", data)
        if benchmark.grade(item, boxed(item.data.listed)) == 1.0
    ]
    lists = [(item, item.data.right[0].split(", ")) for item in items if is_list(item)]
    forms: Mapping[str, Pairs] = {
        "with_dollars": [(item, boxed(item.data.listed)) for item in items],
        "plain": [(item, boxed(item.data.listed.replace("$", ""))) for item in items],
        "reversed": [(item, boxed(", ".join(parts[::-1]))) for item, parts in lists],
    }
    return {form: compared("OlympiadBench", pairs) for form, pairs in forms.items()}


def is_list(item: Item) -> bool:
    text = item.data.right[0]
    return ", " in text and not any(mark in text for mark in ("(", "[", "where"))


SECTIONS: Mapping[str, Section] = {
    "MATH-500": math500,
    "AIME": aime,
    "OlympiadBench": olympiadbench,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", choices=list(SECTIONS))
    args = parser.parse_args()
    chosen = {args.only: SECTIONS[args.only]} if args.only else SECTIONS
    if not (args.data / "bench").is_dir():
        print(json.dumps({"left_out": f"no folder {args.data / 'bench'}"}))
        return
    print(json.dumps({name: section(args.data) for name, section in chosen.items()}))


if __name__ == "__main__":
    main()

"""What grading rules do to scores: CoQA, IFEval, HaluEval and MC-TACO with their twins.

IFEval: GPT-4's saved answers by the mended and the published checkers. CoQA and HaluEval: right
answers in the forms in which models write them. MC-TACO: constant answers and two saved models, by
the measures of its column. Scores are in percent.

Prints one JSON object with a section per benchmark. DATA is a folder with the original files in
``bench`` and saved responses in ``responses``.

    .venv/bin/python benchmarks/word_twins.py [--data DATA] [--only NAME]
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transferscope.core.files import read_json_lines
from transferscope.grade.ifeval import DIFFERENT, strict
from transferscope.grade.mctaco import em_and_f1, read_judged, read_tsv
from transferscope.tasks import Item
from transferscope.tasks.paper import PRESETS

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CHAIN = "<think>\nLet me compare the two.\n</think>\n\n"
"""Reasoning before an answer."""


def compared(benchmark: str, pairs: Sequence[tuple[Item, str]]) -> dict[str, float]:
    """Weighted means of the own grader and of every twin, and the pooled measures."""
    task = PRESETS["fixed"][benchmark]
    weight = sum(item.weight for item, _ in pairs)
    graders = {"own": task.grade, **task.twins}
    found = {
        name: percent(sum(item.weight * grade(item, reply) for item, reply in pairs) / weight)
        for name, grade in graders.items()
    }
    return found | {name: percent(of(pairs)) for name, of in task.pooled.items()}


def percent(share: float) -> float:
    return round(100 * share, 1)


def drawn(benchmark: str, data: Path) -> Sequence[Item]:
    return PRESETS["fixed"][benchmark].items(None, seed=0, data=data / "bench")


def ifeval(data: Path) -> Mapping[str, Any]:
    """GPT-4's answers, and the verdicts that mending changes, checker by checker."""
    items = {item.text: item for item in drawn("IFEval", data)}
    rows = read_json_lines(data / "responses" / "ifeval_gpt4.jsonl", remedy="name its answers")
    pairs = [(items[r["prompt"]], r["response"]) for _, r in rows if r["prompt"] in items]
    counts = {id_: Counter(verdicts=0, gained=0, lost=0) for id_ in sorted(DIFFERENT)}
    for item, reply in pairs:
        mended = strict(item.text, reply, item.data)
        published = strict(item.text, reply, item.data, as_published=True)
        for instruction, now, before in zip(item.data, mended, published, strict=True):
            if instruction.id in counts:
                verdict = {"verdicts": 1, "gained": now > before, "lost": now < before}
                counts[instruction.id].update(verdict)
    by_checker = {id_: dict(counted) for id_, counted in counts.items()}
    return {"n": len(pairs), "gpt4": compared("IFEval", pairs), "mended": by_checker}


def halueval(data: Path) -> Mapping[str, Any]:
    """Right and wrong answers as models write them; "unsure" answers nothing."""
    forms: dict[str, Callable[[str], str]] = {
        "word": lambda gold: gold,
        "lower_case": lambda gold: gold.lower(),
        "on_the_second_line": lambda gold: f"Judgement:\n{gold}",
        "after_reasoning": lambda gold: f"{CHAIN}{gold}",
        "with_the_other_word": lambda gold: f"{gold}. Yesterday's Nobel news doesn't change that.",
        "unsure": lambda _: "Not sure.",
    }
    items = drawn("HaluEval", data)
    told = {
        name: compared("HaluEval", [(item, form(item.gold or "")) for item in items])
        for name, form in forms.items()
    }
    return {"n": len(items), **told}


def coqa(data: Path) -> Mapping[str, Any]:
    """Right answers as models write them."""
    forms: dict[str, Callable[[Item], str]] = {
        "words": lambda item: item.gold or "",
        "label": lambda item: f"A: {item.gold}",
        "question_repeated": lambda item: f"Q: {item.data[0]}\n\nA: {item.gold}",
        "explained": lambda item: f"{item.gold}\n\nThe story says so in its first half.",
        "after_reasoning": lambda item: f"{CHAIN}{item.gold}",
        "sentence": lambda item: f"According to the story, the answer is {item.gold}.",
    }
    items = drawn("CoQA", data)
    told = {
        name: compared("CoQA", [(item, form(item)) for item in items])
        for name, form in forms.items()
    }
    return {"n": len(items), **told}


def mctaco(data: Path) -> Mapping[str, Any]:
    """Accuracy, exact match and F1 on the whole test set."""
    folder = data / "responses" / "mctaco"
    candidates = read_tsv(folder / "test_9442.tsv")
    said = {
        "constant_no": [False] * len(candidates),
        "constant_yes": [True] * len(candidates),
        "esim": read_judged(folder / "esim.elmo.output.txt", candidates=len(candidates)),
        "bert": read_judged(folder / "bert.norm.output.txt", candidates=len(candidates)),
    }
    found: dict[str, Any] = {"n": len(candidates)}
    for name, judged in said.items():
        right = sum(c.plausible == j for c, j in zip(candidates, judged, strict=True))
        exact, f1 = em_and_f1(candidates, judged)
        accuracy = percent(right / len(candidates))
        found[name] = {"accuracy": accuracy, "exact_match": percent(exact), "f1": percent(f1)}
    return found


SECTIONS: Mapping[str, Callable[[Path], Mapping[str, Any]]] = {
    "CoQA": coqa,
    "IFEval": ifeval,
    "HaluEval": halueval,
    "MC-TACO": mctaco,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", choices=list(SECTIONS))
    args = parser.parse_args()
    names = [args.only] if args.only else list(SECTIONS)
    print(json.dumps({name: SECTIONS[name](args.data) for name in names}, indent=1))


if __name__ == "__main__":
    main()

"""HaluEval: does an answer, a response or a summary contain hallucinated information, Yes or No?

Three files, one for each part: ``halueval_qa`` (``knowledge``, ``question``, ``right_answer``,
``hallucinated_answer``), ``halueval_dialogue`` (``knowledge``, ``dialogue_history``,
``right_response``, ``hallucinated_response``) and ``halueval_summarization`` (``document``,
``right_summary``, ``hallucinated_summary``). The hub's samples are read too: they have the text to
judge (``answer``, ``response`` or ``summary``) and whether it is a ``hallucination``.

Which of the two texts is judged is decided by a hash of the row, so every run and every subset of
the files asks the same. An item's id is that hash; a row that occurs twice is asked once.

The wording of the prompts is ours, after HaluEval's. ``paper`` and ``fixed`` read the reply with
:func:`~transferscope.grade.yes_no.yes_or_no`. In ``fixed``, each part has two strata, texts with
and without hallucinations, which count the same: a constant answer scores exactly 50 %.
``authors`` reads the reply as the released code does
(:func:`~transferscope.grade.yes_no.first_line_has`) and stops at the first empty line, as lm-eval
does where a task is silent: a model that thinks first never answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.records import Decoding, digest
from ...grade.yes_no import first_line_has, yes_or_no
from ..definition import Benchmark, Item
from .local_files import LONGEST, Lines, LocalFile, bad_row, text_in

CHOICES = ("Yes", "No")
ABSENT = r"hallucinat|non-?factual|fabricat|unsupported|false\b|inaccura|contradict"
"""What a reply may deny in place of a plain No."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of HaluEval: the fields shown before the text to judge, and what that text is."""

    shown: tuple[str, ...]
    judged: str

    def asked(self, row: Mapping[str, str], text: str) -> str:
        """The prompt of ``paper`` and ``fixed``."""
        shown = "\n\n".join(f"{_title(name)}: {row[name]}" for name in self.shown)
        return (
            f"Judge whether the {self.judged} below contains hallucinated information: anything "
            f"that contradicts the {_title(self.shown[0]).lower()}, can't be inferred from it or "
            f"is not true.\n\n{shown}\n\n{self.judged.title()}: {text}\n\n"
            f"Does the {self.judged} contain hallucinated information? Answer Yes or No."
        )

    def asked_by_authors(self, row: Mapping[str, str], text: str) -> str:
        """The prompt of ``authors``, in the layout of the released code."""
        shown = "\n".join(f"#{_title(name)}#: {row[name]}" for name in self.shown)
        return (
            f"Act as a judge of a {self.judged}. Decide whether the {self.judged} contains "
            "non-factual or hallucinated information. The answer you give MUST be "
            f'"Yes" or "No".\n\n{shown}\n#{self.judged.title()}#: {text}\n#Your Judgement#:'
        )


PARTS: Mapping[str, Part] = {
    "qa": Part(("knowledge", "question"), "answer"),
    "dialogue": Part(("knowledge", "dialogue_history"), "response"),
    "summarization": Part(("document",), "summary"),
}
_Prompt = Callable[[Part, Mapping[str, str], str], str]


def _title(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _reader(prompt: _Prompt, *, by_label: bool) -> Callable[[Lines], Iterator[Item]]:
    """Reads rows into items; ``by_label`` makes a stratum of each part and label."""

    def read(lines: Lines) -> Iterator[Item]:
        seen = set()
        for place, row in lines:
            name = next((name for name, part in PARTS.items() if part.shown[-1] in row), None)
            if name is None:
                known = ", ".join(repr(part.shown[-1]) for part in PARTS.values())
                raise bad_row(f"none of the fields {known}", place)
            part = PARTS[name]
            shown = {field: text_in(row, field, place) for field in part.shown}
            key, text, made_up = _chosen(part, shown, row, place)
            if key in seen:
                continue
            seen.add(key)
            yield Item(
                f"halueval-{name}-{key}",
                prompt(part, shown, text),
                gold="Yes" if made_up else "No",
                choices=CHOICES,
                subset=f"{name}-{'hallucinated' if made_up else 'right'}" if by_label else name,
            )

    return read


def _chosen(
    part: Part, shown: Mapping[str, str], row: Mapping[str, Any], place: str
) -> tuple[str, str, bool]:
    """The row's hash, the text to judge, and whether it is hallucinated."""
    if part.judged in row:  # a sample of the hub's, chosen there
        text = text_in(row, part.judged, place)
        label = str(row.get("hallucination")).strip().lower()
        if label not in ("yes", "no"):
            raise bad_row("'hallucination' is neither yes nor no", place)
        return digest([*shown.values(), text]), text, label == "yes"
    texts = [text_in(row, f"{kind}_{part.judged}", place) for kind in ("right", "hallucinated")]
    key = digest([*shown.values(), *texts])
    made_up = int(key, 16) % 2 == 1
    return key, texts[made_up], made_up


def careful(item: Item, reply: str) -> float:
    """1.0 if the reply commits itself to the right word."""
    return float(yes_or_no(reply, absent=ABSENT) == (item.gold == "Yes"))


def released(item: Item, reply: str) -> float:
    """1.0 if the released code takes the reply for right."""
    return float(first_line_has(reply) == (item.gold == "Yes"))


_FILES = tuple(f"halueval_{name}" for name in PARTS)
PAPER = Benchmark(
    about="hallucinations in answers, responses and summaries, Yes or No",
    items=LocalFile("HaluEval", _FILES, _reader(Part.asked, by_label=False)),
    grade=careful,
    decoding=Decoding(max_tokens=LONGEST),
    wrong=lambda item: [*_other(item), "", "I'm not sure.", "Nolan."],
)
AUTHORS = Benchmark(
    about="hallucinations in answers, responses and summaries, Yes or No in the first line",
    items=LocalFile("HaluEval", _FILES, _reader(Part.asked_by_authors, by_label=False)),
    grade=released,
    decoding=Decoding(max_tokens=LONGEST, stop=("\n\n",)),
    wrong=lambda item: [*_other(item), "", "Yes or No"],
)
FIXED = Benchmark(
    about="hallucinations in answers, responses and summaries, Yes or No",
    items=LocalFile("HaluEval", _FILES, _reader(Part.asked, by_label=True)),
    grade=careful,
    decoding=Decoding(max_tokens=LONGEST),
    wrong=PAPER.wrong,
    twins={"released": released},
)
PRESETS = {"paper": PAPER, "authors": AUTHORS, "fixed": FIXED}


def _other(item: Item) -> list[str]:
    return [choice for choice in item.choices if choice != item.gold]

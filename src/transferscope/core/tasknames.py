"""How one task is spelled by different harnesses: what is decoration, and what is its name.

A name is first folded (lower case, one ``_`` for every separator), then stripped of decorations
one by one, the whole name first, so that an exact name always goes before a stripped one:

>>> fold("ARC-Challenge"), key("ARC-Challenge"), fold("HumanEval+")
('arc_challenge', 'arcchallenge', 'humaneval_plus')
>>> spellings("lighteval|gsm8k_cot|5|0")[-2:]
('gsm8k_cot', 'gsm8k')
>>> spellings("mmlu:subject=anatomy,method=multiple_choice_joint,model=some_model")[1:]
('mmlu_anatomy', 'mmlu')

No decoration says which questions are asked: ``_plus``, ``_pro``, ``_hard``, ``_mini``, ``_redux``
and versions are part of a benchmark's name and stay.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_PREFIXES = re.compile(
    r"^(leaderboard|arabic_leaderboard|lm_eval|lm_eval_harness|lighteval|inspect_evals|inspect|evalscope|opencompass"
    r"|helm|openai|lukaemon|super_?glue|glue|hf|huggingface)_(?=.)"
)
_SUFFIXES = re.compile(
    r"(?<=.)_?("
    r"(?<![0-9])[0-9]{1,3}_?shots?(_v[0-9]|_base)?"  # examples in the prompt, and which of them
    r"|(?<=_)(zero|one|few|five|n)_?shot"
    r"|(?<=_)(cot|no_?cot|chat|instruct|llama|generative|gen|ppl|clp|t5_prompt)"
    r"|(?<=_)(llm_?judge|llm_?verify|cascade_eval|openai_simple_evals|public)"
    r"|(?<=_)(gen|ppl|clp|ll|mixed)_[0-9a-f]{6}"  # OpenCompass: the prompt's hash
    r"|_(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{6}"  # ... or the hash alone
    r"|_(run|repeat)_?[0-9]{1,3}"  # OpenCompass: one of several runs, or so many
    r"|_(pass_?k|g_?pass_?k|(pass|avg|maj|mean)_at_?[0-9]{1,3})"
    r"|(?<=_)(en|eng|english|default|test|val|validation|dev)"
    r")$"
)
_SAMPLES = re.compile(r"@\s*(?:[a-z]{1,9}=)?\d{1,4}(?:&[a-z]{1,9}=\d{1,4})*$")
"""How many answers a question gets: gsm8k@4, math_500@k=1&n=4."""
_SHOTS = re.compile(r":\d{1,2}$")
"""Examples in the prompt: gsm8k:5."""
_METRIC = re.compile(
    r"\s*\((?:[^()]{0,40}\b)?(?:f1|em|acc(?:uracy)?|exact[ _]match|(?:pass|avg|mean|maj)@\d+|"
    r"strict|loose)\b[^()]{0,40}\)$",
    re.IGNORECASE,
)
"""A table's column: DROP (F1), IFEval (prompt strict)."""
_SWITCHES = frozenset(("true", "false"))
_ARGUMENTS = re.compile(r"^(?P<name>[^:|]+):(?P<arguments>\w+=.*)$", re.DOTALL)
_PARTS = frozenset(
    {"subject", "subset", "task", "dataset", "mode", "language", "language_pair", "phenomenon"}
    | {"demographic", "category", "track"}
)
"""Arguments of HELM's names that say which part of a benchmark was run."""
_MODEL = re.compile(r"(?<=[:,])(model|model_deployment)=[^,]*(,|$)")
_LONGEST = 200
"""Characters of a name that are looked at."""


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """Lower case; every run of other characters than letters, digits and ``*?{}`` is one ``_``.

    A ``+`` is the word "plus", as in HumanEval+; apostrophes are dropped.
    """
    text = unicodedata.normalize("NFKC", name[:_LONGEST]).casefold()
    text = unicodedata.normalize("NFKC", text).replace("∞", "infinite_")
    text = re.sub(r"\++", "_plus", re.sub(r"['’]", "", text))
    return re.sub(r"(?:[^\w*?{}]|_)+", "_", text).strip("_")


def key(name: str) -> str:
    """The folded name without separators: MATH-500, math_500 and Math500 are one."""
    return fold(name).replace("_", "")


@lru_cache(maxsize=4096)
def spellings(task: str) -> tuple[str, ...]:
    """Folded names to look a task up by, each once: the full name first, the barest last."""
    found: dict[str, None] = {}
    for name in (task, *_unwrapped(task)):
        todo = [fold(name)]
        while todo:  # breadth first: by the number of decorations taken off
            folded = todo.pop(0)
            if not folded or folded in found:
                continue
            found[folded] = None
            for bare in (_SUFFIXES.sub("", folded).strip("_"), _PREFIXES.sub("", folded)):
                if bare != folded:
                    todo.append(bare)
    return tuple(found)


def without_model(task: str) -> str:
    """HELM's name of a run without the model in it: two models' runs have one name.

    >>> without_model("raft:subset=a,model=m"), without_model("gsm:model=m")
    ('raft:subset=a', 'gsm')
    """
    return _MODEL.sub("", task).rstrip(":,") if _ARGUMENTS.match(task) else task


def _switch(part: str) -> bool:
    """A number of examples, or whether fewer are allowed."""
    return part.isdigit() or part.lower() in _SWITCHES


def _unwrapped(task: str) -> list[str]:
    """The task inside a harness's own form of a name, the more exact first."""
    if "|" in task:  # lighteval: suite|task|shots|truncate, task|shots
        parts = [part for part in task.split("|") if part.strip()]
        while len(parts) > 1 and _switch(parts[-1].strip()):
            parts.pop()
        return [parts[-1], *_unwrapped(parts[-1])] if parts else []
    if found := _ARGUMENTS.match(task):  # HELM: name:key=value,key=value
        name = found["name"]
        pairs = [part.partition("=")[::2] for part in found["arguments"].split(",")]
        inner = []
        for what, value in pairs:
            if what == "dataset" or value.startswith(f"{name}_"):
                inner.append(value)
            if what in _PARTS:
                inner.append(f"{name}_{value}")
        return [*inner, name]
    for decoration in (_SAMPLES, _SHOTS, _METRIC):
        if (bare := decoration.sub("", task)) != task:
            return [bare, *_unwrapped(bare)]
    if "/" in task:  # provider/task, task/filter
        return [task.rpartition("/")[2], task.partition("/")[0]]
    return []

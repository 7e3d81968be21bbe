"""How different harnesses spell a task: separate its name from decorations.

A name is first folded (lower case, ``_`` for every separator). Then its decorations are stripped
one at a time, starting from the full name, so that an exact name is tried before a stripped one:

>>> fold("ARC-Challenge"), key("ARC-Challenge"), fold("HumanEval+")
('arc_challenge', 'arcchallenge', 'humaneval_plus')
>>> spellings("lighteval|gsm8k_cot|5|0")[-2:]
('gsm8k_cot', 'gsm8k')
>>> spellings("mmlu:subject=anatomy,method=multiple_choice_joint,model=some_model")[1:]
('mmlu_anatomy', 'mmlu')

A decoration never changes which questions are asked: ``_plus``, ``_pro``, ``_hard``, ``_mini``,
``_redux`` and versions are part of a benchmark's name and are kept.
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
    r"(?<![0-9])[0-9]{1,3}_?shots?(_v[0-9]|_base)?"  # number of examples, and their variant
    r"|(?<=_)(zero|one|few|five|n)_?shot"
    r"|(?<=_)(cot|no_?cot|chat|instruct|llama|generative|gen|ppl|clp|t5_prompt)"
    r"|(?<=_)(llm_?judge|llm_?verify|cascade_eval|openai_simple_evals|public)"
    r"|(?<=_)(gen|ppl|clp|ll|mixed)_[0-9a-f]{6}"  # OpenCompass: the prompt's hash
    r"|_(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{6}"  # ... or the hash alone
    r"|_(run|repeat)_?[0-9]{1,3}"  # OpenCompass: the number of a run, or of repeats
    r"|_(pass_?k|g_?pass_?k|(pass|avg|maj|mean)_at_?[0-9]{1,3})"
    r"|(?<=_)(en|eng|english|default|test|val|validation|dev)"
    r")$"
)
_SAMPLES = re.compile(r"@\s*(?:[a-z]{1,9}=)?\d{1,4}(?:&[a-z]{1,9}=\d{1,4})*$")
"""Number of answers per question: gsm8k@4, math_500@k=1&n=4."""
_SHOTS = re.compile(r":\d{1,2}$")
"""Number of examples in the prompt: gsm8k:5."""
_METRIC = re.compile(
    r"\s*\((?:[^()]{0,40}\b)?(?:f1|em|acc(?:uracy)?|exact[ _]match|(?:pass|avg|mean|maj)@\d+|"
    r"strict|loose)\b[^()]{0,40}\)$",
    re.IGNORECASE,
)
"""A metric in a table's column name: DROP (F1), IFEval (prompt strict)."""
_SWITCHES = frozenset(("true", "false"))
_ARGUMENTS = re.compile(r"^(?P<name>[^:|]+):(?P<arguments>\w+=.*)$", re.DOTALL)
_PARTS = frozenset(
    {"subject", "subset", "task", "dataset", "mode", "language", "language_pair", "phenomenon"}
    | {"demographic", "category", "track"}
)
"""Arguments in HELM's names that select a part of a benchmark."""
_MODEL = re.compile(r"(?<=[:,])(model|model_deployment)=[^,]*(,|$)")
_LONGEST = 200
"""Maximum number of characters of a name that are read."""


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """Lower case; every run of characters except letters, digits and ``*?{}`` becomes one ``_``.

    A ``+`` becomes the word "plus", as in HumanEval+; apostrophes are dropped.
    """
    text = unicodedata.normalize("NFKC", name[:_LONGEST]).casefold()
    text = unicodedata.normalize("NFKC", text).replace("∞", "infinite_")
    text = re.sub(r"\++", "_plus", re.sub(r"['’]", "", text))
    return re.sub(r"(?:[^\w*?{}]|_)+", "_", text).strip("_")


def key(name: str) -> str:
    """The folded name without separators: MATH-500, math_500 and Math500 are equal."""
    return fold(name).replace("_", "")


@lru_cache(maxsize=4096)
def spellings(task: str) -> tuple[str, ...]:
    """Folded names under which to look up a task: the full name first, the shortest last."""
    found: dict[str, None] = {}
    for name in (task, *_unwrapped(task)):
        todo = [fold(name)]
        while todo:  # breadth first: ordered by the number of decorations removed
            folded = todo.pop(0)
            if not folded or folded in found:
                continue
            found[folded] = None
            for bare in (_SUFFIXES.sub("", folded).strip("_"), _PREFIXES.sub("", folded)):
                if bare != folded:
                    todo.append(bare)
    return tuple(found)


def without_model(task: str) -> str:
    """HELM's run name without the model, so that it is the same for two models.

    >>> without_model("raft:subset=a,model=m"), without_model("gsm:model=m")
    ('raft:subset=a', 'gsm')
    """
    return _MODEL.sub("", task).rstrip(":,") if _ARGUMENTS.match(task) else task


def _switch(part: str) -> bool:
    """Whether this is a number of examples, or a flag that allows fewer."""
    return part.isdigit() or part.lower() in _SWITCHES


def _unwrapped(task: str) -> list[str]:
    """The task within a harness's own notation, the more specific first."""
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

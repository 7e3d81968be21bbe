"""Reasoning blocks: what a model writes while it thinks is not part of its answer.

All graders and artefact detectors share this list of tags: XML-like tags (``<think>``,
``<thinking>``, ``<thought>``, ``<reasoning>``, ``<reflection>`` ...) in any of their brackets
(``<|think|>``, ``[THINK]``, ``◁think▷``), ``<|begin_of_thought|>`` (Sky-T1),
``<|START_THINKING|>`` (Command A), ``<|channel|>analysis`` (gpt-oss), ``<|channel>thought``
(Gemma), ``<unused94>`` (MedGemma), ``<|inner_prefix|>`` (Apertus).

>>> without_thinking("<think>Is it 3? No.</think>It is 4.<|im_end|>")
'It is 4.'
>>> without_thinking("3, no ... </think>It is 4.")
'It is 4.'
>>> without_thinking("<think>It is 3, but let me check")
''
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

_NAMES = (
    r"(?:seed:|longcat_|mm:|antml:)?think(?:ing)?|thoughts?|thought_process|"
    r"reasoning(?:_(?:process|content|steps))?|reflections?|scratch_?pad|analysis|"
    r"inner_(?:thoughts?|monologue)|internal_(?:thoughts?|monologue|reasoning)|"
    r"chain_of_thought|cot|deliberation"
)
# Square brackets are only recognised in Magistral's form: "[reflection]" may be a placeholder that
# an instruction asked for. A tag between backticks is quoted, not used.
_TAG = re.compile(
    rf"""(?:
      <(?=[\s/|｜\w])(?<!`<)(?:
        \s*(?P<close>/)?\s*(?P<name>{_NAMES})(?:\s[^<>\n]{{0,80}}(?<!/))?\s{{0,8}}>
      | [|｜]\s*(?P<bar_close>/|end[_▁](?:of[_▁])?)?(?:(?:begin|start)[_▁](?:of[_▁])?)?
        (?P<bar_name>{_NAMES})[|｜]>
      | (?P<harmony>\|channel\|>\s*(?:analysis|commentary)\b[^<\n]{{0,80}}(?:<\|message\|>)?)
      | (?P<harmony_end>\|(?:end|call)\|>)
      | (?P<final>\|channel\|>\s*final\b[^<\n]{{0,80}}(?:<\|message\|>)?
        |\|begin_of_solution\|>|\|START_RESPONSE\|>)
      | (?P<open>\|channel>\s*thought\b|unused94>(?:thought\b)?|\|inner_prefix\|>)
      | (?P<shut>channel\|>|unused95>|\|inner_suffix\|>)
      )
    | ◁(?<!`◁)(?P<kimi_close>/)?(?P<kimi_name>{_NAMES})▷
    | \[(?<!`\[)(?P<square_close>/)?(?P<square_name>(?-i:THINK(?:ING)?))\]
    )(?!`)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Every alternative begins with its own character, so that the search can skip to the next one."""
_HARMONY, _OTHER = "harmony", "other"
_NO_SPECIAL_TOKENS = re.compile(r"\s*analysis(?=[A-Z\"'(])")
"""gpt-oss decoded without its special tokens: "analysisWe need ...assistantfinal12"."""
_FINAL = "assistantfinal"

END_MARKS = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "</s>",
    "<eos>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<end_of_turn>",
    "<turn|>",
    "<|end|>",
    "<|return|>",
    "<|end_of_turn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|END_RESPONSE|>",
    "<|end_of_solution|>",
    "<|eos|>",
    "<|endofresponse|>",
    "<|role_end|>",
    "<|message_end|>",
    "<｜end▁of▁sentence｜>",
    "<|end▁of▁sentence|>",
    "<|end_of_sentence|>",
    "[EOS]",
    "<pad>",
    "<|pad|>",
)
"""End-of-turn marks of chat templates, left behind by engines that keep special tokens."""


class _Tag(NamedTuple):
    """``kind``: "open", "close" or "final" (the answer begins, whatever precedes it)."""

    kind: str
    name: str
    start: int
    end: int


def without_thinking(text: str) -> str:
    """``text`` outside its reasoning blocks, without trailing end-of-turn marks.

    An opening tag that is never closed drops everything after it. A closing tag without an opening
    one (the prompt opened the block) drops everything before it. A block ends at the closing tag of
    the same name; without one, at a closing tag that nothing within the block opened. Text without
    tags and marks is returned unchanged. Runs in linear time.
    """
    outside, _ = _outside(text)
    kept = "".join(text[start:end] for start, end in outside)
    if len(kept) < len(text):
        kept = kept.lstrip()
    return without_end_marks(kept)


def without_end_marks(text: str) -> str:
    """``text`` without trailing :data:`END_MARKS` and the white space before and between them."""
    end, length = len(text), -1
    while end != length:
        length = end
        while end and text[end - 1].isspace():
            end -= 1
        if text.endswith(END_MARKS, 0, end):
            end -= next(len(mark) for mark in END_MARKS if text.endswith(mark, 0, end))
    return text[:end] if text[end:].strip() else text


def still_thinking(text: str, prompt: str | None = None) -> bool:
    """Whether ``text`` or the end of ``prompt`` opened a reasoning block that is never closed."""
    if prompt:
        end = prompt.rstrip()
        last = [tag for tag in _tags(end[-200:]) if tag.end == len(end[-200:])]
        if last and last[0].kind == "open":
            text = end[-200:][last[0].start :] + "\n" + text
    return _outside(text)[1]


def _outside(text: str) -> tuple[list[tuple[int, int]], bool]:
    """Spans outside reasoning blocks, and whether the last block is still open."""
    if _NO_SPECIAL_TOKENS.match(text):
        at = text.find(_FINAL)
        return ([], True) if at == -1 else ([(at + len(_FINAL), len(text))], False)
    if not (tags := _tags(text)):
        return [(0, len(text))], False
    last_close = {tag.name: tag.start for tag in tags if tag.kind == "close"}
    spans: list[tuple[int, int]] = []
    begin, block, inner = 0, "", Counter[str]()
    for tag in tags:
        if tag.kind == "final" or (tag.kind == "close" and not block and tag.name != _HARMONY):
            spans, begin, block = [], tag.end, ""
        elif tag.kind == "open" and not block:
            spans.append((begin, tag.start))
            block, inner = tag.name, Counter()
        elif tag.kind == "open":
            inner[tag.name] += 1
        elif block:
            own_comes = last_close.get(block, -1) > tag.start
            if tag.name == block or (not own_comes and not inner[tag.name]):
                begin, block = tag.end, ""
            else:
                inner[tag.name] -= 1
    if not block:
        spans.append((begin, len(text)))
    return spans, bool(block)


def _tags(text: str) -> list[_Tag]:
    # One character is found much faster than several.
    if "<" not in text and "◁" not in text and not ("[" in text and "THINK" in text):
        return []
    return [_tag(match) for match in _TAG.finditer(text)]


def _tag(match: re.Match[str]) -> _Tag:
    group = match.groupdict()
    for form in ("", "bar_", "kimi_", "square_"):
        if name := group[f"{form}name"]:
            kind = "close" if group[f"{form}close"] else "open"
            return _Tag(kind, name.lower(), match.start(), match.end())
    kind, name = {
        "harmony": ("open", _HARMONY),
        "harmony_end": ("close", _HARMONY),
        "final": ("final", _HARMONY),
        "open": ("open", _OTHER),
        "shut": ("close", _OTHER),
    }[str(match.lastgroup)]
    return _Tag(kind, name, match.start(), match.end())

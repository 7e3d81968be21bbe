"""Matching of rendered prompts to the plain prompts of a gold file.

A run saves what it sent: ``<|im_start|>user ... <|im_end|>``, ``[INST] ... [/INST]``,
``Human: ...``, a JSON list of messages, or text after a system prompt. A gold file has the prompt
alone. Both are converted to one form (:func:`plain`). If they still differ, the longest gold prompt
that the rendered one contains between boundaries is used, never a shorter one inside it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

KEY = 24
"""Characters at a prompt's start that index the candidates."""
MAX_CHARS = 200_000
"""Last characters examined of a longer rendered prompt; its last turn is the task."""
SENTENCE = 12
"""Fewest characters of a prompt of two words that may occur within a line; others fill lines."""

_ROLES = r"(?:system|user|human|assistant|model|developer|tool|ai|bot|gpt)"
_MARK = re.compile(
    rf"""<\|(?:start_header_id|im_start|role_start|start|turn)\|?>\s*{_ROLES}\b
       | <[|｜][^|｜<>\n]{{1,40}}[|｜]>
       | <start_of_turn>\s*{_ROLES}\b | <(?:start|end)_of_turn> | <turn\|>
       | \[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS)\] | <</?SYS>> | </?s> | <[be]os> | <pad>
       | </?think> | (?<!\S)/(?:no_)?think(?=[\s<\[]|$)
       | (?:^|(?<=\s))\#{{2,4}}\s*(?:{_ROLES}|instruction|input|response|query)\b\s*:?
       | (?:^|(?<=\s))\*{{0,2}}{_ROLES}\*{{0,2}}:(?=\s|$)\*{{0,2}}""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_LINES = re.compile(r"[^\S\n]*\n\s*")
_BLANKS = re.compile(r"[^\S\n]+")


def plain(prompt: str) -> str:
    """Remove a chat template's marks and roles, and collapse blanks and line breaks.

    >>> plain("<|im_start|>user\\nSay  hi.<|im_end|>\\n<|im_start|>assistant\\n")
    'Say hi.'
    """
    bare = _MARK.sub("\n", prompt[-MAX_CHARS:])
    return _BLANKS.sub(" ", _LINES.sub("\n", bare)).strip()


def messages_text(prompt: str) -> str:
    """Return the contents of chat messages if ``prompt`` is a JSON list of them, else itself."""
    if not prompt.lstrip().startswith("[") or len(prompt) > MAX_CHARS:
        return prompt
    try:
        messages = json.loads(prompt)
    except (ValueError, RecursionError):
        return prompt
    if not messages or not all(isinstance(message, dict) for message in messages):
        return prompt
    texts = []
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"text": content}]
        found = [part.get("text") for part in parts if isinstance(part, dict)]
        texts += [text for text in found if isinstance(text, str)]
    return "\n".join(texts) or prompt


class Prompts:
    """Plain prompts, to be found inside rendered ones.

    >>> Prompts(["Say hi."]).find("[INST] <<SYS>>\\nBe kind.\\n<</SYS>>\\n\\nSay hi. [/INST]")
    'Say hi.'
    """

    def __init__(self, prompts: Iterable[str]) -> None:
        self._exact: dict[str, str] = {}
        self._forms: dict[str, str] = {}
        starts: dict[str, list[str]] = defaultdict(list)
        for prompt in prompts:
            self._exact[prompt.strip()] = prompt
            form = plain(prompt)
            if form and form not in self._forms:
                self._forms[form] = prompt
                starts[form[:KEY]].append(form)
        self._starts: Mapping[str, list[str]] = starts
        self._lengths = sorted({len(start) for start in starts})

    def find(self, rendered: str) -> str | None:
        """Return the longest prompt that ``rendered`` equals or contains, or ``None``.

        Candidates are found by their first characters in one pass and then searched for once each,
        so the time is at most linear in the text for every prompt with the same beginning.
        """
        if (same := self._exact.get(rendered.strip())) is not None:
            return same
        text = plain(messages_text(rendered))
        if text in self._forms:
            return self._forms[text]
        keys = {
            text[at : at + length]
            for length in self._lengths
            for at in range(len(text) - length + 1)
            if text[at : at + length] in self._starts
        }
        candidates = [form for key in keys for form in self._starts[key]]
        for form in sorted(candidates, key=len, reverse=True):
            if _stands_in(form, text):
                return self._forms[form]
        return None


def _stands_in(form: str, text: str) -> bool:
    """Whether ``text`` contains ``form`` as whole words, or as whole lines if it is short."""
    mid_line = len(form) >= SENTENCE and " " in form
    at = text.find(form)
    while at != -1:
        before, after = text[at - 1 : at], text[at + len(form) : at + len(form) + 1]
        if mid_line and not (before.isalnum() and form[0].isalnum()):
            if not (after.isalnum() and form[-1].isalnum()):
                return True
        elif not mid_line and before in ("", "\n") and after in ("", "\n"):
            return True
        at = text.find(form, at + len(form))  # an overlapping copy has no boundary of its own
    return False

"""An answer without its reasoning: graders, instruction checks and artefacts read only the rest.

Reasoning models wrap what they think in marks of their own: ``<think>`` (DeepSeek-R1, Qwen3),
``<thought>``, ``[THINK]`` (Magistral), ``<|begin_of_thought|>`` (Sky-T1), ``◁think▷`` (Kimi),
``<|START_THINKING|>`` (Cohere), gpt-oss's ``<|channel|>analysis``. What stands there is no answer:

    "<think>Is it 7? No.</think>It is 5.<|im_end|>"  ->  "It is 5."
"""

from __future__ import annotations

import re

_NAME = (
    r"think(?:ing)?|thoughts?|thought_process|reason(?:ing)?|reflection|scratch_?pad"
    r"|inner_?monologue|chain_?of_?thought|cot"
)
_MARKS = re.compile(
    rf"""
      <\s*(?P<slash>/?)\s*(?P<tag>(?:seed:|ant[_:]?|longcat_)?(?:{_NAME}))(?:\s[^<>]{{0,200}})?>
    | \[(?P<bracket_slash>/?)(?P<bracket>THINK(?:ING)?|REASONING)\]
    | ◁(?P<kimi_slash>/?)(?P<kimi>think)▷
    | <\|(?P<side>/|begin_of_|begin_|start_of_|start_|end_of_|end_)?(?P<piped>{_NAME})\|>
    | (?P<harmony>
        <\|channel\|>\s{{0,9}}(?:analysis|commentary)\b
      | <\|channel\|>\s{{0,9}}final\b[^<]{{0,99}}(?:<\|constrain\|>[^<]{{0,99}})?<\|message\|>)
    | (?P<gemma><\|channel>\s{{0,9}}thought\b|<channel\|>)
    | (?P<unused><unused94>(?:thought\b)?|<unused95>)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BARE_HARMONY = re.compile(r"\s*analysis(?=[A-Z\"'<])")
_FINAL = "assistantfinal"
"""What is left of gpt-oss's marks where special tokens were skipped: "analysisWe ... "."""
END_MARKS = (
    *("<|im_end|>", "<|eot_id|>", "</s>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>"),
    *("<|end|>", "<|return|>", "<|eom_id|>", "<|END_OF_TURN_TOKEN|>", "<|END_RESPONSE|>"),
    *("<|end_of_solution|>", "<｜end▁of▁sentence｜>", "<eos>", "<|eos|>", "<turn|>", "[eos]"),
    *("<|end_of_turn|>", "<|eot|>", "<|endofturn|>", "<|user|>", "<|EOT|>", "<pad>"),
)
"""Marks of the end of a turn, which some engines leave in the text."""


def without_thinking(text: str) -> str:
    """What ``text`` says outside its reasoning blocks, without end-of-turn marks at its end.

    An opening that is never closed drops all that follows; a closing that was never opened (its
    opening ended the prompt) drops all that precedes it. A text without either mark is returned
    as it is; any other is stripped. Linear in the text, up to the logarithm of its marks.
    """
    kept = _outside(text)
    end = _end(kept)
    if kept is text and end == len(text):
        return text
    return kept[:end].strip()


def _outside(text: str) -> str:
    if _BARE_HARMONY.match(text) and (final := text.find(_FINAL)) >= 0:
        text = text[final + len(_FINAL) :]
    marks = [(found.start(), found.end(), *_meaning(found)) for found in _MARKS.finditer(text)]
    if not marks:
        return text
    # from the last mark back: the next closing, of the same name and of any name
    same: list[int | None] = [None] * len(marks)
    nearest: dict[str, int] = {}
    anyone: int | None = None
    for at in range(len(marks) - 1, -1, -1):
        _, _, name, closes = marks[at]
        same[at] = nearest.get(name, anyone)  # "<thinking> ... </think>" is closed, too
        if closes:
            nearest[name] = anyone = at
    pieces: list[str] = []
    done, at = 0, 0
    while at < len(marks):
        start, end, _, closes = marks[at]
        if closes:
            pieces, done = [], end
            at += 1
            continue
        pieces.append(text[done:start])
        closing = same[at]
        if closing is None:
            return _joined(pieces)
        done, at = marks[closing][1], closing + 1
    return _joined([*pieces, text[done:]])


def _meaning(found: re.Match[str]) -> tuple[str, bool]:
    """A mark's name, and whether it closes."""
    for slash, name in (("slash", "tag"), ("bracket_slash", "bracket"), ("kimi_slash", "kimi")):
        if found[name]:
            return found[name].lower(), bool(found[slash])
    if found["piped"]:
        return "|" + found["piped"].lower(), (found["side"] or "").lower().startswith(("/", "end"))
    if found["harmony"]:
        return "harmony", found["harmony"].endswith("<|message|>")
    if found["gemma"]:
        return "gemma", found["gemma"].startswith("<channel")
    return "unused", found["unused"].startswith("<unused95")


def _joined(pieces: list[str]) -> str:
    """The pieces between blocks; a space where two words would run into one."""
    text = ""
    parts: list[str] = []
    for piece in filter(None, pieces):
        if parts and not text[-1].isspace() and not piece[0].isspace():
            parts.append(" ")
        parts.append(piece)
        text = piece
    return "".join(parts)


def _end(text: str) -> int:
    """Where ``text`` ends without the marks of the end of a turn."""
    end = last = len(text)
    while True:
        while end and text[end - 1].isspace():
            end -= 1
        for mark in END_MARKS:
            if text.endswith(mark, 0, end):
                end = last = end - len(mark)
                break
        else:
            return last

"""Letters of a reply in context: stated, denied, supposed, asked about or joined.

The neighbouring words decide: "not A" and "A is wrong" deny the letter, "if the answer is A"
supposes it, "is it A?" asks, "A cat" and "I think" are words, "A or B" are two letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from . import choice_patterns as patterns
from .choice_text import Mention, mentions

LINKED = 24
"""Most words and signs between "answer" and its letter."""
NAME = 40
"""Characters before a letter that may hold the name that it belongs to."""
STRANGE = 6
"""Most of the linking words that may be missing from every list."""
CLAUSE = 120
"""Characters before a letter that may withdraw it ("if", "at first I thought")."""


class Letters:
    """Letters of an unwrapped reply; only the first ``options`` of the alphabet count.

    ``bare_i``: whether "I" without brackets may be an option's letter.
    """

    def __init__(self, text: str, options: int, *, bare_i: bool) -> None:
        self.text = text
        # Lower-casing preserves every position, so patterns don't need the slower IGNORECASE.
        self.low = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
        self._options, self._bare_i = options, bare_i
        self.all = mentions(text)
        self.by_start = {mention.start: mention for mention in self.all}

    def led(self, cue: re.Pattern[str]) -> Iterator[tuple[Mention, str]]:
        """Yield letters that follow ``cue`` after linking words, with the text in between."""
        for word in cue.finditer(self.low):
            mention, between = self.next(
                word.end(),
                strange=STRANGE if cue is patterns.NOUN else 0,
                named=cue is patterns.OPTION,
            )
            if mention is not None:
                yield mention, between

    def next(self, at: int, *, strange: int = 0, named: bool = False) -> tuple[Mention | None, str]:
        """Return the letter after linking words, and the linking text.

        Up to ``strange`` words may be unknown ("the answer to this old riddle is B"), but none may
        deny, and the words after the last unknown one must state something. After a word for
        "option" (``named``), a capital is its letter, whatever follows.
        """
        start = behind = at
        for _ in range(LINKED):
            mention = self.by_start.get(at)
            if mention is not None and named and not mention.lower and at - start <= 2:
                return (mention, " ") if self.within(mention) else (None, "")
            if mention is not None and self.usable(mention):
                stated = behind == start or patterns.STATED.search(self.low, behind, at)
                return (mention, self.low[start:at]) if stated else (None, "")
            if self.low[at : at + 1] == "\n" and not patterns.STATED.search(self.low, start, at):
                return None, ""
            if (link := patterns.LINK.match(self.low, at)) and link.end() > at:
                at = link.end()
            elif (
                strange
                and (word := patterns.WORD.match(self.low, at))
                and not patterns.DENIES.match(word[0])
            ):
                strange -= 1
                at = behind = word.end()
            else:
                return None, ""
        return None, ""

    def within(self, mention: Mention) -> bool:
        """Whether it is one of the options; "I" counts only if it may be a letter."""
        if ord(mention.letter) - ord("A") >= self._options:
            return False
        return mention.letter != "I" or (not mention.lower and (mention.marked or self._bare_i))

    def usable(self, mention: Mention) -> bool:
        """Whether it is an option's letter and not a word ("a matter", "I prefer", "C major")."""
        if not self.within(mention) or self.named(mention):
            return False
        text, low, end = self.text, self.low, mention.end
        if mention.marked or patterns.CLOSED.match(text, end):
            return True
        connected = patterns.CONNECTED.match(low, end) is not None
        if mention.lower:
            return connected and mention.letter not in "AEIOUY"
        # Next to a script without spaces, a sign or a digit, it can't be mistaken for a word.
        following = text[end : end + LINKED].lstrip()[:1]
        word = text[end].isspace() and patterns.LATIN_LETTER.match(following)
        return connected or not word or (following.isupper() and mention.letter not in "AI")

    def named(self, mention: Mention) -> bool:
        """Whether it is part of a name: "vitamin C", "Plan B", "Immunoglobulin A" at the start."""
        if mention.marked:
            return False
        before = self.text[max(0, mention.start - NAME) : mention.start]
        if patterns.NAMED.search(before.lower()):
            return True
        first = patterns.FIRST_WORD.search(before)
        return first is not None and not patterns.NO_NAME.fullmatch(first[1].lower())

    def committed(self, mention: Mention) -> bool:
        """Whether it is stated outright and not denied."""
        return not self.denied(mention) and self.plain(mention)

    def plain(self, mention: Mention) -> bool:
        """Whether it is stated outright: neither asked, supposed nor hedged."""
        return self.own(mention) and not patterns.HEDGE.search(self.before(mention.start))

    def own(self, mention: Mention) -> bool:
        """Whether it is the reply's own: no question, no supposition, no opinion of others."""
        if self.low[mention.end : mention.end + 4].lstrip(' )"').startswith("?"):
            return False
        before = self.before(mention.start)
        if patterns.ASKING.match(before) and patterns.QUESTION.match(self.low, mention.end):
            return False
        clause = before.rpartition(",")[2]
        return not (patterns.OTHERS.search(clause) or patterns.IF.search(before))

    def before(self, at: int) -> str:
        """Return the clause before a position, in lower case."""
        return patterns.SENTENCE.split(self.low[max(0, at - CLAUSE) : at])[-1]

    def denied(self, mention: Mention) -> bool:
        """Whether it follows "not" or precedes "is wrong"."""
        if mention.start in self.against or patterns.IS_WRONG.match(self.low, mention.end):
            return True
        # "B) False" may be an option's text; in a list of options it is a judgement.
        closing = mention.end - mention.marked
        return self.lists and patterns.LISTED_WRONG.match(self.low, closing) is not None

    @cached_property
    def lists(self) -> bool:
        """Whether two or more letters begin a line, as options do."""
        return len({m[1] for m in patterns.LISTED.finditer(self.text) if m[0][:1] in "\nABC("}) > 1

    @cached_property
    def against(self) -> frozenset[int]:
        """Return the starts of letters after "not", "eliminate", "rather than", even in lists."""
        found = set()
        for word in patterns.AGAINST.finditer(self.low):
            at = word.end()
            step = patterns.LINK  # to the first letter; to the others of a list by commas and "or"
            for _ in range(LINKED):
                mention = self.by_start.get(at)
                if mention is not None and self.usable(mention):
                    found.add(mention.start)
                    at, step = mention.end, patterns.JOIN
                    continue
                link = step.match(self.low, at)
                ends = step is patterns.LINK and self.low[at : at + 1] in tuple(":—\n,")
                if link is None or link.end() == at or ends:
                    break
                at = link.end()
        return frozenset(found)

    def partner(self, mention: Mention) -> tuple[Mention | None, bool]:
        """Return the letter joined to this one ("A or B", "A, C"), and whether by an "or"."""
        closing = self.text[mention.end : mention.end + 1] in (")", ".", ":")
        join = patterns.JOIN.match(self.low, mention.end + closing)
        other = self.by_start.get(join.end()) if join else None
        if join is None or other is None or other.letter == mention.letter:
            return None, False
        pronoun = other.letter == "I" and not other.marked
        if pronoun and not patterns.CLOSED.match(self.text, other.end):
            return None, False
        same = mention.lower or not other.lower
        return other if same else None, patterns.OR.search(join.group()) is not None

    def joined(self, mention: Mention, to: Mention | None = None, *, either: bool = False) -> bool:
        """Whether another letter (``to``, if given) is joined to this one."""
        other, by_or = self.partner(mention)
        if other is None or (to is not None and other is not to):
            return False
        # "B, A is the mass": the second letter begins a clause of its own
        clause = patterns.SINGULAR.match(self.low, other.end) and not either
        return by_or or not (self.denied(other) or clause)

    def list_denied(self, mention: Mention) -> bool:
        """Whether the list of letters that begins here is denied: "A, B and D are wrong"."""
        last: Mention | None = mention
        for _ in range(self._options):
            mention = last or mention
            last, _by_or = self.partner(mention)
        return self.denied(mention) and not patterns.SINGULAR.match(self.low, mention.end)

    def listed_behind(self, mention: Mention) -> bool:
        """Whether only brackets separate this letter from the next: "(A)(B)(C)", "a) b) c)"."""
        behind = [other for other in self.all if other.start >= mention.end][:1]
        gap = self.text[mention.end : behind[0].start] if behind else "x"
        return not gap.strip(" )(") and (mention.marked or ")" in gap)

    def echoes(self, mention: Mention) -> bool:
        """Whether the letter begins a line in a list of all options."""
        line = self.text[self.text.rfind("\n", 0, mention.start) + 1 : mention.start]
        closed = mention.marked or self.text[mention.end : mention.end + 1] in ".):"
        return not line.strip(" -*(") and closed and self.echo()

    def echo(self) -> bool:
        """Whether the reply lists the options as the question does, A first and then B."""
        listed = list(patterns.LISTED.finditer(self.text[:4_000]))
        if len(listed) < 2 or (listed[0][1], listed[1][1]) != ("A", "B"):
            return False
        start = listed[1].start(1) + 1
        return not (
            patterns.IS_WRONG.match(self.low, start) or patterns.LISTED_WRONG.match(self.low, start)
        )

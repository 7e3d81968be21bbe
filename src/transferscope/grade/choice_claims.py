"""Claims: the places where a reply to a choice question states its letter or withdraws it.

A claim is a letter after "the answer is" (in any of :mod:`.choice_words`' languages), on a line of
its own, at the start of the reply ("B) 42"), or with a judgement ("I choose B", "B is correct"). A
letter is not a claim if it is denied ("not A", "A is wrong"), only supposed ("if the answer is A"),
part of a question ("is it A?"), a word ("A cat", "I think"), or one of several ("A or B": then
nothing is chosen).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import choice_patterns as patterns
from .choice_letters import Letters
from .choice_text import Mention
from .choice_verdicts import judged

CONTRAST = 30
"""Characters before "but" that may contain the letter that it corrects."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of ``letter`` at position ``at``; ``None`` as letter means several letters.

    ``strong``: the reply calls it its answer.
    """

    letter: str | None
    at: int
    strong: bool


class Reply(Letters):
    """The claims that a reply makes about its letters."""

    def claims(self) -> list[Claim]:
        """Return every claim, in text order."""
        found = [self._claim(mention, strong=True) for mention in self._called_answer()]
        found += [self._claim(mention, strong=True) for mention in self._in_its_place()]
        found += [] if found else self._one_by_one()
        found += [self._claim(mention, strong=True) for mention in self._on_lines()]
        found += [self._claim(mention, strong=True) for mention in self._at_start()]
        found += [self._claim(mention, strong=False) for mention in self._judged()]
        return sorted(found, key=lambda claim: (claim.at, claim.strong))

    def only_named(self) -> str | None:
        """Return the only letter named as an option or marked and not denied; ``None`` for two."""
        named = {m.start for m, _ in self.led(patterns.OPTION) if not m.lower}
        named |= {m.start for m, _ in self.led(patterns.NOUN) if not m.lower}
        named |= {m.start for m, _ in self.led(patterns.HEDGE) if not m.lower}
        read = [m for m in self.all if self.usable(m) or m.start in named]
        left = [m for m in read if self.own(m) and not self.denied(m)]
        left = [m for m in left if not patterns.CUT_REASON.match(self.low, m.end)]
        left = [m for m in left if not patterns.CONSIDERED.search(self.before(m.start))]
        letters = {m.letter for m in left if m.start in named or (m.marked and not m.lower)}
        bare = {m.letter for m in left if not m.lower and not m.marked and m.letter not in "AI"}
        if len(letters) != 1 or bare - letters or self.echo():
            return None
        return next(iter(letters))

    def corrected(self, start: int, end: int) -> bool:
        """Whether the reply corrects itself between two positions."""
        return patterns.CORRECTION.search(self.low, start, end) is not None

    def _called_answer(self) -> Iterator[Mention]:
        for mention, between in self.led(patterns.NOUN):
            # In "the answer A is" the verb decides; "The answer is A is" is not a sentence.
            stated = patterns.STATED.search(between) is not None
            if self.echoes(mention) or not self.committed(mention):
                continue
            if stated or not patterns.VERB.match(self.low, mention.end):
                yield mention
        for mention, between in self.led(patterns.OPTION):
            if (
                patterns.STATED.search(between)
                and self.committed(mention)
                and not self.echoes(mention)
            ):
                yield mention
        for but in patterns.BUT.finditer(self.low):  # "the answer is not A but B"
            contrast, _ = self.next(but.end())
            near = range(but.start() - CONTRAST, but.start())
            denied = [m for m in self.all if m.start in near and m.end - 1 in near]
            same_line = "\n" not in self.low[max(0, but.start() - CONTRAST) : but.start()]
            if contrast and denied and self.denied(denied[-1]) and same_line:
                yield from [contrast] if self.committed(contrast) else []

    def _in_its_place(self) -> Iterator[Mention]:
        """Yield the letter that ends the reply after "A. No wait," or "Correction:"."""
        for word in patterns.CORRECTED.finditer(self.low):
            mention = self.by_start.get(word.end())
            if mention is None or not self.within(mention):
                continue
            if patterns.ENDS.match(self.text, mention.end) and self.committed(mention):
                yield mention

    def _one_by_one(self) -> list[Claim]:
        """Return the option judged right if each one is judged; several right ones don't count."""
        closed = [m for m in self.all if m.marked or self.text[m.end : m.end + 1] == ")"]
        letters = [
            m
            for m in self.all
            if self.within(m) and (not m.lower or m in closed) and not self.named(m)
        ]
        verdicts = judged(self.low, letters)
        right = [letter for letter, verdict in verdicts.items() if verdict]
        last = max((m.start for m in letters if m.letter in verdicts), default=0)
        if not right or (len(right) > 1 and self.corrected(0, last)):
            return []
        return [Claim(right[0] if len(right) == 1 else None, last, strong=True)]

    def _on_lines(self) -> Iterator[Mention]:
        """Yield letters that fill a line; several different ones are a list, not a choice."""
        alone = []
        for mention in self.all:
            start = self.text.rfind("\n", 0, mention.start) + 1
            end = self.text.find("\n", mention.end)
            before = self.text[start : mention.start]
            behind = self.text[mention.end : end if end != -1 else None]
            if not any(c.isalnum() or c == "?" for c in before[-200:] + behind[:200]):
                alone.append(mention)
        alone = [mention for mention in alone if self.usable(mention)]
        if len({mention.letter for mention in alone}) == 1:
            yield from alone

    def _at_start(self) -> Iterator[Mention]:
        """Yield a first letter: ``B``, ``(B) 42``, ``B. Paris``, ``B, because ...``, ``b) 42``."""
        opening = patterns.OPENING.match(self.text)
        at = opening.end() if opening else 0
        at -= at > 0 and self.text[at - 1] == "("
        mention, named = self.by_start.get(at), False
        if mention is None and (word := patterns.OPTION.match(self.low, at)):
            mention, between = self.next(word.end(), named=True)
            named = mention is not None and len(between) <= 2
            mention = mention if named else None
        if mention is None:  # "È la B", "Q1: B": only linking words before it
            mention, between = self.next(at)
            ends = mention is not None and patterns.ENDS.match(self.text, mention.end)
            if not ends or between.strip()[-1:].isdigit():
                return
        if mention is None or not (named or self.usable(mention)) or self.echo():
            return
        if self.listed_behind(mention) or patterns.INITIALS.match(self.text, mention.start):
            return
        if not self.own(mention):
            return
        low, end = self.low, mention.end
        closed = patterns.CLOSED.match(self.text, end) or patterns.BECAUSE.match(low, end)
        closed = closed or patterns.PARTED.match(self.text, end)
        if mention.lower and not (mention.marked or self.text[end : end + 1] in ".):,\n"):
            closed = None
        wrong = self.denied(mention) or patterns.CUT_REASON.match(low, end)
        if self.list_denied(mention):
            return
        several = self.joined(mention, either=True)
        if (closed or mention.marked or (named and several)) and (several or not wrong):
            yield mention

    def _judged(self) -> Iterator[Mention]:
        for mention, _ in self.led(patterns.CHOSEN):
            if self.committed(mention) and not patterns.VERB.match(self.low, mention.end):
                yield mention
        for mention, _ in self.led(patterns.THEREFORE):
            ends = patterns.CLOSED.match(self.text, mention.end) or patterns.BECAUSE.match(
                self.low, mention.end
            )
            article = mention.lower and mention.letter == "A" and not mention.marked  # "It's a"
            if ends and not article and self.committed(mention):
                yield mention
        for mention in self.all:
            right = patterns.IS_RIGHT.match(self.low, mention.end)
            if right is None and self.lists:
                right = patterns.LISTED_RIGHT.match(self.low, mention.end - mention.marked)
            said = not mention.lower or (mention.start == 0 and mention.letter != "A")
            meant = self.within(mention) and not self.named(mention)
            if right and said and meant and not self.denied(mention):
                behind = self.low[right.end() : right.end() + 24]
                if not patterns.TAKEN_BACK.search(
                    patterns.SENTENCE.split(behind)[0]
                ) and self.plain(mention):
                    yield mention

    def _claim(self, mention: Mention, *, strong: bool) -> Claim:
        several = self.joined(mention) or any(
            self.joined(other, to=mention)
            for other in self.all
            if mention.start - 40 <= other.end <= mention.start
        )
        return Claim(None if several else mention.letter, mention.start, strong)

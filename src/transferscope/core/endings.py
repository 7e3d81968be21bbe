"""Whether a text ends as finished texts do: the part of ``truncated`` that reads the last lines.

Finished answers end in a full stop of some script, but also in an emoji, a hashtag, a link, a
signature, a list or verse without full stops, a table, or code. So the last line is judged by its
kind. In running prose, an ending without a mark is a cut. A separate line (a list item, verse, a
heading, "Total: 12 kg") is cut off if its last word or mark can't end anything ("the", a comma,
"+", half a word), or if its neighbours end differently.

A word counts as half a word if it occurs nowhere else in the text but a longer word begins with it,
or, in English text, if it ends in letters that hardly ever end a word
(:data:`.ending_words.RARE_ENDS`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from .ending_code import READ, code_ends, in_table, open_block, row_cut
from .ending_words import (
    ABBREVIATED,
    CLOSERS,
    FUNCTION,
    IN_TITLES,
    INFLECTIONS,
    RARE_ENDS,
    STOPS,
    TWO_LETTERS,
)
from .signatures import POSTSCRIPT, SHORT, credited, greets, named, parting, signature, signs

WORDS = 8
"""Number of words after a colon or equals sign that need no full stop."""

_UNSPACED = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
"""Thai, Lao, Burmese, Khmer: sentences have no end mark; at most a space separates them."""
_UNSPACED_END = re.compile(_UNSPACED + "$")
_KOREAN_JAPANESE = re.compile(
    r"(?:니다|세요|해요|어요|아요|에요|예요|네요|까요|죠|ください|です|ます|でした|ました|ません|ですね|ますね)$"
)
_TAGS = re.compile(r"(?:(?<!\S)[#@＃][^\s#@]{2,50}[\s,]*)+$")
_LINK = re.compile(
    r"(?:https?://(?!www\.[^\s./]*$)|www\.)[^\s]+\.[A-Za-z]{2,}(?:[/?#][^\s]*)?$|\S+@\S+\.[a-z]{2,}$"
)
_HALF_LINK = re.compile(r"https?:/{0,2}(?!localhost)[^\s\d]*$")
_DOMAIN = re.compile(r"(?<![\w.])[\w-]+\.(?:com|org|net|edu|gov|io|de|fr|uk|co)(?:/\S*)?$")
_SMILEY = re.compile(
    r"(?:^|\s)(?:[:;=8xX]['-]?[)DPpOo3(/|*]|<3+|[xX]+[oO]+[xXoO]*|\^_?\^|xD|XD|T_T|lol)$"
)
_SMILEY_ENDS = frozenset(")DPpOo3(/|*xX^Tl")
_HEADING = re.compile(r"#{1,6}(?:\s|$)")
_AMOUNT = re.compile(r"\$\d[\d.,]*(?=[\s).,;]|$)")
_QUANTITY = re.compile(r"[≈~±+-]?\d[\d.,]*\s?[°%]?[^\W\d_/]{0,6}(?:/[^\W\d_]{1,4})?[²³]?")
_OPEN_MARK = re.compile(r"(?<![\w*])\*\*(?=\w)[^*]*$|(?:^|[\s(:])\"(?=\w)[^\"]*$")
"""Bold text or a quotation that is not closed on its line."""
_UNFINISHED = re.compile(
    r"(?:[:：,，]\**|(?<![-–—])[;；、،؛\-–—+=/\\<&(\[{（「«“^×·]|\s[*$€£]|e\.g\.|i\.e\.)$"
)
_ITEM = re.compile(r"\s*(?:[-*•–—▪◦‣·+]|\(?\d{1,3}[.):]|\(?[a-zA-Z][.)]|[ivxIVX]{1,5}[.)])\s+")
_OPTION = re.compile(r"\(?[B-J][.)]\s+\S")
""" "B) Paris": an answer option, if no list precedes it."""
_LETTER = re.compile(r"[^\W\d_]")
_RESULT = re.compile(
    r"(?:[^\s:：=]+\s){0,2}[^\s:：=]+\s?[:：=]\s*(?:[€$£]?-?\d[\d.,]*\s?[%€°]?|[A-J])$"
)
""" "Answer: 42" after a sentence on the same line."""
_LABEL = re.compile(r"[^\n.!?]{1,60}?\s?(?:[:：]|=|→|->|≈)\s*(\S[^\n]*)$")
_STOP = re.compile(f"[{re.escape(''.join(sorted(STOPS)))}]")
_CLOCK = re.compile(r"\d\s?[ap]m$", re.IGNORECASE)
WINDOW = 500
"""Characters of a line that are searched for full stops at a time, starting at its end."""
WORD = 200
"""Characters that are searched for the word before a full stop."""
_ENGLISH = re.compile(r"\b(?:the|and|of|is|to|that|with|for|it|you|are)\b", re.IGNORECASE)


def cut_off(text: str) -> bool:
    """Whether ``text`` stops where no finished text would. Runs in linear time.

    >>> cut_off("It rained all day. And then the main rea")
    True
    >>> cut_off("It rained all day. Bring boots! #rain #boots")
    False
    """
    end = text.rstrip()
    line = end[end.rfind("\n") + 1 :].strip().lstrip("> ") or end[-1:]
    if not end or open_block(end):
        return bool(end)
    if line.startswith("|") or ("|" in line[:-1] and in_table(end)):
        return row_cut(end, line)
    if code_ends(line) or _asks_in_greek(line):
        return False
    # a heading with nothing below it ("**Steps:**"), a comma or an operator
    if _HEADING.match(line) or _UNFINISHED.search(line[-8:]):
        return not (_SMILEY.search(line[-12:]) or signature(line.lstrip("# ")))
    postscript = POSTSCRIPT.match(line)
    if _bare_marker(end, line) or (postscript and postscript.end() == len(line)):
        return True
    return not _marked_end(line) and _line_cut(end[-READ:], line)


def _asks_in_greek(line: str) -> bool:
    """Whether a semicolon follows a Greek letter, where it is a question mark."""
    return line[-1] in ";\u037e" and "\u0370" <= line[-2:-1] <= "\u1fff"


def _bare_marker(text: str, line: str) -> bool:
    """Whether only the marker of the next list item was written: "3.", "c)"."""
    if len(line) > 5 or _ITEM.fullmatch(f"{line} ") is None:
        return False
    before = text[: len(text) - len(line)].rstrip()
    above = before[before.rfind("\n") + 1 :]
    return _ITEM.match(above) is not None and above.lstrip()[:1].isdigit() == line[:1].isdigit()


def _marked_end(line: str) -> bool:
    """Whether the line ends in a mark, symbol, tag or link, or in a script without marks."""
    last = line[-1]
    return (
        last in STOPS
        or last in CLOSERS
        or unicodedata.category(last) in ("Pe", "Pf")
        or _symbols_off(line) != line
        or not any(character.isalnum() for character in line[-400:])
        or _UNSPACED_END.search(last) is not None
        or _KOREAN_JAPANESE.search(line[-4:]) is not None
        or _tag_or_link(line[-400:])
    )


def _tag_or_link(end: str) -> bool:
    """Whether the text ends in a hashtag, an emoticon, a link, an address or a domain."""
    if end[-1] in _SMILEY_ENDS and _SMILEY.search(end):
        return True
    if ("#" in end or "@" in end or "＃" in end) and _TAGS.search(end):
        return True
    if "." not in end:
        return False
    linked = ("://" in end or "www." in end or "@" in end) and _LINK.search(end)
    return bool(linked or _DOMAIN.search(end))


def _line_cut(text: str, line: str) -> bool:
    """Whether a last line that ends in a word or number is cut off, depending on its kind."""
    line = line.lstrip("✅☑✔➡→★ ") or line
    line, postscripts = POSTSCRIPT.subn("", line, count=1) if POSTSCRIPT.match(line) else (line, 0)
    stop = _last_stop(line)
    above = [part.strip().lstrip("> ") for part in text.split("\n")[:-1]]
    before = next((part for part in reversed(above[-4:]) if part), "")
    own = bool(above) or postscripts > 0
    if _signed(line, stop, above, before, own=own):
        return False
    # After a full stop on the same line, only signatures and short verse are complete.
    if (stop and not _short_verse(line, above)) or not own or _half_word(text, line):
        return True
    return not postscripts and _own_line_cut(line, above, before)


def _signed(line: str, stop: int, above: list[str], before: str, *, own: bool) -> bool:
    """Whether the line ends in a farewell, a signature or the name of a quoted person."""
    rest = line[stop:].strip()
    if (
        signature(rest)
        or (stop and _RESULT.match(rest))
        or (not stop and signs(line, before, above))
    ):
        return True
    listed = _ITEM.match(before) is not None or before.endswith((":", "："))
    if credited(line, own=own, listed=listed):
        return True
    return stop > 0 and named(rest) and parting(line[_last_stop(line[: stop - 1]) : stop])


def _own_line_cut(line: str, above: list[str], before: str) -> bool:
    """Whether a separate line without a full stop is cut: an item, "Total: 12", a title, verse."""
    if _ITEM.match(line) and not _initials(line):
        items = [part for part in above if _ITEM.match(part)]
        return not (
            _like_the_others(line, items)
            or (not items and (_OPTION.match(line) or not _LETTER.search(line)))
        )
    if (label := _LABEL.match(line)) and len(label[1].split()) <= WORDS:
        return not _balanced(label[1])
    figure = line[-1].isdigit() and (len(line) <= SHORT // 2 or _heading(f"{line} X"))
    figure = figure or _QUANTITY.fullmatch(line) is not None
    # "References:", and below it "Available on request"
    entry = before.endswith((":", "：")) and max(len(before), len(line)) <= SHORT // 2
    return not (figure or entry or _title(line, above[-1]) or _verse(line, above))


def _initials(line: str) -> bool:
    """Whether the line begins with initials ("J. R. R. Tolkien"), which are not list markers."""
    return re.match(r"[A-Z]\.\s+[A-Z]\.?\s", line) is not None


def _title(line: str, touching: str) -> bool:
    """Whether the line is a heading: below a blank line, a sentence or another heading."""
    return _heading(line) and (not touching or touching[-1] in STOPS or _heading(touching))


def _verse(line: str, above: list[str]) -> bool:
    """Whether the line above also lacks a full stop, and this line is about as long."""
    touching = above[-1]
    if not touching or touching[-1] in STOPS | CLOSERS | {":", "："} or _ITEM.match(touching):
        return False
    if greets(touching):
        return False
    stanza = [len(part) for part in above[-6:] if 0 < len(part) <= 2 * SHORT]
    return bool(stanza) and sum(stanza) / len(stanza) / 2 <= len(line) <= 1.5 * SHORT


def _short_verse(line: str, above: list[str]) -> bool:
    """Whether two short lines without full stops precede: "Splash! Silence again" ends a haiku."""
    stanza = above[-2:]
    return (
        len(stanza) == 2
        and all(0 < len(part) <= SHORT * 3 // 4 and part[-1] not in STOPS for part in stanza)
        and not any(_ITEM.match(part) for part in stanza)
        and len(line) <= SHORT * 3 // 4
    )


def _symbols_off(line: str) -> str:
    """``line`` without trailing emoji and other symbols and their joiners."""
    end = len(line)
    while end and (
        line[end - 1].isspace()
        or unicodedata.category(line[end - 1]) in ("So", "Sk", "Cf", "Cn", "Co")
        or line[end - 1] in "\ufe0f\ufe0e\u20e3"
    ):
        end -= 1
    return line[:end]


def _last_stop(line: str) -> int:
    """End of the last sentence that ends within ``line``; 0 if there is none."""
    for at in _stops_from_the_end(line):
        if line[at] > "\u0fff" or line[at + 1].isspace() or line[at] in "।॥":
            before = next(iter(line[max(0, at - WORD) : at].split()[-1:]), "")
            if line[at] == "." and (len(before) < 2 or before.isdigit() or before in ABBREVIATED):
                continue  # "J. K. Rowling", "3. Stir", "Dr. Hill"
            return at + 1
    return 0


def _stops_from_the_end(line: str) -> Iterator[int]:
    """Positions of full stops in ``line``, the last one first; rarely reads all of a long line."""
    end = max(1, len(line) - 1)
    while end > 1 and (end < WINDOW or any(stop in line for stop in STOPS)):
        start = max(1, end - WINDOW)
        yield from reversed([stop.start() for stop in _STOP.finditer(line, start, end)])
        end = start


def _heading(line: str) -> bool:
    """Up to eight words, capitalised except for small ones; the last word always is."""
    words = [word for word in re.split(r"[\s,&/-]+", line) if word]
    if not 0 < len(words) <= 8 or len(line) > SHORT or not words[-1][0].isupper():
        return False
    capital = [w[0].isupper() or w[0].isdigit() or w.lower() in IN_TITLES for w in words]
    return (
        all(capital) and (len(words) > 1 or len(words[0]) > 2) and words[-1].lower() not in FUNCTION
    )


def _like_the_others(line: str, items: list[str]) -> bool:
    """Whether most items of the list end without a full stop, as this one does."""
    bare = [item for item in items if item[-1] not in STOPS and item[-1] not in ",;:"]
    return bool(items) and 2 * len(bare) >= len(items) and len(line) >= 4


def _balanced(text: str) -> bool:
    pairs = (("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("（", "）"), ("「", "」"), ("«", "»"))
    return (
        all(text.count(a) <= text.count(b) for a, b in pairs)
        and _AMOUNT.sub("", text).count("$") % 2 == 0
    )


def _half_word(text: str, line: str) -> bool:
    """Whether the last word can't end a line: an article, a preposition or the start of a word."""
    if not _balanced(line) or _OPEN_MARK.search(line) or _HALF_LINK.search(line):
        return True
    match = re.search(r"(?<![^\W_])(?<!\w/)[^\W\d_]+(?:['’][^\W\d_]+)?$", line[-WORD:])
    if match is None or _CLOCK.search(line[-12:]) or _QUANTITY.fullmatch(line):
        return False
    word = match[0].lower()
    if word in FUNCTION and word != line.lower():
        return True
    # unless it occurs elsewhere in the text: then it is a word of its own
    others = set(re.findall(r"[^\W\d_]+", text[: len(text) - len(match[0])].lower()))
    if word in others or match[0].isupper():
        return False
    allowed = INFLECTIONS if len(word) > 3 else INFLECTIONS[:5]
    longer = (other for other in others if other.startswith(word) and len(word) > 1)
    if any(other[len(word) :] not in allowed for other in longer):
        return True
    english = len(_ENGLISH.findall(text[:2_000])) >= 5
    lower = match[0].islower()
    rare = word not in TWO_LETTERS if len(word) == 2 else word[-2:] in RARE_ENDS
    return english and lower and (len(word) == 1 or rare)

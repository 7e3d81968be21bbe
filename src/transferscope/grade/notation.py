"""Canonical notation of answers: LaTeX, Unicode and plain text become the same characters.

``canonical`` keeps the meaning and drops the typography. Its output uses ASCII, the symbols
``≤ ≥ ≠ ± ∓ ∞ π ∪ ∩ ∈ √ ° ≡``, ``⦃ ⦄`` for the braces of a set, ``¶`` for a row break and ``«...»``
for words (``\\text{cm}`` and a plain "cm" alike), so that no letter of a word becomes a variable.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from .combinations import CHOOSE
from .spoken import digits

FUNCTIONS = (
    "arcsin|arccos|arctan|arccot|arcsec|arccsc|arsinh|arcosh|artanh|sinh|cosh|tanh|coth|"
    "sin|cos|tan|cot|sec|csc|sqrt|cbrt|log|ln|lg|exp|gcd|lcm|max|min|det|lim|sgn|abs|binom|floor|ceil"
)
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_SIGNS = {
    ord(sign): plain
    for signs, plain in (
        ("\u2212\ufe63\u2796", "-"),
        ("\u00a0\u2007\u2009\u200a\u202f\u205f\u3000\u2002\u2003\u2004\u2005\u2006\u2008", " "),
        ("\u200b\u2060\ufeff\u200e\u200f", ""),
        ("\u066b", "."),  # Arabic decimal and thousands separators
        ("\u066c", ","),
    )
    for sign in signs
}
_PLAIN_SIGNS = _WIDE | _SIGNS
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_VULGAR = {sign: unicodedata.normalize("NFKC", sign).split("\u2044") for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}

# Twice-escaped commands; a row break of a matrix is never followed by one of these names.
_TWICE = re.compile(
    r"(?<!\\)\\\\(?=(?:begin|end|d?frac|tfrac|left|right|sqrt|pi|text|mathrm|cdot|times|boxed|infty|"
    r"pm|le|ge|leq|geq|cup|in|quad|circ|theta|ldots|mathbb|binom)(?![a-zA-Z]))"
)
_ROMAN = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal|up)?|mbox|hbox|mathrm|mathsf|mathbf|mathit|boldsymbol|bm|"
    r"operatorname\*?|emph|mathtt|underline|boxed|fbox|unit|vec)\s*\{([^{}]*)\}"
)
_DROPPED = re.compile(
    r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle|textstyle|scriptstyle|limits|nolimits|hline|"
    r"bf|rm|it|large|Large|normalsize|checkmark|therefore|because|blacksquare)(?![a-zA-Z])"
    r"|\\(?:tag|label|phantom|hphantom|vphantom|color|hspace|vspace)\*?\{[^{}]*\}"
)
_BLANKS = re.compile(r"\\(?:[,;:> ]|q?quad(?![a-zA-Z])|thinspace|enspace)|~|\s+")
_COMMANDS = {
    **dict.fromkeys(("dfrac", "tfrac", "cfrac"), r"\frac"),
    **dict.fromkeys(("dbinom", "tbinom"), r"\binom"),
    **dict.fromkeys(("le", "leq", "leqslant", "leqq"), "≤"),
    **dict.fromkeys(("ge", "geq", "geqslant", "geqq"), "≥"),
    **dict.fromkeys(("lt",), "<"),
    **dict.fromkeys(("gt",), ">"),
    **dict.fromkeys(("ne", "neq"), "≠"),
    **dict.fromkeys(("times", "cdot", "ast", "bullet"), "*"),
    **dict.fromkeys(("div",), "/"),
    **dict.fromkeys(("lvert", "rvert", "vert", "mid"), "|"),
    **dict.fromkeys(("lbrace", "{"), "⦃"),
    **dict.fromkeys(("rbrace", "}"), "⦄"),
    **dict.fromkeys(("langle",), "("),
    **dict.fromkeys(("rangle",), ")"),
    **dict.fromkeys(("lparen", "lbrack"), "("),
    **dict.fromkeys(("lor", "vee"), " ∨ "),
    **dict.fromkeys(("land", "wedge"), " ∧ "),
    **dict.fromkeys(("ldots", "dots", "cdots", "dotsc", "dotsb", "hdots"), "…"),
    **dict.fromkeys(("emptyset", "varnothing"), "∅"),
    **dict.fromkeys(("setminus", "backslash"), "∖"),
    **dict.fromkeys(("lfloor",), "⌊"),
    **dict.fromkeys(("rfloor",), "⌋"),
    **dict.fromkeys(("lceil",), "⌈"),
    **dict.fromkeys(("rceil",), "⌉"),
    **dict.fromkeys(("approx", "thickapprox", "simeq"), "≈"),
    "pm": "±",
    "mp": "∓",
    "infty": "∞",
    "pi": "π",
    "cup": "∪",
    "cap": "∩",
    "in": "∈",
    "circ": "°",
    "degree": "°",
    "equiv": "≡",
    "colon": ":",
    "ell": "l",
    "yen": "¥",
    "euro": "€",
    "texteuro": "€",
    "textdollar": "$",
    "textcent": "¢",
    "cent": "¢",
    "pounds": "£",
    "lnot": "¬",
}
_COMMAND = re.compile(
    r"\\("
    + "|".join(sorted((re.escape(name) for name in _COMMANDS), key=len, reverse=True))
    + r")(?![a-zA-Z])|\\([{}])"
)
_UNICODE = str.maketrans(
    {
        "⩽": "≤", "≦": "≤", "⩾": "≥", "≧": "≥", "×": "*", "·": "*", "⋅": "*", "∙": "*",
        "∗": "*", "÷": "/", "⁄": "/", "∕": "/", "º": "°", "˚": "°", "⟨": "(", "⟩": ")",
        "∣": "|", "∨": " ∨ ", "∧": " ∧ ", "≃": "≈", "⋯": "…", "’": "'", "′": "'",
        "ℝ": r"\mathbb{R}",
        "ℤ": r"\mathbb{Z}", "ℚ": r"\mathbb{Q}", "ℕ": r"\mathbb{N}", "θ": r"\theta ",
        "α": r"\alpha ", "β": r"\beta ", "λ": r"\lambda ", "Ø": "∅", "−": "-",
    }
)  # fmt: skip
_LETTER = "(?![Α-Ωα-ω])[^\\W\\d_]"
_WORD = re.compile(
    rf"(?<![\\a-zA-Z«])(?!(?:{FUNCTIONS}|pi|infinity|oo)(?![a-zA-Z]))(?:{_LETTER}){{2,}}(?:[-'](?:{_LETTER})+)*"
    r"|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]+"
)
_HALF_DAY = re.compile(r"(?<=\d)\s*\\?\s*([ap])\.?\s?m(?:\.|\b)(?!\w)", re.IGNORECASE)
_TIMES = re.compile(r"(?<=\d)\s*[xX]\s*(?=10\s*\^)|(?<=\d)\s+[xX]\s+(?=\d)")
_SIUNITX = re.compile(r"\\(?:SI|qty)\s*\{([^{}]*)\}\s*\{\\?([a-zA-Z]+)\}")
_SPOKEN_SIGN = re.compile(
    r"(?<=\d)\s+(times|plus|minus|divided by|(?:raised )?to the power(?: of)?)\s+(?=-?\d)"
)
_SPOKEN_SIGNS = {"times": "*", "plus": "+", "minus": "-", "divided by": "/"}
_SHARE = re.compile(
    r"(\d+)\s+(?:out\s+of(?:\s+the|\s+a\s+total\s+of)?|per)\s+(\d+)(?![\w.])"
    r"|(?<![\d.])(1|\d+(?=\s+in\s+10+\b))\s+in\s+(\d+)\.?$"
)
""" "5 out of 6", "1 in 6"."""
_CHOOSE = re.compile(
    r"\{([^{}]{1,20}?)\s*\\choose\s*([^{}]{1,20})\}"
    r"|(?<![\w}])(\d{1,4}|[a-z])\s*\\choose\s*(\d{1,4}|[a-z])(?!\w)"
)
_EURO_CENTS = re.compile(r"€\s*\d+,\d\d(?!\d)|(?<![\d,])\d+,\d\d(?=\s*€)")
_TEMPERATURE = re.compile(r"°\s*«?\s*([CFcf])\s*»?(?![a-zA-Z])")
_SCALES = {"C": " «celsius»", "F": " «fahrenheit»"}
_ORDINAL = re.compile(r"(?<=\d)\s*\^?\s*\{?\s*«?(?:st|nd|rd|th)»?\s*\}?(?![a-zA-Z])")
_UNIT_RATIO = re.compile(
    r"\\frac\s*\{\s*((?:«[^»]*»(?:\^\{?\d\}?)?[\s*]*)+)\}\s*\{\s*(«[^»]*»(?:\^\{?\d\}?)?)\s*\}"
)
_LIST_WORDS = {
    "or": " ∨ ",
    "and": " ∧ ",
    "oder": " ∨ ",
    "und": " ∧ ",
    "ou": " ∨ ",
    "et": " ∧ ",
    "y": " ∧ ",
}


def plain_signs(text: str) -> str:
    """Replace digits of other scripts, full-width forms, minus signs and thin spaces by ASCII."""
    if text.isascii():
        return text
    text = _RAISED.sub(lambda found: "^{" + found[0].translate(_SUPERSCRIPTS) + "}", text)
    return _FOREIGN_DIGIT.sub(lambda digit: str(int(digit[0])), text.translate(_PLAIN_SIGNS))


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """Convert ``text`` to this module's notation, without enclosing dollars and final stops."""
    text = plain_signs(text).replace("«", " ").replace("»", " ")
    text = _TWICE.sub(r"\\", text)
    text = re.sub(r"\\{4}|\\\\", "¶", text)  # row breaks, twice-escaped ones too
    text = _SIUNITX.sub(r"\1\\text{ \2}", _CHOOSE.sub(r"\\binom{\1\3}{\2\4}", text))
    text = CHOOSE.sub(r"\\binom{\1}{\2}", digits(_outer(text)))
    text = _SPOKEN_SIGN.sub(lambda sign: _SPOKEN_SIGNS.get(sign[1], "^"), text)
    text = re.sub(r"(?i)\bsq\.", "sq", re.sub(r"\binfinity\b", "∞", text))
    text = re.sub(r"(\d[\d.,]*)\s*‰", r"\\frac{\1}{1000}", text)
    text = re.sub(r"(?i)\bdegrees?\s+([CF])(?:elsius|ahrenheit)?\b", r"°\1", text)
    text = _EURO_CENTS.sub(lambda found: found[0].replace(",", "."), text)
    text = _symbols(text)
    text = _romans(re.sub(r"√\s*(\d+(?:\.\d+)?)", r"√{\1}", text))
    text = _SHARE.sub(lambda share: f"{share[1] or share[3]}/{share[2] or share[4]}", text)
    text = re.sub(r"(?<=\d)(?:\s|\\[,;: ])*\\Omega$", " «ohm»", _TIMES.sub("*", text))
    text = re.sub(r"(?<=\d)\s?h\s(?=\d)", "«h» ", text)
    text = re.sub("或者?|または|もしくは", " ∨ ", text) if not text.isascii() else text
    text = re.sub("[和与及、]|以及", " ∧ ", text) if not text.isascii() else text
    text = _TEMPERATURE.sub(lambda found: _SCALES[found[1].upper()], text)
    text = _numbers(text)
    text = _HALF_DAY.sub(lambda half: f" «{half[1].lower()}m»", text)
    text = _UNIT_RATIO.sub(r"\1/\2", _words(text))
    return re.sub(r"\s+", " ", text).strip(" ,;").removesuffix(".").strip()


@lru_cache(maxsize=2048)
def squeezed(text: str) -> str:
    """Remove blanks and redundant braces from canonical text, to compare it by characters."""
    text = re.sub(r"(?<!\d) | (?!\d)", "", text)  # "3 1/2" is not "31/2"
    text = re.sub(r"(?<=[\^_])\{(\w)\}", r"\1", text)
    return re.sub(
        r"«([^»]*)»", lambda word: word[1].casefold() if len(word[1]) > 1 else word[1], text
    )


def _outer(text: str) -> str:
    """Remove enclosing Markdown stars, dollars and LaTeX brackets, and final stops."""
    text = text.replace("\\$", "\x01")
    for _ in range(4):
        text = text.strip().strip("*").strip()
        text = re.sub(r"(?:\\[,;:!> ])+$|(?<!\\)\\$", "", text)
        if text.endswith((".", "。", ",", ";")) and not text.endswith(("..", "m.")):
            text = text[:-1].rstrip()
        for left, right in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("{", "}")):
            inner = text[len(left) : -len(right)]
            if (
                text.startswith(left)
                and text.endswith(right)
                and len(text) > len(left)
                and left not in inner
                and right not in inner
            ):
                text = inner
                break
    # Remaining dollars delimit math within text, unless they precede an amount.
    text = re.sub(r"\$(?=\s*\d)(?!\s*[^$]*\$)", "\x01", text)
    for sign in ("$", "\\(", "\\)"):
        text = text.replace(sign, " ")
    return text.replace("\\[", "[").replace("\\]", "]").replace("\x01", "$")


def _symbols(text: str) -> str:
    text = re.sub(r"(?<=\d),\s*(?:\\[!,;:]\s*)+(?=\d{3}(?!\d))", ",", text).replace("\\!", "")
    text = re.sub(r"\\(?:%|\\(?=%))", "%", text)
    text = re.sub(r"[₀-₉]+", lambda index: "_{" + index[0].translate(_SUBSCRIPTS) + "}", text)
    text = re.sub(
        r"[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]",
        lambda part: "\\frac{" + _VULGAR[part[0]][0] + "}{" + _VULGAR[part[0]][1] + "}",
        text,
    )
    text = text.translate(_UNICODE)
    text = re.sub(r"\\frac\s*(\d)\s*(?:(\d)|\{(\d+)\})", r"\\frac{\1}{\2\3}", text)
    text = _DROPPED.sub(lambda dropped: " " if dropped[0][1:2] == "t" else "", text)
    text = _COMMAND.sub(
        lambda found: (
            _COMMANDS[found[1]] + (" " if found[1].isalpha() else "")
            if found[1]
            else {"{": "⦃", "}": "⦄"}[found[2]]
        ),
        text,
    )
    text = re.sub(r"\^\s*\{?\s*°\s*\}?", "°", text)
    return re.sub(r"\.\s?\.\s?\.", "…", text)


def _romans(text: str) -> str:
    """Unwrap ``\\text{cm}`` to a word, ``\\text{13}`` to a number, ``\\mathbf{v}`` to a letter."""
    for _ in range(4):  # nested ones, innermost first
        text, found = _ROMAN.subn(_roman, text)
        if not found:
            break
    return text


def _roman(match: re.Match[str]) -> str:
    content, command = match[1].strip(), match[0]
    letter = len(content) == 1 and content.isalpha()
    if letter and (content in "eidn" or not command.startswith(("\\text", "\\mbox", "\\mathrm"))):
        return f" {content} "
    if re.search(r"[/^]|(?<=\w) (?=\w)", content):
        from .units import marked

        return marked(f"1 {content}")[1:]
    if not content or not content.replace(".", "").replace("-", "").isalpha():
        return f" {content} "  # "3 apples", "(B) 42", "km/h", "$": treated as plain text
    if content.lower() in _LIST_WORDS or re.fullmatch(rf"(?:{FUNCTIONS})", content):
        return f" {content} "
    if re.fullmatch(r"(?i:[ap]\.?m\.?)|[A-Z]\.", content):  # "p.m.", an option's "B."
        return f" {content} "
    return f"«{content}»"


def _numbers(text: str) -> str:
    """Bring numbers to one form, without thousands separators and thin spaces."""
    text = text.replace("{,}", ",")
    text = _ORDINAL.sub("", text)
    # "1 234 567" in any of LaTeX's blanks, "9'000"; a plain blank only where no fraction follows
    text = re.sub(
        r"(?<![\d.,])(\d{1,3})((?:(?:\\[,;: ]|~| |')\d{3})+)(?![\d/]|\\frac)",
        lambda whole: whole[1] + "".join(re.findall(r"\d{3}", whole[2])),
        text,
    )
    text = _BLANKS.sub(" ", text)
    return re.sub(r"(?<=\d)\s*\\overline", r"\\overline", text)


def _words(text: str) -> str:
    """Put plain words into ``«»``, joining neighbours; a product of letters ("xy") isn't a word."""
    from .units import marked

    parts = _KEPT.split(marked(text.rstrip(" .,;")))
    found = "".join(part if at % 2 else _WORD.sub(_word, part) for at, part in enumerate(parts))
    return re.sub(r"»\s*«", " ", found)


def _word(match: re.Match[str]) -> str:
    from .units import is_unit

    word = match[0]
    if (listed := _LIST_WORDS.get(word.lower())) and len(word) > 1:
        return listed
    alone = match.start() == 0 or not match.string[match.start() - 1].isdigit()
    if is_unit(word) or not word.isascii() or (len(word) > 3 and alone) or len(word) > 4:
        return f"«{word}»"
    spoken = word.lower() in _SHORT_WORDS or (
        len(word) == 3 and word[1:].islower() and _VOWEL.search(word)
    )
    return f"«{word}»" if spoken and alone else word


_KEPT = re.compile(r"(«[^»]*»|\\(?:begin|end)\{[^{}]*\}(?:\{[lcr| ]*\})?)")
_VOWEL = re.compile(r"[aeiouAEIOU]")
_SHORT_WORDS = frozenset(
    re.findall(
        r"\S+",
        """an as at be by do he if in is it me my no of on so to up us we am all are but can for
        had has her him his how its let may new not now odd off old one our out own per
        red say see she the try use was way who why yes you box boy cup day
        dog egg few men map pen sq dne""",
    )
)

"""One spelling for an answer: LaTeX's and Unicode's ways to write the same are made one.

    \\dfrac12\\,\\text{cm}²  ->  \\frac{1}{2} cm^{2}

Nothing here knows what an answer means; :mod:`.numbers`, :mod:`.quantities` and :mod:`.structure`
read what this module has cleaned. Each pass is linear; answers are short (``MAX_ANSWER``).
"""

from __future__ import annotations

import re
import unicodedata

MAX_ANSWER = 2_000
"""A longer answer is compared as a string only."""

_PAIRS = {
    "\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2013": "-", "\u2014": "-", "\u00a0": " ",
    "\u3000": " ", "\u200b": "", "\ufeff": "", "\u2060": "", "\u200e": "", "\u200f": "",
    "。": ".", "、": ",", "٫": ".", "٬": ",", "،": ",", "।": ".", "’": "'", "‘": "'", "“": '"',
    "”": '"', "「": '"', "」": '"', "【": "(", "】": ")", "…": "...", "∶": ":", "⁄": "/", "∕": "/",
    "￥": "¥", "￡": "£",
}  # fmt: skip
_THIN = dict.fromkeys(map(chr, range(0x2000, 0x200B)), " ") | {"\u202f": " ", "\u205f": " "}
_WIDE = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_PLAIN = str.maketrans(_THIN | _WIDE | _PAIRS)

_SYMBOLS = {
    "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "π": "\\pi ", "∞": "\\infty ", "≤": "\\le ",
    "≥": "\\ge ", "⩽": "\\le ", "⩾": "\\ge ", "≠": "\\ne ", "±": "\\pm ", "∓": "\\mp ",
    "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "∅": "\\emptyset ", "°": "\\deg ", "º": "\\deg ",
    "ℝ": "\\mathbb{R}", "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}",
    "ℂ": "\\mathbb{C}", "θ": "\\theta ", "α": "\\alpha ", "β": "\\beta ", "γ": "\\gamma ",
    "λ": "\\lambda ", "φ": "\\phi ", "≈": "\\approx ", "≡": "\\equiv ", "∠": "\\angle ",
    "△": "\\triangle ", "½": "\\frac{1}{2}", "⅓": "\\frac{1}{3}", "¼": "\\frac{1}{4}",
    "¾": "\\frac{3}{4}", "⅔": "\\frac{2}{3}", "⅛": "\\frac{1}{8}", "⅕": "\\frac{1}{5}",
}  # fmt: skip
_SYMBOL = re.compile("|".join(map(re.escape, _SYMBOLS)))
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

_COMMANDS = {
    "dfrac": "\\frac", "tfrac": "\\frac", "cfrac": "\\frac", "leq": "\\le ", "leqslant": "\\le ",
    "geq": "\\ge ", "geqslant": "\\ge ", "neq": "\\ne ", "lt": "<", "gt": ">", "cdot": "*",
    "times": "*", "ast": "*", "div": "/", "lvert": "|", "rvert": "|", "vert": "|", "mid": "|",
    "lbrace": "\\{", "rbrace": "\\}", "lbrack": "[", "rbrack": "]", "lparen": "(", "rparen": ")",
    "degree": "\\deg ", "dots": "...", "ldots": "...", "cdots": "...", "dotsc": "...",
    "dotsb": "...", "dotso": "...", "vdots": "...", "ddots": "...", "quad": " ", "qquad": " ",
    "infin": "\\infty ", "varnothing": "\\emptyset ",
    "land": " and ", "lor": " or ", "colon": ":", "thinspace": " ", "dollar": "$", "pounds": "£",
    "euro": "€", "yen": "¥", "percent": "%", "R": "\\mathbb{R}", "Z": "\\mathbb{Z}",
    "setminus": "\\setminus ", "backslash": "\\setminus ", "smallsetminus": "\\setminus ",
    "bmod": "\\pmod ", "mod": "\\pmod ", "arcsin": "\\arcsin ", "lg": "\\log ", "iff": " ",
    "textdollar": "$", "textdegree": "\\deg ", "approxeq": "\\approx ", "simeq": "\\approx ",
    "implies": " ", "Rightarrow": " ", "therefore": " ", "middle": "", "nolimits": "",
}  # fmt: skip
_NOTHING = frozenset(
    (
        *("left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl"),
        *("biggr", "displaystyle", "textstyle", "scriptstyle", "limits", "phantom", "hfill"),
        *("bf", "rm", "it", "boldmath", "large", "Large", "huge", "normalsize", "nonumber"),
    )
)
_COMMAND = re.compile(r"\\(?:\\|([a-zA-Z]+)\s*|(.)|$)", re.DOTALL)
_SPACING = {"!": "", ",": " ", ";": " ", ":": " ", " ": " ", "(": "", ")": "", "[": "", "]": ""}
_ESCAPED = re.compile(
    r"(?<!\\)\\\\(?:begin|end|d?frac|tfrac|sqrt|text|left|right|boxed|pi|infty|cdot|times|pm|leq?"
    r"|geq?|in|cup|circ|math\w\w)(?![a-zA-Z])"
)
_WORDS = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal|up)?|m?box|fbox|math(?:rm|bf|it|sf|tt|normal)|boldsymbol"
    r"|operatorname\*?|emph|underline|bm|pmb|boxed|mathstrut|hbox|color\{\w*\})\s*\{([^{}]*)\}"
)
_BARE_FRACTIONS = (
    (re.compile(r"\\frac\s*(\d|[a-zA-Z])\s*(\d|[a-zA-Z])"), r"\\frac{\1}{\2}"),
    (re.compile(r"\\frac\s*(\d|[a-zA-Z])\s*(?=\{)"), r"\\frac{\1}"),
    (re.compile(r"\\frac\s*\{([^{}]*)\}\s*(\d|[a-zA-Z])"), r"\\frac{\1}{\2}"),
)
_ROOT = re.compile(r"\\sqrt\s*(\[[^\][]*\])?\s*(\d|[a-zA-Z])")
_POWER = re.compile(r"\s*(?:\*\*|\^)\s*(?:\{\s*)?(?:\\circ|\\deg|o(?=\s*\}))\s*\}?")
_BARE_POWER = re.compile(r"\s*(?:\*\*|\^)\s*([-+]?\d+(?:\.\d+)?|[a-zA-Z])")
_ORDINAL = re.compile(r"(\d)\s*(?:\^\s*\{?)?\s*(?:st|nd|rd|th)(?![a-zA-Z])\s*\}?")
_TIMES = re.compile(r"(?<=\d)\s*[xX]\s*(?=10\s*\^)")
_ASIDE = re.compile(r"\s*\((?:approx|about|rounded|exact)[^()]{0,60}\)\s*$", re.IGNORECASE)
_FUNCTION = re.compile(r"(?<![\\a-zA-Z])(sqrt|pi|infinity|sin|cos|tan|ln|log)(?![a-zA-Z])")
_CALLED_ROOT = re.compile(r"\\sqrt\s*\(([^()]*)\)")


def plain_characters(text: str) -> str:
    """``text`` with full-width forms, other scripts' digits, dashes and spaces made ASCII."""
    if text.isascii():
        return text
    text = text.translate(_PLAIN)
    return "".join(
        str(unicodedata.decimal(c, c)) if ord(c) > 127 and c.isdecimal() else c for c in text
    )


def cleaned(answer: str) -> str:
    """``answer`` in this package's one spelling of LaTeX; equal spellings mean equal answers."""
    text = plain_characters(answer)
    if len(_ESCAPED.findall(text)):
        text = text.replace("\\\\", "\\")  # written for JSON once too often
    text = _dollars(_symbols(text))
    text = text.replace("{,}", ",").replace("~", " ").replace("**", "^")
    text = re.sub(r"\s*\\!\s*", "", text)  # a negative space joins
    for _ in range(6):
        text, found = _WORDS.subn(lambda m: f" {m[1]} ", text)
        if not found:
            break
    text = _COMMAND.sub(_command, text)
    text = _FUNCTION.sub(lambda m: "\\infty " if m[1] == "infinity" else f"\\{m[1]} ", text)
    text = _CALLED_ROOT.sub(r"\\sqrt{\1}", text)
    text = _ROOT.sub(lambda m: f"\\sqrt{m[1] or ''}{{{m[2]}}}", text)
    for bare, braced in _BARE_FRACTIONS:
        text = bare.sub(braced, text)
    text = _TIMES.sub("*", _ORDINAL.sub(r"\1", text))
    text = _POWER.sub(r" \\deg ", text)
    text = _BARE_POWER.sub(r"^{\1}", text)
    text = " ".join(re.sub(r"\s*\^", "^", text).split())
    text = re.sub(r"(\\[a-zA-Z]+) (?![a-zA-Z])", r"\1", text)
    return unwrapped(_stripped(text))


def squeezed(text: str) -> str:
    """``text`` without any space: what two spellings are compared by."""
    return "".join(text.split())


def unwrapped(text: str) -> str:
    """``text`` without braces that enclose the whole of it."""
    while text.startswith("{") and text.endswith("}"):
        depth = 0
        for at, char in enumerate(text):
            depth += (char == "{") - (char == "}")
            if depth == 0 and at < len(text) - 1:
                return text
        text = text[1:-1].strip()
    return text


def _symbols(text: str) -> str:
    if text.isascii():
        return text
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+", lambda m: f"^{{{m[0].translate(_RAISED)}}}", text)
    text = re.sub("[₀₁₂₃₄₅₆₇₈₉]+", lambda m: f"_{{{m[0].translate(_LOWERED)}}}", text)
    text = re.sub(r"√\s*(?:\(([^()]*)\)|(\d+|[a-zA-Z]))", r"\\sqrt{\1\2}", text)
    return _SYMBOL.sub(lambda m: _SYMBOLS[m[0]], text)


def _dollars(text: str) -> str:
    """Without the dollars that enclose mathematics; those of money stay."""
    text = text.strip()
    text = text.replace("\\$", "\\dollar ")
    bare = text.count("$")
    if bare >= 2 and bare % 2 == 0:
        return text.replace("$", " ")
    # one before a number is money, one that opens or closes nothing is dropped
    return re.sub(r"\$(?!\s*[\d.])", " ", text)


def _command(found: re.Match[str]) -> str:
    name, sign = found[1], found[2]
    if name:
        if name in _NOTHING:
            return ""
        return _COMMANDS.get(name, f"\\{name} ")
    if sign is None:
        return found[0]  # a row's end, or a lone backslash
    return _SPACING.get(sign, {"%": "%", "&": "&", "#": "#", "_": "_", "-": ""}.get(sign, found[0]))


def _stripped(text: str) -> str:
    """Without quotes, emphasis and the stop at its end."""
    text = _ASIDE.sub("", text).strip("*`").strip()
    for quote in "\"'":
        if len(text) > 2 and text[0] == text[-1] == quote:
            text = text[1:-1].strip()
    while text and text[-1] in ".,;:" and not text.endswith("..."):
        text = text[:-1].rstrip()
    text = text.removesuffix("\\\\").rstrip()
    return text.removeprefix("\\approx").strip()

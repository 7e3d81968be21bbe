"""Prose linter: proselint with a small style of ours (tools/prose.toml) over docs and sources.

It reads Markdown, docstrings, comments and string literals of Python, and the text of templates.
Everything else is blanked, so that lines keep their numbers. It prints
``file:line: check: 'phrase' -> message`` and exits 1 if it finds anything.

    python tools/prose.py             # all files of prose.toml
    python tools/prose.py docs/gate.md
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from proselint.checks import __register__
from proselint.registry import CheckRegistry
from proselint.registry.checks import Check, CheckFlags, types
from proselint.registry.checks.engine import Fancy, RegexOptions
from proselint.tools import LintFile

ROOT = Path(__file__).parents[1]
EDGE = "\x1e"
"""Replaces the quotes round a literal: rules can anchor on its start and its end."""

_CODE = re.compile(r"(?sm)^[ ]*```.*?\n[ ]*```|``.+?``|:\w+:`[^`]+`|`[^`\n]+`|https?://\S+")
_LINK = re.compile(r"\]\([^)\s]*\)|<!--.*?-->|^\[[^\]]+\]:.*$", re.DOTALL | re.MULTILINE)
_TAG = re.compile(r"(?s)<(style|script)\b.*?</\1>|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>")
_FIELD = re.compile(r"\{[^{}\n]*\}")
_QUOTES = re.compile(r"([a-zA-Z]*)(\"\"\"|'''|\"|')(.*)\2", re.DOTALL)
_STARTS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.ENCODING)
_LITERALS = (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))


def blank(text: str, pattern: re.Pattern[str]) -> str:
    """``text`` with every match replaced by spaces; line breaks stay."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def python_prose(source: str) -> str:
    """Docstrings, comments and literals of more than one word, at their places.

    Raw strings are patterns and are left out, unless they are docstrings.
    """
    lines = source.splitlines(keepends=True)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    kept = list(re.sub(r"[^\n]", " ", source))
    before, end = tokenize.ENCODING, 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        start = offsets[token.start[0] - 1] + token.start[1]
        stop = offsets[token.end[0] - 1] + token.end[1]
        if token.type == tokenize.COMMENT and not re.match(r"#\s*(noqa|type:|fmt:)", token.string):
            kept[start + 1 : stop] = token.string[1:]
        elif token.type in _LITERALS and (found := _QUOTES.fullmatch(token.string)):
            prefix, quotes, text = found.groups()
            joined = kept[end - 1 : end] == [EDGE] and not source[end:start].strip()
            phrase = (joined or " " in text) and "r" not in prefix.lower()
            if before in _STARTS or phrase:
                text = blank(text, _FIELD) if "f" in prefix.lower() else text
                first = start + len(prefix) + len(quotes)
                kept[first : first + len(text)] = text.replace("\\n", "  ")
                kept[first - 1] = " " if joined else EDGE
                if joined:
                    kept[end - 1] = " "
                kept[stop - 1] = EDGE
                end = stop
        before = token.type
    return "".join(kept)


def prose(path: Path) -> str:
    """The text of a file that a person reads, on its lines."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        text = blank(python_prose(text), _CODE)
    else:
        text = blank(blank(text, _CODE), _TAG if path.suffix == ".j2" else _LINK)
    return re.sub(r"  +", " ", text)  # patterns take long over long runs of spaces


def house_checks(rules: Sequence[dict[str, Any]]) -> tuple[Check, ...]:
    """Our rules as checks. A space in a pattern matches a line break as well."""
    return tuple(
        Check(
            check_type=types.ExistenceSimple(rule["pattern"].replace(" ", r"\s+")),
            engine=Fancy(RegexOptions(case_insensitive=not rule.get("case", False))),
            path="house",
            message=f"better: {rule['better']}",
            flags=CheckFlags(allow_quotes=True),
        )
        for rule in rules
    )


def complaints(path: Path, checks: dict[str, bool]) -> Iterator[str]:
    """A line for each phrase to replace."""
    text = prose(path)
    if not text.strip():
        return
    for found in LintFile(str(path), text).lint({"max_errors": 1000, "checks": checks}):
        result = found.check_result
        phrase = " ".join(text[result.span[0] - 1 : result.span[1] - 1].replace(EDGE, " ").split())
        line = text.count("\n", 0, result.span[0] - 1) + 1
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        yield f"{shown}:{line}: {result.check_path}: {phrase!r} -> {result.message}"


def main(arguments: Sequence[str]) -> int:
    """Lint the named files, or those of the style file; 1 if there are complaints."""
    style = tomllib.loads((ROOT / "tools" / "prose.toml").read_text(encoding="utf-8"))
    CheckRegistry().register_many((*house_checks(style["rule"]), *__register__))
    enabled = dict.fromkeys(["house", *style["checks"]], True)
    disabled = dict.fromkeys(style["without"], False)  # more specific names come first
    named = [Path(name).resolve() for name in arguments]
    listed = [path for glob in style["files"] for path in sorted(ROOT.glob(glob))]
    left_out = {path for glob in style["exclude"] for path in ROOT.glob(glob)}
    files = named or [path for path in listed if path not in left_out]
    found = [line for path in files for line in complaints(path, disabled | enabled)]
    print(*found, sep="\n", end="\n" if found else "")
    print(f"prose: {len(found)} complaints in {len(files)} files", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

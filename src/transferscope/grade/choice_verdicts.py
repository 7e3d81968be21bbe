"""Replies that judge every option: "A. is incorrect. B. is incorrect. C. is correct."

The option judged right is the answer if the others are judged wrong. Only outright judgements count
("B. This is false.", "(B) ❌", "B: No"); "B. It is not a metal" is an option's own text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .choice_patterns import alone
from .choice_text import Mention

_RIGHT = (
    r"correct|right|true|accurate|valid|yes|richtig|korrekt|ja|vraie?|juste|exacte?|oui|"
    r"correct[ao]|verdader[ao]|ciert[ao]|sí|corrett[ao]|giust[ao]|ver[ao]|cert[ao]|sim|"
    r"juist|prawdziw[ae]|poprawn[ae]|верно|правильно|да|doğru|đúng|benar"
)
_WRONG = (
    r"incorrect|wrong|false|inaccurate|invalid|untrue|no|falsch|inkorrekt|nein|fauss?e?|faux|"
    r"incorrecte|non|incorrect[ao]|fals[ao]|sbagliat[ao]|errat[ao]|errad[ao]|não|onjuist|fout|"
    r"fałszyw[ae]|błędn[ae]|неверно|неправильно|нет|yanlış|sai|salah"
)
_IS = r"is|are|was|would\s+be|seems|ist|wäre|est|es|è|é|jest|это"
_SMALL = (
    r"this|that|it|so|which|also|therefore|thus|hence|clearly|obviously|definitely|simply|"
    r"completely|entirely|fully|totally|the|an?|option|choice|answer|statement|one|das|dies|"
    r"c'est|esto|la|le|el|il"
)
_JUDGED = re.compile(
    rf"(?:^[\s.,:;)?\]=—–-]*|[:(\[—–]\s*|\s-\s+|{alone(f'{_IS}|this|that|it')}\s+)"
    rf"(?:{alone(f'{_IS}|{_SMALL}')}\s+){{0,6}}"
    rf"(?:{alone('not|nicht|pas|isn.t|partially|partly|only')}\s+(?:{alone('entirely|completely|quite|really|fully')}\s+)?"
    rf"(?P<denied>{alone(_RIGHT)})|(?P<right>{alone(_RIGHT)}|正确|正確|对|對|正しい|맞다?)"
    rf"|(?P<wrong>{alone(_WRONG)}|不正确|错误|錯誤|错|錯|不对|不對|間違い|틀리?다?))"
    r"(?=\s*(?:$|[.,;:!)\]\n(—–。，；]|-\s)|\s+(?:because|since|as|due|for|weil|da|car|porque|answer|"
    r"option|choice|statement|one)\b)"
)
_RIGHT_SIGNS, _WRONG_SIGNS = "✅✓✔☑👍", "❌✗✘✖✕☒🚫👎"
_SIGN = re.compile(f"[{_RIGHT_SIGNS}{_WRONG_SIGNS}]")
_BEFORE = re.compile(
    rf"(?:^|[\n.!?;,。{_RIGHT_SIGNS}{_WRONG_SIGNS}]"
    r"|\b(?:and|but|while|whereas|und|et|y|e)\s)[\s*#>•·–—-]*(?:\d{1,2}[.)]\s*)?"
    r"(?:(?:option|choice|answer|statement|antwort|aussage|opción|opzione|opção)\s+)?$"
)
_BEHIND = re.compile(rf"\s*(?:[.):?\]—–-]|{alone(_IS + '|isn.t')}|[{_RIGHT_SIGNS}{_WRONG_SIGNS}])")
_NEAR = 40
"""Characters before a letter that show whether it begins its judgement."""


def judged(low: str, letters: Sequence[Mention]) -> dict[str, bool]:
    """Return which of ``letters`` the reply (``low``, in lower case) judges right and which wrong.

    Empty if fewer than two are judged, or if "A) True B) False" may be the options themselves.
    """
    heads = [mention for mention in letters if _begins(low, mention)]
    verdicts: dict[str, bool] = {}
    bare = True
    for at, head in enumerate(heads):
        end = heads[at + 1].start if at + 1 < len(heads) else len(low)
        segment = low[head.end : end]
        if (verdict := _verdict(segment)) is not None:
            verdicts[head.letter] = verdict
            bare = bare and re.fullmatch(r"\W*(?:true|false|yes|no)\W*", segment) is not None
    return {} if len(verdicts) < 2 or (bare and len(verdicts) == 2) else verdicts


def _begins(low: str, mention: Mention) -> bool:
    before = low[max(0, mention.start - _NEAR) : mention.start]
    return bool(_BEFORE.search(before) and (mention.marked or _BEHIND.match(low, mention.end)))


def _verdict(segment: str) -> bool | None:
    if sign := _SIGN.search(segment):
        return sign[0] in _RIGHT_SIGNS
    found = _JUDGED.search(segment)
    return None if found is None else found["right"] is not None

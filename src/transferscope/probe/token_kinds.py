"""Classification of tokens as logical-structural or content.

The paper (arXiv 2507.00432, section on token shift) separates tokens that steer an argument from
those that name its subject, but doesn't publish its list; this list is ours. A token without a
letter or digit (punctuation, line breaks, markup) gives structure and counts as logical; digits
count as content.
"""

from __future__ import annotations

_WORDS = """
    and or not nor but yet so if then else unless because since as therefore thus hence hereby
    while whereas although though however nevertheless otherwise instead moreover furthermore also
    first second third next last finally lastly now before after when until once step again wait
    let suppose assume given consider note recall check verify actually alternatively maybe perhaps
    all any each every some none both either neither only exactly at least most same
    is are must should can cannot may might will would means implies follows equals equal
    this that these those which where such what why how
    answer solution result conclusion
"""
LOGICAL_WORDS = frozenset(_WORDS.split())


def token_kind(token: str) -> str:
    """Return ``"logical"`` or ``"content"``; case and surrounding whitespace don't matter."""
    word = token.strip().lower()
    if word in LOGICAL_WORDS or not any(char.isalnum() for char in word):
        return "logical"
    return "content"

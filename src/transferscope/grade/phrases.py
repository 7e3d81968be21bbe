"""How responses announce their answers: the words of a dozen languages, as patterns.

:mod:`.final_answer` uses them. A repetition that may hold anything is bounded, so that a search
takes time linear in the text.
"""

from __future__ import annotations

import re

TURN = re.compile(
    r"(?:^|\n)[ \t]*(?:\*\*|#{1,3}[ \t]*)?(?:question|q|problem|human|user|exercise|example"
    r"|instruction|input|问题|题目|問題|pregunta|frage|assistant)(?:[ \t]*\d{1,4})?(?:\*\*)?[ \t]*:"
    r"|<\|(?:im_start|im_end|eot_id|endoftext|end_of_text|start_header_id|user|end)\|>"
    r"|</s>|<end_of_turn>|<start_of_turn>|(?<=\S)[ \t]*(?:Human|User):",
    re.IGNORECASE,
)
"""A new turn, once an answer was given."""
SAID = re.compile(
    r"""
      \banswers?\b [*_"']{0,3}
        (?:\s+(?:to|of|for|in|here|therefore|thus|then|now)\b[^.\n:=]{0,120}?)?
        (?:[*_]{0,3}\s*(?:is|are|was|(?:would|should|must|will)\ be|equals|comes\ to)(?![a-z])\s*:?
          |\s*[*_]{0,3}\s*[:=])
    | (?:r[ée]ponse|solution)(?:\s+(?:finale|correcte|exacte|est))*\s*(?::|\best\b\s*:?)
    | (?:antwort|ergebnis|l[öo]sung)(?:\s+(?:lautet|ist|betr[äa]gt))?\s*
        (?::|(?<=lautet)|(?<=ist)|(?<=trägt))\s*(?:also|daher|somit)?
    | (?:respuesta|resultado|soluci[óo]n)(?:\s+(?:final|correcta|correcto))*\s*
        (?::|\bes\b(?:\s+igual\s+a)?)
    | (?:risposta|risultato|soluzione)(?:\s+(?:finale|corretta|esatta))*\s*(?::|[èe]'?(?=\s))
    | (?:resposta|resultado|solução)(?:\s+(?:final|correta|certa))*\s*(?::|[ée](?=\s))
    | (?:ответ(?:ом)?)(?:\s+(?:равен|является|будет))?\s*[-:=]?
    | (?:最终|最後|正确|所以|因此)?的?答案(?:应该|應該|就|应|等于)?
        (?:是|为|為|:|等于)?\s*:?
    | (?<![a-zA-Z\u4e00-\u9fff])答\s*[:=]
    | 答え(?:は|:)|正解は|回答は
    | (?:정답|답|답변)\s*(?:은|는|:)
    | (?:الجواب|الإجابة|الاجابة|الحل)
        (?:\s+(?:النهائي|النهائية|الصحيح|الصحيحة))?\s*(?:هو|هي|:)?
    | उत्तर(?:\s+है)?\s*:?
    | \b(?:cevap|odpowied[źz]|antwoord|jawaban(?:nya)?|svar(?:et)?|vastaus|đáp\s+án)
        (?:\s+(?:is|adalah|to|je|är|er|on|là))?\s*:?
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What announces an answer, language by language."""
WEAK = re.compile(
    r"\b(?:results?|solutions?|value|total|sum|product|area|probability|number)\b[^.\n:=]{0,80}?"
    r"\s(?:is|are|equals)\s+"
    r"|\bresult\s*:",
    re.IGNORECASE,
)
FOREIGN = re.compile(
    r"r[ée]ponse|antwort|ergebnis|l[öo]sung|respuesta|resultado|risposta|resposta|soluci|soluzione"
    r"|ответ|antwoord|cevap|odpowied|svar|vastaus|risultato|jawaban|đáp",
    re.IGNORECASE,
)
"""Of the announcements: languages with a decimal comma."""
CLAUSE = re.compile(
    r"""
      [.!?;]["')*]*(?=\s+[A-Z\u00c0-\u024f\u0400-\u04ff*$\\(]|\s*$)
    | \.(?=[\u4e00-\u9fff\u3040-\u30ff])
    | ,?\s+(?:since|because|as\ we|which|where|when|so\ that|for\ the|after|if|given|using|by
        |with\ the|not|but|hence|thus|therefore|rather|instead|weil|denn|da|parce|car|puisque|porque
        |ya\ que|pues|perch[ée]|pois|так|потому|that\ is|i\.e)\b
    | ,\s+(?:and\s+|so\s+)?(?:I|we|it|that|this|in|the|he|she|they|there|you|one|on|would|could
        |can|let)\b(?=['\s])
    | ;(?=[^;]{0,80}?\b[a-z]{2,}\s+[a-z]{2,})
    | (?<=[\d)]):\s+(?=\S)
    | ,\s*(?:so|as|for|with|about|approximately|approx|roughly|donc|also|ca|circa|因为|因為|由于)\b
    | [,.]?\s*(?:因为|因為|所以|なので|から|です|である|입니다|이다|है|共)
    | \s+(?:or|i\.e\.,?)\s+(?:about|approximately|roughly)\b
    | \s+\((?=[a-z]{2,}|[^()]*[a-z]{3,})
    | \((?=[\u4e00-\u9fff])
    | \s+[-\u2014]{1,2}\s+(?=[a-zA-Z]{2,})
    """,
    re.VERBOSE,
)
"""Where the answer ends and its explanation begins."""
LEAD = re.compile(
    r"(?:[\s:*_`\"]+|(?:therefore|thus|then|simply|just|exactly|about|approximately|roughly|around|indeed|hence"
    r"|also|now"
    r"|clearly|precisely|likely|probably|(?:supposed|expected|meant) to be|given by|equal to"
    r"|equals|only|still|actually|indeed|daher|somit|donc|entonces"
    r"|option|choice|a total of|the number|the value|the set|the pair|the ordered pair"
    r"|the interval|the tuple)(?![a-zA-Z])|,(?=\s))+",
    re.IGNORECASE,
)
"""Words before the answer itself."""
HEDGED = re.compile(
    r"\b(?:between|not|less|more|greater|fewer|least|most|under|over|below|above|never|than|neither"
    r"|either|unknown|n't|cannot|entre|zwischen|tra|fra)\b|n't\b|之间",
    re.IGNORECASE,
)
"""Words that make a number no answer."""
EMPTY = re.compile(
    r"(?:in)?correct\b|wrong\b|right\b(?! (?:angle|triangle))|different\b|the same\b|unknown\b"
    r"|unclear\b"
    r"|independent of|probably wrong|as follows\W*$|below\b|above\b|found\b",
    re.IGNORECASE,
)
"""Words after "the answer is" that tell about it and do not give it."""

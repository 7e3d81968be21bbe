"""Endings of answers, complete and cut, by kind: none of the former is a cut, all of the latter."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.artefacts import CUT_CHARS, truncated
from transferscope.core.endings import cut_off

GPT4 = Path(__file__).resolve().parents[3] / "shared" / "data" / "responses" / "ifeval_gpt4.jsonl"
LEAD = (
    "Bees dance to tell their sisters where the flowers are. The angle of the dance stands for the "
    "angle to the sun, and its length for the distance. Karl von Frisch read it first, and many "
    "people did not believe him for a long time. "
)
COMPLETE = {
    "emoji": "Go and watch them! 🐝",
    "two emoji": "Go and watch them 🐝🌻",
    "emoji of a family": "Take everyone along 👨‍👩‍👧",
    "heart": "With love ❤️",
    "smiley": "Go and watch them :)",
    "smiley with a letter": "Go and watch them :D",
    "heart of signs": "For all who read this <3",
    "hashtag": "Go and watch them #bees",
    "hashtags on a line": "\n\n#Bees #Dance #Nature",
    "mention": "Thanks to @karlvonfrisch",
    "Hindi": "मधुमक्खियाँ नाचकर बताती हैं कि फूल कहाँ हैं।",
    "Urdu": "شہد کی مکھیاں ناچ کر بتاتی ہیں۔",
    "Arabic question": "هل ترقص النحلات؟",
    "Armenian": "Մեղուները պարում են։",
    "Amharic": "ንቦች ይጨፍራሉ።",
    "Burmese": "ပျားများ ကခုန်ကြသည်။",
    "Tibetan": "སྦྲང་མ་བྲོ་བརྒྱབ།",
    "Chinese": "蜜蜂用舞蹈告诉同伴花在哪里。",
    "Chinese quote": "他说:「蜜蜂会跳舞。」",
    "Japanese": "ミツバチは踊って花の場所を伝えます。",
    "Japanese without stop": "ミツバチは踊って花の場所を伝えます",
    "Korean without stop": "꿀벌은 춤으로 꽃의 위치를 알려 줍니다",
    "Thai": "ผึ้งเต้นรำเพื่อบอกว่าดอกไม้อยู่ที่ไหน",
    "Lao": "ເຜິ້ງເຕັ້ນລໍາ",
    "dashes list": "\n- angle of the dance\n- length of the dance\n- light of the sun",
    "stars list": "\n* a hive\n* a garden\n* some patience",
    "numbers list": "\n1. Open the hive\n2. Look for a dancer\n3. Follow her",
    "letters list": "\na) hive\nb) garden\nc) meadow",
    "ticks list": "\n• Warm day\n• Clear sky",
    "nested list": "\n- Tools\n  - Camera\n  - Notebook",
    "definition list": "\n- Hive: where they live\n- Comb: where they dance",
    "verse": "\n\nThe dancer turns upon the comb\nAnd tells the others far from home",
    "verse in small letters": "\n\nthe dancer turns upon the comb\nand tells the others of home",
    "haiku": "\n\nOne small bee dances\nSisters read the turning steps\nFlowers far away",
    "verse after a comma": "\n\nShe turns upon the comb,\nA map that leads the others home",
    "signature": "\n\nBest regards,\nAnna",
    "signature of a team": "\n\nSincerely,\n\nThe Bee Club",
    "signature in small letters": "\n\nyours truly,\nanna",
    "signature on one line": "\n\nLove, Grandma",
    "sign-off alone": "\n\nKind regards",
    "German signature": "\n\nMit freundlichen Grüßen\nMax Weber",
    "French signature": "\n\nCordialement,\nMarie",
    "placeholder": "\n\nSincerely,\n[Your Name]",
    "attribution": "\n\n— Karl von Frisch",
    "attribution with a hyphen": "\n\n- Shakespeare",
    "attribution in the line": '\n\n"To dance is to live." - William Shakespeare',
    "attribution with its source": '\n\n"To dance is to live"\n- Hamlet, Act 3, Scene 1',
    "attribution with a year": "\n\nStay hungry.\n- Steve Jobs, 2005",
    "attribution below a list": "\n- Bring a hat.\n- Wait.\n\n“Stay hungry.”\n- Steve Jobs",
    "attribution in a block quote": "\n\n> Stay hungry.\n> - Steve Jobs",
    "attribution of two hyphens": '\n\n"Well-being is a choice" -- Anonymous',
    "attribution to nobody": "\n\n- unknown",
    "attribution in Chinese": "\n\n——鲁迅",
    "verse of the Bible": "\n\n- 2 Timothy 1:7",
    "hyphen without a blank": "\n\n-Tom",
    "name behind a dash": "\n\nCall me - Tom",
    "name behind a full stop and dash": "\n\nCall me! - Tom",
    "name behind a farewell": "\n\nCheers! Tom",
    "name below a farewell": "\n\nTake care\nTom",
    "friend's name": "\n\nWith love, your friend Tom",
    "initials": "\n\nJ. R. R. Tolkien",
    "byline": "\n\nPhoto by Ann Lee",
    "postscript without stop": "\n\nP.S. Bring a hat",
    "postscript with a name": "\n\nP.S. Call me - Tom",
    "second postscript": "\n\nP.P.S. Say hi to Ann",
    "nota bene": "\n\nN.B. The hive is closed on Sundays",
    "device": "\n\nSent from my iPhone",
    "link": "Read more at https://example.org/bees",
    "link without scheme": "Read more at www.example.com",
    "domain": "Read more on example.org",
    "markdown link": "Read [the paper](https://example.org/frisch)",
    "address": "Write to bees@example.org",
    "code": "\n```python\nprint('bee')\n```",
    "code of tildes": "\n~~~\nbee\n~~~",
    "inline code": "Run `bees --dance`",
    "JSON": '\n{"bees": 3}',
    "table": "\n\n| part | means |\n|---|---|\n| angle | direction |",
    "table without outer bars": "\n\n| part | means\n|---|---\n| angle | direction",
    "HTML": "\n<ul><li>bee</li></ul>",
    "label and number": "\n\nAnswer: 40",
    "label and unit": "\n\nTotal distance: 3 km",
    "label and word": "\n\nFinal answer: yes",
    "label and name": "\n\nDiscovered by: Karl von Frisch",
    "equation": "\n\nd = 3 km",
    "number": "\n\n40",
    "percent": "The share of dancers is 5%",
    "money": "The hive costs 200€",
    "degrees": "The angle is 40°",
    "box": "\n\\boxed{40}",
    "display formula": "\n\\[ d = 3 \\]",
    "dollar formula": "so that $d = 3$",
    "environment": "\n\\begin{align} d &= 3 \\end{align}",
    "bold": "\n\n**The End**",
    "the end": "\n\nThe End",
    "the end in capitals": "\n\nTHE END",
    "to be continued": "\n\nTo be continued",
    "thanks": "\n\nThank you",
    "good luck": "Good luck",
    "proof": "This proves the claim ∎",
    "proof in letters": "\n\nQ.E.D.",
    "title": "\n\nA Map of Steps",
    "ellipsis": "And so she dances…",
    "bracket": "Go and watch them (in May)",
    "quote": 'She said "watch them"',
    "stars": "\n\n***",
    "rating": "\n\nRating: ★★★★☆",
    "postscript": "\n\nP.S. Bring a hat!",
    "date": "\n\nVienna, 3 May 1973",
    "end mark": "Go and watch them.<|im_end|>",
    "haiku with a stop inside": (
        "\n\nOne small bee dances\nSisters read the turning steps\nHush! Flowers are near"
    ),
    "money alone": "\n\n$1,200",
    "label and money": "\n\nTotal: $45.00",
    "quantity alone": "\n\n7 km",
    "degrees alone": "\n\n20 °C",
    "clock": "\n\nStart: 10:30 am",
    "formula of a compound": "\n\nH2O",
    "postal address": "\n\n123 Main St, Springfield, IL 62701",
    "telephone": "\n\nTel. 555-1234",
    "work and author": "\n\nThe Dancing Bees by Karl von Frisch",
    "option": "\n\nB) Vienna",
    "speed": "\n\nResult: 12 m/s",
    "not available": "\n\nWeight: N/A",
    "telephone in brackets": "\n\n(555) 123-4567",
    "Chinese result in the line": "蜜蜂会跳舞。答案：42",
    "Russian result in the line": "Пчёлы танцуют. Ответ: 42",
    "heading of the end": "\n\n### The End",
    "end of a story": "\n\nEnd of story",
    "rule": "\n\n======",
    "rule of tildes": "\n\n~~~~",
    "statement": "\n\nSELECT name FROM bees WHERE angle = 40;",
    "shell": "\n\n$ cd hive && ls",
    "Greek question": "Χορεύουν οι μέλισσες;",
    "Russian thanks": "Пчёлы танцуют. Спасибо",
    "Hindi thanks": "मधुमक्खियाँ नाचती हैं। धन्यवाद",
    "Vietnamese thanks": "Ong nhảy múa. Cảm ơn",
    "Japanese signature": "\n\nよろしくお願いいたします。\n田中",
    "letter with a box inside": "\n\\boxed{\\frac{1}{2}}",
    "resume": "\n\nReferences:\nAvailable on request",
}
CUT = {
    "in a word": "The other bees then follow the danc",
    "after a word": "The other bees then follow the",
    "after a noun": "The other bees then follow the dancer",
    "after a comma": "In the dark of the hive,",
    "after and": "They feel the dance and",
    "after a colon": "There are three steps:",
    "after a semicolon": "They feel the dance;",
    "after a hyphen": "They feel the well-",
    "after a dash": "They feel the dance –",
    "in a bracket": "They feel the dance (with the",
    "in a number": "The distance was 3,",
    "new line, article": "\n\nThe",
    "new line, pronoun": "\n\nBut then they",
    "new line, sentence": "\n\nThis discovery",
    "new line, in a word": "\n\nLater exper",
    "in an item's word": "\n- angle of the dance\n- length of the dan",
    "in an item": "\n- angle of the dance\n- length of the",
    "in an item's rare letters": "\n1. Open the hive\n2. Look for a danc",
    "item among sentences": "\n1. Open the hive.\n2. Look for a dancer.\n3. Follow her to",
    "item among sentences, noun": "\n1. Open the hive.\n2. Look for a dancer.\n3. Follow her",
    "item without text": "\n- angle\n-",
    "in code": "\n```python\nfor bee in",
    "in code after a line": "\n```python\nprint('bee')",
    "in tilde code": "\n~~~\nbee",
    "in an inline formula": "\nso $d = 3 +",
    "in a fraction": "\nso d = \\frac{3",
    "in a display": "\n\\[ d = 3",
    "in double dollars": "\n$$ d = 3",
    "in brackets of a formula": "\nso \\( d = 3",
    "in an environment": "\n\\begin{align} d &= 3",
    "in a box": "\n\\boxed{4",
    "in a table": "\n\n| part | means |\n|---|---|\n| angle |",
    "in a table's cell": "\n\n| part | means |\n|---|---|\n| angle | dir",
    "in a table's head": "\n\n| part | mea",
    "heading": "\n\n## Conclusion",
    "bold heading": "\n\n**Steps:**",
    "Chinese": "蜜蜂用舞蹈告诉同伴花在哪里。然后它们",
    "Chinese after a comma": "蜜蜂用舞蹈告诉同伴,花在哪里,",
    "Japanese": "ミツバチは踊って花の場所を",
    "Korean": "꿀벌은 춤으로 꽃의",
    "Russian": "Пчёлы танцуют и",
    "Arabic": "ترقص النحلات لكي",
    "Hindi": "मधुमक्खियाँ नाचकर बताती",
    "German": "Dann folgen die anderen Bienen der",
    "French": "Ensuite les autres abeilles suivent la",
    "in verse": "\n\nThe dancer turns upon the comb\nAnd turns again upon the com",
    "verse's first word": "\n\nThe dancer turns upon the comb\nAnd",
    "after equals": "\n\nd =",
    "after a plus": "\n\nd = 3 +",
    "in a quotation": "She said “the angle",
    "in a link": "Read [the paper](https://exam",
    "in a label's value": "\n\nFinal answer: the",
    "postscript's article": "\n\nP.S. Call me when the",
    "postscript alone": "\n\nP.S.",
    "dash and two names": "\n\nThey like bees - Tom and the",
    "dash and a name in prose": "They took one home - Tom",
    "first item": "\n\nThere are two steps:\n- Length",
    "item, capital": "\n- Open the hive.\n- Look.\n- Length",
    "article behind a dash": "\n\n- The",
    "quoted, then told": '\n\n"Stay hungry." - Steve Jobs said',
    "letter's first line": "\n\nDear Ann,\n\nThank you for your",
    "letter's first words": "\n\nDear Ann,\nI hope this letter finds you",
    "letter's word": "\n\nHello Tom,\n\nWe would like to inv",
    "in a link's host": "\n\nSee https://www.exam",
    "in two letters": "They follow the da",
    "verse behind a comma": "\n\nRoses are red,\nViolets are blue,\nSugar is sw",
    "marker of a number": "\n\n1. Open the hive.\n2. Look.\n3.",
    "marker of a letter": "\n\na) hive\nb) garden\nc)",
    "in bold": "\n\n- **Cost**: low\n- **Speed**: high\n- **Qual",
    "in straight quotes": '\n\nShe said: "Go',
    "in a box's fraction": "\n\\boxed{\\frac{1}",
    "semicolon behind a year": "They feel the dance (as was shown in 1946);",
    "semicolon behind a formula": "They feel that d = 3;",
    "heading without words": "\n\n##",
    "statement before its end": "\n\nSELECT name FROM",
    "name in prose": "Their teacher was Karl",
}

HOSTILE = ("a=b;", " **a", ':"a', "~", "$1", "int ", "f(")


@pytest.mark.parametrize("kind", COMPLETE)
def test_complete(kind: str) -> None:
    assert len(LEAD) >= CUT_CHARS
    assert not truncated(LEAD + COMPLETE[kind])


@pytest.mark.parametrize("kind", CUT)
def test_cut(kind: str) -> None:
    assert truncated(LEAD + CUT[kind])


def test_the_end_of_a_turn_is_no_cut_and_thoughts_are_not_read() -> None:
    assert not truncated(LEAD + "They follow the<|im_end|>")
    assert not truncated(f"<think>{LEAD} So it must be</think>\n\nB")
    assert not truncated(f"{LEAD}\n\nB")
    assert truncated(f"<think>Let me see.</think>{LEAD} They follow the")
    assert truncated(f"<think>{LEAD} They follow the")


def test_json_is_whole_when_its_braces_close() -> None:
    rows = ", ".join(f'{{"bee": {n}, "angle": "{n} degrees"}}' for n in range(10))
    assert not truncated(f"[{rows}]")
    assert truncated(f"[{rows}")
    assert truncated(f'[{rows}, {{"bee": 11, "angle": "')


def test_a_short_text_has_no_end_to_miss() -> None:
    assert not truncated("the other bees then follow the")
    assert not cut_off("")


@pytest.mark.skipif(not GPT4.is_file(), reason="the real model outputs are not here")
def test_real_answers_of_every_form_whole_and_cut_at_random() -> None:
    lines = GPT4.read_text(encoding="utf-8").splitlines()
    whole = [text for line in lines if len(text := json.loads(line)["response"]) >= CUT_CHARS]
    rng = random.Random(0)
    cuts = [text[: rng.randint(200, max(201, len(text) - 10))] for text in whole]
    cuts = [text for text in cuts if text.rstrip()[-1] not in '.!?"']
    assert (len(whole), len(cuts)) == (450, 437)
    assert sum(map(truncated, whole)) <= 1  # letters were left out of its words, on request
    assert sum(map(truncated, cuts)) >= 0.92 * len(cuts)


@pytest.mark.parametrize(
    "unit",
    ["a", "a ", "|", "- a\n", "#a ", "😀", "\\[", "(", "A, ", "a=b;", " **a", ':"a', "~", "$1"],
)
def test_time_is_linear(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    began = time.perf_counter()
    cut_off(text)
    assert time.perf_counter() - began < 1.0


@given(st.text(max_size=300))
def test_every_text_has_a_verdict(text: str) -> None:
    assert cut_off(text + "\nIt ended.") in (True, False)
    assert cut_off(text) in (True, False)

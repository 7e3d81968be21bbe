"""Ends of answers, complete and cut, of every kind that is told apart."""

import time

import pytest

from transferscope.core.artefacts import truncated
from transferscope.core.endings import ends_complete, ends_open

PROSE = (
    "The market opens at nine, and most people arrive before ten. Bring a bag and some coins, as "
    "few of the stalls take cards. If it rains, the stalls move into the hall behind the church, "
    "which has a cafe of its own. "
)
COMPLETE = {
    "full stop": "See you there.",
    "question": "Will you come?",
    "quote": 'She said: "I will come."',
    "emoji": "See you on Saturday 🎉",
    "emoji with a modifier": "Well done 👍🏽",
    "heart": "With love ❤️",
    "hashtag": "Come along #market",
    "several hashtags": "Fresh bread every day #bread #market #saturday",
    "mention": "Thanks go to @anna",
    "link": "More at https://example.org/market?day=6",
    "bare link": "More at www.example.org",
    "mail": "Write to market@example.org",
    "domain": "Our page is example.com",
    "list": "\n\n- warm bread\n- fresh eggs\n- local honey",
    "numbered list": "\n\n1. Take a bag\n2. Bring some coins\n3. Come before ten",
    "lettered list": "\n\na) apples\nb) pears\nc) plums",
    "bullets": "\n\n• Open on Saturday\n• Closed on Sunday",
    "verse": "\n\nThe stalls are full of fruit and bread\nThe awnings all are white and red",
    "haiku": "\n\nMarket in the rain\nApples shine beneath the roof\nCoins fall into hands",
    "signature": "\n\nBest regards,\nAnna Berger",
    "signature alone": "\n\nYours sincerely,\nThe market team",
    "dash signature": "\n\n— Anna",
    "heading": "\n\nThe End",
    "answer": "\n\nAnswer: 42",
    "word behind a colon": "\n\nVerdict: worthwhile",
    "yes": "\n\nSo: yes",
    "number with a unit": "\n\nTotal: 12 km",
    "result": "\n\nAltogether 3 * 4 + 5 = 17",
    "percentage": "\n\nShare: 12 %",
    "year": "\n\nFounded in 1912",
    "box": "\n\n$\\boxed{17}$",
    "box with words": "\n\nThe answer is $\\boxed{17}$",
    "code block": "\n\n```python\nprint(17)\n```",
    "tag": "\n\n<p>See you</p>",
    "bold": "\n\n**See you there**",
    "parenthesis": "\n\nSee you there (or not)",
    "table": "\n\n| day | hour |\n|---|---|\n| Sat | 9 |",
    "Chinese": "市场九点开门，大多数人在十点之前到达。请带一个袋子。",
    "Chinese with one sign": "市场见！",
    "Japanese": "市場は九時に開きます。袋を持ってきてください。",
    "Korean": "시장은 아홉 시에 엽니다. 가방을 가져오세요.",
    "Hindi": "बाज़ार नौ बजे खुलता है। थैला साथ लाइए।",
    "Urdu": "بازار نو بجے کھلتا ہے۔",
    "Arabic question": "هل ستأتي؟",
    "Thai": "ตลาดเปิดเก้าโมง",
    "Burmese": "ဈေးသည် ကိုးနာရီတွင် ဖွင့်သည်",
    "Armenian": "Շուկան բացվում է ժամը իննին։",
    "Khmer": "ផ្សារបើកម៉ោងប្រាំបួន។",
    "ellipsis": "And so on…",
    "mark of the end of a turn": "See you there.<|im_end|>",
}
CUT = {
    "comma": "First of all,",
    "article": "After that you go to the",
    "and": "Bring bread and",
    "half a sentence": "After that the people who run the stalls often",
    "half a word": "People arr",
    "preposition": "The hall stands behind",
    "operator": "\n\nso 3 * 4 +",
    "open formula": "\n\nso $x = 3",
    "open display": "\n\n\\[ x = 3.",
    "open parenthesis of TeX": "\n\n\\( x = 3.",
    "open code": "\n\n```python\nprint(17)",
    "code in mid-line": "\n\n```python\nfor stall in",
    "item of one word": "\n\n- warm bread from the oven\n- fresh eggs from hens\n- local",
    "numbered item": "\n\n1. Take a bag with you.\n2. Bring some coins.\n3. Come before the",
    "row": "\n\n| day | hour |\n|---|---|\n| Sat | ",
    "row in mid-cell": "\n\n| day | hour |\n|---|---|\n| Sat | 9",
    "Chinese": "市场九点开门。大多数人在十点之前到达。请带一个",
    "Japanese": "市場は九時に開きます。袋を持って",
    "Korean": "시장은 아홉 시에 엽니다. 가방을 가져",
    "dash": "The stalls –",
    "open colonless heading": "In the afternoon most of the people who come to the hall",
    "verse in mid-line": "\n\nThe stalls are full of fruit and bread\nThe awnings are white and",
}


@pytest.mark.parametrize("kind", COMPLETE)
def test_complete(kind: str) -> None:
    text = PROSE + COMPLETE[kind]
    assert not truncated(text)


@pytest.mark.parametrize("kind", CUT)
def test_cut(kind: str) -> None:
    assert truncated(PROSE + CUT[kind])


def test_a_word_that_breaks_off() -> None:
    assert truncated(PROSE + "\n\n- honey cake\n- apple pie\n- more hon")
    assert not truncated(PROSE + "\n\n- honey cake\n- apple pie\n- more honey")


def test_scripts_without_stops_are_not_called_cut() -> None:
    assert ends_complete("ตลาดเปิดเก้าโมง")
    assert ends_complete("市场 九点 开门")
    assert not ends_complete("市场开门。九点")


def test_what_is_open() -> None:
    assert ends_open("```\nx = 1")
    assert not ends_open("```\nx = 1\n```")
    assert ends_open("| a | b |\n| 1")
    assert not ends_open("It costs $5")


def test_hostile_ends_are_bounded() -> None:
    for unit in ("a", "a ", "\n", "- a\n", "|", "$", "\\(", "a:"):
        start = time.process_time()
        truncated(unit * 200_000)
        assert time.process_time() - start < 2.0

"""The lists of words are regular expressions that match their own words and no others."""

import re

import pytest

from transferscope.grade import choice_words

LISTS = {name: text for name, text in vars(choice_words).items() if name.isupper()}


@pytest.mark.parametrize("name", LISTS)
def test_each_list_compiles_and_matches_nothing_empty(name: str) -> None:
    assert re.compile(LISTS[name]).fullmatch("") is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NOUNS", "answer antwort réponse respuesta risposta resposta ответ الجواب उत्तर"),
        ("NOUNS_JOINED", "答案 答え 정답 คำตอบ"),
        ("OPTIONS", "option choice choix opción opzione вариант"),
        ("RIGHT", "correct richtig juste correcta corretta doğru правильный"),
        ("WRONG", "incorrect falsch fausse incorrecta sbagliata yanlış неверный"),
        ("THINGS", "vitamin vitamina vitamine hepatitis plan type"),
        ("LIKE_OPTIONS", "figure graph sentence"),
    ],
)
def test_words_are_in_their_list(name: str, words: str) -> None:
    missing = [word for word in words.split() if not re.fullmatch(LISTS[name], word)]
    assert missing == []
    assert not re.fullmatch(LISTS[name], "zebra")

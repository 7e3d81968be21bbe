"""Answers out of what servers and trainers write."""

import pytest

from transferscope.core.answers import Answer, answers_in, asked_in, item_key

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "1+1?"},
    {"role": "assistant", "content": "3"},
    {"role": "user", "content": "Sure?"},
    {"role": "assistant", "content": "2"},
]


def chat_response(*choices):
    found = [
        {"index": at, "message": {"role": "assistant", "content": text}, "finish_reason": why}
        for at, (text, why) in enumerate(choices)
    ]
    return {"id": "chatcmpl-1", "object": "chat.completion", "choices": found}


def batch(body, status=200):
    return {"status_code": status, "request_id": "r", "body": body}


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ("2", [Answer("2")]),
        (["2", "3"], [Answer("2"), Answer("3")]),
        ([["2"]], [Answer("2")]),  # lm-eval's resps
        (CHAT, [Answer("2")]),
        ([CHAT, CHAT[:3]], [Answer("2"), Answer("3")]),
        (CHAT[:4], [Answer(None)]),  # the user spoke last
        ([{"from": "human", "value": "1+1?"}, {"from": "gpt", "value": "2"}], [Answer("2")]),
        ({"role": "assistant", "content": "2"}, [Answer("2")]),
        ([{"type": "text", "text": "2"}, {"type": "text", "text": "!"}], [Answer("2!")]),
        ({"generated_text": "2"}, [Answer("2")]),
        ([{"generated_text": CHAT}], [Answer("2")]),
        (
            chat_response(("2", "stop"), ("3", "length")),
            [Answer("2", "stop"), Answer("3", "length")],
        ),
        (batch(chat_response(("2", "stop"))), [Answer("2", "stop")]),
        (batch({"choices": [{"text": "2", "finish_reason": "stop"}]}), [Answer("2", "stop")]),
        (
            {"outputs": [{"index": 0, "text": "2", "finish_reason": "length"}]},  # vLLM
            [Answer("2", "length")],
        ),
        (
            {  # OpenAI's Responses
                "status": "completed",
                "output": [
                    {"type": "reasoning", "summary": []},
                    {
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": "2"}],
                    },
                ],
            },
            [Answer("2", "stop")],
        ),
        (
            {"content": [{"type": "text", "text": "2"}], "stop_reason": "max_tokens"},  # Anthropic
            [Answer("2", "length")],
        ),
        # A failed request is no answer.
        (batch({"error": {"message": "overloaded"}}, 500), [Answer(None)]),
        (batch(chat_response((None, "stop"))), [Answer(None, "stop")]),
        (batch(chat_response(("par", "content_filter"))), [Answer(None, "content_filter")]),
        (batch(chat_response(("par", "error"))), [Answer(None, "error")]),
        ({"choices": []}, [Answer(None)]),
        ({"error": "timeout", "text": ""}, [Answer(None)]),
        (None, [Answer(None)]),
        ([], [Answer(None)]),
    ],
)
def test_answers(value, answers):
    assert answers_in(value) == answers


def test_what_holds_no_text_is_said():
    with pytest.raises(ValueError, match="holds '4' instead of text"):
        answers_in([4])
    with pytest.raises(ValueError, match="an object without a text: logits"):
        answers_in({"logits": []})
    deep: list[object] = []
    for _ in range(50):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        answers_in(deep)


def test_what_was_asked():
    assert asked_in("q") == "q"
    assert asked_in(CHAT) == "Sure?"
    assert asked_in({"gen_args_0": {"arg_0": "q", "arg_1": {}}}) == "q"
    assert asked_in([["q", {"until": []}]]) == "q"
    assert asked_in({"messages": CHAT[:2]}) == "1+1?"
    with pytest.raises(ValueError, match="instead of text"):
        asked_in(4)


def test_items_are_told_apart_by_all_that_was_asked_and_not_by_the_answer():
    other = [*CHAT[:-1], {"role": "assistant", "content": "two"}]
    assert item_key(CHAT) == item_key(other) == item_key(CHAT[:-1])
    assert item_key(CHAT) != item_key(CHAT[3:])  # "Sure?" of what
    assert item_key("Add.", "1 2") != item_key("Add.", "1 3")
    assert item_key("Add.", "") == item_key("Add.")

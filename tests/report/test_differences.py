"""Notes alike but for a name share a line."""

from transferscope.report.differences import together


def test_notes_of_one_text_are_said_once_where_the_first_stood() -> None:
    notes = [
        "m: temperature 0.0, then 0.6",
        "m: sums: cut",
        "other: sums: cut",
        "m: chains: cut",
        "m: quiz: answered twice",
        "m: chat: cut",
    ]
    assert together(notes) == [
        "m: temperature 0.0, then 0.6",
        "m: sums, chains and chat: cut",
        "other: sums: cut",
        "m: quiz: answered twice",
    ]


def test_many_names_are_counted() -> None:
    assert together([f"b{at}: cut" for at in range(57)]) == [
        "b0, b1, b2, b3, b4, b5 and 51 more: cut"
    ]


def test_a_note_without_a_name_is_left_as_it_is() -> None:
    notes = ["the base is older", "a note of three words: cut", "the base is older"]
    assert together(notes) == notes[:2]

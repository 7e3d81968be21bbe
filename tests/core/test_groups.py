from transferscope.core.groups import group_name


def test_names_for_sentences():
    assert [group_name(g) for g in ("math", "other", "non")] == [
        "math",
        "other reasoning",
        "non-reasoning",
    ]
    assert group_name("a\x1b[31m" + "b" * 200) == "a⟨U+001B⟩[31m" + "b" * 66 + "…"

from __future__ import annotations

import json
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.records import digest
from transferscope.grade.maths import is_correct
from transferscope.train import ArmConfig
from transferscope.train.query_sources import (
    parsed_source,
    queries_of,
    read_queries,
    responses_of,
    unanswered,
    unfinished,
)


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def config(arm: str, **fields: object) -> ArmConfig:
    settings = {"steps": 1, "queries_per_step": 3, "rollouts": 2}
    return ArmConfig.model_validate(settings | {"arm": arm} | fields)


def test_field_names_of_the_usual_sets_are_understood(tmp_path: Path) -> None:
    rows = [
        {"question": "2 + 2?", "answer": "It is <<2+2=4>>4.\n#### 4"},
        {"problem": "x?", "answer": "\\frac{1}{2}"},
        {"id": "p", "prompt": "3 + 4?", "gold": 7},
        {"prompt": "3 + 4?", "gold": "7.0"},
    ]
    queries = read_queries(written(tmp_path / "q.jsonl", rows))
    assert [(q.id, q.prompt, q.gold) for q in queries] == [
        ("0", "2 + 2?", "4"),
        ("1", "x?", "\\frac{1}{2}"),
        ("p", "3 + 4?", "7"),
    ]


def test_all_arms_see_a_files_queries_in_one_order(tmp_path: Path) -> None:
    rows = [{"prompt": f"{n}?", "gold": str(n)} for n in range(20)]
    path = str(written(tmp_path / "q.jsonl", rows))
    one = queries_of(config("on-policy-sft", queries_from=path))
    two = queries_of(config("random-reward", queries_from=path))
    assert one == two
    assert len({query.prompt for query in one}) == 3
    assert queries_of(config("on-policy-sft", queries_from=path, seed=1)) != one
    with pytest.raises(InputError, match="asks for 24 queries, here are 20"):
        queries_of(config("on-policy-sft", queries_from=path, steps=8))


def test_rejection_keeps_correct_ones_and_an_advantage_needs_wrong_ones(tmp_path: Path) -> None:
    queries = written(tmp_path / "q.jsonl", [{"prompt": f"{n}?", "gold": str(n)} for n in range(3)])
    answers = [
        {"prompt": f"{n}?", "response": f"The answer is {n + slip}."}
        for n in range(3)
        for slip in (1, 0, 0, 2)
    ]
    teacher = written(tmp_path / "t.jsonl", answers)
    named = {"queries_from": str(queries), "teacher": str(teacher)}
    kept = config("off-policy-sft", **named)
    for query, responses in zip(
        queries_of(kept), responses_of(kept, queries_of(kept)), strict=True
    ):
        assert responses == [f"The answer is {query.gold}."] * 2
    mixed = config("off-policy-rl", **named)
    first = responses_of(mixed, queries_of(mixed))[0]
    gold = queries_of(mixed)[0].gold
    assert [is_correct(response, gold) for response in first] == [False, True]


def test_too_few_responses_are_drawn_again(tmp_path: Path) -> None:
    queries = written(tmp_path / "q.jsonl", [{"prompt": f"{n}?", "gold": str(n)} for n in range(3)])
    answers = [
        {"prompt": f"{n}?", "response": f"{word} {n + slip}."}
        for n in range(3)
        for word, slip in (("It is", 0), ("It may be", 1), ("So it is", 0))
    ]
    teacher = written(tmp_path / "t.jsonl", answers)
    named = {"queries_from": str(queries), "teacher": str(teacher)}
    many = config("off-policy-sft", rollouts=9, **named)
    drawn = responses_of(many, queries_of(many))
    for query, responses in zip(queries_of(many), drawn, strict=True):
        there = [f"It is {query.gold}.", f"So it is {query.gold}."]
        assert responses[:2] == there
        assert (len(responses), set(responses[2:])) == (9, set(there))
    assert responses_of(many, queries_of(many)) == drawn
    assert len({tuple(answer.split()[0] for answer in responses) for responses in drawn}) > 1
    rl = config("off-policy-rl", rollouts=4, **named)
    assert all(len(set(group)) == 3 for group in responses_of(rl, queries_of(rl)))


def test_queries_that_a_teacher_leaves_unanswered(tmp_path: Path) -> None:
    path = written(tmp_path / "q.jsonl", [{"prompt": f"{n}?", "gold": str(n)} for n in range(4)])
    rows = [
        {"prompt": "0?", "response": "It is 0."},
        {"prompt": "1?", "response": "It is 2."},
        {"prompt": "2?", "response": "It is 2.", "finished": False},
    ]
    teacher = written(tmp_path / "t.jsonl", rows)
    named = {"queries_from": str(path), "teacher": str(teacher)}
    queries = read_queries(path)
    sft, rl = config("off-policy-sft", **named), config("off-policy-rl", **named)
    own = config("on-policy-sft", queries_from=str(path))
    assert unanswered(queries, [sft, own]) == {"1", "2", "3"}
    assert unanswered(queries, [rl]) == {"2", "3"}
    assert unanswered(queries, [own]) == frozenset()
    assert unanswered(queries, [config("off-policy-sft")]) == frozenset()
    with pytest.raises(InputError, match=r"t.jsonl: no correct response to query 1; distill more"):
        responses_of(sft, [queries[1]])
    # Distilled again, the file is read again.
    written(teacher, [*rows, {"prompt": "1?", "response": "It is 1."}])
    assert unanswered(queries, [sft]) == {"2", "3"}
    with pytest.raises(InputError, match=r"none\.jsonl"):
        unanswered(queries, [config("off-policy-rl", **named | {"teacher": "none.jsonl"})])


def test_built_in_draws_stay_what_they_are() -> None:
    """The studies that were run hang on them."""
    drawn = [
        responses_of(settings, queries_of(settings))
        for settings in (config("off-policy-sft", steps=20), config("off-policy-rl", steps=20))
    ]
    assert digest(drawn) == "466d44121c0a3e0e"


def test_the_procedural_teacher_slips_in_about_half_for_off_policy_rl() -> None:
    settings = config("off-policy-rl", steps=40, queries_per_step=6, rollouts=4)
    queries = queries_of(settings)
    right = [
        is_correct(response, query.gold)
        for query, responses in zip(queries, responses_of(settings, queries), strict=True)
        for response in responses
    ]
    assert len(right) == 960
    # binomial(960, 1/2) is within 430..530 but for one seed in a thousand
    assert 430 < sum(right) < 530


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "q.jsonl:1: not valid JSON"),
        ('{"prompt": "x"}', "q.jsonl:1: no text in gold or answer"),
        ('{"gold": "x"}', "q.jsonl:1: no text in prompt or problem or question"),
        ('{"prompt": "x", "answer": "work ####  "}', "q.jsonl:1: the answer is empty"),
        ("", "q.jsonl: contains no rows"),
        ('{"prompt": " ", "gold": "1"}', "q.jsonl:1: the prompt is empty"),
        ('{"prompt": "x", "gold": NaN}', "q.jsonl:1: 'gold' is not finite"),
        ('{"prompt": "x", "gold": -Infinity}', "q.jsonl:1: 'gold' is not finite"),
        (
            '{"prompt": "x", "gold": 1}\n{"prompt": "x", "gold": 2}',
            "q.jsonl:2: repeats the prompt of PATH/q.jsonl:1 with another answer: '2', not '1'",
        ),
    ],
)
def test_bad_files_are_refused_by_place(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(line)
    with pytest.raises(InputError) as caught:
        read_queries(path)
    assert message.replace("PATH", str(tmp_path)) in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        read_queries(tmp_path / "none.jsonl")


def test_levels_and_boxed_solutions_of_math(tmp_path: Path) -> None:
    rows = [
        {"problem": f"p{n}", "level": f"Level {n}", "solution": f"So \\boxed{{{n}}}."}
        for n in range(1, 6)
    ]
    rows.append({"problem": "p?", "level": "Level ?", "solution": "\\boxed{0}"})
    path = written(tmp_path / "math.jsonl", rows)
    assert [q.gold for q in read_queries(f"{path}?level=3-5")] == ["3", "4", "5"]
    assert [q.gold for q in read_queries(f"{path}?level=2")] == ["2"]
    assert len(read_queries(path)) == 6
    for wrong, message in (
        ("level=x", "use level=3-5"),
        ("level=5-3", "invalid level '5-3'; use level=3-5"),
        ("level=3-", "invalid level '3-'; use level=3-5"),
        ("level=", "invalid level ''; use level=3-5"),
        ("level=7-9", "no row has level 7-9; use another"),
        ("split=", "the option split is empty"),
        ("levels=3", "unknown option 'levels'"),
    ):
        with pytest.raises(InputError, match=message):
            read_queries(f"{path}?{wrong}")
    plain = written(tmp_path / "plain.jsonl", [{"prompt": "a", "gold": "1"}])
    with pytest.raises(InputError, match="no field 'level'"):
        read_queries(f"{plain}?level=3")
    with pytest.raises(InputError, match="the solution has no"):
        read_queries(written(tmp_path / "s.jsonl", [{"problem": "p", "solution": "none"}]))


def test_a_hub_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    asked = []

    def load(*given: object, **options: object) -> list[dict[str, str]]:
        asked.append((given, options))
        return [{"problem": "2 + 2?", "answer": "4"}, {"problem": "x?", "answer": "y"}]

    monkeypatch.setattr(datasets, "load_dataset", load)
    assert [q.gold for q in read_queries("hub:a/b/main?split=train")] == ["4", "y"]
    assert asked == [(("a/b", "main"), {"split": "train"})]

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no\nnetwork")

    monkeypatch.setattr(datasets, "load_dataset", fails)
    with pytest.raises(InputError, match="hub:a/b: could not be loaded: no network; check name"):
        read_queries("hub:a/b")


def test_a_benchmark_of_the_mini_suite_is_a_source() -> None:
    one = queries_of(config("on-policy-sft", queries_from="mini:sequences"))
    assert len({query.prompt for query in one}) == 3
    assert all(is_correct(f"The answer is {query.gold}.", query.gold) for query in one)
    assert queries_of(config("on-policy-sft", queries_from="mini:sequences", seed=1)) != one
    with pytest.raises(InputError, match="training needs numeric answers, but 'ordering'"):
        read_queries("mini:ordering")
    with pytest.raises(InputError, match="has no benchmark 'chess'"):
        read_queries("mini:chess")


def test_a_response_that_was_cut_off_is_no_response(tmp_path: Path) -> None:
    queries = written(tmp_path / "q.jsonl", [{"prompt": "3 + 4?", "gold": "7"}])
    rows = [
        {"prompt": "3 + 4?", "response": "3 + 4 is 7, so if we", "finished": False},
        {"prompt": "3 + 4?", "response": "It is 7.", "finished": True},
        {"prompt": "3 + 4?", "response": "It is 8."},
    ]
    named = {"queries_from": str(queries), "teacher": str(written(tmp_path / "t.jsonl", rows))}
    sft = config("classic-sft", queries_per_step=1, rollouts=1, **named)
    assert responses_of(sft, queries_of(sft)) == [["It is 7."]]
    rl = config("off-policy-rl", queries_per_step=1, rollouts=2, **named)
    assert responses_of(rl, queries_of(rl)) == [["It is 7.", "It is 8."]]
    written(tmp_path / "t.jsonl", rows[:1])
    with pytest.raises(InputError, match=r"no correct response .* \(1 unfinished left out\)"):
        responses_of(sft, queries_of(sft))


def test_two_queries_of_one_id_are_refused(tmp_path: Path) -> None:
    rows = [{"id": "a", "prompt": f"{n}?", "gold": "1"} for n in (1, 1, 2)]
    with pytest.raises(InputError, match=r"q.jsonl:3: another query has the id 'a' too"):
        read_queries(written(tmp_path / "q.jsonl", rows))


@pytest.mark.parametrize(
    "name", ["", "x", "a/", "x/../..", "../../etc", "a/../b", "/a/b", "a/b/c/d", "a/b/..", "a b/c"]
)
def test_what_is_no_name_on_the_hub_is_not_looked_for_on_the_disk(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    def load(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(datasets, "load_dataset", load)
    for refuse in (read_queries, parsed_source):
        with pytest.raises(InputError, match=r"is not the name of a hub data set; use hub"):
            refuse(f"hub:{name}")


def test_a_folder_here_is_not_taken_for_the_hubs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(InputError, match="hub:a/b: a local folder has the same name"):
        read_queries("hub:a/b")


@pytest.mark.parametrize("finished", ["false", 0, None])
def test_finished_is_true_or_false(tmp_path: Path, finished: object) -> None:
    queries = written(tmp_path / "q.jsonl", [{"prompt": "3 + 4?", "gold": "7"}])
    row = {"prompt": "3 + 4?", "response": "It is 7.", "finished": finished}
    teacher = written(tmp_path / "t.jsonl", [row])
    named = {"queries_from": str(queries), "teacher": str(teacher)}
    sft = config("classic-sft", queries_per_step=1, rollouts=1, **named)
    for read in (lambda: responses_of(sft, queries_of(sft)), lambda: unfinished(teacher)):
        with pytest.raises(InputError, match=r"t\.jsonl:1: 'finished' must be true or false"):
            read()

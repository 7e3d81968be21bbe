"""Teacher samples: k of each query, graded, resumable after a kill at any byte."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.engines import FakeEngine
from transferscope.train import ArmConfig, Query
from transferscope.train.distill import check_out, distill
from transferscope.train.query_sources import queries_of, responses_of

QUERIES = [Query(f"q{n}", "file", f"What is {n} + 1?", str(n + 1)) for n in range(40)]


class Counted(FakeEngine):
    """Right on its first sample of every query, wrong on the others."""

    def __init__(self):
        self.asked: list[str] = []
        super().__init__({}, name="teacher")

    def generate(self, prompts, decoding, *, tick=None):
        from transferscope.core.records import Generation

        found = []
        for at, prompt in enumerate(prompts):
            n = int(prompt.split(" is ")[1].split(" ")[0])
            wrong = at % 3 != 0
            found.append(Generation(f"So\u2028it is {n + 1 + wrong}.", 4, "stop"))
        self.asked += prompts
        return found


def read(path: Path):
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


def test_every_query_gets_its_samples_and_they_are_graded(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    found = distill(Counted(), QUERIES, out, samples=3)
    assert (found.queries, found.responses, found.correct, found.solved) == (40, 120, 40, 40)
    rows = read(out)
    assert [row["correct"] for row in rows[:3]] == [True, False, False]
    assert {row["model"] for row in rows} == {"teacher"}
    assert [row["id"] for row in rows[::3]] == [query.id for query in QUERIES]


@pytest.mark.parametrize("cut", [0, 1, 150, 151, 2000, -1, -40])
def test_killed_at_any_byte_it_goes_on_to_the_same_file(tmp_path: Path, cut: int) -> None:
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    distill(Counted(), QUERIES, whole, samples=3)
    killed.write_bytes(whole.read_bytes()[: cut or None][: None if cut else 0])
    engine = Counted()
    found = distill(engine, QUERIES, killed, samples=3)
    assert found.responses == 120
    assert sorted(map(str, read(killed))) == sorted(map(str, read(whole)))
    again = Counted()
    distill(again, QUERIES, killed, samples=3)
    assert again.asked == []
    assert len(engine.asked) % 3 == 0


def test_another_file_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    distill(Counted(), QUERIES[:2], out, samples=3)
    with pytest.raises(InputError, match="response to another query"):
        distill(Counted(), QUERIES[5:], out, samples=3)
    with pytest.raises(InputError, match="with samples 3, not 1; name another --out"):
        distill(Counted(), QUERIES[:2], out, samples=1)
    for setting, value in (("temperature", 1.0), ("top_p", 0.5), ("max_tokens", 9), ("seed", 4)):
        with pytest.raises(InputError, match=rf"responses with {setting} .*, not {value}"):
            distill(Counted(), QUERIES[:2], out, samples=3, **{setting: value})
    other = Counted()
    other.name = "another"
    with pytest.raises(InputError, match="with model 'teacher', not 'another'"):
        distill(other, QUERIES[:2], out, samples=3)

    class Served(Counted):
        def describe(self):
            return {"engine": "openai"}

    with pytest.raises(InputError, match="with engine 'fake', not 'openai'; name another --out"):
        distill(Served(), QUERIES[:2], out, samples=3)
    assert other.asked == []
    with pytest.raises(InputError, match="two queries have the id 'q0'"):
        distill(Counted(), [*QUERIES, QUERIES[0]], tmp_path / "twice.jsonl", samples=3)
    out.write_text(out.read_text() * 2)
    with pytest.raises(InputError, match="more than 3 responses"):
        distill(Counted(), QUERIES[:2], out, samples=3)
    with pytest.raises(InputError, match="nothing to sample"):
        distill(Counted(), QUERIES, out, samples=0)
    for temperature in (1e-300, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match=f"the temperature is {temperature}; use 0"):
            distill(Counted(), QUERIES, tmp_path / "t2.jsonl", temperature=temperature)


def test_a_response_that_was_cut_off_is_not_correct(tmp_path: Path) -> None:
    class Endless(Counted):
        def generate(self, prompts, decoding, *, tick=None):
            found = super().generate(prompts, decoding)
            return [
                replace(one, finish="length") if at < 3 else one for at, one in enumerate(found)
            ]

    found = distill(Endless(), QUERIES[:2], tmp_path / "t.jsonl", samples=3)
    assert (found.responses, found.unfinished, found.correct, found.solved) == (6, 3, 1, 1)


def test_arms_read_what_was_distilled(tmp_path: Path) -> None:
    asked = tmp_path / "q.jsonl"
    asked.write_text(
        "".join(json.dumps({"prompt": q.prompt, "gold": q.gold}) + "\n" for q in QUERIES)
    )
    out = tmp_path / "t.jsonl"
    distill(Counted(), QUERIES, out, samples=3)
    shared = {"queries_from": str(asked), "teacher": str(out), "steps": 1, "queries_per_step": 4}
    sft = ArmConfig.model_validate({"arm": "classic-sft", "rollouts": 1, **shared})
    (first, *_), *_ = responses_of(sft, queries_of(sft))
    assert first.startswith("So\u2028it is")
    rl = ArmConfig.model_validate({"arm": "off-policy-rl", "rollouts": 3, **shared})
    assert all(len(set(answers)) == 2 for answers in responses_of(rl, queries_of(rl)))


ROW = json.dumps({"id": "q0", "prompt": QUERIES[0].prompt, "gold": "1"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a note of one line without an end", "contains no teacher responses"),
        (b"a note\nof two lines", r"t\.jsonl:1: not valid JSON"),
        (b'{"a": 1}', "contains no teacher responses"),
        (ROW.encode(), "contains no teacher responses"),
        (ROW.encode() + b"\n" + ROW.encode(), r"t\.jsonl:1: .* no valid 'response'"),
        (bytes(range(256)), "not UTF-8|not valid JSON"),
    ],
)
def test_somebody_elses_file_is_left_as_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    out, engine = tmp_path / "t.jsonl", Counted()
    out.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        distill(engine, QUERIES[:2], out, samples=3)
    assert caught.value.remedy == "name another --out"
    assert out.read_bytes() == content
    assert engine.asked == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"finished": None}, "no valid 'finished'"),
        ({"finished": "false"}, "no valid 'finished'"),
        ({"correct": 1}, "no valid 'correct'"),
        ({"response": None}, "no valid 'response'"),
        ({"gold": "99"}, "was graded against the answer '99', not '1'"),
        ({"temperature": "0.7"}, "with temperature '0.7', not 0.7"),
        ({"engine": None}, "with engine None, not 'fake'"),
        ({"id": ["q0"]}, "response to another query"),
    ],
)
def test_a_changed_line_is_named_and_nothing_is_lost(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    out = tmp_path / "t.jsonl"
    distill(Counted(), QUERIES[:2], out, samples=3)
    first, *others = read(out)
    rows = [*others, first | change]
    content = "".join(json.dumps(row) + "\n" for row in rows) + '{"id": "q'
    out.write_text(content)
    with pytest.raises(InputError, match=r"t\.jsonl:6: .*" + said):
        distill(Counted(), QUERIES[:2], out, samples=3)
    assert out.read_text() == content


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    out, engine = tmp_path / "t.jsonl", Counted()
    distill(Counted(), QUERIES[:2], out, samples=3)
    out.write_text(out.read_text().replace("\n", "\n\n"))
    assert distill(engine, QUERIES[:2], out, samples=3).responses == 6
    assert engine.asked == []


def test_what_is_no_place_for_a_file_is_told_before_the_teacher_answers(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("/nonexistent/x")
    places = ["/proc/x", "/dev/full", "/dev/null", tmp_path / "dangling", tmp_path / "a\0b"]
    for place in [*places, tmp_path / ("x" * 300), tmp_path, tmp_path / "no" / "t.jsonl"]:
        engine = Counted()
        with pytest.raises(InputError) as caught:
            distill(engine, QUERIES[:2], Path(place), samples=3)
        assert caught.value.place
        assert "process" not in str(caught.value)
        assert engine.asked == []


def test_the_file_of_the_queries_is_no_place_for_responses(tmp_path: Path) -> None:
    asked = tmp_path / "q.jsonl"
    asked.write_text(ROW)
    for source in (str(asked), f"{asked}?level=3"):
        with pytest.raises(InputError, match="is the file with the queries; name another"):
            check_out(asked, source)
    check_out(tmp_path / "t.jsonl", str(asked))


def test_two_processes_are_not_let_into_one_file(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"

    class Second(Counted):
        def generate(self, prompts, decoding, *, tick=None):
            with pytest.raises(InputError, match="another process is writing responses"):
                distill(Counted(), QUERIES[:2], out, samples=3)
            return super().generate(prompts, decoding)

    assert distill(Second(), QUERIES[:2], out, samples=3).responses == 6

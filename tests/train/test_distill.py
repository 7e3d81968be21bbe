"""Teacher samples: k of each query, graded, resumable after a kill at any byte."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.engines import FakeEngine
from transferscope.train import ArmConfig, Query
from transferscope.train.distill import distill
from transferscope.train.pool import queries_of, responses_of

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
    with pytest.raises(InputError, match="with model teacher, not another"):
        distill(other, QUERIES[:2], out, samples=3)

    class Served(Counted):
        def describe(self):
            return {"engine": "openai"}

    with pytest.raises(InputError, match="with engine fake, not openai; name another --out"):
        distill(Served(), QUERIES[:2], out, samples=3)
    assert other.asked == []
    with pytest.raises(InputError, match="the id 'q0' stands for two queries"):
        distill(Counted(), [*QUERIES, QUERIES[0]], tmp_path / "twice.jsonl", samples=3)
    # An older version named model and seed only.
    old = [
        {k: row[k] for k in ("id", "prompt", "correct", "finished", "seed")} for row in read(out)
    ]
    out.write_text("".join(json.dumps(row) + "\n" for row in old))
    assert distill(Counted(), QUERIES[:2], out, samples=3).responses == 6
    with pytest.raises(InputError, match="more than 1 responses"):
        distill(Counted(), QUERIES[:2], out, samples=1)
    with pytest.raises(InputError, match="nothing to sample"):
        distill(Counted(), QUERIES, out, samples=0)


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

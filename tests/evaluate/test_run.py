import json
import subprocess
import sys

import pytest

from transferscope.core.errors import InputError, MissingExtra
from transferscope.core.records import Decoding, ModelRef, digest, message_hash
from transferscope.core.suite import Suite, load_suite, parse_suite
from transferscope.engines import FakeEngine
from transferscope.evaluate import Planned, default_limit, evaluate, plan
from transferscope.runs import read_run
from transferscope.tasks import Benchmark, Item


def sums(n, *, seed, data):
    return [
        Item(
            f"s{seed}-{i}",
            f"{i}+{seed}?",
            gold=str(i + seed),
            cluster=f"story{i // 2}",
            subset="easy" if i < 2 else "hard",
            weight=1.0 + i,
        )
        for i in range(4 if n is None else n)
    ]


def colours(n, *, seed, data):
    choices = ("blue", "grey")
    count = 4 if n is None else n
    return [Item(f"c{i}", f"Sky {i}?", gold=choices[i % 2], choices=choices) for i in range(count)]


def graded_with_what_is_not_there(item, reply):
    import transferscope_no_such_package  # noqa: F401


def tiny(grade, items=sums):
    return Benchmark(
        about="sums", items=items, grade=grade, decoding=Decoding(max_tokens=3, stop=("\n",))
    )


PACKS = {
    "tiny": {
        "sums": tiny(lambda item, reply: float(reply.strip() == item.gold)),
        "colours": Benchmark(
            about="skies", items=colours, grade=lambda item, reply: float(reply == item.gold)
        ),
        "badly": tiny(lambda item, reply: 1.5),
        "absent": tiny(graded_with_what_is_not_there),
        "twice": tiny(lambda item, reply: 1.0, lambda n, *, seed, data: [Item("a", "?")] * 2),
    }
}
REF = ModelRef("fake", fingerprint="f")
SAID = {"0+1?": "1", "1+1?": "two", "2+1?": "so it is 3 \n", "3+1?": "4\nor 5"}


def suite(*, repeats=1, **more):
    names = ["sums", *more]
    benchmarks = "".join(f'[benchmarks.{n}]\npack = "{p}"\n' for n, p in more.items())
    return parse_suite(
        f"""
        name = "tiny"
        source = "math"
        [groups]
        math = {json.dumps(names)}
        other = ["colours"]
        [benchmarks.sums]
        pack = "tiny"
        repeats = {repeats}
        [benchmarks.colours]
        pack = "tiny"
        chance = 0.5
        {benchmarks}
        """,
        place="test",
    )


def question(prompt):
    return prompt.splitlines()[0].removeprefix("user: ")


def fake(calls=None):
    def answer(prompt):
        if calls is not None:
            calls.append(prompt)
        return SAID[question(prompt)]

    return FakeEngine(answer, lambda prompt, continuation: -1.0 if continuation == "grey" else -2.0)


def test_end_to_end(tmp_path, capfd):
    ticks = []
    out = evaluate(
        fake(),
        suite(),
        tmp_path / "run",
        model_ref=REF,
        n=4,
        seed=1,
        tick=lambda *args: ticks.append(args),
        packs=PACKS,
    )
    run = read_run(out)
    sums, colours = run.by_benchmark["sums"], run.by_benchmark["colours"]
    assert [(o.id, o.score, o.finish, o.tokens) for o in sums] == [
        ("s1-0", 1.0, "stop", 1),
        ("s1-1", 0.0, "stop", 1),
        ("s1-2", 0.0, "length", 3),
        ("s1-3", 1.0, "stop_string", 1),
    ]
    assert [(o.cluster, o.subset, o.weight, o.chance) for o in sums] == [
        ("story0", "easy", 1.0, None),
        ("story0", "easy", 2.0, None),
        ("story1", "hard", 3.0, None),
        ("story1", "hard", 4.0, None),
    ]
    assert [o.flags for o in sums] == [(), (), ("truncated",), ()]
    assert sums[2].flags_inferred == ()
    ask = [{"role": "user", "content": "0+1?"}]
    assert sums[0].message_hash == message_hash(ask)
    assert sums[0].rendered_hash == digest("user: 0+1?\nassistant:")
    assert [(o.id, o.score) for o in colours] == [
        ("c0", 0.0),
        ("c1", 1.0),
        ("c2", 0.0),
        ("c3", 1.0),
    ]
    assert {(o.chance, o.tokens, o.finish, o.flags) for o in colours} == {(0.5, None, None, ())}
    said = run.responses("sums")[("s1-2", 0)]
    assert (said.prompt, said.response) == ("user: 2+1?\nassistant:", "so it is")
    assert run.responses("colours")[("c0", 0)].response == "grey"
    manifest = run.manifest
    assert (manifest.seed, manifest.limit, manifest.template) == (1, 4, "fake")
    assert manifest.decoding == {
        "sums": {
            "method": "generate_until",
            "temperature": 0.0,
            "top_p": 1.0,
            "max_tokens": 3,
            "stop": ["\n"],
        },
        "colours": {"method": "multiple_choice"},
    }
    assert set(manifest.versions) == {"transferscope", "lm-eval", "python"}
    assert ticks == [
        ("sums", 0, 4),
        ("sums", 4, 4),
        ("sums", 4, 4),
        ("colours", 0, 4),
        ("colours", 4, 4),
        ("colours", 4, 4),
    ]
    assert capfd.readouterr() == ("", "")


def test_it_goes_on_where_it_stopped(tmp_path):
    calls = []

    class Power(Exception):
        pass

    class Interrupted(FakeEngine):
        def loglikelihoods(self, pairs, *, tick=None):
            raise Power

    options = {"model_ref": REF, "n": 4, "seed": 1, "packs": PACKS}
    with pytest.raises(Power):
        evaluate(Interrupted(lambda p: SAID[question(p)]), suite(), tmp_path, **options)
    with pytest.raises(InputError, match=r"unfinished run \(1 benchmarks"):
        read_run(tmp_path)
    ticks = []
    evaluate(fake(calls), suite(), tmp_path, tick=lambda *a: ticks.append(a), **options)
    assert calls == []
    assert ticks[0] == ("sums", 4, 4)
    assert len(read_run(tmp_path).outcomes) == 8
    with pytest.raises(InputError, match="a different seed: it has 1, requested 2"):
        evaluate(fake(), suite(), tmp_path, **(options | {"seed": 2}))


def test_every_repeat_is_graded(tmp_path):
    drawn = iter(["1", "0", "1", "two", "2", "2"])
    engine = FakeEngine(lambda prompt: next(drawn))
    run = read_run(
        evaluate(engine, suite(repeats=3), tmp_path, model_ref=REF, n=2, seed=1, packs=PACKS)
    )
    assert [(o.id, o.repeat, o.score) for o in run.by_benchmark["sums"]] == [
        ("s1-0", 0, 1.0),
        ("s1-0", 1, 0.0),
        ("s1-0", 2, 1.0),
        ("s1-1", 0, 0.0),
        ("s1-1", 1, 1.0),
        ("s1-1", 2, 1.0),
    ]
    assert run.responses("sums")[("s1-1", 0)].response == "two"
    assert len(run.by_benchmark["colours"]) == 2


def test_without_n_the_pack_decides(tmp_path):
    run = read_run(evaluate(fake(), suite(), tmp_path, model_ref=REF, seed=1, packs=PACKS))
    assert len(run.by_benchmark["sums"]) == 4
    assert run.manifest.limit is None


@pytest.mark.parametrize(
    ("more", "error", "what"),
    [
        ({"riddles": "other"}, InputError, r"\[benchmarks.riddles\]: unknown pack 'other'"),
        ({"riddles": "tiny"}, InputError, "pack tiny has no benchmark 'riddles'"),
        ({"badly": "tiny"}, InputError, r"badly, item s1-0: score 1\.5 is not within"),
        ({"twice": "tiny"}, InputError, "two of its items have the same id"),
        ({"absent": "tiny"}, MissingExtra, r"absent .*pip install 'transferscope\[eval\]'"),
    ],
)
def test_what_is_refused(tmp_path, more, error, what):
    with pytest.raises(error, match=what):
        evaluate(fake(), suite(**more), tmp_path, model_ref=REF, seed=1, packs=PACKS)


def test_packs_in_python_load_no_lm_eval(tmp_path):
    """In a process of its own: other tests load it."""
    code = (
        "import sys\n"
        "from transferscope.core.records import ModelRef\n"
        "from transferscope.core.suite import Benchmark, Suite\n"
        "from transferscope.engines import FakeEngine\n"
        "from transferscope.evaluate import evaluate\n"
        "sys.modules['lm_eval'] = None\n"
        "sys.modules['datasets'] = None\n"
        "names = ('chains', 'fractions')\n"
        "members = {name: Benchmark(pack='mini') for name in names}\n"
        "suite = Suite(name='s', source='math', groups={'math': names}, benchmarks=members)\n"
        f"out = {str(tmp_path / 'run')!r}\n"
        "evaluate(FakeEngine({}), suite, out, model_ref=ModelRef('m'), n=2)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert len(read_run(tmp_path / "run").outcomes) == 4


def test_plan():
    assert plan(suite(repeats=2), n=7) == [
        Planned("sums", "math", "tiny", 7, 2),
        Planned("colours", "other", "tiny", 7, 1),
    ]


def test_a_cap_on_answers_is_recorded_and_only_lowers_limits(tmp_path):
    long = FakeEngine(lambda prompt: "one two three four five", lambda *_: -1.0)
    how = {"model_ref": REF, "n": 2, "packs": PACKS}
    capped = read_run(evaluate(long, suite(), tmp_path / "capped", max_tokens=2, **how))
    assert [(o.tokens, o.finish) for o in capped.by_benchmark["sums"]] == [(2, "length")] * 2
    assert capped.manifest.decoding["sums"]["max_tokens"] == 2
    assert capped.manifest.decoding["colours"] == {"method": "multiple_choice"}
    wide = read_run(evaluate(long, suite(), tmp_path / "wide", max_tokens=99, **how))
    assert wide.manifest.decoding["sums"]["max_tokens"] == 3
    with pytest.raises(InputError, match="different decoding"):
        evaluate(long, suite(), tmp_path / "capped", **how)


def test_the_default_limit_is_the_suites_own_where_items_are_finite():
    assert default_limit(load_suite("mini")) == 40
    assert {default_limit(load_suite(s)) for s in ("paper", "authors", "fixed", "real")} == {None}
    drawn = load_suite("mini").model_dump()
    for benchmark in drawn["benchmarks"].values():
        benchmark["items"] = 70
    assert default_limit(Suite.model_validate(drawn)) is None
    drawn["benchmarks"]["chains"]["items"] = None
    assert default_limit(Suite.model_validate(drawn)) == 40

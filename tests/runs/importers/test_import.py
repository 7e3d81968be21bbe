"""Foreign results end to end: into a run folder, and straight into a comparison."""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from transferscope.compare import compare_runs
from transferscope.core.errors import InputError
from transferscope.core.typed_record import plain
from transferscope.runs import read_run
from transferscope.runs.importers import import_results, open_run

LM_EVAL = Path(__file__).parent / "fixtures" / "lm_eval"


def write_jsonl(path, right, *, n=100, tasks=("gsm8k", "mmlu_anatomy", "mystery")):
    rows = [
        {"model": path.stem, "benchmark": task, "id": at, "score": int(at < right), "response": "x"}
        for task in tasks
        for at in range(n)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_json_lines_become_a_run_folder(tmp_path):
    imported = import_results(write_jsonl(tmp_path / "m.jsonl", 40), tmp_path / "run")
    assert (imported.format, imported.unmapped) == ("jsonl", ("mystery",))
    run = read_run(tmp_path / "run")
    assert run.manifest.model.name == "m"
    assert run.manifest.provenance == "imported:jsonl"
    suite = run.manifest.load_suite()
    assert suite.groups == {"math": ("gsm8k",), "other": ("mmlu",)}
    assert suite.benchmarks["mmlu"].chance == 0.25
    assert {name: len(rows) for name, rows in run.by_benchmark.items()} == {
        "gsm8k": 100,
        "mmlu": 100,
        "mystery": 100,
    }
    assert sum(o.score for o in run.by_benchmark["mmlu"]) == 40
    assert run.by_benchmark["mmlu"][0].subset == "mmlu_anatomy"
    assert len(run.responses("gsm8k")) == 100


def test_two_files_are_compared_and_the_scratch_folder_goes(tmp_path):
    files = [write_jsonl(tmp_path / f"{m}.jsonl", k) for m, k in (("base", 40), ("tuned", 60))]
    with ExitStack() as stack:
        base, tuned = (open_run(file, stack) for file in files)
        comparison = compare_runs(base, [tuned], replicates=500)
        scratch = base.path
        assert scratch.is_dir()
    assert not scratch.exists()
    (result,) = comparison.tuned
    assert {row.benchmark: row.delta for row in result.benchmarks} == pytest.approx(
        {"gsm8k": 20.0, "mmlu": 20.0}
    )
    assert result.not_compared == {"mystery": "not in suite imported"}


def test_scores_alone_are_compared_unpaired(tmp_path):
    for name, score in (("base", 40), ("tuned", 60)):
        table = f"model,benchmark,percent,n\n{name},gsm8k,{score},500\n{name},mmlu,50,\n"
        (tmp_path / f"{name}.csv").write_text(table)
    with ExitStack() as stack:
        runs = [open_run(tmp_path / f"{name}.csv", stack) for name in ("base", "tuned")]
        (result,) = compare_runs(runs[0], runs[1:], replicates=2000).tuned
    gsm8k, mmlu = result.benchmarks
    assert (gsm8k.test, gsm8k.n, gsm8k.flips, gsm8k.flags) == ("unpaired", 500, None, None)
    # two independent proportions of 500: 1.96 sqrt(2 * .24 / 500) = 6.1 points each way
    assert gsm8k.ci == pytest.approx((20 - 6.1, 20 + 6.1), abs=0.6)
    assert plain(mmlu)["ci"] is None
    assert plain(mmlu)["p"] is None
    assert result.plane["math"].gain == pytest.approx(20.0)


def test_a_map_goes_before_the_taxonomy(tmp_path):
    mapping = tmp_path / "map.toml"
    mapping.write_text('[tasks.mystery]\ngroup = "law"\n')
    file = write_jsonl(tmp_path / "m.jsonl", 40)
    assert import_results(file, tmp_path / "run", mapping=mapping, source="law").unmapped == ()
    suite = read_run(tmp_path / "run").manifest.load_suite()
    assert suite.group_of["mystery"] == "law"
    assert suite.source == "law"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"id": 1, "score": 1.3}\n', ":1: score 1.3 is not within 0..1"),
        ('{"id": 1, "score": 1}\n{"id": 2, "score": NaN}\n', ":2: score nan is not within 0..1"),
        ('{"id": 1, "score": 1}\n{"id": 2}\n', ":2: has no 'score' (0..1) or 'percent'"),
        ('{"id": 1, "score": "yes"}\n', ":1: column 'score' holds 'yes'"),
        ('{"id": 1, "score": 1}\n{oops\n', ":2: not valid JSON"),
        ('{"id": 1, "score": 1}\n{"id": 1, "score": 0}\n', "duplicate answer"),
        ("\n", "is empty"),
    ],
)
def test_what_cant_be_read_is_named(tmp_path, content, said):
    (tmp_path / "m.jsonl").write_text(content)
    with pytest.raises(InputError) as caught:
        import_results(tmp_path / "m.jsonl", tmp_path / "run")
    assert said in str(caught.value)
    assert "m.jsonl" in str(caught.value)


def test_formats_that_nobody_knows(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match="no results in a known format"):
        import_results(tmp_path / "notes.txt", tmp_path / "run")
    with pytest.raises(InputError, match="unknown format 'xml'; use one of auto, lm-eval"):
        import_results(tmp_path / "notes.txt", tmp_path / "run", format="xml")


def test_an_lm_eval_folder_becomes_a_run_folder(tmp_path):
    ticks = []
    imported = import_results(LM_EVAL / "base", tmp_path / "run", tick=lambda *t: ticks.append(t))
    assert (imported.path, imported.format, imported.notes) == (tmp_path / "run", "lm-eval", ())
    assert imported.unmapped == ("sampled_sums", "all_repeats")
    assert ticks[0] == ("import", 0, 9)
    assert ticks[-1] == ("import", 9, 9)
    run = read_run(tmp_path / "run")
    assert run.manifest.provenance == "imported:lm-eval"
    assert run.manifest.model.name == "acme/tiny-base"
    assert run.manifest.load_suite().groups == {
        "math": ("gsm8k",),
        "other": ("mmlu", "arc_easy", "winogrande"),
        "non": ("ifeval", "mc_taco", "lambada"),
    }
    assert {name: len(rows) for name, rows in run.by_benchmark.items()} == {
        "gsm8k": 6,
        "sampled_sums": 3,
        "all_repeats": 9,
        "arc_easy": 4,
        "ifeval": 3,
        "mc_taco": 3,
        "lambada": 2,
        "winogrande": 2,
        "mmlu": 5,
    }
    assert run.by_benchmark["gsm8k"][1].flags == ("extraction_failed",)
    assert run.responses("all_repeats")[("0", 1)].response == "8"
    assert run.responses("mc_taco") == {}


def test_an_import_goes_on_where_it_stopped(tmp_path):
    """Killed in the third of nine benchmarks: what was done is kept, the rest is as if at once."""

    class Killed(Exception):
        pass

    def kill(what, done, total):
        if done == 2:
            raise Killed

    out = tmp_path / "run"
    with pytest.raises(Killed):
        import_results(LM_EVAL / "base", out, tick=kill)
    with pytest.raises(InputError, match=r"unfinished run \(2 benchmarks are done\)"):
        read_run(out)
    half = (out / "outcomes.jsonl").read_bytes()
    import_results(LM_EVAL / "base", out)
    whole = import_results(LM_EVAL / "base", tmp_path / "whole").path
    for name in ("outcomes.jsonl", "run.json"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert half == (whole / "outcomes.jsonl").read_bytes()[: len(half)]
    # And a third time: nothing is added.
    import_results(LM_EVAL / "base", out)
    assert (out / "outcomes.jsonl").read_bytes() == (whole / "outcomes.jsonl").read_bytes()


def test_the_folder_of_another_run_is_refused(tmp_path):
    out = import_results(LM_EVAL / "base", tmp_path / "run").path
    before = (out / "run.json").read_bytes()
    with pytest.raises(InputError, match="a different model: it has acme/tiny-base"):
        import_results(LM_EVAL / "tuned", out)
    with pytest.raises(InputError, match="already has gsm8k, with different answers; name another"):
        import_results(LM_EVAL / "limited", out)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("keep me")
    with pytest.raises(InputError, match=r"contains files but no run\.json"):
        import_results(LM_EVAL / "base", tmp_path / "notes")
    assert (out / "run.json").read_bytes() == before


def test_a_bad_row_leaves_the_run_unfinished_and_is_named(tmp_path):
    shutil.copytree(LM_EVAL / "tuned", tmp_path / "in")
    (file,) = tmp_path.glob("in/*/samples_ifeval_*.jsonl")
    file.write_text(file.read_text() + "{oops\n")
    with pytest.raises(InputError, match=r"samples_ifeval_\S+:4: not valid JSON"):
        import_results(tmp_path / "in", tmp_path / "run")
    unfinished = read_run(tmp_path / "run", allow_unfinished=True)
    assert "ifeval" not in unfinished.by_benchmark
    assert not list(tmp_path.glob("run/responses/ifeval*"))


def test_two_lm_eval_folders_are_compared():
    with ExitStack() as stack:
        base, tuned = (open_run(LM_EVAL / name, stack) for name in ("base", "tuned"))
        comparison = compare_runs(base, [tuned], replicates=200)
    (result,) = comparison.tuned
    deltas = {row.benchmark: row.delta for row in result.benchmarks}
    # gsm8k: items 0 and 5 of 6 were right, now 0, 1, 2 and 5; ifeval: 2 of 5 instructions, now 3
    assert deltas["gsm8k"] == pytest.approx(100 * 2 / 6)
    assert deltas["ifeval"] == pytest.approx(100 * 1 / 5)
    assert result.not_compared["mc_taco"] == "missing in tuned"


def test_lm_eval_scores_against_lm_eval_samples(tmp_path):
    """One side kept no answers: the benchmark is compared as two scores."""
    with ExitStack() as stack:
        base, tuned = (open_run(LM_EVAL / name, stack) for name in ("scores", "tuned"))
        (result,) = compare_runs(base, [tuned], replicates=200).tuned
    gsm8k = next(row for row in result.benchmarks if row.benchmark == "gsm8k")
    assert (gsm8k.test, gsm8k.n) == ("unpaired", 6)
    assert gsm8k.delta == pytest.approx(100 * 2 / 6)


def test_a_run_folder_is_opened_as_it_is(tmp_path):
    out = import_results(LM_EVAL / "limited", tmp_path / "run").path
    with ExitStack() as stack:
        assert open_run(out, stack).path == out
        with pytest.raises(InputError, match="no such folder"):
            open_run(tmp_path / "absent", stack)

"""Import into a run folder that is there: the same model is added to, all else refused."""

from contextlib import ExitStack

import pytest

from transferscope.core.errors import InputError
from transferscope.runs import read_run
from transferscope.runs.importers import import_results, open_run, put_together

from .test_lmeval_files import DAYS, document


def state(run):
    return {file.name: file.read_bytes() for file in run.rglob("*") if file.is_file()}


def test_tasks_one_by_one_make_the_run_that_one_import_makes(put_results, tmp_path):
    out = tmp_path / "run"
    import_results(put_results("a", document("boolq", 0.5, n=2), [1, 0]), out)
    import_results(put_results("b", document("gsm8k", 0.4)), out)
    import_results(put_results("c", document("arc_challenge", 1.0, n=3), [1, 1, 1]), out)
    run = read_run(out)
    assert {name: [o.score for o in rows] for name, rows in run.by_benchmark.items()} == {
        "boolq": [1.0, 0.0],
        "arc_challenge": [1.0, 1.0, 1.0],
    }
    assert [(row.benchmark, row.score) for row in run.scores] == [("gsm8k", 0.4)]
    suite = run.manifest.load_suite()
    assert suite.groups == {"non": ("boolq",), "math": ("gsm8k",), "other": ("arc_challenge",)}
    assert run.manifest.suite_hash == suite.hash
    assert set(run.manifest.decoding) == {"boolq", "gsm8k", "arc_challenge"}


def test_subjects_one_by_one_make_one_benchmark(put_results, tmp_path):
    out = tmp_path / "run"
    import_results(put_results("a", document("mmlu_anatomy", 0.5)), out)
    import_results(put_results("b", document("mmlu_virology", 0.7)), out)
    assert {row.subset for row in read_run(out).scores} == {"mmlu_anatomy", "mmlu_virology"}


def test_what_is_there_already_is_said_and_stays(put_results, tmp_path):
    out = tmp_path / "run"
    first = put_results("a", document("boolq", 0.5, n=2), [1, 0])
    import_results(first, out)
    put_results("a", document("gsm8k", 0.4), date=DAYS[1])
    done = import_results(first, out)
    assert f"already in {out} and unchanged: boolq" in done.notes
    run = read_run(out)
    assert (len(run.outcomes), len(run.scores)) == (2, 1)
    before = state(out)
    import_results(first, out)
    assert state(out) == before


@pytest.mark.parametrize(
    ("raw", "samples", "said"),
    [
        (
            document("gsm8k", 0.4, model="acme/other"),
            None,
            "a different model: it has acme/m, requested acme/o",
        ),
        (document("boolq", 0.5, n=2), [0, 1], "already has boolq, with different answers"),
        (document("boolq", 0.5, n=3), [1, 0, 0], "already has boolq, with different answers"),
        (document("boolq", 0.5), None, "already has boolq, with a different score"),
    ],
)
def test_what_is_refused_leaves_the_folder_as_it_is(put_results, tmp_path, raw, samples, said):
    out = tmp_path / "run"
    import_results(put_results("a", document("boolq", 0.5, n=2), [1, 0]), out)
    before = state(out)
    with pytest.raises(InputError, match=said) as caught:
        import_results(put_results("b", raw, samples), out)
    assert "name another folder: --out DIR" in str(caught.value)
    assert state(out) == before


def test_a_source_or_group_that_contradicts_the_folder_is_refused(put_results, tmp_path):
    out = tmp_path / "run"
    import_results(put_results("a", document("boolq", 0.5)), out, source="non")
    assert read_run(out).manifest.suite["source"] == "non"
    import_results(put_results("b", document("gsm8k", 0.5)), out)  # none named: the folder's stays
    assert read_run(out).manifest.suite["source"] == "non"
    with pytest.raises(InputError, match="source group 'non'; remove --source math"):
        import_results(put_results("c", document("mmlu_anatomy", 0.5)), out, source="math")
    mapping = tmp_path / "map.toml"
    mapping.write_text('[tasks.boolq]\ngroup = "law"\nmetrics = ["acc"]\n')
    with pytest.raises(InputError, match="has boolq in group 'non', not 'law'; use the same"):
        import_results(tmp_path / "a", out, mapping=mapping)


def test_a_killed_addition_goes_on(put_results, tmp_path):
    class Killed(Exception):
        pass

    def kill(what, done, total):
        if done == total:
            raise Killed

    out = tmp_path / "run"
    import_results(put_results("a", document("boolq", 0.5, n=2), [1, 0]), out)
    more = put_results("b", document("gsm8k", 1.0, n=1), [1])
    with pytest.raises(Killed):
        import_results(more, out, tick=kill)
    assert read_run(out, allow_unfinished=True).manifest.status == "running"
    import_results(more, out)
    assert set(read_run(out).by_benchmark) == {"boolq", "gsm8k"}


def test_settings_that_differ_go_to_their_benchmarks(put_results, tmp_path):
    out = tmp_path / "run"
    import_results(put_results("a", document("boolq", 0.5, chat_template_sha="abc")), out)
    import_results(put_results("b", document("gsm8k", 0.5)), out)
    import_results(put_results("c", document("arc_challenge", 0.5, chat_template_sha="abc")), out)
    manifest = read_run(out).manifest
    assert manifest.template is None
    templates = {name: entry["run's template"] for name, entry in manifest.decoding.items()}
    assert templates == {"boolq": "abc", "gsm8k": None, "arc_challenge": "abc"}


def test_parts_of_one_model_are_put_together(put_results):
    folders = [
        put_results("a", document("boolq", 0.5)),
        put_results("b", document("gsm8k", 0.4)),
        put_results("c", document("boolq", 0.6)),
        put_results("d", document("arc_challenge", 0.6, model="acme/other")),
    ]
    said = []
    with ExitStack() as stack:
        opened = [open_run(f, stack) for f in folders]
        runs = put_together(opened, say=lambda *told: said.append(told))
    assert [[row.benchmark for row in run.scores] for run in runs] == [
        ["boolq", "gsm8k"],
        ["boolq"],  # measured again: another checkpoint, most likely
        ["arc_challenge"],
    ]
    assert said == [(folders[1], f"joined with {folders[0]}, which is of the same model acme/m")]

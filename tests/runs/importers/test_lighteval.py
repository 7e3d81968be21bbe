"""Fixtures: lighteval 0.13.0's own writer; older layouts by the schemas of 0.6.2 and 0.8.1."""

import gzip
import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

pyarrow = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402

from transferscope.compare import compare_runs  # noqa: E402
from transferscope.core.errors import InputError, MissingExtra  # noqa: E402
from transferscope.core.taxonomy import load_taxonomy  # noqa: E402
from transferscope.runs.importers import import_results, open_run  # noqa: E402
from transferscope.runs.importers.explain import explain  # noqa: E402
from transferscope.runs.importers.lighteval import IMPORTER  # noqa: E402
from transferscope.runs.importers.lighteval_files import bare, model_of, task_of  # noqa: E402

from .foreign import FIXTURES, read  # noqa: E402

HERE = FIXTURES / "lighteval"
DATE = "2026-11-28T08-00-00.000000"
TASKS = {
    "gsm8k-0": "gsm8k|0",
    "mmlu-anatomy-5": "mmlu:anatomy|5",
    "mmlu-virology-5": "mmlu:virology|5",
}


def lay(out, *, date=DATE, details=True, hub=False, edit=lambda raw: None):
    """The fixture where lighteval puts its files, or where the hub has them."""
    results = out if hub else out / "results" / "acme" / "tiny"
    folder = out / date if hub else out / "details" / "acme" / "tiny" / date
    results.mkdir(parents=True, exist_ok=True)
    raw = json.loads((HERE / f"results_{DATE}.json").read_text())
    edit(raw)
    (results / f"results_{date}.json").write_text(json.dumps(raw))
    if details:
        folder.mkdir(parents=True)
        for name, task in TASKS.items():
            shutil.copy(HERE / f"details_{name}.parquet", folder / f"details_{task}_{date}.parquet")
    return out


@pytest.mark.parametrize("hub", [False, True])
def test_results_with_details_are_items(tmp_path, hub):
    results, samples = read(lay(tmp_path / "out", hub=hub))
    assert (results.model.name, results.provenance) == ("acme/tiny", "imported:lighteval")
    assert results.notes == ()
    assert results.scores == ()
    gsm8k = [(s.outcome.id, s.outcome.score, s.outcome.subset) for s in samples["gsm8k"]]
    assert gsm8k == [("0", 1.0, ""), ("1", 0.0, "")]
    assert samples["gsm8k"][1].response.response == "It is 7"
    assert samples["gsm8k"][1].response.prompt == "Q: 3+3?\nA:"
    # 1 of 2 and 3 of 4: by size 4/6, not lighteval's own mean of the two, 0.625
    mmlu = [s.outcome for s in samples["mmlu"]]
    assert sum(o.score for o in mmlu) / len(mmlu) == pytest.approx(4 / 6)
    assert [o.subset for o in mmlu] == ["mmlu_anatomy"] * 2 + ["mmlu_virology"] * 4
    assert len({o.id for o in mmlu}) == 6
    assert results.decoding["mmlu"]["fewshot"] == 5


def test_without_details_the_scores_are_read(tmp_path):
    def stderr(raw):
        raw["results"]["gsm8k|0"] |= {"extractive_match_stderr": 0.25, "em": 0.0}
        raw["results"]["mmlu:anatomy|5"]["acc_stderr"] = float("nan")

    results, samples = read(lay(tmp_path, details=False, edit=stderr))
    assert samples == {}
    rows = {(r.benchmark, r.subset): (r.score, r.stderr, r.n) for r in results.scores}
    assert rows == {
        ("gsm8k", ""): (0.5, 0.25, 2),
        ("mmlu", "mmlu_anatomy"): (0.5, None, 2),
        ("mmlu", "mmlu_virology"): (0.75, None, 4),
    }
    assert results.metrics == {"gsm8k": {"extractive_match": 0.5, "em": 0.0}}


def test_two_runs_are_compared_item_by_item(tmp_path):
    with ExitStack() as stack:
        base = open_run(lay(tmp_path / "base"), stack)
        name = {"model_name": "acme/tuned"}
        tuned = lay(
            tmp_path / "tuned", hub=True, edit=lambda raw: raw["config_general"].update(name)
        )
        (result,) = compare_runs(base, [open_run(tuned, stack)], replicates=200).tuned
    assert {(b.benchmark, b.n, b.delta) for b in result.benchmarks} == {
        ("gsm8k", 2, 0.0),
        ("mmlu", 6, 0.0),
    }
    assert all(b.flips is not None for b in result.benchmarks)


def test_names_of_older_versions_and_of_the_leaderboard(tmp_path):
    def rename(raw):
        scores = raw["results"].pop("gsm8k|0")
        raw["results"]["lighteval|gsm8k|0|0"] = scores
        raw["results"]["leaderboard|arc:challenge|25|0"] = {"acc": 0.25, "acc_norm": 0.5}
        raw["results"]["leaderboard|mmlu:_average|5"] = {"acc": 0.9}

    results, _ = read(lay(tmp_path, details=False, edit=rename))
    rows = {row.benchmark: row.score for row in results.scores if row.benchmark != "mmlu"}
    assert rows == {"arc_challenge": 0.5, "gsm8k": 0.5}
    assert {t.task for t in results.taken} == {
        "gsm8k", "arc:challenge", "mmlu:anatomy", "mmlu:virology",
    }  # fmt: skip


def test_of_two_dates_every_task_is_read_from_its_newest(tmp_path):
    lay(tmp_path, date="2026-11-29T08-00-00.000000", details=False,
        edit=lambda raw: raw.update(results={"gsm8k|0": {"extractive_match": 1.0}}))  # fmt: skip
    lay(tmp_path, details=False)
    results, _ = read(tmp_path)
    assert {r.benchmark: r.score for r in results.scores if r.benchmark == "gsm8k"} == {
        "gsm8k": 1.0
    }
    assert len(results.scores) == 3
    newer, older = (
        tmp_path / "results" / "acme" / "tiny" / f"results_{date}.json"
        for date in ("2026-11-29T08-00-00.000000", DATE)
    )
    assert results.notes[0] == f"gsm8k|0: read from {newer}, not from {older}"


def test_details_that_lie_beside_the_results_are_read(tmp_path):
    lay(tmp_path, details=False)
    results = next(tmp_path.rglob("results_*.json"))
    for name, task in TASKS.items():
        beside = results.with_name(f"details_{task}_{DATE}.parquet")
        shutil.copy(HERE / f"details_{name}.parquet", beside)
    found, samples = read(tmp_path)
    assert found.scores == ()
    assert [s.outcome.score for s in samples["gsm8k"]] == [1.0, 0.0]


def test_details_that_contradict_the_results_are_said_first(tmp_path):
    def lie(raw):
        raw["results"]["gsm8k|0"]["extractive_match"] = 0.9
        raw["config_tasks"]["mmlu:anatomy|5"]["effective_num_docs"] = 135

    results, _ = read(lay(tmp_path, edit=lie))
    assert results.contradictions == {
        "gsm8k": "mean 50.00 %, not 90.00 %",
        "mmlu": "mmlu:anatomy: 2 samples, not 135",
    }


def old_details(path, *, as_text):
    """0.6.2 writes every value as text, 0.8.1 as it is; both flat and without an id."""
    rows = [
        {"example": f"{n}+{n}?", "full_prompt": f"Q: {n}+{n}?", "predictions": [str(2 * n)],
         "metrics": {"qem": 1, "em": int(n == 1)}, "gold": [str(2 * n)]}
        for n in (1, 2, 3)
    ]  # fmt: skip
    if as_text:
        rows = [{name: str(value) for name, value in row.items()} for row in rows]
    path.parent.mkdir(parents=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)


@pytest.mark.parametrize("as_text", [True, False])
def test_details_of_older_versions(tmp_path, as_text):
    folder = tmp_path / "details" / "acme" / "tiny" / DATE
    old_details(folder / f"details_lighteval|gsm8k|0|0_{DATE}.parquet", as_text=as_text)
    results, samples = read(tmp_path)
    assert results.model.name == "acme/tiny"
    assert [s.outcome.score for s in samples["gsm8k"]] == [1.0, 0.0, 0.0]  # em, before qem
    assert [s.response.response for s in samples["gsm8k"]] == ["2", "4", "6"]
    assert len({s.outcome.id for s in samples["gsm8k"]}) == 3


def test_gzipped(tmp_path):
    lay(tmp_path)
    for path in [*tmp_path.rglob("*.json"), *tmp_path.rglob("*.parquet")]:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    _, samples = read(tmp_path)
    assert [s.outcome.score for s in samples["gsm8k"]] == [1.0, 0.0]
    assert len(samples["mmlu"]) == 6


def test_what_is_cut_or_a_pointer_is_named(tmp_path):
    details = next(lay(tmp_path).rglob("details_gsm8k*"))
    whole = details.read_bytes()
    for content, said in (
        (whole[: len(whole) // 2], "not parquet, or cut off"),
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    ):
        details.write_bytes(content)
        with pytest.raises(InputError, match=said) as caught:
            IMPORTER.read(tmp_path, load_taxonomy())
        assert "details_gsm8k" in str(caught.value)
    file = next(tmp_path.rglob("results_*.json"))
    file.write_text(file.read_text()[:-200])
    with pytest.raises(InputError, match="cut off in the middle"):
        IMPORTER.read(file, load_taxonomy())


def test_two_models_and_a_missing_pyarrow(tmp_path, monkeypatch):
    lay(tmp_path / "a")
    other = tmp_path / "b"
    lay(other, details=False, edit=lambda raw: raw["config_general"].update(model_name="acme/big"))
    with pytest.raises(InputError, match=r"results of 2 models .* name one of them: .*::acme/"):
        IMPORTER.read(tmp_path, load_taxonomy())
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'transferscope\[parquet\]'"):
        IMPORTER.read(tmp_path / "a", load_taxonomy())
    assert read(other)[0].scores  # without details nothing needs it


def test_explain_and_import(tmp_path):
    lay(tmp_path / "out")
    tasks = {t.taken.task: t.taken for t in explain(tmp_path / "out").tasks}
    assert tasks["gsm8k"].metric == "extractive_match"
    assert tasks["mmlu:virology"].n == 4
    assert import_results(tmp_path / "out", tmp_path / "run").format == "lighteval"


def test_names():
    assert bare("lighteval|gpqa:diamond|0|0") == "gpqa:diamond"
    path = Path(f"details_org__model/{DATE}/details_harness|arc:challenge|25_{DATE}.parquet")
    assert (task_of(path), model_of(path)) == ("harness|arc:challenge|25", "org/model")

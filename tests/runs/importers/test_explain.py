"""What an import would take for what, on files of every format."""

import json
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.taxonomy import load_taxonomy
from transferscope.runs import read_run
from transferscope.runs.importers import import_results
from transferscope.runs.importers.explain import explain
from transferscope.runs.pairing import pair

FIXTURES = Path(__file__).parent / "fixtures"


def scores(tmp_path, text, name="base.csv"):
    (tmp_path / name).write_text("benchmark,score,n\n" + text)
    return tmp_path / name


def rows(found):
    return {row["task"]: row for row in found.to_json()["tasks"]}


def test_lm_eval_names_metric_filter_and_what_was_not_taken():
    found = explain(FIXTURES / "lm_eval" / "base")
    gsm8k = rows(found)["gsm8k"]
    assert (gsm8k["benchmark"], gsm8k["group"], gsm8k["chance"]) == ("gsm8k", "math", 0.0)
    assert gsm8k["metric"] == "exact_match,strict-match"
    assert gsm8k["not_taken"] == ["exact_match,flexible-extract"]
    assert gsm8k["n"] == 6
    assert rows(found)["lambada_openai"]["not_taken"] == ["perplexity"]
    # Unmapped ones first, though the file has them later.
    assert [task.mapped for task in found.tasks][:3] == [False, False, True]
    assert found.to_json()["unmapped"] == ["sampled_sums", "all_repeats"]


@pytest.mark.parametrize(
    "path",
    [
        "lm_eval/base",
        "lm_eval/scores",
        "inspect/0.3.285/checks.json",
        "inspect/0.3.160/sums.eval",
        "eee/inspect/quick_sums",
        "eee/lm_eval/toy_fruit",
        "eee/lm_eval_scores/toy_fruit",
    ],
)
def test_what_is_explained_is_what_is_imported(path, tmp_path):
    found = explain(FIXTURES / path)
    import_results(FIXTURES / path, tmp_path / "run")
    run = read_run(tmp_path / "run")
    imported = {*run.by_benchmark, *(row.benchmark for row in run.scores)}
    kept = [task.taken for task in found.tasks if not task.taken.left_out]
    assert {taken.benchmark for taken in kept} == imported
    counts = {name: len({o.id for o in out}) for name, out in run.by_benchmark.items()}
    for name, count in counts.items():
        said = [taken.n for taken in kept if taken.benchmark == name]
        assert None in said or sum(said) == count
    assert all(taken.metric for taken in kept)


def test_unmapped_tasks_get_the_nearest_names_and_a_line_for_the_map(tmp_path):
    path = scores(tmp_path, "gsm8kx,0.5,10\nqqqq wwww,0.5,10\nBoolQ,0.5,10\n")
    found = explain(path)
    near, far = found.unmapped
    assert near.nearest[0] == "gsm8k"
    assert near.map_lines() == ("[aliases]", '"gsm8kx" = "gsm8k"')
    assert far.nearest == ()
    assert far.map_lines() == ("[tasks]", '"qqqq wwww" = { group = "GROUP" }')
    # The lines do what they say.
    mine = tmp_path / "map.toml"
    lines = [*near.map_lines(), *far.map_lines()]
    mine.write_text("\n".join(lines).replace("GROUP", "other") + "\n")
    mapped = explain(path, mapping=mine)
    assert mapped.unmapped == ()
    assert {t.taken.task: t.group for t in mapped.tasks} == {
        "gsm8kx": "math",
        "qqqq wwww": "other",
        "BoolQ": "non",
    }


def test_lower_is_better_is_named_and_never_imported(tmp_path):
    path = scores(tmp_path, "boolq,0.5,10\nwikitext,0.61,10\nlibrispeech,0.05,10\n")
    (left, other, kept) = explain(path).tasks
    assert left.taken.task == "wikitext"
    assert [t.taken.lower_is_better for t in (left, other, kept)] == [True, True, False]
    reason = "not comparable: lower is better for word_perplexity, but higher for a score"
    assert left.taken.left_out == reason
    done = import_results(path, tmp_path / "a")
    assert done.notes[0] == f"wikitext: left out, {reason}"
    import_results(scores(tmp_path, "boolq,0.4,10\nwikitext,0.9,10\n", "t.csv"), tmp_path / "b")
    base, tuned = read_run(tmp_path / "a"), read_run(tmp_path / "b")
    assert [row.benchmark for row in base.scores] == ["boolq"]
    assert base.manifest.left_out["wikitext"] == reason
    # It reaches the comparison as what it is, not as nothing.
    assert pair(base, tuned).excluded["wikitext"] == reason


def test_nothing_but_lower_is_better_is_one_line(tmp_path):
    path = scores(tmp_path, "wikitext,0.61,10\n")
    with pytest.raises(InputError, match=r"contains no usable result \(wikitext: left out"):
        import_results(path, tmp_path / "run")


def test_lm_eval_bits_per_byte_is_no_score(tmp_path):
    """Results of an old lm-eval: no higher_is_better, and bits per byte within 0..1."""
    file = tmp_path / "results_2024-01-01T00-00-00.json"
    metrics = {"word_perplexity,none": 9.8, "bits_per_byte,none": 0.62, "alias": "x"}
    raw = {"results": {"wikitext": metrics, "my_corpus": metrics}, "n-shot": {}, "configs": {}}
    raw["results"]["boolq"] = {"acc,none": 0.5, "acc_stderr,none": 0.1}
    file.write_text(json.dumps(raw))
    found = rows(explain(file))
    assert found["boolq"]["metric"] == "acc"
    assert found["wikitext"]["left_out"].startswith("not comparable: lower is better for word_p")
    assert found["my_corpus"]["left_out"].startswith("not comparable: lower is better for word_p")
    assert found["my_corpus"]["lower_is_better"]


def test_inspects_provider_prefix_and_case_are_no_obstacle(tmp_path):
    path = tmp_path / "t.jsonl"
    lines = [
        {"id": i, "benchmark": "inspect_evals/TriviaQA", "score": 1, "repeat": 0} for i in "ab"
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, lines[0] | {"repeat": 1}]))
    (task,) = explain(path).tasks
    assert (task.taken.benchmark, task.group, task.taken.n) == ("triviaqa", "non", 2)
    assert task.chance == load_taxonomy().tasks["triviaqa"].chance == 0.0


def test_two_spellings_in_two_files_are_paired(tmp_path):
    for name, task in (("base", "BoolQ"), ("tuned", "boolq_0shot")):
        lines = [json.dumps({"id": i, "benchmark": task, "score": i}) for i in (0, 1)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
        import_results(tmp_path / f"{name}.jsonl", tmp_path / name)
    found = pair(read_run(tmp_path / "base"), read_run(tmp_path / "tuned"))
    assert found.benchmarks["boolq"].ids == ("0", "1")

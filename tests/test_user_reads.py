"""What a user reads when two results are not alike; the results are what lm-eval itself wrote."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from .test_cli import run

LM_EVAL = Path(__file__).parent / "runs" / "importers" / "fixtures" / "lm_eval"
Capture = pytest.CaptureFixture[str]


def compared(capsys: Capture, *paths: Path) -> tuple[str, dict[str, Any]]:
    """What ``compare`` prints, on one line, and its JSON."""
    arguments = [*map(str, paths), "--replicates", "500"]
    code, text, err = run(capsys, "compare", *arguments)
    assert code == 0
    _, document, _ = run(capsys, "compare", *arguments, "--json")
    return " ".join((err + text).split()), json.loads(document)


def rows(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["benchmark"]: row for row in document["tuned"][0]["benchmarks"]}


def test_scores_without_answers_are_compared_unpaired_and_say_so(capsys: Capture) -> None:
    text, document = compared(capsys, LM_EVAL / "base", LM_EVAL / "scores")
    assert "scores without answers, compared unpaired: gsm8k" in text
    assert "gsm8k: only scores in at least one run, compared unpaired" in text
    said = "Style openings and changes of script: not measured, because no answers were kept."
    assert said in text
    gsm8k = rows(document)["gsm8k"]
    assert (gsm8k["test"], gsm8k["flips"], gsm8k["clean_delta"]) == ("unpaired", None, None)
    assert gsm8k["delta"] == pytest.approx(0.0)  # the same model, scored twice
    low, high = gsm8k["ci"]
    assert low < -20 < 20 < high  # two independent scores of six items say little
    assert document["tuned"][0]["model"] == "acme/tiny-base (scores)"


def test_a_task_that_one_side_lacks_is_named(capsys: Capture) -> None:
    text, document = compared(capsys, LM_EVAL / "base", LM_EVAL / "tuned")
    assert "not compared: winogrande (missing in tuned)" in text
    assert document["tuned"][0]["not_compared"]["winogrande"] == "missing in tuned"
    assert "winogrande" not in rows(document)
    text, document = compared(capsys, LM_EVAL / "tuned", LM_EVAL / "base")
    assert document["tuned"][0]["not_compared"]["winogrande"] == "missing in base"


def test_a_task_of_no_group_is_named_and_can_be_mapped(capsys: Capture, tmp_path: Path) -> None:
    base, other = tmp_path / "base", tmp_path / "other"
    shutil.copytree(LM_EVAL / "base", base)
    shutil.copytree(LM_EVAL / "base", other)
    text, _ = compared(capsys, base, other)
    assert "not compared: sampled_sums (not in suite" in text
    mapping = tmp_path / "map.toml"
    mapping.write_text('[tasks.sampled_sums]\ngroup = "math"\nchance = 0.0\n')
    arguments = [str(base), str(other), "--map", str(mapping), "--replicates", "500"]
    code, _, err = run(capsys, "compare", *arguments)
    assert (code, err) == (0, err)
    _, document, _ = run(capsys, "compare", *arguments, "--json")
    assert rows(json.loads(document))["sampled_sums"]["group"] == "math"


def test_fewer_items_are_compared_on_the_shared_ones_and_that_is_said_first(
    capsys: Capture,
) -> None:
    text, document = compared(capsys, LM_EVAL / "base", LM_EVAL / "limited")
    assert rows(document)["gsm8k"]["n"] == 3
    said = "gsm8k: compared on the 3 items that both runs have; the tuned run lacks 3 of the base's"
    assert said in document["differences"][0]
    assert text.startswith("Not like for like: the runs differ.")
    text, document = compared(capsys, LM_EVAL / "limited", LM_EVAL / "base")
    assert text.index("limit: 3 / None") < text.index("Mean change")
    assert "gsm8k: 3 items that only the tuned run has are ignored" in text
    assert rows(document)["gsm8k"]["n"] == 3
    assert "too few questions to establish anything (the smallest possible p is 0.25)." in text


def test_another_template_is_compared_and_shown_first(capsys: Capture) -> None:
    text, document = compared(capsys, LM_EVAL / "base", LM_EVAL / "chat")
    assert text.startswith("Not like for like: the runs differ.")
    assert "gsm8k: same messages, rendered differently (6 of 6 answers)" in text
    assert rows(document)["gsm8k"]["n"] == 6


def test_nothing_in_common_is_refused_in_one_line(capsys: Capture, tmp_path: Path) -> None:
    rows_ = [{"id": str(at), "benchmark": "mine", "score": 1} for at in range(3)]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows_)))
    code, out, err = run(capsys, "compare", str(LM_EVAL / "base"), str(tmp_path / "mine.jsonl"))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "no benchmark can be compared with the base" in err


def test_one_model_under_one_name_twice_is_told_apart_by_its_folder(capsys: Capture) -> None:
    _, document = compared(capsys, LM_EVAL / "tuned", LM_EVAL / "chat")
    assert document["base"] == "acme/tiny-tuned"
    assert document["tuned"][0]["model"] == "acme/tiny-tuned (chat)"


def lm_eval_scores(folder: Path, strict: float, flexible: float, **more: float) -> Path:
    """A results file without samples: one task that two filters read, and unknown tasks."""
    folder.mkdir()
    tasks: dict[str, Any] = {
        "gsm8k": {"exact_match,strict-match": strict, "exact_match,flexible-extract": flexible}
    }
    tasks |= {name: {"acc,none": value} for name, value in more.items()}
    document = {
        "results": tasks,
        "configs": {},
        "n-shot": {},
        "n-samples": {name: {"original": 400, "effective": 400} for name in tasks},
        "lm_eval_version": "0.4.9",
        "model_name": folder.name,
    }
    (folder / "results_2026-11-20T10-00-00.000000.json").write_text(json.dumps(document))
    return folder


def test_a_collapse_of_the_strict_filter_is_called_format(capsys: Capture, tmp_path: Path) -> None:
    base = lm_eval_scores(tmp_path / "b", 0.55, 0.55)
    tuned = lm_eval_scores(tmp_path / "t", 0.02, 0.56)
    text, document = compared(capsys, base, tuned)
    assert "Worse on math (a change of format, not of ability: see gsm8k)." in text
    said = "strict-match falls 53.0 points but flexible-extract changes by +1.0: a change of format"
    assert f"gsm8k: {said}, not of ability." in text
    assert document["tuned"][0]["disagreements"][0]["sentence"].startswith(said)
    imported = [tmp_path / name for name in ("rb", "rt")]
    for source, out in zip((base, tuned), imported, strict=True):
        assert run(capsys, "import", str(source), "--out", str(out))[0] == 0
    assert said in compared(capsys, *imported)[0]  # the run folders keep it


def test_what_nobody_judged_is_in_the_headline(capsys: Capture, tmp_path: Path) -> None:
    base = lm_eval_scores(tmp_path / "b", 0.55, 0.55, house_tone=0.8, house_facts=0.7)
    tuned = lm_eval_scores(tmp_path / "t", 0.56, 0.56, house_tone=0.2, house_facts=0.1)
    text, document = compared(capsys, base, tuned)
    assert (
        "t: No change established on math; house_tone and house_facts are not judged (in both "
        "inputs, but in no group; see --map)." in text
    )
    assert document["tuned"][0]["not_judged"] == ["house_tone", "house_facts"]

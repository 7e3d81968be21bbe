"""One of several models, chosen by its name (``PATH::MODEL``), in every format."""

import json
import shutil
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.core.taxonomy import load_taxonomy
from transferscope.runs.importers import read_results

from .test_evalplus import HUMANEVAL
from .test_evalplus import write as write_evalplus
from .test_qwenmath import row as qwen_row
from .test_qwenmath import write as write_qwen

HERE = Path(__file__).parent / "fixtures"
RUN = "20261128_080000"


def retold(file, old, new):
    file.write_text(file.read_text().replace(old, new))


def evalscope(out):
    run = Path(shutil.copytree(HERE / "evalscope", out)) / RUN
    shutil.copytree(run / "reviews/tiny", run / "reviews/big")
    (run / "reports/big").mkdir()
    shutil.copy(run / "reports/tiny/gsm8k.json", run / "reports/big")
    retold(run / "reports/big/gsm8k.json", '"model_name": "tiny"', '"model_name": "acme/big"')
    for unreported in [*run.glob("reviews/big/mmlu*"), *run.glob("reviews/big/arc*")]:
        unreported.unlink()
    return out


def opencompass(out):
    run = Path(shutil.copytree(HERE / "opencompass", out)) / RUN
    (run / "results/big").mkdir()
    shutil.copy(next((run / "results/tiny").glob("gsm8k*.json")), run / "results/big")
    return out


def summary(out):
    out.mkdir()
    head = "dataset,version,metric,mode,acme/tiny,big\n"
    rows = "gsm8k,1d7fe4,accuracy,gen,55.50,25.00\nboolq,8c1dbb,accuracy,ppl,80.00,-\n"
    (out / "summary_20261128_080000.csv").write_text(head + rows)
    return out


def helm(out):
    shutil.copytree(HERE / "helm", out)
    shutil.copytree(out / "mmlu_virology", out / "other")
    retold(out / "other/run_spec.json", "acme/tiny", "acme/big")
    return out


def lighteval(out):
    raw = json.loads(next((HERE / "lighteval").glob("results_*.json")).read_text())
    for name, tasks in (("acme/tiny", list(raw["results"])), ("acme/big", ["gsm8k|0"])):
        raw["config_general"]["model_name"] = name
        rows = {task: raw["results"][task] for task in tasks}
        out.mkdir(exist_ok=True)
        file = out / f"results_2026-11-{10 + len(tasks)}T08-00-00.000000.json"
        file.write_text(json.dumps(raw | {"results": rows}))
    return out


def lm_eval(out):
    """Two files a model in one folder, named by people."""
    out.mkdir()
    for name in ("acme/tiny", "acme/big"):
        for task in ("gsm8k", "boolq") if name == "acme/tiny" else ("gsm8k",):
            row = {"alias": task, "acc,none": 0.5, "acc_stderr,none": 0.05}
            raw = {"results": {task: row}, "configs": {}, "versions": {}, "model_name": name}
            file = out / f"{task}-{name.partition('/')[2]}.json"
            file.write_text(json.dumps(raw | {"n-samples": {task: {"effective": 100}}}))
    return out


def inspect(out):
    out.mkdir()
    for name, model in (("sums", "tiny"), ("graded", "big")):
        shutil.copy(HERE / f"inspect/0.3.285/{name}.json", out)
        raw = json.loads((out / f"{name}.json").read_text())
        raw["eval"]["model"] = f"hf/acme/{model}"
        (out / f"{name}.json").write_text(json.dumps(raw))
    return out


def eee(out):
    shutil.copytree(HERE / "eee/lm_eval_scores", out / "a")
    shutil.copytree(HERE / "eee/lm_eval", out / "b")
    for file in (out / "b").rglob("*.json*"):
        retold(file, "acme/tiny-1b", "acme/big")
    for file in (out / "a").rglob("*.json*"):
        retold(file, "acme/tiny-1b", "acme/tiny")
    return out


def evalplus(out):
    write_evalplus(out / "humaneval/acme--tiny_vllm_temp_0.0_eval_results.json", HUMANEVAL)
    write_evalplus(out / "humaneval/acme--big_vllm_temp_0.0_eval_results.json", HUMANEVAL)
    return out


def qwen_math(out):
    write_qwen(out / "tiny/math_eval/gsm8k", [qwen_row(0, [True]), qwen_row(1, [False])])
    write_qwen(out / "big/math_eval/gsm8k", [qwen_row(0, [True])])
    write_qwen(out / "big/math_eval/math", [qwen_row(0, [True])])
    return out


HUMAN = {"humaneval", "humaneval_plus"}


@pytest.mark.parametrize(
    ("make", "tiny", "big"),
    [
        (evalscope, {"arc_easy", "arc_challenge", "gsm8k", "mmlu"}, {"gsm8k"}),
        (opencompass, {"gsm8k", "mmlu", "aime24", "hellaswag"}, {"gsm8k"}),
        (summary, {"gsm8k", "boolq"}, {"gsm8k"}),
        (helm, {"gsm8k", "mmlu"}, {"mmlu"}),
        (lighteval, {"gsm8k", "mmlu"}, {"gsm8k"}),
        (lm_eval, {"gsm8k", "boolq"}, {"gsm8k"}),
        (inspect, {"quick_sums"}, {"graded"}),
        (eee, {"toy_fruit"}, {"toy_fruit"}),
        (evalplus, HUMAN, HUMAN),
        (qwen_math, {"gsm8k"}, {"gsm8k", "hendrycks_math"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_model_is_chosen_by_its_name(tmp_path, make, tiny, big):
    out = make(tmp_path / "out")
    with pytest.raises(InputError, match=r"results of 2 models \(.*; name one of them: .*::"):
        read_results(out, load_taxonomy())
    for wanted, benchmarks in (("tiny", tiny), ("BIG", big)):
        results = read_results(Path(f"{out}::{wanted}"), load_taxonomy())[1]
        assert results.model.name.startswith((wanted.lower(), f"acme/{wanted.lower()}"))
        assert {*results.samples, *(row.benchmark for row in results.scores)} == benchmarks
        assert not [note for note in results.notes if "no report" in note]
    with pytest.raises(InputError, match=r"no model 'tiyn', only .*; did you mean .*tiny\?"):
        read_results(Path(f"{out}::tiyn"), load_taxonomy())

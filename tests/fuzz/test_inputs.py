"""Whatever a file holds, a command succeeds or says in one line what is wrong with it.

The commands run in this process on mutants of every small fixture. Allowed are exit code 0 (1 and
3 of a gate) without an escape code in what is shown, and 2 with one line: never an error that
nobody foresaw.
"""

import contextlib
import gzip
import io
import json
import random
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import Table, parquet

from transferscope.cli import main
from transferscope.runs.importers import import_results

from .bounds import EXAMPLES, bounded
from .mutants import Files, files_of, mutant, write

FIXTURES = Path(__file__).parents[1] / "runs" / "importers" / "fixtures"
LM_EVAL, INSPECT, EEE = (FIXTURES / name for name in ("lm_eval", "inspect", "eee"))
LM_EVAL_OLD = FIXTURES / "lm_eval_old"
FOUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ud800-\udfff]")
LONG = re.compile(r"x{81}")
draws = st.randoms(use_true_random=False)

ROWS = b"""{"id": 1, "benchmark": "gsm8k", "score": 1, "prompt": "1+1?", "response": "2"}
{"id": 2, "benchmark": "gsm8k", "score": 0.0, "repeat": 0, "tokens": 12, "finish": "length"}
{"id": "a", "benchmark": "boolq", "score": true, "weight": 2.5, "cluster": "s", "subset": "t"}
{"id": "b", "benchmark": "boolq", "percent": 50, "model": "tiny", "response": "yes"}
"""
TABLE = b"benchmark,score,n,stderr\ngsm8k,0.5,100,0.05\nboolq,0.75,200,\nmmlu_anatomy,0.25,40,0.1\n"
ANSWERS = b"""{"id": 1, "prompt": "1+1?", "response": "The answer is 2", "gold": "2", "label": true}
{"id": 2, "prompt": "2+2?", "response": "4", "gold": "\\\\boxed{4}", "finish": "length"}
{"id": "c", "prompt": "3?", "response": "", "gold": "3"}
"""
SCORES = b"""model,base,group,benchmark,score,n
b,,math,x,40,100
b,,non,y,50,100
t,b,math,x,56,100
t,b,non,y,46,100
"""
POLICY = b"""min_items = 2
on_inconclusive = "warn"
[guards.math]
margin = 2.0
[guards.gsm8k]
tier = "supporting"
margin = 3.0
relative = 0.1
[min_ti]
other = 20.0
"""
MAP = b"""[columns]
score = "score"
[tasks.mine]
group = "math"
metrics = ["acc"]
chance = 0.25
[aliases]
house = "gsm8k"
"""
STUDY = b"""name = "small"
base = "smollm2-135m"
suite = "mini"
items = 4
[arms.off-policy-sft]
steps = 2
seeds = [0, 1]
learning_rates = [1e-5, 3e-5]
[arms.sft-then-rl]
arm = "on-policy-rl"
init_from = "off-policy-sft"
[arms.theirs]
checkpoint = "path/to/a/model"
[probe]
items = 2
dtype = "float32"
[claims]
kl_matters = 2.0
[cost]
gpus = 1
"""

EVALPLUS = b"""{"date": "2026-11-28 08:00", "hash": "fe58", "eval": {
"HumanEval/0": [{"task_id": "HumanEval/0", "solution": "a", "base_status": "pass",
"plus_status": "fail"}, {"task_id": "HumanEval/0", "base_status": "fail", "plus_status": null}],
"HumanEval/1": [{"task_id": "HumanEval/1", "solution": "", "base_status": "timeout",
"plus_status": "timeout"}]}}
"""
EVALPLUS_OLD = b"""{"date": "2024-01-02 08:00", "hash": "ab12", "eval": {"Mbpp/2":
{"nfiles": 2, "base": [["success", [true]], ["failed", []]], "plus": [["failed", []]]}}}
"""
QWEN = b"""{"idx": 0, "question": "1+1?", "gt": "2", "answer": "2", "code": ["2", "3"], "pred": \
["2", "3"], "report": [null, null], "score": [true, false]}
{"idx": 1, "question": "2+2?", "gt": "4", "answer": "4", "code": ["4", ""], "score": [true, true]}
""".replace(b"\\\n", b"")
QWEN_METRICS = b"""{"num_samples": 2, "num_scores": 4, "timeout_samples": 0, "acc": 75.0}"""
QWEN_NAME = "tiny/math_eval/{0}/test_qwen25-math-cot_-1_seed0_t0.6_s0_e-1"
WIDE = b"Model;GSM8K (5-shot);mmlu;Average\ntiny;60.5%;0,41;50\n"
PLAIN = [
    {"question": "1+1?", "prediction": ["2", "3"], "answer": "2", "score": [1.0, 0.0]},
    {"question": "2+2?", "prediction": ["4", "4"], "answer": "4", "score": [1.0, 1.0]},
]


def packed(rows: list[dict[str, object]]) -> bytes:
    """The rows as a parquet file."""
    out = io.BytesIO()
    parquet.write_table(Table.from_pylist(rows), out)
    return out.getvalue()


SOURCES: dict[str, Files] = {
    "lm-eval": files_of(LM_EVAL / ("base" if EXAMPLES else "limited")),
    "lm-eval scores": files_of(LM_EVAL / "scores"),
    "lm-eval results": files_of(LM_EVAL / "share" / "acme__tiny-base"),
    "inspect eval": files_of(INSPECT / "0.3.160" / "graded.eval"),
    "inspect sums": files_of(INSPECT / "0.3.285" / "sums.eval"),
    "inspect json": files_of(INSPECT / "0.3.285" / "graded.json"),
    "inspect folder": files_of(
        INSPECT / "0.3.160" / "colours.eval", INSPECT / "0.3.285" / "checks.json"
    ),
    "eee": files_of(EEE / "inspect" / "quick_sums"),
    "eee lm-eval": files_of(EEE / "lm_eval"),
    "jsonl": {"tiny.jsonl": ROWS},
    "jsonl.gz": {"tiny.jsonl.gz": gzip.compress(ROWS, mtime=0)},
    "json": {"tiny.json": json.dumps(PLAIN).encode()},
    "parquet": {"tiny.parquet": packed(PLAIN)},
    "csv": {"tiny.csv": TABLE},
    "wide csv": {"tiny.csv": WIDE},
    "lm-eval 0.4.0": files_of(LM_EVAL_OLD / "0.4.0"),
    "lm-eval 0.4.2": files_of(LM_EVAL_OLD / "0.4.2"),
    "lighteval": files_of(FIXTURES / "lighteval"),
    "evalscope": files_of(FIXTURES / "evalscope"),
    "opencompass": files_of(FIXTURES / "opencompass"),
    "helm": files_of(FIXTURES / "helm"),
    "evalplus": {"tiny_eval_results.json": EVALPLUS},
    "evalplus 0.2": {"tiny_eval_results.json": EVALPLUS_OLD},
    "qwen-math": {
        f"{QWEN_NAME.format('gsm8k')}.jsonl": QWEN,
        f"{QWEN_NAME.format('gsm8k')}_qwen25-math-cot_metrics.json": QWEN_METRICS,
        f"{QWEN_NAME.format('math')}_qwen25-math-cot_metrics.json": QWEN_METRICS,
    },
}


def ran(*argv: object) -> tuple[int, str]:
    """Exit code and all that the command showed; what it may not do fails here."""
    shown, told = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(told):
        try:
            main(list(map(str, argv)))
        except SystemExit as stop:
            code = int(stop.code or 0)
    text = shown.getvalue() + told.getvalue()
    assert "--debug" not in text, text
    assert not FOUL.search(text), (FOUL.search(text), text)
    assert not LONG.search(text), text
    if code == 2:
        last = told.getvalue().splitlines()[-1]
        assert last.startswith("transferscope: "), text
        assert len(last) < 4_500, last
        assert shown.getvalue() == "", text
    return code, text


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run folders of two good sources: what a mutant is compared with."""
    folder = tmp_path_factory.mktemp("good")
    found = {}
    for name in ("lm-eval", "jsonl", "csv"):
        source = write(SOURCES[name], folder / "from" / name)
        found[name] = import_results(source, folder / name).path
    return found


@pytest.mark.parametrize("source", SOURCES)
@bounded(10)
@given(draw=draws)
def test_what_is_imported(source: str, draw: random.Random) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        path = write(mutant(SOURCES[source], draw), Path(scratch) / "in")
        out = Path(scratch) / "run"
        code, _ = ran("import", path, "--out", out)
        assert code in (0, 2)
        explained, _ = ran("import", path, "--explain")
        assert explained in (0, 2)
        if code == 0:
            again, _ = ran("compare", out, out, "--replicates", "200")
            assert again in (0, 2)


@pytest.mark.parametrize("source", ["lm-eval", "jsonl", "csv"])
@bounded(4)
@given(draw=draws)
def test_what_is_compared(source: str, draw: random.Random, imported: dict[str, Path]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        path = write(mutant(SOURCES[source], draw), Path(scratch) / "in")
        outputs = {f"--{kind}": Path(scratch) / f"r.{kind}" for kind in ("md", "csv", "html")}
        options = [part for pair in outputs.items() for part in pair]
        code, _ = ran("compare", imported[source], path, "--replicates", "200", *options)
        assert code in (0, 2)
        for file in outputs.values():
            if file.exists():
                assert not FOUL.search(file.read_text().replace("\t", " "))
        ranked, _ = ran("rank", imported[source], path, "--replicates", "200")
        assert ranked in (0, 2)


@bounded(15)
@given(draw=draws)
def test_a_run_folder_that_somebody_changed(draw: random.Random, imported: dict[str, Path]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source = draw.choice(sorted(imported))
        path = write(mutant(files_of(imported[source]), draw), Path(scratch) / "in")
        code, _ = ran("compare", imported[source], path, "--replicates", "200")
        assert code in (0, 2)
        code, _ = ran("export", "eee", path, "--out", Path(scratch) / "eee")
        assert code in (0, 2)


@bounded(15)
@given(draw=draws)
def test_answers_that_are_graded_and_audited(draw: random.Random) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        path = write(mutant({"answers.jsonl": ANSWERS}, draw), Path(scratch))
        for argv in (["audit", path], ["score", "choice", path], ["score", "qa", path]):
            assert ran(*argv)[0] in (0, 2)


@bounded(25)
@given(draw=draws)
def test_a_score_table(draw: random.Random) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        path = write(mutant({"scores.csv": SCORES}, draw), Path(scratch))
        assert ran("index", path)[0] in (0, 2)


@bounded(8)
@given(draw=draws)
def test_a_policy_and_a_map(draw: random.Random, imported: dict[str, Path]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        files = mutant({"policy.toml": POLICY, "map.toml": MAP}, draw)
        write(files, Path(scratch))
        run, policy, names = imported["jsonl"], *(Path(scratch) / name for name in files)
        outputs = ["--md", Path(scratch) / "g.md", "--junit", Path(scratch) / "g.xml"]
        code, _ = ran(
            *("gate", run, run, "--policy", policy, "--map", names, "--replicates", "200"), *outputs
        )
        assert code in (0, 1, 2, 3)
        assert not FOUL.search((Path(scratch) / "g.md").read_text())


@bounded(25)
@given(draw=draws)
def test_a_study(draw: random.Random) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        path = write(mutant({"study.toml": STUDY}, draw), Path(scratch))
        assert ran("study", path, "--out", Path(scratch) / "out", "--so-far")[0] in (0, 2)


def test_the_good_files_are_read(tmp_path: Path) -> None:
    """Or the mutants would all be refused for one reason."""
    for source, files in SOURCES.items():
        path = write(files, tmp_path / source)
        code, text = ran("import", path, "--out", tmp_path / "runs" / source)
        assert code == 0, (source, text)
    path = write({"scores.csv": SCORES}, tmp_path)
    assert ran("index", path)[0] == 0
    assert json.loads(ran("index", path, "--json")[1])["scale"] == "unit"

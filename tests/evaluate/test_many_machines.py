"""Evaluation over a Ray cluster gives the folders of one process, whatever is lost on the way.

The workers ask a real server of this machine, which counts the requests.
"""

import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from transferscope.cli import main
from transferscope.core import worker_pool
from transferscope.core.errors import InputError
from transferscope.core.records import ModelRef
from transferscope.core.shard import Shard
from transferscope.core.suite import parse_suite
from transferscope.core.worker_pool import Wants
from transferscope.engines import FakeEngine
from transferscope.engines.openai import TRIAL
from transferscope.evaluate import evaluate, evaluate_model, many_machines
from transferscope.evaluate.cohort_file import CohortModel
from transferscope.evaluate.many_machines import evaluate_on_cluster
from transferscope.evaluate.merge_shards import merge_shards
from transferscope.evaluate.worker_needs import Cluster
from transferscope.models import precision
from transferscope.runs import read_run

from ..engines.serving import Server, completion, serving
from .test_merge_shards import content
from .test_resume import TOML

pytestmark = pytest.mark.filterwarnings("ignore")
SUITE = parse_suite(TOML, place="two.toml")


class Teacher:
    """Answers by the model's name and the prompt's length, after a moment; counts the requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.wait = 0.0
        self.at: dict[int, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, path: str, payload: Any) -> Any:
        if payload is None:
            return {}
        prompt = payload["messages"][-1]["content"]
        if prompt == TRIAL[-1]["content"]:
            return completion("one")
        with self._lock:
            self.asked.append((payload["model"], prompt))
            event = self.at.pop(len(self.asked), None)
        if event is not None:
            event()
        time.sleep(self.wait)
        return completion(f"{payload['model']} says {len(prompt)}.")


@pytest.fixture(scope="module")
def server() -> Any:
    with serving(Teacher()) as running:
        yield running


@pytest.fixture(scope="module")
def cluster() -> Any:
    """Two machines on loopback, of two cores each."""
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster as Machines

    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(worker_pool, "PAUSE_S", 0.5)
        machines = Machines(initialize_head=True, head_node_args={"num_cpus": 2})
        machines.two = machines.add_node(num_cpus=2)
        ray.init(address=machines.address, log_to_driver=False, logging_level="ERROR")
        yield machines
        ray.shutdown()
        machines.shutdown()


def options(server: Server) -> dict[str, Any]:
    return {"engine": "openai", "engine_args": {"base_url": server.base_url, "concurrency": "1"}}


def test_a_cohort_a_driver_that_dies_and_a_machine_that_dies(
    cluster: Any, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """One test, since a cluster takes many seconds to start."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    teacher, n = server.answer, 8
    Path("two.toml").write_text(TOML)
    Path("models.toml").write_text(
        '[[models]]\nmodel = "org/base"\n[[models]]\nmodel = "org/tuned"\nbase = "org/base"\n'
    )
    command = ["eval", "models.toml", "--suite", "two.toml", "--limit", str(n)]
    command += ["--engine", "openai", "--engine-args", f"base_url={server.base_url}"]
    main([*command, "--out", "whole"])
    whole = {name: content(Path("whole") / name) for name in ("base", "tuned")}
    assert len(teacher.asked) == len(set(teacher.asked)) == 4 * n
    assert read_run("whole/tuned").manifest.model.base == "org/base"

    # On the cluster, through the command: the same files, and no request more.
    teacher.asked.clear()
    main([*command, "--out", "ray", "--ray", "auto", "--shards", "4", "--cpus-per-worker", "1"])
    assert len(teacher.asked) == 4 * n
    assert {name: content(Path("ray") / name) for name in whole} == whole
    assert capsys.readouterr().err.endswith("run folder: ray/base\nrun folder: ray/tuned\n")
    teacher.asked.clear()
    main([*command, "--out", "ray", "--ray", "auto"])
    assert teacher.asked == []

    # The driver stops with five of eight parts finished; the rest is asked by the next one.
    models = [(CohortModel("org/tuned", "org/base", "tuned"), Path("again"))]
    parts = Cluster("auto", shards=4, cpus=1)
    how = options(server) | {"n": n}
    finished = []

    def stop(benchmark: str, done: int, total: int) -> None:
        finished.append((benchmark, done, total))
        if len(finished) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_on_cluster(models, SUITE, parts, tick=stop, **how)
    kept = sorted(path.name for path in Path("again/.shards").iterdir())
    assert len(kept) == 5
    assert all(name.endswith("-of-4") for name in kept)
    with pytest.raises(InputError, match=r"again: no run\.json"):
        read_run("again")
    teacher.asked.clear()
    evaluate_on_cluster(models, SUITE, Cluster("auto", shards=3, cpus=2), **how)
    assert len(teacher.asked) == 3 * n // 4  # parts stay as they were: four shards
    assert content(Path("again")) == whole["tuned"]

    # More items than before; a machine goes down while its two workers are asking.
    teacher.asked.clear()
    teacher.wait = 0.2
    killed = threading.Event()

    def kill() -> None:
        threading.Thread(target=_down, args=(cluster, killed)).start()

    teacher.at[2] = kill
    evaluate_on_cluster(
        [(CohortModel("org/base", None, "base"), Path("ray/base"))],
        SUITE,
        Cluster("auto", shards=2, cpus=1),
        **how | {"n": 40},
    )
    assert killed.wait(30)
    assert len(set(teacher.asked)) == 2 * 32
    assert 0 <= len(teacher.asked) - 2 * 32 <= 2 * 20  # at most the parts of the two lost workers
    teacher.wait = 0.0
    one = [*command[:1], "org/base", *command[2:5], "40", *command[6:]]
    main([*one, "--out", "whole/base"])
    assert content(Path("ray/base")) == content(Path("whole/base"))


def test_a_model_on_workers_in_their_dtype(
    cluster: Any, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """transformers; this process would load it in another dtype."""
    monkeypatch.setattr(many_machines, "settled", lambda asked: "float32")
    model, out = str(tiny_model), tmp_path / "ray"
    how: dict[str, Any] = {"n": 5, "seed": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision, "processor_multiplies", lambda: True)
        given = Cluster("auto", shards=2, cpus=1)
        evaluate_on_cluster([(CohortModel(model, None, "tiny"), out)], SUITE, given, **how)
    whole = evaluate_model(model, SUITE, tmp_path / "whole", dtype="float32", **how)
    assert content(out) == content(whole)
    assert read_run(out).manifest.engine["dtype"] == "float32"


def _down(cluster: Any, killed: threading.Event) -> None:
    cluster.remove_node(cluster.two, allow_graceful=False)
    killed.set()


def test_what_excludes_each_other(capsys: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    (tmp_path / "m.txt").write_text("a\n")
    for given, told in (
        (["m", "--shards", "2"], "--shards only applies with --ray; remove it, or add --ray"),
        (["m", "--ray", "auto", "--shard", "1/2"], "--shard and --ray exclude each other"),
        (["m", "--ray", "auto", "--shards", "0"], "--shards: must be a number from 1 to 9999"),
        ([str(tmp_path / "m.txt"), "--base", "b"], "--base can't apply to a file of models"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["eval", *given, "--out", out])
        assert ended.value.code == 2
        assert told in capsys.readouterr().err


def test_what_a_worker_asks_for(tiny_model: Path) -> None:
    machines = [{"CPU": 8.0, "GPU": 2.0}, {"CPU": 4.0, "memory": 1e12}]
    plain = [{"CPU": 8.0}, {"CPU": 4.0}]
    size = sum(file.stat().st_size for file in tiny_model.glob("*.safetensors"))
    memory, fitted = 2**31 + 2 * size, 2**31 + size
    model = [str(tiny_model)]
    assert Cluster("auto").wants(machines, "hf", model) == Wants(1, 1, fitted)
    assert Cluster("auto").wants(plain, "hf", model) == Wants(4, 0, memory)
    assert Cluster("auto", gpus=0, cpus=2).wants(machines, "hf", model) == Wants(2, 0, memory)
    assert Cluster("auto").wants(machines, "openai", ["any/name"]) == Wants(4, 0, 0)
    with pytest.raises(InputError, match="no machine in the cluster has 4 GPUs; the largest has 2"):
        Cluster("auto", gpus=4).wants(machines, "hf", model)


def test_shards_by_hand_on_the_command_line(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    Path("two.toml").write_text(TOML)
    command = ["eval", "org/base", "--suite", "two.toml", "--limit", "5"]
    command += ["--engine", "openai", "--engine-args", f"base_url={server.base_url}"]
    main([*command, "--out", "whole"])
    for number in (1, 2, 3):
        main([*command, "--shard", f"{number}/3", "--out", f"shard-{number}"])
    main(["merge", "merged", "shard-1", "shard-2", "shard-3"])
    assert capsys.readouterr().err.endswith("run folder: merged\n")
    assert content(Path("merged")) == content(Path("whole"))
    with pytest.raises(SystemExit):
        main(["merge", "other", "shard-1", "shard-3"])
    told = "2 of 3 shards are named, missing: 2/3; run eval with --shard 2/3, then merge all shards"
    assert capsys.readouterr().err == f"transferscope: {told}\n"
    with pytest.raises(SystemExit):
        main(["merge", "shard-1", "shard-1", "shard-2", "shard-3"])
    assert "shard-1: is an input of this command" in capsys.readouterr().err


def test_the_folder_of_parts_is_part_of_the_run(tmp_path: Path) -> None:
    """One process takes over a folder that a cluster has begun, and leaves no parts behind."""
    (tmp_path / "run" / ".shards" / "chains.1-of-2").mkdir(parents=True)
    engine = FakeEngine(lambda prompt: "1")
    out = evaluate(engine, SUITE, tmp_path / "run", model_ref=ModelRef("m"), n=2)
    assert not (out / ".shards").exists()
    part = evaluate(
        engine, SUITE, tmp_path / "one", model_ref=ModelRef("m"), n=2, shard=Shard(1, 1)
    )
    assert content(merge_shards(tmp_path / "merged", [part])) == content(out)

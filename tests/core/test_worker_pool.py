"""Tasks over a Ray cluster of two machines on loopback: results, errors, and lost machines."""

import os
import sys
import time
import warnings

import pytest

from transferscope.core import worker_pool
from transferscope.core.errors import InputError
from transferscope.core.worker_pool import ATTEMPTS, Wants, connected, over_workers, room

pytestmark = pytest.mark.filterwarnings("ignore")


def test_room_is_counted_by_machine():
    machines = [{"CPU": 8.0, "GPU": 2.0, "memory": 10.0}, {"CPU": 3.0, "memory": 4.0}, {}]
    assert room(machines, Wants(2)) == 5
    assert room(machines, Wants(1, 1)) == 2
    assert room(machines, Wants(1, 0, 4)) == 3
    assert str(Wants(2, 1, 3 * 2**30)) == "2 CPU cores, 1 GPUs and 3.0 GiB of memory"


class Squares:
    """Remembers the group it had last, as a worker remembers its model."""

    def __init__(self, folder=None):
        self.folder, self.group, self.loads = folder, None, 0

    def __call__(self, task):
        group, number = task
        if group != self.group:
            self.group, self.loads = group, self.loads + 1
        if number == "refuse":
            raise InputError("a bad row", place="file:3", remedy="correct it")
        if number == "break":
            raise ZeroDivisionError("broken")
        if number == "die":
            os._exit(1)
        if self.folder is not None:
            (self.folder / f"{group}-{number}-{os.getpid()}").touch()
            time.sleep(0.3)
        return number**2, os.getpid(), self.loads


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield ray
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture
def cluster(ray):
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.two = cluster.add_node(num_cpus=2)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def run(ray, tasks, work=None, **options):
    found = {}

    def done(task, result):
        assert task not in found
        found[task] = result

    over_workers(ray, work or Squares(), tasks, **{"wants": Wants(1), "done": done} | options)
    return found


def test_results_groups_errors_and_a_lost_machine(cluster, ray, tmp_path, monkeypatch):
    """One test, since a cluster takes seconds to start."""
    monkeypatch.setattr(worker_pool, "PAUSE_S", 0.5)
    assert connected("nobody:1", needed_for="a test") is ray  # it has joined already
    tasks = [(group, number) for number in range(8) for group in "abc"]
    found = run(ray, tasks, group=lambda task: task[0])
    assert {task: square for task, (square, _, _) in found.items()} == {t: t[1] ** 2 for t in tasks}
    # Few changes of groups, although 24 tasks alternate between three of them.
    last = {pid: loads for _, pid, loads in sorted(found.values(), key=lambda result: result[2])}
    assert sum(last.values()) <= 3 + len(last) - 1
    # Errors: one line of ours, or the exception itself; a task that always loses its worker.
    with pytest.raises(InputError, match=r"^file:3: a bad row; correct it$"):
        run(ray, [("a", 1), ("a", "refuse")])
    with pytest.raises(ZeroDivisionError, match="broken"):
        run(ray, [("a", "break")])
    with pytest.raises(InputError, match=f"{ATTEMPTS} workers were lost in a row: .*; see Ray's"):
        run(ray, [("a", "die")])
    with pytest.raises(InputError, match=r"no machine .*2 alive.* has 1 CPU cores, 1 GPUs; ask"):
        run(ray, tasks, wants=Wants(1, 1))
    # The machine with two of three cores goes down while it works.
    down = []

    def done(task, result):
        found[task] = result
        if len(found) == 4:
            down.append({path.name for path in tmp_path.iterdir()})
            cluster.remove_node(cluster.two, allow_graceful=False)

    found = {}
    over_workers(ray, Squares(tmp_path), tasks[:16], wants=Wants(1), done=done)
    assert {task: square for task, (square, _, _) in found.items()} == {
        t: t[1] ** 2 for t in tasks[:16]
    }
    started = [path.name.rpartition("-")[0] for path in tmp_path.iterdir()]
    assert len(down) == 1
    assert 1 <= len(started) - 16 <= 2  # what was under way there ran again
    # The last machine has one core.
    with pytest.raises(InputError, match=r"1 alive.* has 2 CPU cores"):
        run(ray, tasks, wants=Wants(2))


def test_without_a_cluster_at_the_address(ray):
    for address in ("127.0.0.1:1", "ray://127.0.0.1:1"):
        told = rf"^--ray {address}: can't join the Ray cluster: .*refused; start one with `ray"
        with pytest.raises(InputError, match=told):
            connected(address, needed_for="a test")

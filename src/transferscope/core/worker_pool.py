"""Tasks over the workers of a Ray cluster: lost workers are replaced, and their tasks run again.

A worker is a process that takes one task after the other, so that it can keep a loaded model. It
holds its resources (cores, GPUs, memory) as long as there are tasks.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .errors import InputError, MissingExtra, TransferscopeError

Task = TypeVar("Task", bound=Hashable)
Result = TypeVar("Result")
ATTEMPTS = 4
"""How often a task is started before it is given up because its workers are lost."""
PAUSE_S = 5.0
"""Seconds after which the cluster is looked at again: machines may have joined or left."""
LOCAL = "local"
AGAIN = "finished parts are kept: start the same command again when there are machines"


@dataclass(frozen=True, slots=True)
class Wants:
    """What one worker needs of a machine; ``memory`` is in bytes."""

    cpus: int = 1
    gpus: int = 0
    memory: int = 0

    def fits(self, machine: Mapping[str, float]) -> int:
        """Number of such workers that a machine with Ray's resources has room for."""
        needs = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory}
        return min(int(machine.get(kind, 0.0) // n) for kind, n in needs.items() if n)

    def __str__(self) -> str:
        memory = f" and {self.memory / 2**30:.1f} GiB of memory" if self.memory else ""
        return f"{self.cpus} CPU cores, {self.gpus} GPUs{memory}"


def connected(address: str | None = None, *, needed_for: str) -> Any:
    """Ray, after joining the cluster at ``address``; ``local`` starts one on this machine.

    ``None`` joins the cluster named by ``RAY_ADDRESS``, else starts one. A cluster that this
    process has joined already is kept. Raises :class:`MissingExtra` without Ray and
    :class:`InputError` if there is no such cluster.
    """
    try:
        import ray
    except ImportError:
        raise MissingExtra("ray", needed_for=needed_for) from None
    if ray.is_initialized():
        return ray
    quiet = {"log_to_driver": False, "include_dashboard": False, "logging_level": "ERROR"}
    if address not in (None, LOCAL):
        quiet.pop("include_dashboard")
    try:
        _knock(address)
        ray.init(address=address, **quiet)
    except (OSError, ValueError, RuntimeError) as err:
        what = f"can't join the Ray cluster: {' '.join(str(err).split())[:200]}"
        remedy = "start one with `ray start --head` and name its address, or use --ray local"
        raise InputError(what, place=f"--ray {address}", remedy=remedy) from None
    return ray


def _knock(address: str | None) -> None:
    """Raise ``OSError`` if no program listens at ``HOST:PORT``: Ray would try for minutes."""
    host, _, port = (address or "").rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10.0).close()


def machines_of(ray: Any) -> list[Mapping[str, float]]:
    """The resources of every machine that is alive."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def room(machines: Sequence[Mapping[str, float]], wants: Wants) -> int:
    """Number of workers that the machines have room for."""
    return sum(wants.fits(machine) for machine in machines)


def over_workers(
    ray: Any,
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    wants: Wants,
    done: Callable[[Task, Result], None],
    group: Callable[[Task], Hashable] = lambda _: None,
) -> None:
    """Run ``work`` on every task; call ``done(task, result)`` here as each one ends.

    Every worker gets its own copy of ``work``, which may keep state between tasks: a worker prefers
    tasks of the ``group`` that it had last. Raises what ``work`` raises (the first one), and
    :class:`InputError` if no machine has room for a worker or a task has lost :data:`ATTEMPTS`
    workers. Then the other workers are ended.
    """
    _Pool(ray, ray.put(work), list(tasks), wants, group).run(done)


class _Worker:
    """The process on the other side."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work

    def ready(self) -> None:
        """Return once the process has started."""

    def run(self, task: Any) -> Any:
        """Return the result, or the exception that the user shall see."""
        try:
            return self._work(task)
        except TransferscopeError as err:
            return _Refused(str(err))


@dataclass(frozen=True, slots=True)
class _Refused:
    """An error of the package. Ray could not rebuild every exception, so its line is sent."""

    line: str


@dataclass(slots=True)
class _Held(Generic[Task]):
    """A worker as the driver sees it: its task (``None``: it is starting) and its last group."""

    actor: Any
    task: Task | None = None
    group: Hashable = None


class _Pool(Generic[Task]):
    def __init__(
        self,
        ray: Any,
        work: Any,
        waiting: list[Task],
        wants: Wants,
        group: Callable[[Task], Hashable],
    ) -> None:
        self._ray, self._work, self._waiting, self._wants = ray, work, waiting, wants
        self._group = group
        self._busy: dict[Any, _Held[Task]] = {}
        self._starts: Counter[Task] = Counter()
        self._stillborn = 0

    def run(self, done: Callable[[Task, Any], None]) -> None:
        try:
            self._hire()
            while any(held.task is not None for held in self._busy.values()) or self._waiting:
                ready, _ = self._ray.wait(list(self._busy), timeout=PAUSE_S)
                for reference in ready:
                    self._ended(self._busy.pop(reference), reference, done)
                self._hire()
        finally:
            for held in self._busy.values():
                self._ray.kill(held.actor)

    def _ended(self, held: _Held[Task], reference: Any, done: Callable[[Task, Any], None]) -> None:
        """Take the result of a call, and give its worker the next task."""
        lost = self._ray.exceptions
        try:
            result = self._ray.get(reference)
        except (lost.RayActorError, lost.OutOfMemoryError, lost.NodeDiedError) as err:
            self._ray.kill(held.actor)
            self._lost(held.task, err)
            return
        self._stillborn = 0
        if isinstance(result, _Refused):
            self._ray.kill(held.actor)
            raise InputError(result.line)
        if held.task is not None:
            done(held.task, result)
        if self._waiting:
            self._give(held)
        else:
            self._ray.kill(held.actor)

    def _lost(self, task: Task | None, err: Exception) -> None:
        """Put the task of a lost worker back, unless that has happened too often."""
        self._stillborn += task is None
        starts = self._stillborn if task is None else self._starts[task]
        if starts >= ATTEMPTS:
            why = " ".join(str(err).split())[-300:]
            remedy = "see Ray's log of the machine (memory?); finished parts are kept"
            raise InputError(f"{starts} workers were lost in a row: {why}", remedy=remedy)
        if task is not None:
            self._waiting.insert(0, task)

    def _give(self, held: _Held[Task]) -> None:
        """Start the next task on a worker: of its own group, else of one with few workers."""
        groups = Counter(map(self._group, self._waiting))
        if held.group not in groups:
            having = Counter(each.group for each in self._busy.values())
            held.group = max(groups, key=lambda name: groups[name] / (1 + having[name]))
        at = next(n for n, t in enumerate(self._waiting) if self._group(t) == held.group)
        held.task = self._waiting.pop(at)
        self._starts[held.task] += 1
        self._busy[held.actor.run.remote(held.task)] = held

    def _hire(self) -> None:
        """Start as many workers as tasks can use and machines have room for."""
        starting = sum(held.task is None for held in self._busy.values())
        lacking = len(self._waiting) - starting
        if not self._waiting or (lacking <= 0 and starting < len(self._busy)):
            return
        machines = machines_of(self._ray)
        most = room(machines, self._wants)
        if not most:
            what = f"no machine of the cluster ({len(machines)} alive) has {self._wants}"
            raise InputError(what, place="--ray", remedy=f"ask for less per worker; {AGAIN}")
        remote = self._ray.remote(
            num_cpus=self._wants.cpus, num_gpus=self._wants.gpus, memory=self._wants.memory or None
        )(_Worker)
        for _ in range(min(lacking, most - len(self._busy))):
            actor = remote.remote(self._work)
            self._busy[actor.ready.remote()] = _Held(actor)

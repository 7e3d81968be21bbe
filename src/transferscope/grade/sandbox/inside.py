"""Runs inside the sandbox as its first process: one program, a fresh process for every input.

The harness (:mod:`.session`) sends this module as bytecode to ``python -I -S``, so it uses the
standard library only, and of that only what starts fast. The harness then sends a job and one input
at a time, and gets the program's output for each. It never sends an expected output: answers are
compared outside, so nothing in the sandbox is worth reading, and a program that forges a reply must
still know the answer.

Frames begin with their length in 8 bytes. The job is in ``marshal`` format, which is safe in this
direction only; a reply is a header of numbers (:data:`HEADER`) and two byte strings.

As PID 1 of its namespace, this process can't be killed by the program, and all processes that the
program leaves behind are killed between two inputs.
"""

import marshal
import os
import select
import sys
import time

TYPE_CHECKING = False  # importing typing or contextlib would take as long as starting Python
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType
    from typing import Any, NoReturn

READY, EXITED, SIGNALLED, COMPILE, TIMEOUT, MEMORY = range(6)
HEADER = (1, 4, 4, 8, 8)
"""Bytes of a reply's status, exit code or signal, CPU milliseconds, and sizes of both strings."""
TICK = 0.05
"""Seconds between two looks at the memory of a running program."""
ERRORS_KEPT = 2_000
STARVED = 4
"""How much longer than its wall time a program may take on a busy machine."""
KILL, CPU_EXCEEDED = 9, 24
PRELUDE = (
    ("typing", "collections", "math", "heapq", "bisect", "itertools", "functools"),
    ("string", "re", "datetime", "copy", "random", "statistics", "operator", "io", "sys", "json"),
)
"""Modules whose names a program may use without importing them, as LiveCodeBench allows."""
RECURSION = 50_000
"""LiveCodeBench's recursion limit."""
STACK = 100 << 20
FLUSHING = ("open", "Wrapper", "Buffered", "FileIO", "__del__")
"""Words of programs whose output may depend on how the interpreter ends."""


def serve() -> "Callable[[], None]":
    """Serve the harness until it closes the pipe; only return in a child, to run the program."""
    import resource  # noqa: F401 - every child shares it

    job = marshal.loads(_read_frame() or _end())
    if job["user"] is not None:
        _become(job["user"])
    os.chdir(job["folder"])
    _reply(READY)
    code, function = job["code"], job["function"]
    files = _files(job["folder"])
    child = os.fork()
    if not child:
        _confine(job, files)
        return lambda: _check(code)
    status, number, seconds = _wait(child, job)
    compiled = (status, number) == (EXITED, 0)
    _reply(READY if compiled else COMPILE, errors=_content(files[2])[-ERRORS_KEPT:])
    if not compiled:
        _end()
    program = compile(code, "program.py", "exec", dont_inherit=True)
    known = _prelude(code) if job["prelude"] else None
    lasting = any(word in code for word in FLUSHING)
    if function:
        import json  # noqa: F401 - every child shares it
    for file in files:
        os.close(file)
    while (data := _read_frame()) is not None:
        _tidy(job["folder"])
        files = _files(job["folder"])
        _write(files[0], data)
        os.lseek(files[0], 0, os.SEEK_SET)
        child = os.fork()
        if not child:
            _confine(job, files)
            return lambda: _run(program, known, function, lasting)
        status, number, seconds = _wait(child, job)
        output, errors = (_content(file) for file in files[1:])
        for file in files:
            os.close(file)
        _reply(status, number, seconds, output, errors[-ERRORS_KEPT:])
    return _end()


def _become(user: int) -> None:
    """Give up root for good. The kernel then hides /proc/self and forgets the death signal."""
    import ctypes

    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    control = ctypes.CDLL(None).prctl
    control(1, KILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    control(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: programs open /dev/stdin


def _check(code: str) -> None:
    """Exit with 0 if the code compiles."""
    compile(code, "program.py", "exec", dont_inherit=True)


def _run(program: "CodeType", known: "dict[str, Any] | None", function: str, lasting: bool) -> None:
    """Run the program as the main module; with a function, call it and write what it returns.

    ``lasting`` says that the program may have files which only the interpreter's end writes out.
    """
    import builtins

    main = type(sys)("__main__")
    if known is not None:
        sys.setrecursionlimit(RECURSION)
        main.__dict__.update(known)
    sys.argv, sys.modules["__main__"] = ["program.py"], main
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # python -S has neither
    if not function:
        exec(program, main.__dict__)
        if lasting:
            return
        # What the interpreter does at its end, but for taking itself apart, which takes longer.
        if "threading" in sys.modules:
            sys.modules["threading"]._shutdown()
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()
        for stream in (sys.stdout, sys.__stdout__):
            if stream is not None and hasattr(stream, "flush"):
                stream.flush()
        os._exit(0)
    from json import dumps, loads

    given = [loads(line) for line in sys.stdin.read().split("\n") if line.strip()]
    reply, nothing = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nothing, standard)
    exec(program, main.__dict__)
    solution: Any = main.__dict__.get("Solution")
    home = solution() if hasattr(solution, function) else main
    _write(reply, dumps(getattr(home, function)(*given)).encode())
    os._exit(0)


def _prelude(code: str) -> "dict[str, Any]":
    """The standard names that the code reads but neither binds nor imports."""
    import builtins
    import symtable

    top = symtable.symtable(code, "program.py", "exec")
    read: set[str] = set()
    bound = set(dir(builtins))
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if not (table is top or symbol.is_global()):
                continue
            if symbol.is_referenced():
                read.add(symbol.get_name())
            if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
                bound.add(symbol.get_name())
    missing, found = read - bound, {}
    for tier in PRELUDE:
        for name in tier if missing else ():
            module = __import__(name)
            public = set(getattr(module, "__all__", dir(module))) | {name}
            for one in missing & public:
                found[one] = module if one == name else getattr(module, one)
            missing -= public
    return found


def _confine(job: "dict[str, Any]", files: "Sequence[int]") -> None:
    """In a child: set its standard files and limits, and close everything else."""
    import resource

    os.setsid()
    for standard, file in enumerate(files):
        os.dup2(file, standard)
    os.closerange(3, 256)
    seconds = job["cpu"]
    for limit, soft, hard in (
        (resource.RLIMIT_CPU, seconds, seconds + 1),
        (resource.RLIMIT_AS, job["memory"] + STACK, job["memory"] + STACK),
        (resource.RLIMIT_STACK, STACK, STACK),
        (resource.RLIMIT_FSIZE, job["output"], job["output"]),
        (resource.RLIMIT_NOFILE, job["files"], job["files"]),
        (resource.RLIMIT_NPROC, job["processes"], job["processes"]),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        if soft is not None:
            resource.setrlimit(limit, (soft, hard))


def _wait(child: int, job: "dict[str, Any]") -> tuple[int, int, float]:
    """Wait for a child within its limits: status, exit code or signal, and CPU seconds.

    Also ends if the harness does. Nothing that the child has started is left afterwards.
    """
    deadline = time.monotonic() + job["wall"]
    status = EXITED
    ended = os.pidfd_open(child)
    events = select.poll()
    events.register(ended, select.POLLIN)
    events.register(0, 0)
    while True:
        happened = events.poll(1000 * TICK)
        if any(file == 0 for file, _ in happened):
            _kill(child)
            _end()
        if happened:
            break
        late = time.monotonic() - deadline
        if late > (STARVED - 1) * job["wall"] or late > _starved(child):
            status = TIMEOUT
        elif _memory(child) > job["memory"]:
            status = MEMORY
        if status != EXITED:
            break
    os.close(ended)
    if status != EXITED:
        _kill(child)
    _, how, used = os.wait4(child, 0)
    _kill(child)
    number, seconds = os.waitstatus_to_exitcode(how), used.ru_utime + used.ru_stime
    if status == EXITED and number < 0:
        status, number = SIGNALLED, -number
        if number == CPU_EXCEEDED or (number == KILL and seconds >= job["cpu"]):
            status = TIMEOUT
    return status, abs(number), seconds


def _kill(child: int) -> None:
    """Kill everything that the program has started and reap it; only its group outside a jail."""
    own = os.getpid() == 1
    while True:
        try:  # noqa: SIM105 - contextlib starts slowly
            os.kill(-1, KILL) if own else os.killpg(child, KILL)
        except (ProcessLookupError, PermissionError):
            pass
        if not own:
            return
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            if ended is None or ended.si_pid == child:
                return
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _starved(child: int) -> float:
    """Seconds that a child was ready to run while others had the CPUs."""
    try:
        with open(f"/proc/{child}/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _memory(child: int) -> int:
    """Bytes of memory that the program's processes occupy."""
    pids = [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]
    total = 0
    for pid in pids if os.getpid() == 1 else [str(child)]:
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                total += int(file.read().split()[1])
        except (OSError, IndexError):
            continue
    return total * os.sysconf("SC_PAGE_SIZE")


def _files(folder: str) -> list[int]:
    """New files without a name for a child's standard input, output and errors."""
    return [os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600) for _ in range(3)]


def _content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _tidy(folder: str) -> None:
    """Remove what the program has left on the sandbox's only writable folder."""
    for name in os.listdir(folder):
        import shutil

        path = os.path.join(folder, name)
        shutil.rmtree(path, ignore_errors=True)
        if os.path.lexists(path):
            os.unlink(path)


def _read_frame() -> bytes | None:
    """The next frame; ``None`` at the end."""
    size = _read(8)
    return _read(int.from_bytes(size, "big")) if size else None


def _read(size: int) -> bytes:
    parts: list[bytes] = []
    while size and (part := os.read(0, min(size, 1 << 20))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _reply(
    status: int, number: int = 0, seconds: float = 0.0, output: bytes = b"", errors: bytes = b""
) -> None:
    numbers = (status, number, int(1000 * seconds), len(output), len(errors))
    header = b"".join(n.to_bytes(size, "big") for n, size in zip(numbers, HEADER, strict=True))
    _write(1, header + output + errors)


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _end() -> "NoReturn":
    os._exit(0)


if __name__ == "__main__":
    serve()()

"""
Hides from labkit what Windows lacks: the learner's path has to do without it.

    PYTHONPATH=tests/without_posix python -m pytest -m learner_path

Each Python that is started so, with all Pythons that it starts, gives labkit's modules and tests an `os`, a
`signal` and so on that have no more than they have on Windows, and say that this is Windows; all others have the
real ones. What labkit asks of programs of Windows, `bin/` answers. What it can't show: the event loop of Windows,
its console, files that can't be deleted while they are open, and text that is not UTF-8.
"""

from __future__ import annotations

import builtins
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))

HIDDEN_FROM = "labkit", "test_exercise", "tests", "lessons"  # a test that runs here runs on Windows, too

NO_MODULES = "crypt fcntl grp nis posix pty pwd readline resource syslog termios tty"

# What the documentation of Python calls available on Unix only.
NOT_IN_OS = """
    chown chroot confstr ctermid environb fchmod fchown fdatasync fork forkpty fpathconf fstatvfs fwalk get_blocking
    getegid getenvb geteuid getgid getgrouplist getgroups getloadavg getpgid getpgrp getpriority getresgid getresuid
    getsid getuid initgroups killpg lchown lockf login_tty major makedev minor mkfifo mknod nice openpty pathconf
    pipe2 pread preadv pwrite pwritev readv register_at_fork sendfile set_blocking setegid seteuid setgid setgroups
    setpgid setpriority setregid setresgid setresuid setreuid setsid setuid statvfs sync sysconf tcgetpgrp tcsetpgrp
    ttyname uname wait wait3 wait4 waitid writev O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_NOATIME O_NOCTTY
    O_NOFOLLOW O_NONBLOCK O_SYNC WNOHANG WUNTRACED WCONTINUED
"""
UNIX = "CLONE_", "EFD_", "P_PID", "PRIO_", "RTLD_", "SCHED_", "TFD_", "WIF", "posix_", "sched_"

SIGNALS = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM"}
NOT_IN_SIGNAL = """
    alarm getitimer pause pidfd_send_signal pthread_kill pthread_sigmask setitimer siginterrupt sigpending
    sigtimedwait sigwait sigwaitinfo ITIMER_PROF ITIMER_REAL ITIMER_VIRTUAL ItimerError SIG_BLOCK SIG_SETMASK
    SIG_UNBLOCK Sigmasks
"""
OTHER_SIGNALS = [name for name in dir(signal) if name[:3] == "SIG" and name[3:4] != "_" and name not in SIGNALS]


class Stand(ModuleType):
    """A module in which names are missing, or mean something else; what is set in it is set in the real one."""

    def __init__(self, real: ModuleType, missing: Iterable[str] = (), **instead: Any) -> None:
        own = {"real": real, "missing": set(missing), "instead": instead}
        super().__init__(real.__name__)
        object.__getattribute__(self, "__dict__").update(own)

    def __getattribute__(self, name: str) -> Any:
        own: Mapping[str, Any] = object.__getattribute__(self, "__dict__")
        if name in own["missing"]:
            raise AttributeError(f"module {own['real'].__name__!r} has no attribute {name!r} on Windows")
        return own["instead"][name] if name in own["instead"] else getattr(own["real"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "__dict__")["real"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(object.__getattribute__(self, "__dict__")["real"], name)


def kill(pid: int, number: int) -> None:
    """End this very process, as it does there; another one is not asked anything, it is ended."""
    if pid != os.getpid() or number != signal.SIGTERM:
        raise NotImplementedError(f"os.kill({pid}, {number}) ends the process on Windows")
    os._exit(number)


def set_handler(number: int, handler: Any) -> Any:
    """Take a handler for a signal that there is on Windows."""
    if signal.Signals(number).name not in SIGNALS:
        raise ValueError("invalid signal value")
    return signal.signal(number, handler)


def select_sockets(*waited_for: Any) -> Any:
    """Wait for sockets, and for nothing else."""
    import select
    import socket

    for each in (each for some in waited_for[:3] for each in some):
        if not isinstance(each, socket.socket):
            raise OSError(f"[WinError 10038] {each!r} is not a socket")
    return select.select(*waited_for)


def get_context(method: str | None = None) -> Any:
    """Give the one start method that there is on Windows."""
    import multiprocessing

    if method not in (None, "spawn"):
        raise ValueError(f"cannot find context for {method!r}")
    return multiprocessing.get_context("spawn")


class Popen(subprocess.Popen):  # type: ignore[type-arg]
    """A process that is started as on Windows, and hides the same from its own labkit from the beginning."""

    def __init__(self, *arguments: Any, preexec_fn: Any = None, pass_fds: Any = (), **more: Any) -> None:
        if preexec_fn is not None or pass_fds:
            raise ValueError("preexec_fn and pass_fds are not supported on Windows platforms")
        if more.get("env") is not None:
            more["env"] = {**more["env"], "PYTHONPATH": first(more["env"].get("PYTHONPATH", ""))}
        super().__init__(*arguments, **more)

    def send_signal(self, sig: int) -> None:
        """Send the one signal that can be sent there."""
        if sig not in (signal.SIGTERM, signal.SIGKILL):
            raise ValueError(f"Unsupported signal: {sig}")
        super().send_signal(signal.SIGKILL)


def first(path: str) -> str:
    """Put this folder before all others of a path."""
    others = [each for each in path.split(os.pathsep) if each and os.path.abspath(each) != HERE]
    return os.pathsep.join([HERE, *others])


def stand(name: str) -> ModuleType | None:
    """Return what stands for a module, None where the real one will do."""
    real = sys.modules[name]
    match name:
        case "os":
            more = [each for each in dir(os) if each.startswith(UNIX)]
            return Stand(real, [*NOT_IN_OS.split(), *more], kill=kill, name="nt")
        case "signal":
            return Stand(real, [*NOT_IN_SIGNAL.split(), *OTHER_SIGNALS], signal=set_handler)
        case "sys":
            return Stand(real, platform="win32")
        case "faulthandler":
            return Stand(real, ["register", "unregister"])
        case "multiprocessing":
            return Stand(real, get_context=get_context, get_all_start_methods=lambda: ["spawn"])
        case "select":
            return Stand(real, ["epoll", "poll", "kqueue", "devpoll"], select=select_sockets)
        case "socket":
            return Stand(real, ["AF_UNIX"])
        case "subprocess":
            return Stand(real, Popen=Popen)
        case "asyncio":
            real.SelectorEventLoop.add_signal_handler = no_signals  # type: ignore[attr-defined]
            real.SelectorEventLoop.remove_signal_handler = no_signals  # type: ignore[attr-defined]
    return None


def no_signals(*arguments: Any) -> None:
    """Refuse, as every event loop on Windows does."""
    raise NotImplementedError


stands: dict[str, ModuleType | None] = {}
original: Callable[..., Any] = builtins.__import__


def without_posix(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    """Import for anybody; for labkit, what there is on Windows."""
    if level or not globals or str(globals.get("__name__")).partition(".")[0] not in HIDDEN_FROM:
        return original(name, globals, locals, fromlist, level)
    if name.partition(".")[0] in NO_MODULES.split():
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    found = original(name, globals, locals, fromlist, level)
    if found.__name__ not in stands:
        stands[found.__name__] = stand(found.__name__)
    return stands[found.__name__] or found


def give_way() -> None:
    """Have the `sitecustomize` that would have been found without this one."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]
    own = sys.modules.pop("sitecustomize")
    try:
        importlib.import_module("sitecustomize")
    except ModuleNotFoundError as missing:
        if missing.name != "sitecustomize":
            raise
    sys.modules.setdefault("sitecustomize", own)


os.environ["PYTHONPATH"] = first(os.environ.get("PYTHONPATH", ""))
os.environ["PATH"] = os.pathsep.join([os.path.join(HERE, "bin"), os.environ["PATH"]])
builtins.__import__ = without_posix
give_way()

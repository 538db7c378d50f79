"""A program under the recorder does what it does without, and what it leaves behind is found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from labkit.errors import InvalidInput
from labkit.recorder.process import handoff
from labkit.recorder.process.diagnosis import Diagnosis
from labkit.recorder.process.runner import diagnose

LEAK = """
import asyncio, os, sys
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
kept = []
async def leak():
    engine = create_async_engine("sqlite+aiosqlite://")
    connection = await engine.connect()
    await connection.execute(text("SELECT 1"))
    kept.append((engine, connection))
"""

# Each program prints, fails or ends in a way of its own.
PROGRAMS = {
    "empty": "",
    "raises": "def f():\n    1 / 0\n\nf()\n",
    "raises_from": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e\n",
    "exit_3": "import sys; sys.exit(3)",
    "exit_text": "import sys; sys.exit('a text')",
    "exit_none": "import sys; sys.exit()",
    "exit_at_once": "import os; print('never flushed'); os._exit(4)",
    "does_not_compile": "x = (\nif\n",
    "not_utf8": b"print('\xff')\n",
    "declares_latin1": b"# -*- coding: latin-1 -*-\nprint(ascii('\xff'))\n",
    "null_byte": b"print(1)\0\n",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "terminated": "import os, signal; print('a', flush=True); os.kill(os.getpid(), signal.SIGTERM); print('b')",
    "aborts": "import os; os.abort()",
    "interrupted": "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
    "arguments": "import sys; print(sys.argv)",
    "names": "print(sorted(globals()), __name__, __file__, __spec__, type(__loader__), __package__)",
    "path": "import sys; print(sys.path, sys.flags, sys.warnoptions)",
    "stack": "import inspect, sys; print(len(inspect.stack()), sys._getframe().f_back)",
    "threads": "import threading; print([t.name for t in threading.enumerate()])",
    "main_module": "import sys; print(sys.modules['__main__'].__dict__ is globals())",
    "excepthook_deleted": "import sys\ndel sys.excepthook\n1 / 0\n",
    "excepthook_replaced": "import sys\nsys.excepthook = lambda *a: print('mine', a[0])\n1 / 0\n",
    "exithandler": "import atexit; atexit.register(print, 'at exit'); print('end')",
    "exithandler_fails": "import atexit; atexit.register(int, 'x')",
    "thread_outlives_main": "import threading, time\n"
    "e = threading.Event(); t = threading.Thread(target=lambda: (e.wait(), print('end')))\n"
    "t.start(); threading.Timer(0.01, e.set).start(); print('main')\n",
    "pickles": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)\n",
    "forks": "import os\npid = os.fork()\nif pid: print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    "else: os._exit(5)\n",
    "multiprocessing": "import multiprocessing as m, sys\ndef f(x): return x * x\n"
    "if __name__ == '__main__':\n    with m.get_context(sys.argv[1]).Pool(2) as p: print(p.map(f, [1, 2, 3]))\n",
    "changes_folder": "import os; os.chdir('/'); print(os.getcwd()); 1 / 0",
    "closes_stderr": "import sys; sys.stderr.close(); sys.exit(6)",
    "closes_all_files": "import os; os.closerange(3, 65536); print('closed')",
    "prints_much": "print('x' * 2**20)",
    "replaces_asyncio_run": "import asyncio\nasyncio.run = lambda c: c.close() or 'mine'\n"
    "async def f(): pass\nprint(asyncio.run(f()))\n",
    "replaces_new_event_loop": "import asyncio\nclass L(asyncio.SelectorEventLoop): pass\n"
    "asyncio.new_event_loop = L\nl = asyncio.new_event_loop()\nasync def f(): return 7\n"
    "print(l.run_until_complete(f())); l.close()\n",
    "async_failure": "import asyncio\nasync def f(): raise LookupError('async')\nasyncio.run(f())\n",
    "warns": "import warnings; warnings.warn('careful')",
}


class Ran(NamedTuple):
    status: int
    output: str
    error: str


def plainly(*arguments: str, cwd: Path) -> Ran:
    ran = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd)
    return Ran(ran.returncode, ran.stdout, ran.stderr)


Record = Callable[..., tuple[Diagnosis, Ran]]


@pytest.fixture
def recorded(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Record:
    def run(*arguments: str, cwd: Path, **options: object) -> tuple[Diagnosis, Ran]:
        monkeypatch.chdir(cwd)
        capfd.readouterr()
        diagnosis = diagnose(list(arguments), **options)  # type: ignore[arg-type]
        told = capfd.readouterr()
        return diagnosis, Ran(diagnosis.returncode, told.out, told.err)

    return run


@pytest.fixture(autouse=True)
def no_folder_stays(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> object:
    """Whatever happens, the private folder goes."""
    folder = tmp_path_factory.mktemp("tmp")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.mark.full
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_and_ends_as_it_does_without_the_recorder(
    name: str, recorded: Record, tmp_path: Path
) -> None:
    source = PROGRAMS[name]
    script = tmp_path / "program.py"
    script.write_bytes(source if isinstance(source, bytes) else source.encode())

    expected = plainly("program.py", "fork", "--json", cwd=tmp_path)
    diagnosis, ran = recorded("program.py", "fork", "--json", cwd=tmp_path)

    assert ran == expected
    assert diagnosis.findings == []


@pytest.mark.push
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_pool_of_processes_works_however_it_is_started(method: str, recorded: Record, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAMS["multiprocessing"])

    _, ran = recorded("program.py", method, cwd=tmp_path)

    assert ran == (0, "[1, 4, 9]\n", "")


def test_a_module_with_relative_imports_runs_as_a_module(recorded: Record, tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "stock.py").write_text("number = 7")
    (package / "job.py").write_text("import sys\nfrom .stock import number\nprint(number, sys.argv)\n1 / 0\n")

    expected = plainly("-m", "shop.job", "-m", "x", cwd=tmp_path)
    _, ran = recorded("shop.job", "-m", "x", module=True, cwd=tmp_path)

    assert ran == expected


def test_a_module_that_does_not_exist_is_python_s_to_refuse(recorded: Record, tmp_path: Path) -> None:
    expected = plainly("-m", "no_such_module", cwd=tmp_path)

    assert recorded("no_such_module", module=True, cwd=tmp_path)[1] == expected


def test_a_folder_with_a_main_module_runs(recorded: Record, tmp_path: Path) -> None:
    (tmp_path / "application").mkdir()
    (tmp_path / "application" / "__main__.py").write_text("print('runs')")

    assert recorded("application", cwd=tmp_path)[1].output == "runs\n"


@pytest.mark.push
@pytest.mark.parametrize("name", ["with spaces.py", "été ☃.py", "-dashed.py", "no_suffix"])
def test_a_script_may_have_any_name(name: str, recorded: Record, tmp_path: Path) -> None:
    (tmp_path / name).write_text(f"{LEAK}\nasyncio.run(leak())\n", encoding="utf-8")

    diagnosis, ran = recorded(f"./{name}", cwd=tmp_path)

    assert ran.status == 0
    assert [finding.where and Path(finding.where.file).name for finding in diagnosis.findings] == [name]


@pytest.mark.full
@pytest.mark.parametrize("module", ["queue", "signal", "redis", "sqlalchemy", "labkit", "os", "encodings"])
@pytest.mark.parametrize("kind", ["{}.py", "{}/__init__.py", "{}/data.txt"])
def test_the_program_s_own_modules_are_imported_whatever_labkit_imports(
    kind: str, module: str, recorded: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        monkeypatch.delenv(name, raising=False)  # coverage imports some of them before the program does
    file = tmp_path / kind.format(module)
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine = 'mine'\n")
    (tmp_path / "program.py").write_text(f"import {module}\nprint({module}.__file__)\n")

    _, ran = recorded("program.py", cwd=tmp_path)

    assert ran == plainly("program.py", cwd=tmp_path)


def test_the_environment_s_own_sitecustomize_is_executed(
    recorded: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("print('custom')")
    (tmp_path / "program.py").write_text("import sitecustomize; print(sitecustomize.__file__)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    _, ran = recorded("program.py", cwd=tmp_path)

    assert ran == plainly("program.py", cwd=tmp_path)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("raise LookupError", 1),
        ("sys.exit(3)", 3),
        ("os._exit(4)", 4),
        ("raise KeyboardInterrupt", -signal.SIGINT),
    ],
)
def test_a_leak_is_found_by_whichever_way_the_program_ends(
    end: str, status: int, recorded: Record, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(f"{LEAK}\nasyncio.run(leak())\n{end}\n")

    diagnosis, ran = recorded("program.py", cwd=tmp_path)

    assert ran.status == status
    assert [finding.code for finding in diagnosis.findings] == ["leaked-connection"]
    assert diagnosis.status == {0: 1, -signal.SIGINT: 130}.get(status, status)


def test_what_a_program_that_is_terminated_holds_is_listed_and_not_judged(recorded: Record, tmp_path: Path) -> None:
    program = f"{LEAK}\nasync def main():\n    await leak()\n    os.kill(os.getpid(), 15)\nasyncio.run(main())\n"
    (tmp_path / "program.py").write_text(program)

    diagnosis, ran = recorded("program.py", cwd=tmp_path)

    assert (ran.status, diagnosis.status) == (-signal.SIGTERM, 128 + signal.SIGTERM)
    assert [process.ended for process in diagnosis.processes] == ["SIGTERM"]
    assert [len(process.record.holders()) for process in diagnosis.processes] == [1]
    assert diagnosis.findings == []


def test_a_program_s_own_handler_for_sigterm_is_kept(recorded: Record, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import os, signal, sys\nsignal.signal(15, lambda *_: sys.exit(9))\nos.kill(os.getpid(), 15)\n"
    )

    assert recorded("program.py", cwd=tmp_path)[1].status == 9


FORK = f"""{LEAK}
pid = os.fork()
if pid == 0:
    asyncio.run(leak())
    END
os.waitpid(pid, 0)
"""


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)", "raise LookupError"])
def test_a_leak_in_a_forked_child_is_found_by_whichever_way_it_ends(
    end: str, recorded: Record, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(FORK.replace("END", end))

    diagnosis, ran = recorded("program.py", cwd=tmp_path)

    assert ran.status == 0
    assert [len(process.findings) for process in diagnosis.processes] == [0, 1]
    assert len({process.pid for process in diagnosis.processes}) == 2


@pytest.mark.push
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_leak_in_a_child_of_multiprocessing_is_found(method: str, recorded: Record, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        f"{LEAK}\nimport multiprocessing as m\ndef job(): asyncio.run(leak())\n"
        f"if __name__ == '__main__':\n    p = m.get_context({method!r}).Process(target=job); p.start(); p.join()\n"
    )

    diagnosis, _ = recorded("program.py", cwd=tmp_path)

    assert [finding.code for finding in diagnosis.findings] == ["leaked-connection"]


def test_a_child_that_was_killed_is_named(recorded: Record, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        f"{LEAK}\npid = os.fork()\nif not pid: os.kill(os.getpid(), 9)\nos.waitpid(pid, 0); print(pid)\n"
    )

    diagnosis, ran = recorded("program.py", cwd=tmp_path)

    assert diagnosis.unheard == [int(ran.output)]
    assert f"Process {ran.output.strip()} left no record" in " ".join(diagnosis.remarks())


def test_a_child_that_would_run_on_is_asked_to_end_and_heard(recorded: Record, tmp_path: Path) -> None:
    never = tmp_path / "never"
    os.mkfifo(never)
    (tmp_path / "program.py").write_text(f"{LEAK}\nif os.fork() == 0:\n    open({str(never)!r}).read()\n")

    diagnosis, ran = recorded("program.py", cwd=tmp_path)

    assert ran.status == 0
    assert [process.ended for process in diagnosis.processes] == ["exit", "SIGTERM"]


def test_a_leak_on_a_loop_of_uvloop_is_found(recorded: Record, tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    (tmp_path / "program.py").write_text(f"{LEAK}\nimport uvloop\nuvloop.run(leak())\n")

    diagnosis, _ = recorded("program.py", cwd=tmp_path)

    assert [each.code for each in diagnosis.findings] == ["leaked-connection"]


def test_the_level_reaches_the_program(recorded: Record, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(f"{LEAK}\nasyncio.run(leak())\n")

    diagnosis, _ = recorded("program.py", level="statements", cwd=tmp_path)

    assert diagnosis.processes[0].record.counts.statements == 1


@pytest.mark.parametrize("script", ["no_such_script.py", "."])
def test_what_is_no_script_is_refused(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidInput):
        diagnose([script])


def test_json_says_all_of_a_finding(recorded: Record, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(f"{LEAK}\nasyncio.run(leak())\n")

    diagnosis, _ = recorded("program.py", cwd=tmp_path)
    told = json.loads(diagnosis.to_json())

    assert (told["version"], told["exit_status"], told["status"], told["stopped"]) == (1, 0, 1, None)
    [finding] = told["findings"]
    assert finding["where"] == {"file": str(tmp_path / "program.py"), "line": 8, "function": "leak"}
    assert finding["pid"] == told["processes"][0]["pid"]
    assert told["processes"][0]["statistics"]["checkouts"] == 1


@pytest.mark.push
def test_pytest_runs_as_it_does_without_the_recorder(
    recorded: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"
    )
    (tmp_path / "test_it.py").write_text("def test_it(): assert {'a': 1} == {'a': 1}\n")

    _, ran = recorded("pytest", "-q", module=True, cwd=tmp_path)

    assert (ran.status, ran.error) == (0, "")
    assert "1 passed" in ran.output
    assert "warning" not in ran.output


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_ctrl_c_before_the_programs_first_line_ends_it_as_it_would_end_any_program(tmp_path: Path) -> None:
    (tmp_path / "labkit").mkdir()
    (tmp_path / "labkit" / "__init__.py").write_text("raise KeyboardInterrupt")  # while the recorder is imported
    path = os.pathsep.join([str(handoff.START), str(tmp_path)])
    told = "\n".join(["pool", sys.prefix, str(tmp_path)])
    environment = {**os.environ, "PYTHONPATH": path, handoff.VARIABLE: told}

    done = subprocess.run([sys.executable, "-c", "print('begun')"], env=environment, capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")

"""
Does core still bite? Put small faults into a copy of this tree, one at a time, and let core find each of them.

    python tests/seeded_faults.py                                     every fault
    python tests/seeded_faults.py --only a_page_has_one_row_too_many  one of them; may be given several times
    python tests/seeded_faults.py --list                              what there is
    python tests/seeded_faults.py --pytest='-n 2' --json              pytest's own options, and JSON on stdout

`seeded_faults.toml` holds the faults: the file, the text to replace, which must be in the file exactly once, its
replacement, and the tests that touch that file. These tests run first; core (a plain `pytest`) runs only if they
pass. Without any fault both have to pass. Servers come from LABKIT_TEST_PROVIDERS, or else from `embedded,sqlite`.
A fault is caught when pytest names a test that failed; a test that hangs is ended by its own limit, and named too.

Exit status: 0 if at least 95 % of the faults were caught, 1 if fewer were, 2 for wrong usage, for a fault that no
longer fits its file and for tests that fail without a fault. Ctrl-C ends the pytest that runs and removes the copy.
It needs git and a POSIX system.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
import venv
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).with_suffix(".toml")
OWN_TEST = "tests/test_seeded_faults.py"  # it finds every fault, since none can be put in twice
WANTED = 0.95
LIMIT = 1200.0  # seconds for one run of pytest; a test that hangs has its own limit, which is far shorter
WRONG_USAGE, NO_TESTS = 4, 5  # exit statuses of pytest
GRACE = 10.0  # seconds for a pytest that was interrupted to end
PROVIDERS = "embedded,sqlite"
# Prints which labkit is imported here, in a child of the fork server, and in a child without any environment.
PROBE = """
import multiprocessing, subprocess, sys
told = "import labkit; print(labkit.__file__, flush=True)"
exec(told)
child = multiprocessing.get_context("forkserver").Process(target=exec, args=(told,))
child.start(), child.join()
subprocess.run([sys.executable, "-c", told], env={}, check=True)
"""


class Unusable(Exception):
    """Nothing can be learned like this: a fault, a name or the tests have to be fixed first."""


@dataclass(frozen=True)
class Fault:
    """One small fault: `old` becomes `new` in `file`; `near` are pytest's paths of the tests that touch it."""

    name: str
    file: str
    old: str
    new: str
    near: tuple[str, ...]


@dataclass(frozen=True)
class Tried:
    """What came of one fault: `test` caught it in `step`; `note` says how a run ended that named no test."""

    name: str
    file: str
    test: str
    step: str
    seconds: float
    note: str = ""

    @property
    def caught(self) -> bool:
        return bool(self.test)

    @property
    def what(self) -> str:
        return self.test or f"NOT CAUGHT {self.note}".rstrip()


@dataclass(frozen=True)
class Run:
    """One run of pytest: `failed` is the first test that failed; `status` is None when it was stopped."""

    status: int | None
    failed: str
    output: str


def load_faults(data: Path = DATA) -> list[Fault]:
    entries = tomllib.loads(data.read_text("utf-8"))
    return [Fault(name, **entry | {"near": tuple(entry["near"])}) for name, entry in entries.items()]


def choose(faults: list[Fault], names: list[str]) -> list[Fault]:
    known = {fault.name: fault for fault in faults}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            raise Unusable(f"There is no fault {name!r}." + (f" Did you mean {' or '.join(near)}?" if near else ""))
    return [known[name] for name in names] or faults


def with_fault(fault: Fault, text: str) -> str:
    """Return the text of its file with the fault in it; raises `Unusable` for one that no longer fits."""
    if (found := text.count(fault.old)) != 1:
        raise Unusable(f"{fault.name} is stale: its text is {found} times in {fault.file}, and not once.")
    changed = text.replace(fault.old, fault.new)
    if changed == text:
        raise Unusable(f"{fault.name} changes nothing.")
    if fault.file.endswith(".py"):
        try:
            ast.parse(changed)
        except SyntaxError as error:
            raise Unusable(f"{fault.name} makes {fault.file} no Python: {error}.") from None
    return changed


def check_faults(faults: Iterable[Fault], root: Path = ROOT) -> None:
    """Raise `Unusable` naming every fault that can't be tried."""
    wrong = []
    for fault in faults:
        if missing := [path for path in (fault.file, *fault.near) if not (root / path).exists()]:
            wrong.append(f"{fault.name} is stale: there is no {', '.join(missing)}.")
            continue
        try:
            with_fault(fault, (root / fault.file).read_text("utf-8"))
        except Unusable as error:
            wrong.append(str(error))
    if wrong:
        raise Unusable("\n".join(wrong))


def first_failed(output: str) -> str:
    """Return the first test that pytest's summary names as failed, or nothing."""
    _, title, summary = output.rpartition("short test summary info")
    found = re.search(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", summary, re.MULTILINE)
    return found[1] if title and found else ""


class Copy:
    """A copy of this tree in `folder`, and a Python that imports labkit from there, in every child process too."""

    def __init__(self, folder: Path, options: list[str]) -> None:
        self.tree = folder / "tree"
        self._options = options
        self._copy_tree()
        self._python = self._make_python(folder / "python")
        self._core_passes = False
        (folder / "tmp").mkdir()  # what is left by a pytest that was killed goes with the copy
        self._environment = {**os.environ, "LABKIT_TEST_PROVIDERS": providers(), "TMPDIR": str(folder / "tmp")}
        for name in ("PYTEST_ADDOPTS", "PYTHONPATH"):
            self._environment.pop(name, None)
        self._check_python(folder)

    def _copy_tree(self) -> None:
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            if name != OWN_TEST and (ROOT / name).is_file():  # one that was deleted is still listed
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.tree / name)

    def _make_python(self, folder: Path) -> str:
        # Not by PYTHONPATH: some tests start children with another environment, which would import the original.
        venv.EnvBuilder(symlinks=True).create(folder)
        installed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        where = {"base": str(folder), "platbase": str(folder)}
        packages = Path(sysconfig.get_path("purelib", "venv", where))
        # Python reads its .pth files by name, and not those of `installed`, one of which leads to the original.
        (packages / "_tree.pth").write_text("\n".join([str(self.tree), *installed]) + "\n", "utf-8")
        shutil.copy2(self.tree / "labkit" / "recorder" / "start" / "labkit_flight.pth", packages)
        for name in ("share", "etc"):  # where JupyterLab finds what belongs to it
            if (data := Path(sys.prefix) / name).is_dir():
                (folder / name).symlink_to(data)
        return str(folder / "bin" / "python")

    def _check_python(self, folder: Path) -> None:
        probe = [self._python, "-c", PROBE]
        run = subprocess.run(probe, cwd=folder, env=self._environment, capture_output=True, text=True, check=False)
        if run.stdout.split() != [str(self.tree / "labkit" / "__init__.py")] * 3:
            raise Unusable(f"Expected labkit from the copy in three processes, got {run.stdout}{run.stderr}")

    def pytest(self, *arguments: str) -> Run:
        command = [self._python, "-m", "pytest", "-rfE", *self._options, *arguments]
        # Into a file: a pipe would be open as long as a process that a fault has left behind.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
            process = subprocess.Popen(
                command,
                cwd=self.tree,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # one group, with the processes that run its tests
            )
            try:
                status = process.wait(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                return Run(None, "", "")
            finally:
                _stop(process)
            file.seek(0)
            output = file.read()
        if status == NO_TESTS:  # all of them belong to another tier
            return Run(0, "", output)
        if status == WRONG_USAGE:
            raise Unusable(f"{shlex.join(command)} can't be run:\n{_tail(output)}")
        return Run(status, first_failed(output), output)

    def check_passes(self, *arguments: str) -> None:
        """Raise `Unusable` unless these tests pass without a fault."""
        run = self.pytest(*arguments)
        if run.status != 0:
            raise Unusable(f"Without a fault the tests fail ({run.failed or run.status}):\n{_tail(run.output)}")

    def try_fault(self, fault: Fault, steps: Iterable[str] = ("near", "core")) -> Tried:
        began = time.perf_counter()
        run = Run(0, "", "")
        for step in steps:
            if step == "core" and not self._core_passes:
                self.check_passes("-q")
                self._core_passes, began = True, time.perf_counter()
            run = self._with_fault(fault, *([*fault.near, "-n", "0"] if step == "near" else []))
            if run.failed:
                return Tried(fault.name, fault.file, run.failed, step, time.perf_counter() - began)
        ends = {0: "", None: f"no end within {LIMIT:g} s"}
        note = ends.get(run.status, f"pytest ended with status {run.status}")
        return Tried(fault.name, fault.file, "", "", time.perf_counter() - began, note)

    def _with_fault(self, fault: Fault, *arguments: str) -> Run:
        path = self.tree / fault.file
        text = path.read_text("utf-8")
        path.write_text(with_fault(fault, text), "utf-8")
        try:
            return self.pytest("-x", "-q", *arguments)
        finally:
            path.write_text(text, "utf-8")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a pytest that still runs, so that it ends its servers; kill what is left of its group."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(output: str) -> str:
    return "\n".join(output.splitlines()[-40:])


def providers() -> str:
    return os.environ.get("LABKIT_TEST_PROVIDERS") or PROVIDERS


def try_all(faults: list[Fault], options: list[str], say: Console) -> list[Tried]:
    check_faults(faults)
    say.print(f"providers: {providers()}")
    tried = []
    with tempfile.TemporaryDirectory(prefix="labkit-faults-", ignore_cleanup_errors=True) as folder:
        with say.status("making the copy …"):
            copy = Copy(Path(folder).resolve(), options)
        near = sorted({path for fault in faults for path in fault.near})
        with say.status("running the near tests without a fault …"):
            copy.check_passes("-q", *near)
        for number, fault in enumerate(faults, start=1):
            with say.status(f"{number} of {len(faults)}: {fault.name} …"):
                found = copy.try_fault(fault)
            tried.append(found)
            line = f"{number} of {len(faults)}  {fault.name}  {found.step} {found.what}  {found.seconds:.0f} s"
            say.print(line, markup=False, soft_wrap=True)
    return tried


def table_of(tried: list[Tried]) -> Table:
    table = Table("fault", "caught by", "step", "s")
    for each in tried:
        table.add_row(each.name, each.what, each.step, f"{each.seconds:.0f}")
    for column in table.columns[:2]:
        column.overflow = "fold"
    return table


def report(tried: list[Tried], *, as_json: bool) -> int:
    caught = sum(each.caught for each in tried)
    share = caught / len(tried)
    if as_json:
        told = {"providers": providers(), "caught": caught, "of": len(tried), "faults": list(map(asdict, tried))}
        print(json.dumps(told, indent=2))
    else:
        console = Console(width=None if sys.stdout.isatty() else 160, highlight=False, markup=False)
        console.print(table_of(tried))
        console.print(f"{caught} of {len(tried)} caught ({share:.0%})")
        for each in tried:
            if not each.caught:
                console.print(f"not caught: {each.name} ({each.file})")
    return 0 if share >= WANTED else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this fault alone")
    parser.add_argument("--list", action="store_true", help="list the faults and run nothing")
    parser.add_argument("--json", action="store_true", help="print JSON on stdout; progress goes to stderr")
    parser.add_argument("--pytest", default="", metavar="OPTIONS", help="options for every run of pytest")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        faults = choose(load_faults(), arguments.only)
        if arguments.list:
            for fault in faults:
                print(f"{fault.name}  {fault.file}")
            return 0
        say = Console(stderr=True, highlight=False)
        return report(try_all(faults, shlex.split(arguments.pytest), say), as_json=arguments.json)
    except Unusable as error:
        print(f"seeded_faults: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

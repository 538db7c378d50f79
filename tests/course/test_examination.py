"""An exercise is judged by what it does, whatever the code under examination does to whoever judges it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from labkit.course.examination import Examination, examine
from labkit.course.exercises import Exercise, find_exercise, load_exercises
from labkit.course.verdict import Verdict
from labkit.services import Services, services_in_thread

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.providers("embedded")]

# A small exercise: `double` forgets to await, so that a coroutine fails in silence.
BROKEN = '''\
"""Double a number."""

import asyncio

notes = []


async def note(number):
    notes.append(number)


async def double(number):
    {line}note(number)
    return 2 * number
'''
TESTS = """\
from labkit.course.promises import expect, play


def test_two_doubled_is_four(exercise):
    expect("the double of 2", found=play(exercise.double, 2, timeout=1.0).get(), to_be=4)


def test_it_can_be_done_again(exercise):
    expect("the double of 3", found=play(exercise.double, 3, timeout=1.0).get(), to_be=6)
"""
RIGHT = BROKEN.format(line="await ")

Try = Callable[..., Examination]


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    folder = tmp_path / "lesson"
    folder.mkdir()
    (folder / "exercise.py").write_text(BROKEN.format(line=""))
    (folder / "test_exercise.py").write_text(TESTS)
    (folder / "wrong_fixes").mkdir()
    return Exercise("ch00_double", "Double", 5, folder)


@pytest.fixture
def try_(exercise: Exercise, tmp_path: Path, services: Services) -> Try:
    """Give a function that judges a text as the learner's file."""

    def tried(code: str | bytes, *, limit: float = 20.0) -> Examination:
        file = tmp_path / "own" / f"{exercise.name}.py"
        file.parent.mkdir()
        file.write_bytes(code if isinstance(code, bytes) else code.encode())
        return examine(exercise, file, services, limit=limit)

    return tried


def all_words(found: Examination) -> str:
    return "\n".join([found.text, *(each.text for each in found.tried), *found.waiting])


def in_scene(line: str, *, before: str = "") -> str:
    """Return a fix that does something while its scene is played, and does not fix."""
    return BROKEN.format(line="").replace("    note(number)", f"    {line}\n    {before}note(number)")


# What is right passes, and may do what is nobody's business.


@pytest.mark.learner_path
def test_a_right_fix_passes(try_: Try) -> None:
    found = try_(RIGHT)

    assert (found.verdict, found.text, found.printed) == (Verdict.PASSED, "", "")
    assert [each.test for each in found.tried] == ["test_two_doubled_is_four", "test_it_can_be_done_again"]


@pytest.mark.parametrize(
    "line",
    [
        "import warnings; warnings.warn('old', DeprecationWarning)",
        "import warnings; warnings.simplefilter('ignore', DeprecationWarning)",
        "import logging; logging.getLogger('asyncio').setLevel(logging.ERROR)",
        "import sys; sys.stdout.close()",
        "import sys; sys.stdout = None",
        "import os, shutil; os.path.exists('output.txt') and shutil.rmtree(os.getcwd())",
    ],
)
def test_what_hides_nothing_costs_nothing(line: str, try_: Try) -> None:
    found = try_(f"{line}\n{RIGHT.replace('    await', f'    {line}{chr(10)}    await')}")

    assert found.verdict is Verdict.PASSED, all_words(found)


def test_nothing_is_left_beside_the_file(try_: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    found = try_(RIGHT)
    assert list(found.file.parent.iterdir()) == [found.file]


@pytest.mark.learner_path
def test_a_megabyte_of_print_is_cut(try_: Try) -> None:
    found = try_(RIGHT.replace("    await", "    print('x' * 2**20)\n    await"))

    assert found.verdict is Verdict.PASSED
    assert found.printed == f"{'x' * 2000} …"


def test_bytes_that_are_no_text_do_not_reach_the_terminal(try_: Try) -> None:
    found = try_(f"import sys\nsys.stdout.buffer.write(b'a\\xff\\x00\\x1b[2Jb\\n')\n{RIGHT}")

    assert found.verdict is Verdict.PASSED
    assert found.printed == "a���[2Jb"


def test_an_endless_print_fills_no_disk(try_: Try) -> None:
    found = try_(in_scene("while True: print('x' * 2**20)"), limit=10.0)

    assert found.verdict in (Verdict.FAILED, Verdict.TIMED_OUT)
    assert len(found.printed) == 2002


# What is no fix is told apart from what is wrong.


def test_the_untouched_exercise_is_not_attempted(try_: Try) -> None:
    found = try_(BROKEN.format(line="") + "\n# nothing yet\n")

    assert found.verdict is Verdict.NOT_ATTEMPTED
    assert "coroutine 'note' was never awaited" in found.tried[0].text


@pytest.mark.parametrize("name", ["missing.py", "a folder"])
def test_a_file_that_is_not_there_is_not_attempted(
    name: str, exercise: Exercise, tmp_path: Path, services: Services
) -> None:
    (tmp_path / "a folder").mkdir()
    found = examine(exercise, tmp_path / name, services)

    assert (found.verdict, found.tried) == (Verdict.NOT_ATTEMPTED, ())
    assert found.text == f"there is no file {tmp_path / name}"


@pytest.mark.push
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "expected: `double` in your file; got: nothing"),
        ("# I'll do it tomorrow\n", "expected: `double` in your file; got: nothing"),
        (RIGHT.replace("double", "twice"), "expected: `double` in your file; got: asyncio, note, notes, twice"),
        (RIGHT.replace("async def double", "def double"), "line 13: SyntaxError: 'await' outside async function"),
        ("def double(number):\n    return 2 * number\n", "A scene is an `async def` function"),
        ("x = 1\ndef double(:\n", "line 2: SyntaxError: invalid syntax"),
        (b"name = '\xff'\n", "your file can't be imported: "),
        (b"name = '\x00'\n", "your file can't be imported: "),
        (f"x = {'-' * 100_000}1\n", "your file can't be imported: MemoryError"),
        (f"x = {'+'.join('1' * 50_000)}\n", "your file can't be imported: RecursionError"),
        ("import no_such_module\n", "line 1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(0)\n", "line 1: SystemExit: 0"),
        ("raise KeyboardInterrupt\n", "line 1: KeyboardInterrupt"),
    ],
)
def test_a_file_that_can_not_be_judged_says_why(code: str | bytes, words: str, try_: Try) -> None:
    found = try_(code)

    assert found.verdict is Verdict.FAILED
    assert words in all_words(found)


@pytest.mark.push
@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ValueError('wrong')", "ValueError: wrong"),
        ("SystemExit(0)", "SystemExit: 0"),
        ("KeyboardInterrupt", "KeyboardInterrupt: "),
        ("AssertionError('x' * 2**21)", "x" * 2000),
        ("Unsayable", "Unsayable: it can't be said, for that raises KeyError"),
        ("Strange", "Strange: strange"),
    ],
)
def test_whatever_a_scene_raises_is_told_in_text(error: str, words: str, try_: Try) -> None:
    classes = (
        "class Unsayable(BaseException):\n    def __str__(self): raise KeyError\n"
        "class Text(str): pass\nclass Strange(Exception):\n    def __str__(self): return Text('strange')\n"
    )
    found = try_(f"{classes}{in_scene(f'raise {error}')}")

    assert found.verdict is Verdict.FAILED
    assert found.first_failed is not None
    assert found.first_failed.text == words


@pytest.mark.parametrize("what", ["Exception", "BaseException"])
def test_swallowing_errors_fixes_nothing(what: str, try_: Try) -> None:
    code = f"async def double(number):\n    try:\n        return no_such_name\n    except {what}:\n        pass\n"
    found = try_(code)

    assert found.verdict is Verdict.FAILED
    assert "expected: the double of 2; got: None in place of 4" in all_words(found)


# What does not come to its end is told with the places where it waits.


@pytest.mark.push
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("await asyncio.Event().wait()", ["no end within 1 s", "in double"]),
        ("while True: pass", ["scene double: blocks its event loop"]),
        ("import time; time.sleep(600)", ["scene double: blocks its event loop"]),
        (
            "while True:\n        try: await asyncio.sleep(60)\n        except BaseException: pass",
            ["no end within 1 s", "in double"],
        ),
    ],
    ids=["waits", "loops", "sleeps", "swallows its end"],
)
def test_a_scene_without_an_end_is_timed_out(line: str, words: list[str], try_: Try) -> None:
    found = try_(in_scene(line))

    assert found.verdict is Verdict.TIMED_OUT
    assert all(each in found.text for each in words), found.text


@pytest.mark.push
@pytest.mark.parametrize("line", ["while True: pass", "import threading; threading.Event().wait()"])
def test_an_import_without_an_end_is_timed_out(line: str, try_: Try) -> None:
    found = try_(f"{line}\n", limit=0.5)

    assert (found.verdict, found.tried) == (Verdict.TIMED_OUT, ())
    assert found.text == "your code did not come to its end while it was imported"
    assert any("ch00_double.py:1 in the module" in place for place in found.waiting)


def test_where_each_task_waits_is_told_when_the_time_is_over(try_: Try, exercise: Exercise) -> None:
    exercise.tests.write_text(
        "from labkit.scene import private_loop\n"
        "def test_it_ends(exercise):\n    private_loop(exercise.double, 2).get()\n"
    )
    found = try_(in_scene("await asyncio.gather(asyncio.Event().wait(), asyncio.sleep(600))"), limit=0.5)

    assert found.verdict is Verdict.TIMED_OUT
    assert found.text == "your code did not come to its end during “test_it_ends”"
    assert any(place.endswith("ch00_double.py:13 in double") for place in found.waiting), found.waiting
    assert any("(Event.wait)" in place for place in found.waiting)


# What ends the process, or leaves it, is told.


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os._exit(0)\n", "ended the whole process with status 0 while it was imported"),
        (in_scene("import os; os._exit(0)"), "with status 0 during “test_two_doubled_is_four”"),
        (in_scene("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), "with status -9 during “test_two"),
        (in_scene("import os; os.closerange(3, 4096)"), "ended the whole process with status 1"),
        (f"import os\nif os.fork(): os._exit(3)\nimport time; time.sleep(600)\n{RIGHT}", "with status 3 while"),
    ],
    ids=["at the import", "in a scene", "by a signal", "no files left", "a fork goes on"],
)
def test_code_that_ends_the_process_does_not_pass(code: str, words: str, try_: Try) -> None:
    found = try_(code, limit=3.0)

    assert found.verdict is Verdict.FAILED
    assert words in found.text


@pytest.mark.learner_path
def test_processes_that_the_code_has_started_are_ended_with_it(try_: Try) -> None:
    start = f"import subprocess\nit = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(600)'])"
    found = try_(f"{start}\nprint(it.pid)\n{RIGHT}")

    deadline = time.monotonic() + 10
    while psutil.pid_exists(int(found.printed)) and time.monotonic() < deadline:
        with psutil.Process(int(found.printed)).oneshot():
            if psutil.Process(int(found.printed)).status() == psutil.STATUS_ZOMBIE:
                return
        time.sleep(0.01)
    assert not psutil.pid_exists(int(found.printed))


@pytest.mark.parametrize("code", [RIGHT, BROKEN.format(line="")], ids=["right", "broken"])
def test_code_that_deletes_its_own_folder_does_not_pass(code: str, try_: Try) -> None:
    found = try_(f"import shutil\nshutil.rmtree(__file__.rpartition('/')[0])\n{code}")

    assert found.verdict is Verdict.FAILED
    assert not found.file.exists()
    if code == RIGHT:
        assert found.text == f"your code has deleted its own file, {found.file}"


# What silences its judge, in its scene, is caught by the scene; it does not pass though nothing else is heard.


@pytest.mark.parametrize(
    "line",
    [
        "import warnings; warnings.simplefilter('ignore')",
        "import warnings; warnings.filterwarnings('ignore', '.*never awaited')",
        "import warnings; warnings.showwarning = lambda *a, **k: None",
        "import sys; sys.unraisablehook = lambda found: None",
        "import threading; threading.excepthook = lambda found: None",
        "import logging; logging.getLogger().handlers.clear()",
        "import logging; logging.disable(logging.CRITICAL)",
        "import logging; logging.getLogger('asyncio').disabled = True",
        "asyncio.get_running_loop().set_exception_handler(lambda *a: None)",
        "import gc; gc.freeze()",
    ],
)
def test_a_fix_that_silences_in_its_scene_does_not_pass(line: str, try_: Try) -> None:
    found = try_(in_scene(line, before="await "))

    assert found.verdict is Verdict.FAILED
    assert "could not be heard" in all_words(found)


# What replaces its judge is put back, and named.


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("import warnings; warnings.filterwarnings('ignore')", "warnings.filters"),
        ("import warnings; warnings.showwarning = lambda *a, **k: None", "warnings.showwarning"),
        ("import sys; sys.unraisablehook = lambda found: None", "sys.unraisablehook"),
        ("import logging; logging.Logger.error = lambda *a, **k: None", "logging.Logger.error"),
        ("import gc; gc.collect = lambda *a: 0", "gc.collect"),
        ("import nest_asyncio; nest_asyncio.apply()", "asyncio.run"),
        ("import labkit.contract as c; c.check = lambda *a: None", "labkit.contract.check"),
        ("import labkit.contract.clause as c; c.expect = lambda *a, **k: None", "labkit.contract.clause.expect"),
        ("import labkit.course.promises as p; p.play = lambda *a, **k: None", "labkit.course.promises.play"),
        ("import labkit.course.promises as p; del p.play", "labkit.course.promises.play"),
        ("import labkit.scene as s; s.private_loop = lambda *a, **k: None", "labkit.scene.private_loop"),
        ("import labkit.scene.gate as g; g._FOLDED = ()", "labkit.scene.gate._FOLDED"),
        (
            "import labkit.scene as s; s.Outcome.silent_failures = ()",
            "labkit.scene.outcome.Outcome.silent_failures",
        ),
        ("import builtins; builtins.isinstance = lambda *a: True", "builtins.isinstance"),
        ("import sys; sys.modules['labkit.scene.loop'] = sys", "labkit.scene.loop"),
        (
            "import test_exercise as t; t.expect = lambda *a, **k: None; t.play = lambda *a, **k: t",
            "test_exercise.expect",
        ),
        (
            "import test_exercise as t; t.test_two_doubled_is_four = print",
            "test_exercise.test_two_doubled_is_four",
        ),
    ],
)
def test_a_fix_that_replaces_its_judge_is_judged_by_the_true_one(line: str, name: str, try_: Try) -> None:
    found = try_(f"{line}\n{in_scene('pass')}")

    assert found.verdict is Verdict.FAILED
    assert name in found.replaced
    assert found.text == f"your code has replaced {', '.join(found.replaced)}: nothing is proved like that"
    assert [each.passed for each in found.tried] == [False, False]


def test_a_right_fix_that_replaces_its_judge_does_not_pass_either(try_: Try) -> None:
    found = try_(f"import nest_asyncio\nnest_asyncio.apply()\n{RIGHT}")

    assert found.verdict is Verdict.FAILED
    assert [each.passed for each in found.tried] == [True, True]


def test_a_judge_that_is_replaced_in_the_scene_is_named_too(try_: Try) -> None:
    found = try_(in_scene("import labkit.scene as s; s.Outcome.silent_failures = ()"))

    assert found.verdict is Verdict.FAILED
    assert found.replaced[0] == "labkit.scene.outcome.Outcome.silent_failures"


# What is nobody's fault is an environment problem.


def test_a_promise_that_these_services_can_not_be_asked_for_is_no_fault(
    try_: Try, exercise: Exercise, tmp_path: Path
) -> None:
    exercise.tests.write_text(
        f"{TESTS}\n\nfrom labkit.course.promises import NotHere\n\n"
        "def test_the_server_is_restarted(exercise):\n    raise NotHere('“restart” needs restart: local can')\n"
    )
    found = try_(RIGHT)

    assert (found.verdict, found.text) == (Verdict.ENVIRONMENT, "“restart” needs restart: local can")


def test_tests_that_can_not_be_loaded_are_no_fault_of_the_learner(try_: Try, exercise: Exercise) -> None:
    exercise.tests.write_text("import no_such_module\n")
    found = try_(RIGHT)

    assert found.verdict is Verdict.ENVIRONMENT
    assert found.text == "the tests could not be loaded (status 1)"


@pytest.fixture
def houston() -> Exercise:
    return find_exercise(load_exercises(ROOT), "ch04")


@pytest.mark.parametrize("file", ["solution.py", "wrong_fixes/a_bigger_pool.py"])
@pytest.mark.providers("local")
def test_servers_that_die_in_the_middle_are_an_environment_problem(
    file: str, houston: Exercise, provider: str
) -> None:
    with ExitStack() as stack:
        # As your own servers: an exercise would have an embedded server of its own.
        services = replace(stack.enter_context(services_in_thread(provider)), provider="url")
        begun: list[str] = []

        def stop_before_the_second(test: str) -> None:
            begun.append(test)
            if len(begun) == 3:  # the import, the first test, the second
                stack.close()

        found = examine(houston, houston.folder / file, services, on_test=stop_before_the_second)

    assert found.verdict is Verdict.ENVIRONMENT
    assert found.tried[0].passed
    assert found.text.startswith("Expected a database at ")


@pytest.mark.push
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import warnings; warnings.simplefilter('ignore')", "your code has replaced warnings.filters"),
        ("import nest_asyncio; nest_asyncio.apply()", "your code has replaced asyncio"),
        ("import os; os._exit(0)", "ended the whole process with status 0"),
    ],
)
def test_the_exercise_of_the_course_withstands_it_too(
    line: str, words: str, houston: Exercise, tmp_path: Path, services: Services
) -> None:
    file = tmp_path / "ch04_houston.py"
    file.write_text(f"{line}\n{houston.solution.read_text()}")
    found = examine(houston, file, services)

    assert found.verdict is Verdict.FAILED
    assert words in found.text

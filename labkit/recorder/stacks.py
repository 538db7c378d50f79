"""
Where the user's code was: stacks taken cheaply, interned, and resolved to lines only when a report asks.

SQLAlchemy runs its pool's hooks in a greenlet, whose own stack ends at the greenlet's root. The user's frames are
those of the greenlet's parent, which waits for it: without that step no hook ever sees the user's line.
"""

from __future__ import annotations

import itertools
import os
import site
import sys
import sysconfig
from types import CodeType, FrameType
from typing import Any

from greenlet import getcurrent

from labkit.recorder.snapshot import Place

__all__ = ["NOWHERE", "Places", "frames_of", "is_library", "user_frame"]

NOWHERE = 0  # the place without any line of the user's
DEPTH = 6  # user's frames kept for each stack
STACKS = 20_000  # when there are more, a new stack is kept as its innermost line; twice as many, and it is NOWHERE
CODES = 40_000  # code objects kept, libraries' among them; beyond, a new one is passed over
_LIBRARY = -1
_LOOP = -2  # the event loop itself: what lies below it started the loop, and did not ask for anything

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LESSONS = os.path.join(_HERE, "bugs") + os.sep  # deliberately wrong code: it is what a finding must name
_FOLDERS = tuple(
    {
        os.path.realpath(path) + os.sep
        for path in [
            sysconfig.get_path("stdlib"),
            sysconfig.get_path("purelib"),
            sysconfig.get_path("platlib"),
            *site.getsitepackages(),
            site.getusersitepackages(),
        ]
    }
    | {_HERE + os.sep}
)
_LOOPS = tuple(os.path.join("asyncio", name) for name in ("base_events.py", "events.py", "runners.py"))
_MARKERS = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def is_library(filename: str) -> bool:
    """Return True if a file belongs to Python, an installed package or labkit: no user looks there."""
    if filename.startswith("<"):
        return not filename.startswith(("<ipython-input", "<stdin", "<string"))
    if filename.startswith(_LESSONS):
        return False
    return filename.startswith(_FOLDERS) or any(marker in filename for marker in _MARKERS)


def user_frame(skip: int = 1) -> FrameType | None:
    """Return the frame from which the user's code can be reached by `f_back`, out of SQLAlchemy's greenlet too."""
    current = getcurrent()
    if getattr(current, "__sqlalchemy_greenlet_provider__", False) and current.parent is not None:
        parent: FrameType | None = current.parent.gr_frame
        return parent
    return sys._getframe(skip)


def frames_of(coroutine: Any) -> list[FrameType]:
    """Return the frames of a suspended coroutine and of what it awaits, the innermost first."""
    frames: list[FrameType] = []
    while coroutine is not None and len(frames) < 200:
        frame = _first(coroutine, "cr_frame", "gi_frame", "ag_frame")
        if frame is not None:
            frames.append(frame)
        coroutine = _first(coroutine, "cr_await", "gi_yieldfrom", "ag_await")
    return frames[::-1]


def _first(thing: Any, *names: str) -> Any:
    for name in names:
        if hasattr(thing, name):
            return getattr(thing, name)
    return None


class Places:
    """
    Gives every stack a small number.

    A stack is the user's innermost frames, each as its code object and the instruction it was at: two pointers and
    no text. Code objects are kept, so that the `id` that stands for one is never another's; frames are not.

    Another thread, or a finaliser, may capture while a capture is under way: a number is taken first and stored
    once, and one that was taken in vain stands for nothing.
    """

    def __init__(self) -> None:
        self._codes: dict[int, CodeType] = {}
        self._known: dict[int, int] = {}  # id of a code object: its number in _codes, or _LIBRARY
        self._libraries: list[CodeType] = []  # kept for their ids, like _codes
        self._stacks: dict[tuple[int, ...], int] = {(): NOWHERE}
        self._keys: dict[int, tuple[int, ...]] = {NOWHERE: ()}  # _stacks, the other way round
        self._files: dict[str, bool] = {}
        self._code_numbers, self._stack_numbers = itertools.count(), itertools.count(1)

    def __len__(self) -> int:
        return len(self._stacks)

    def capture(self, frame: FrameType | None) -> int:
        """Return the number of the stack that begins at `frame`, which may be a library's."""
        key: list[int] = []
        known = self._known
        while frame is not None:
            try:
                index = known[id(frame.f_code)]
            except KeyError:
                index = self._learn(frame)
            if index >= 0:
                key += (index, frame.f_lasti)
                if len(key) == 2 * DEPTH:
                    break
            elif index == _LOOP:
                break
            frame = frame.f_back
        stack = tuple(key)
        number = self._stacks.get(stack)
        return number if number is not None else self._number(stack)

    def capture_suspended(self, coroutine: Any) -> int:
        """Return the number of the stack of a suspended coroutine: where it waits now."""
        key: list[int] = []
        for frame in frames_of(coroutine):
            index = self._known.get(id(frame.f_code))
            if index is None:
                index = self._learn(frame)
            if index >= 0 and len(key) < 2 * DEPTH:
                key += (index, frame.f_lasti)
        return self._number(tuple(key))

    def _number(self, key: tuple[int, ...]) -> int:
        number = self._stacks.get(key)
        if number is None:
            if len(self._stacks) >= STACKS:
                if len(self._stacks) >= 2 * STACKS:
                    return NOWHERE
                if len(key) > 2:
                    return self._number(key[:2])
            number = next(self._stack_numbers)
            self._keys[number] = key
            number = self._stacks.setdefault(key, number)
        return number

    def _learn(self, frame: FrameType) -> int:
        if len(self._known) >= CODES:
            return _LIBRARY
        code, filename = frame.f_code, frame.f_code.co_filename
        if filename.startswith("<"):
            filename = _origin(frame)
        library = self._files.get(filename)
        if library is None:
            library = self._files[filename] = is_library(_real(filename))
        if library:
            index = _LOOP if filename.endswith(_LOOPS) else _LIBRARY
            self._libraries.append(code)
        else:
            index = next(self._code_numbers)
            self._codes[index] = code
        return self._known.setdefault(id(code), index)

    def innermost(self, place: int) -> tuple[int, int] | None:
        """Return what stands for the innermost line of a place, to be compared with another's."""
        key = self._keys.get(place, ())
        return (key[0], key[1]) if key else None

    def is_inside(self, place: int, coroutine: Any) -> bool:
        """Return True if a suspended coroutine is still in the function that was innermost at `place`."""
        key = self._keys.get(place, ())
        return bool(key) and any(self._known.get(id(frame.f_code)) == key[0] for frame in frames_of(coroutine))

    def resolve(self) -> list[list[Place]]:
        """Return every stack as lines of source, in the order of their numbers."""
        lines: dict[tuple[int, int], Place] = {}
        keys = self._keys.copy()
        stacks = (keys.get(number, ()) for number in range(max(keys) + 1))
        return [[self._line(key[at], key[at + 1], lines) for at in range(0, len(key), 2)] for key in stacks]

    def _line(self, index: int, lasti: int, lines: dict[tuple[int, int], Place]) -> Place:
        place = lines.get((index, lasti))
        if place is None:
            code = self._codes[index]
            place = lines[index, lasti] = Place(code.co_filename, _line_at(code, lasti), _name(code))
        return place


def _line_at(code: CodeType, lasti: int) -> int:
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


def _name(code: CodeType) -> str:
    return "the module" if code.co_name == "<module>" else code.co_qualname.replace("<locals>.", "")


def _origin(frame: FrameType) -> str:
    """Return the file of code made from text: its module's; a library's when it has none, as in decorators."""
    if frame.f_globals.get("__name__") == "__main__":
        return str(frame.f_globals.get("__file__") or frame.f_code.co_filename)
    return str(frame.f_globals.get("__file__") or "<library>")


def _real(filename: str) -> str:
    return filename if filename.startswith("<") else os.path.realpath(filename)

"""What a learner does while a command waits: a file is saved, a key is pressed, a line comes in."""

from __future__ import annotations

import codecs
import os
import select
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from watchfiles import watch

__all__ = ["State", "Watch", "single_keys", "state_of"]

LOOK = 1.0  # seconds: also where the system tells of no saves (a network drive, too many watches) they are seen
HUNG_UP = 129  # 128 + SIGHUP, as a shell says it
KEY = 0.05  # seconds between two looks for a key
ESCAPE, END_OF_INPUT = "\x1b", "\x04"

State = tuple[int, int, int] | None


def state_of(file: Path) -> State:
    """Return what is another after every save, and None if there is no such file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


class Watch:
    """
    Wait for keys and for saves, whichever comes first.

    Keys are read from `source`: single ones of a terminal, otherwise lines. The folder is watched, and not one file
    in it: an editor that saves by renaming puts another file in its place.
    """

    def __init__(self, folder: Path, source: int) -> None:
        self._folder = folder
        self._source = source
        self._terminal = os.isatty(source)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._keys: deque[str] = deque()
        self._ended = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="labkit watch", daemon=True)
        self._input: int | socket.socket = source
        self._told, self._bell = socket.socketpair()
        self._sockets = [self._told, self._bell]
        if sys.platform == "win32":  # which can wait for sockets only: a thread brings the input to one
            self._input, other = socket.socketpair()
            self._sockets += [self._input, other]
            bring = self._bring_keys if self._terminal else self._bring_lines
            threading.Thread(target=bring, args=[other], name="labkit input", daemon=True).start()

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for each in self._sockets:
            each.close()

    def wait(self, file: Path, state: State) -> str | None:
        """
        Return the next key or line, or None as soon as `file` is in another state.

        Raises `EOFError` at the end of input.
        """
        while not self._keys:
            if self._ended:
                raise EOFError
            ready, _, _ = select.select([self._input, self._told], [], [], LOOK)
            if self._input in ready:
                self._read()
                continue
            if ready:
                self._told.recv(1024)
            now = state_of(file)
            if now != state and not (now and now[2] == 0):  # an empty one is being written
                return None
        return self._keys.popleft()

    def is_next(self, key: str) -> bool:
        """Say, without waiting, whether this is the next key of a terminal; lines wait for their turn."""
        if self._terminal and not self._ended and select.select([self._input], [], [], 0)[0]:
            self._read()
        return self._terminal and bool(self._keys) and self._keys[0] == key

    def _tell(self) -> None:
        with suppress(OSError):  # it can't be watched: it is still looked at
            for _ in watch(self._folder, stop_event=self._stop, recursive=False, raise_interrupt=False):
                self._bell.send(b"!")

    def _read(self) -> None:
        try:
            source = self._input
            data = os.read(source, 1024) if isinstance(source, int) else source.recv(1024)
        except OSError:  # the terminal is gone
            data = b""
        text = self._decode(data, final=not data)
        self._keys += self._strokes(text) if self._terminal else self._lines(text, last=not data)
        self._ended = not data or (self._terminal and END_OF_INPUT in text)

    if sys.platform == "win32":

        def _bring_keys(self, to: socket.socket) -> None:
            import msvcrt

            with suppress(OSError):  # it is not read any more
                while not self._stop.wait(KEY):  # to wait in `getwch` would take Ctrl-C for a key
                    while msvcrt.kbhit():
                        key = msvcrt.getwch()
                        if key in "\x00\xe0":  # an arrow or a function key comes as two
                            key = ESCAPE + msvcrt.getwch()
                        to.sendall(key.encode("utf-8", "replace"))

        def _bring_lines(self, to: socket.socket) -> None:
            with suppress(OSError), to:
                while data := os.read(self._source, 1024):
                    to.sendall(data)

    def _strokes(self, text: str) -> list[str]:
        text = text.partition(END_OF_INPUT)[0]
        # An arrow or a function key comes as several characters at once.
        return [text] if text.startswith(ESCAPE) else list(text)

    def _lines(self, text: str, *, last: bool) -> list[str]:
        *lines, self._rest = (self._rest + text).split("\n")
        if last and self._rest:
            lines.append(self._rest)
        return [line.strip() for line in lines]


@contextmanager
def single_keys(source: int) -> Iterator[None]:
    """
    Let a terminal give every key at once, and leave it as it was found, also when it is suspended.

    A terminal that is closed ends the program through every `finally`. What is no terminal is left alone.
    """
    if sys.platform == "win32" or not os.isatty(source):  # there keys are read singly, and nothing is changed
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(source)

    def suspend(*_: object) -> None:
        give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        take()

    def take() -> None:
        if _is_ours(source):
            tty.setcbreak(source, termios.TCSANOW)

    def give_back() -> None:
        if _is_ours(source):
            termios.tcsetattr(source, termios.TCSANOW, before)

    own = {signal.SIGTSTP: suspend, signal.SIGHUP: lambda *_: sys.exit(HUNG_UP)}
    others = {number: signal.signal(number, handler) for number, handler in own.items()}
    try:
        take()
        yield
    finally:
        give_back()
        for number, handler in others.items():
            signal.signal(number, handler)


def _is_ours(terminal: int) -> bool:
    """Return True if this process is in the foreground: who changes the terminal in the background is stopped."""
    if sys.platform == "win32":
        return True
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it is gone
        return False

"""Ctrl-C is heard, also where a library swallows it: the next report of progress raises it again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_pressed = threading.Event()


@contextmanager
def heard() -> Iterator[None]:
    """Remember a Ctrl-C while a command runs; does nothing beside another handler, or off the main thread.

    Importing libraries (as torch does in the middle of its first steps) can lose a `KeyboardInterrupt`.
    """
    _pressed.clear()
    if not _is_ours():
        yield
        return
    signal.signal(signal.SIGINT, _press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def held_back() -> Iterator[list[int]]:
    """Keep a Ctrl-C for later: yields what will hold something when there was one."""
    pressed: list[int] = []
    if not _is_ours():
        yield pressed
        return
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def was_pressed() -> bool:
    """Tell whether Ctrl-C was pressed since the command began."""
    return _pressed.is_set()


def _is_ours() -> bool:
    """Tell whether Ctrl-C is nobody else's, and this thread may listen for it."""
    on_main = threading.current_thread() is threading.main_thread()
    return on_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _press(number: int, frame: FrameType | None) -> None:
    _pressed.set()
    raise KeyboardInterrupt


def stop_if_pressed() -> None:
    """Raise `KeyboardInterrupt` when Ctrl-C was pressed and nobody has stopped for it."""
    if _pressed.is_set():
        raise KeyboardInterrupt

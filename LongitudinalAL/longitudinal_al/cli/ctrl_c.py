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
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _press(number: int, frame: FrameType | None) -> None:
    _pressed.set()
    raise KeyboardInterrupt


def stop_if_pressed() -> None:
    """Raise `KeyboardInterrupt` when Ctrl-C was pressed and nobody has stopped for it."""
    if _pressed.is_set():
        raise KeyboardInterrupt

"""Threads at a process's pipes, so that nobody else ever waits there."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, Queue, SimpleQueue
from typing import IO

CHUNK_BYTES = 1 << 13
"""Understood in well under a millisecond each, so that a reader can stop in between."""
KEPT_LINES = 50
_LINE_BYTES = 500
_CHUNKS_WAITING = 1024


class Incoming:
    """What a process writes to its standard output, in chunks as they come."""

    def __init__(self, pipe: IO[bytes]) -> None:
        # Bounded: a process gone mad must not fill the memory of the front end.
        self._chunks: Queue[bytes] = Queue(_CHUNKS_WAITING)
        self._thread = _started(self._fill, pipe)

    def _fill(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := os.read(pipe.fileno(), CHUNK_BYTES):
                self._chunks.put(chunk)

    def take(self) -> bytes:
        """Return the next chunk, nothing when none has come."""
        try:
            return self._chunks.get_nowait()
        except Empty:
            return b""

    @property
    def is_over(self) -> bool:
        """Whether everything was taken and no more will come."""
        return not self._thread.is_alive() and self._chunks.empty()


class LastLines:
    """The last lines that a process wrote to its standard error."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._thread = _started(self._fill, pipe)

    def _fill(self, pipe: IO[bytes]) -> None:
        with pipe:
            while line := pipe.readline(_LINE_BYTES):
                self._lines.append(line.decode("utf-8", "replace").rstrip())

    def read(self) -> list[str]:
        """Return the lines, the oldest first."""
        return list(self._lines)

    @property
    def is_over(self) -> bool:
        """Whether no more will come."""
        return not self._thread.is_alive()


class Outgoing:
    """What is to be written to a process's standard input, however slowly that is read."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pieces: SimpleQueue[bytes] = SimpleQueue()
        self._thread = _started(self._drain, pipe)

    def send(self, data: bytes) -> None:
        """Have bytes written; returns at once."""
        if data:
            self._pieces.put(data)

    def close(self) -> None:
        """Have the pipe closed after all that was sent."""
        self._pieces.put(b"")

    def _drain(self, pipe: IO[bytes]) -> None:
        with pipe:
            while piece := self._pieces.get():
                pipe.write(piece)
                pipe.flush()


def _started(work: Callable[[IO[bytes]], None], pipe: IO[bytes]) -> threading.Thread:
    def run() -> None:
        try:
            work(pipe)
        except (OSError, ValueError):
            return  # the process has ended, and is seen to have ended elsewhere

    thread = threading.Thread(target=run, name="worker pipe", daemon=True)
    thread.start()
    return thread

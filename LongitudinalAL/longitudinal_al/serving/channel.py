"""The worker's pipes: standard input and output belong to the protocol, whatever libraries print."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from longitudinal_al.protocol import Event, EventKind, encode

PATIENCE_BYTES = 16 << 20
"""So much may wait for a front end that sends and does not read; then the senders wait with it."""
SPARE_BYTES = 1 << 20
"""When so much waits, what a later event replaces is left out."""
_REPLACED = frozenset({EventKind.PROGRESS, EventKind.STATE})


@dataclass(frozen=True)
class Pipes:
    """File descriptors of the conversation, which no library knows of."""

    input: int
    output: int


def take_pipes() -> Pipes:
    """Keep the pipes for the protocol; from now on standard output is standard error, and input is empty.

    To be called before anything is imported that could print, in C too. That nobody else has standard input
    also spares libraries that look at it while they are loaded, which waits for its reader on Windows.
    """
    sys.stdout.flush()
    pipes = Pipes(os.dup(0), os.dup(1))
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (pipes.input, pipes.output):
            msvcrt.setmode(descriptor, os.O_BINARY)
    return pipes


class Channel:
    """Sends events, from any thread, without waiting for the front end to read them.

    Parameters
    ----------
    output : int
        File descriptor; written to by a thread of its own.
    """

    def __init__(self, output: int) -> None:
        self._output = output
        self._lines: list[bytes] = []
        self._waiting_bytes = 0
        self._closing = self._broken = False
        self._changed = threading.Condition()
        self._when_broken: Callable[[], None] = lambda: None
        self._writer = threading.Thread(target=self._keep_writing, name="events", daemon=True)
        self._writer.start()

    def when_broken(self, act: Callable[[], None]) -> None:
        """Name what is done, once and on the writing thread, when nobody reads any more."""
        self._when_broken = act

    def send(self, kind: EventKind, id: str | None = None, **data: Any) -> None:
        """Send an event; when the front end is gone it is dropped.

        Raises
        ------
        ProtocolError
            When it is too long.
        """
        line = encode(Event(kind, id, data))
        with self._changed:
            if kind in _REPLACED and self._waiting_bytes > SPARE_BYTES:
                return
            if kind is not EventKind.LEAVING:  # which nothing may hold up
                self._changed.wait_for(lambda: self._waiting_bytes <= PATIENCE_BYTES or self._broken)
            if not self._broken:
                self._lines.append(line)
                self._waiting_bytes += len(line)
                self._changed.notify_all()

    def close(self, seconds: float = 1.0) -> None:
        """Write what waits, but do not wait longer than some seconds for a front end that does not read."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._writer.join(seconds)

    def _keep_writing(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                data = b"".join(self._lines)
                self._lines.clear()
            if not self._write(data):
                return
            with self._changed:
                self._waiting_bytes -= len(data)
                self._changed.notify_all()

    def _write(self, data: bytes) -> bool:
        """Write everything; tell whether somebody still reads."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._output, rest[:65536]) :]
        except OSError:
            with self._changed:
                self._broken = True
                self._lines.clear()
                self._changed.notify_all()
            self._when_broken()
            return False
        return True

"""A request that is being worked on: how far it is, and whether it was called off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from longitudinal_al.errors import Cancelled
from longitudinal_al.protocol import EventKind, Request
from longitudinal_al.time_left import TimeLeft

PROGRESS_SECONDS = 0.2
"""Progress is told at most this often."""
Send = Callable[..., None]


class Job:
    """A request on its way: its handler reports through it, and is stopped by it.

    Parameters
    ----------
    request : Request
        What is asked for.
    send : callable
        `Channel.send`.
    heard : callable
        Called at every report, on the thread that works.
    """

    def __init__(self, request: Request, send: Send, heard: Callable[[], None] = lambda: None) -> None:
        self.request = request
        self._send = send
        self._heard = heard
        self._cancelled = threading.Event()
        self._left = TimeLeft()
        self._told = float("-inf")

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The request's arguments, checked and complete."""
        return self.request.arguments

    def send(self, kind: EventKind, **data: Any) -> None:
        """Send an event about this request."""
        self._send(kind, self.request.id, **data)

    def note(self, message: str) -> None:
        """Send a sentence for the user."""
        self.send(EventKind.NOTE, message=message)

    def cancel(self) -> None:
        """Call the request off, from any thread; its handler finds out at its next report or interrupt."""
        self._cancelled.set()

    def interrupt(self) -> None:
        """Raise `Cancelled` when the request was called off; from any thread, costs next to nothing."""
        if self._cancelled.is_set():
            raise Cancelled(f"{self.request.verb.value} was cancelled; what was finished before is kept")

    def progress(self, phase: str, share: float) -> None:
        """Report as the engine's steps do: a phase, and the share of the work that is done."""
        self.report(phase, round(100 * share, 1), 100)

    def report(self, phase: str, current: float, maximum: float) -> None:
        """Say how far the work is; a few times a second it becomes an event.

        Raises
        ------
        Cancelled
            When the request was called off.
        """
        self._heard()
        self.interrupt()
        self._left.tell(current / maximum if maximum else 1.0)
        now = time.monotonic()
        if now - self._told < PROGRESS_SECONDS:
            return
        self._told = now
        left = self._left.seconds()
        rounded = None if left is None else round(left, 1)
        self.send(EventKind.PROGRESS, phase=phase, current=current, maximum=maximum, seconds_left=rounded)

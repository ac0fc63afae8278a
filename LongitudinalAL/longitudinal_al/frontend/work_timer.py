"""How long the annotator worked on a slice pair, pauses left out."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_SECONDS = 20.0
"""A longer time without mouse or key is a pause."""


class WorkTimer:
    """Adds up the time between signs of work, unless it is a pause.

    A front end that never calls `touch` says nothing about pauses: then all of the time counts.

    Parameters
    ----------
    clock : callable
        Seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Begin at 0."""
        self._worked = 0.0
        self._seen = self._clock()
        self._is_watched = False

    def touch(self) -> None:
        """Note a sign of work."""
        self._is_watched = True
        now = self._clock()
        self._worked += self._counted(now)
        self._seen = now

    def seconds(self) -> float:
        """Return the seconds worked so far."""
        return self._worked + self._counted(self._clock())

    def _counted(self, now: float) -> float:
        gap = max(now - self._seen, 0.0)
        return 0.0 if self._is_watched and gap > PAUSE_SECONDS else gap

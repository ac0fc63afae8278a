"""What the worker is doing and what it knows of the project, for whoever asks while it works."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from longitudinal_al.protocol import EventKind

IDLE = "idle"


@dataclass(frozen=True)
class Facts:
    """What the project held when it was last looked at, about a second ago."""

    labels: int = 0
    slice_pairs: int = 0
    rounds: int = 0
    model: Path | None = None
    ranking: Path | None = None


@dataclass(frozen=True)
class Doing:
    """One thing that the worker does, and since when (of the monotonic clock)."""

    what: str
    sentence: str
    since: float = field(default_factory=time.monotonic)


class Board:
    """Written by the threads that work and watch, read by the one that answers; nobody waits for another.

    Each attribute is replaced as a whole, so that a reader finds either the old or the new one.
    """

    def __init__(self, send: Callable[..., None]) -> None:
        self._send = send
        self._doing = Doing("starting", "Starting.")
        self._heard = time.monotonic()
        self.facts = Facts()

    def say(self, what: str, sentence: str) -> None:
        """Write down what is done now, and send it to the front end when it is something else than before."""
        self.heard()
        before = self._doing
        if (before.what, before.sentence) == (what, sentence):
            return
        self._doing = Doing(what, sentence)
        labels = self.facts.labels
        self._send(EventKind.STATE, None, doing=what, sentence=sentence, labels=labels, since_seconds=0.0)

    def heard(self) -> None:
        """Note a sign of life of the thread that works."""
        self._heard = time.monotonic()

    def describe(self) -> dict[str, Any]:
        """Return the board as `status` tells it."""
        now, doing = time.monotonic(), self._doing
        return {
            "doing": doing.what,
            "sentence": doing.sentence,
            "since_seconds": round(now - doing.since, 3),
            "since_progress_seconds": round(now - self._heard, 3),
            **asdict(self.facts),
            "process": os.getpid(),
        }

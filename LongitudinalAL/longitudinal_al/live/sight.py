"""What the live loop sees of the project: labels, pool, rounds, and whether the ranking file is sound."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from longitudinal_al.errors import LongitudinalALError
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.prepared import RECORD_FILE
from longitudinal_al.project.ranking_file import ranking_is_sound, ranking_path
from longitudinal_al.project.records import PairState, Round, Split
from longitudinal_al.project.store import Project

Signature = tuple[int, ...]
POOL_SECONDS = 3.0
POOL_PAUSE = 20
"""After a look at the pairs' files, so many times as long is waited: on a network share it takes a while."""


class Sight:
    """Looks at the project file, on the thread that thinks, and remembers what it saw last.

    Parameters
    ----------
    folder : Path
        The project's folder.

    Attributes
    ----------
    last_label : int
        Number of the newest label or withdrawal.
    changed_at : float
        When that number was seen to change last.
    labelled : set of (pair, slice)
        What is labelled now.
    pool : Pool or None
        None while nothing is prepared.
    rounds : list of Round
        The finished ones.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._project: Project | None = None
        self.last_label = -1
        self.changed_at = float("-inf")
        self.labelled: set[tuple[str, int]] = set()
        self.pool: Pool | None = None
        self.rounds: list[Round] = []
        self._pairs: Any = None
        self._pairs_at = float("-inf")
        self._pairs_seconds = 0.0
        self._next_round = 0
        self._ranking_seen: Signature | None = None
        self._ranking_sound = False

    @property
    def project(self) -> Project:
        """The open project."""
        if self._project is None:
            self._project = Project.open(self._folder)
        return self._project

    def close(self) -> None:
        """Close the project; the next look opens it again."""
        if self._project is not None:
            self._project.close()
            self._project = None

    def look(self, now: float, interrupt: Interrupt = never) -> None:
        """Look at everything; costs a few queries when nothing has changed.

        Parameters
        ----------
        now : float
            Seconds of a monotonic clock.
        interrupt : callable
            Called at every pair.
        """
        try:
            self._look_at_labels(now)
            self._look_at_rounds()
            if now - self._pairs_at >= max(POOL_SECONDS, POOL_PAUSE * self._pairs_seconds):
                started = time.monotonic()
                self._look_at_pairs(interrupt)
                self._pairs_at, self._pairs_seconds = now, time.monotonic() - started
        except LongitudinalALError:
            self.close()
            raise

    def _look_at_labels(self, now: float) -> None:
        number = self.project.last_label_number()
        if number != self.last_label:
            if self.last_label >= 0:
                self.changed_at = now
            self.last_label = number
            self.labelled = self.project.labelled()

    def _look_at_rounds(self) -> None:
        number = self.project.next_round_number()
        if number != self._next_round:
            self.rounds = self.project.rounds()
            self._next_round = number

    def _look_at_pairs(self, interrupt: Interrupt) -> None:
        pairs = [pair for pair in self.project.pairs() if pair.state is PairState.PREPARED]
        seen = []
        for pair in pairs:
            interrupt()
            seen.append((pair.id, pair.split, pair.overruled, _signature(self._record(pair.id))))
        if seen != self._pairs:
            is_any = any(pair.split is Split.POOL for pair in pairs)
            self.pool = Pool.open(self.project, interrupt=interrupt) if is_any else None
            self._pairs = seen

    def _record(self, pair: str) -> Path:
        return self._folder / "pairs" / pair / RECORD_FILE

    def add_figures(self, number: int, figures: dict[str, Any]) -> None:
        """Add figures to a round."""
        self.project.add_round_figures(number, figures)
        self._next_round = 0  # read again

    def published(self) -> None:
        """Note that the ranking file is now the one that was just written."""
        self._ranking_seen = _signature(ranking_path(self._folder))
        self._ranking_sound = True

    def ranking_is_sound(self) -> bool:
        """Tell whether there is a ranking that a front end can read; a file is read once for that."""
        seen = _signature(ranking_path(self._folder))
        if seen != self._ranking_seen:
            self._ranking_sound = seen is not None and ranking_is_sound(self._folder)
            self._ranking_seen = seen
        return self._ranking_sound and seen is not None


def _signature(path: Path) -> Signature | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size

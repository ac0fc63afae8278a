"""Keeps a queue up to date with the project: new rankings, and labels by whomever."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from longitudinal_al.errors import ProjectBusy
from longitudinal_al.frontend.queue import LabellingQueue
from longitudinal_al.frontend.ranking import Entry, RankingReader
from longitudinal_al.project.store import Project

LOOK_SECONDS = 0.5
"""How often the ranking's file is looked at when nobody says that it changed."""
RECALLED = 50
"""So many of the last labels can be gone back to in a new session."""


class QueueFeed:
    """Takes what changes in a project to a queue.

    Parameters
    ----------
    project : Project
        Open, on this thread.
    queue : LabellingQueue
        Gets the project's labels at once, so that `back` leads to those of earlier sessions.
    clock : callable
        Seconds that only ever grow.
    """

    def __init__(self, project: Project, queue: LabellingQueue, clock: Callable[[], float]) -> None:
        self._project = project
        self._queue = queue
        self._clock = clock
        self._reader = RankingReader(project.folder)
        self._look_at = clock()
        self._number = project.last_label_number()
        for pair, index in _recent(project, self._number):
            queue.remember(Entry(pair, index))
        queue.take_labels(project.labelled())

    def look_soon(self) -> None:
        """Look at the ranking the next time: somebody says that there is a new one."""
        self._look_at = self._clock()

    def refresh(self) -> None:
        """Take what changed in the project; what is busy just now is seen the next time."""
        if self._reader.is_reading or self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_SECONDS
            ranking = self._reader.look()
            if ranking is not None:
                self._queue.take_ranking(ranking)
        with suppress(ProjectBusy), self._project.without_waiting():
            self._take_labels()

    def _take_labels(self) -> None:
        number = self._project.last_label_number()
        if number == self._number:
            return
        for key, is_labelled in self._project.label_changes_since(self._number).items():
            note = self._queue.labelled if is_labelled else self._queue.withdrawn
            note(*key)
        self._number = number


def _recent(project: Project, number: int) -> list[tuple[str, int]]:
    """Return the slice pairs labelled last, the newest last."""
    changes = project.label_changes_since(max(number - RECALLED, 0))
    return [key for key, is_labelled in changes.items() if is_labelled]

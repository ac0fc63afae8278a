"""Looks at the project once a second: what it holds, whether someone labels, whether it is still there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from longitudinal_al.errors import LongitudinalALError
from longitudinal_al.project.files import is_there
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.store import PROJECT_FILE, Project
from longitudinal_al.serving.board import Board, Facts

LOOK_SECONDS = 1.0
LABELLING_SECONDS = 60.0
"""So long after a label, or after the front end said so, someone is taken to be labelling."""
MISSING_LOOKS = 2


class ProjectWatch:
    """Keeps a board's facts fresh on a thread of its own, so that neither work nor answers wait for the disk.

    Parameters
    ----------
    folder : Path
        The project's folder.
    board : Board
        Gets the facts.
    labelled : callable
        Called when labels have come or gone.
    vanished : callable
        Called, once, when the project's file is gone.
    """

    def __init__(
        self, folder: Path, board: Board, labelled: Callable[[], None], vanished: Callable[[], None]
    ) -> None:
        self._folder = folder
        self._board = board
        self._labelled = labelled
        self._vanished = vanished
        self._one_at_a_time = threading.Lock()
        self._now = threading.Event()
        self._last_label: int | None = None
        self._labelling_seen = float("-inf")

    @property
    def someone_labels(self) -> bool:
        """Whether a label came, or the front end spoke of labelling, within the last minute."""
        return time.monotonic() - self._labelling_seen < LABELLING_SECONDS

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._keep_looking, name="watch", daemon=True).start()

    def labelling(self) -> None:
        """Take the front end's word that someone labels, and look at once."""
        self._labelling_seen = time.monotonic()
        self._now.set()

    def look(self, project: Project) -> None:
        """Look at an open project, on the thread that opened it."""
        with self._one_at_a_time:  # an older look must not replace a newer one
            counts, number = project.status(), project.last_label_number()
            models = [done.model for done in project.rounds() if done.model is not None]
            ranking = ranking_path(self._folder)
            self._board.facts = Facts(
                labels=counts["labelled"],
                slice_pairs=counts["pool_slice_pairs"],
                rounds=counts["rounds"],
                model=models[-1] if models else None,
                ranking=ranking if ranking.is_file() else None,
            )
            known, self._last_label = self._last_label, number
        if known is not None and known != number:
            self._labelling_seen = time.monotonic()
            self._labelled()

    def _keep_looking(self) -> None:
        missing = 0
        project: Project | None = None
        while missing < MISSING_LOOKS:
            try:
                project = project or Project.open(self._folder, busy_seconds=LOOK_SECONDS)
                self.look(project)
            except (LongitudinalALError, OSError):
                pass  # busy, damaged or gone: the next request says so in words; here only the last counts
            missing = 0 if is_there(self._folder / PROJECT_FILE) else missing + 1
            self._now.wait(LOOK_SECONDS)
            self._now.clear()
        self._vanished()

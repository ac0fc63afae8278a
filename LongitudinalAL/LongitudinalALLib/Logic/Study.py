"""The project that is open, with its session and its worker, and whom to tell what happens in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from longitudinal_al.errors import LongitudinalALError, NotReady, ProjectBusy
from longitudinal_al.frontend.annotation import AnnotationSession
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Verb
from LongitudinalALLib.Signal import Signal

StartWorker = Callable[[Path, "str | None"], Any]
"""Takes a project's folder and a strategy (None: the worker's own); returns a started worker, or raises.

None: not yet; `restartWorker` is called when it can be."""


class Study:
    """What all logic shares.

    Signals
    -------
    opened(), closing()
        `closing` comes while everything is still there.
    happened(event)
        The worker said something (`protocol.Event`).
    ticked()
        Some tenths of a second have passed.
    labelsChanged(), pairsChanged()
    troubled(text)
        Something went wrong that belongs to no section.

    Attributes
    ----------
    annotator : str
        Who labels; see `setAnnotator`.
    strategy : str or None
        By which the worker ranks; None: its own.
    workerProblem : str
        Why there is no worker, empty where there is one.
    objections : list of callable
        Each says what would be lost if the project was closed for another one now: a list of sentences.

    Parameters
    ----------
    startWorker : callable
        See `StartWorker`.
    clock : callable
        Seconds that only ever grow.
    """

    def __init__(self, startWorker: StartWorker, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.opened, self.closing, self.ticked = Signal(), Signal(), Signal()
        self.happened, self.troubled = Signal("event"), Signal("text")
        self.labelsChanged, self.pairsChanged = Signal(), Signal()
        self.annotator = ""
        self.strategy: str | None = None
        self.workerProblem = ""
        self.objections: list[Callable[[], list[str]]] = []
        self.worker: Any = None
        self.clock = clock
        self._makeWorker = startWorker
        self._project: Project | None = None
        self._session: AnnotationSession | None = None
        self._before: Any = None
        self._lastNumber = 0
        self._told = ""
        self._objected: list[str] = []

    @property
    def isOpen(self) -> bool:
        """Whether a project is open."""
        return self._project is not None

    @property
    def isWaiting(self) -> bool:
        """Whether a worker that is not wanted any more is still to leave; then another one starts."""
        return self._before is not None

    @property
    def project(self) -> Project:
        """The project that is open; `NotReady` when there is none."""
        if self._project is None:
            raise NotReady(_("no project is open: open or create one first"))
        return self._project

    @property
    def session(self) -> AnnotationSession:
        """The annotator's session; `NotReady` when no project is open."""
        if self._session is None:
            raise NotReady(_("no project is open: open or create one first"))
        return self._session

    def create(self, folder: Path) -> None:
        """Make a project and open it; raises as `open` and `Project.create`: the one before stays open."""
        self._heedObjections()
        self._take(Project.create(folder))

    def open(self, folder: Path) -> None:
        """Open a project; raises as `Project.open`, and then the one that is open stays open.

        Raises
        ------
        NotReady
            Once, when something would be lost with the project that is open.
        """
        self._heedObjections()
        self._take(Project.open(folder))

    def close(self) -> None:
        """Close the project, and wait until its worker has ended; harmless when none is open."""
        self._closeProject()
        before, self._before = self._before, None
        if before is not None:
            before.close()

    def restartWorker(self) -> None:
        """End the worker, if there is one, and start another, with the present strategy and interpreter.

        Waits for nothing: the other one is started by a later `tick`, and is there at once where there was
        none before.
        """
        if self.isOpen:
            self._letLeave()
            if self._before is None:
                self._startWorker()

    def failWorker(self, problem: str) -> None:
        """Note why no worker can be started."""
        if self.isOpen and self.worker is None:
            self.workerProblem = problem
            self.troubled.emit(problem)

    def setAnnotator(self, name: str) -> None:
        """Say who labels from now on; the worker need not know."""
        self.annotator = name
        if self._session is not None:
            self._session.annotator = name

    def request(self, verb: Verb, **arguments: Any) -> str:
        """Ask the worker and return the request's id; `NotReady` when there is no worker."""
        if self.isWaiting:
            raise NotReady(_("the worker is being started anew: try again in some seconds"))
        if self.isOpen and self.worker is None and not self.workerProblem:
            raise NotReady(_("the worker's Python is being checked: try again in some seconds"))
        if self.worker is None:
            raise NotReady(self.workerProblem or _("there is no worker: open a project first"))
        return str(self.worker.request(verb, **arguments))

    def tick(self) -> None:
        """Hear the worker and look for labels of others; for a timer, several times a second."""
        if self._session is None:
            return
        events: list[Any] = []
        try:
            events = self._session.poll()
            self._noticeLabels()
            self._told = ""
        except LongitudinalALError as error:
            self._trouble(str(error))
        self._followUp()
        for event in events:
            self.happened.emit(event)
        if self.isOpen:
            self.ticked.emit()

    # What is behind it

    def _take(self, project: Project) -> None:
        self._closeProject()
        self._project = project
        self._lastNumber = project.last_label_number()
        if self._before is None:
            self._startWorker()
        else:
            self._beginSession()
        self.opened.emit()

    def _heedObjections(self) -> None:
        found = [text for each in self.objections for text in each()] if self.isOpen else []
        before, self._objected = self._objected, found
        if found and found != before:
            words = _(
                "{problems}. What is painted there cannot be saved: put it right, or press the button once "
                "more to leave it behind"
            )
            raise NotReady(words.format(problems="; ".join(found)))

    def _closeProject(self) -> None:
        """Close the project, and have its worker leave."""
        if self._project is None:
            return
        self.closing.emit()
        self._letLeave()
        project, self._project, self._session, self.worker = self._project, None, None, None
        project.close()

    def _letLeave(self) -> None:
        """Ask the worker to leave; one that hangs, or is asked again, is ended.

        One that neither leaves nor ends within its time is ended with its children by its own `poll`.
        """
        worker, self.workerProblem = self.worker, ""
        if worker is None or worker.is_gone:
            return
        if worker.state is WorkerState.HUNG:
            worker.kill()
        elif worker is not self._before:
            worker.stop()
        self._before = worker

    def _followUp(self) -> None:
        """Start the worker that is wanted, once the one before has ended."""
        before = self._before
        if before is None:
            return
        if before is not self.worker:  # of a project that was closed: nobody waits for what it says
            before.poll()
        if before.is_gone:
            self._before = None
            self._startWorker()

    def _startWorker(self) -> None:
        """Start a worker; without one everything that needs none goes on."""
        self.workerProblem = ""
        try:
            self.worker = self._makeWorker(self.project.folder, self.strategy)
        except LongitudinalALError as error:
            self.worker, self.workerProblem = None, str(error)
        if self._session is None:
            self._beginSession()
        else:
            self._session.take_client(self.worker)

    def _beginSession(self) -> None:
        self._session = AnnotationSession(self.project, self.worker, self.annotator, clock=self.clock)

    def _noticeLabels(self) -> None:
        number = self._lastNumber
        with suppress(ProjectBusy), self.project.without_waiting():  # seen the next time
            number = self.project.last_label_number()
        if number != self._lastNumber:
            self._lastNumber = number
            self.labelsChanged.emit()

    def _trouble(self, text: str) -> None:
        """Tell a trouble once, not ten times a second."""
        if text != self._told:
            self._told = text
            self.troubled.emit(text)

"""4 Learning: what the worker does, how well it learns, when to stop, and the few settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slicer.i18n import tr as _

from longitudinal_al.frontend.learning import learning_so_far
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.protocol import Event, EventKind, Verb
from LongitudinalALLib.Logic.Guard import guarded
from LongitudinalALLib.Logic.Study import Study

STRATEGIES = (
    "recipe",
    "bald",
    "cluster_margin",
    "difference",
    "difference_entropy",
    "dropout_entropy",
    "entropy",
    "hybrid",
    "kcenter",
    "least_confidence",
    "margin",
    "random",
    "strided",
)
"""The usual ones, the worker's own first. A test holds them against the engine's, which would load torch."""
BEGUN_WITH = ("python", "spacing")
"""Settings that a worker is given when it begins."""
RESTARTABLE = (WorkerState.CRASHED, WorkerState.LEFT, WorkerState.HUNG, WorkerState.STOPPED)


class LearningLogic:
    """From the section Learning to the worker.

    Parameters
    ----------
    section : LearningSection
    study : Study
    settings : Settings, optional
        `all()`, `value(name)` and `setValue(name, value)`.
    editor : object, optional
        `setBrush(diameter in mm)`.
    """

    def __init__(self, section: Any, study: Study, settings: Any = None, editor: Any = None) -> None:
        self._section, self._study, self._settings, self._editor = section, study, settings, editor
        self._said = ""
        section.cancelRequested.connect(self.cancel)
        section.restartRequested.connect(self.restart)
        section.strategyChosen.connect(self.chooseStrategy)
        section.settingsChanged.connect(self.changeSettings)
        study.opened.connect(self._onOpened)
        study.closing.connect(self._onClosing)
        study.happened.connect(self._onEvent)
        study.ticked.connect(self._onTick)
        study.labelsChanged.connect(self.refresh)
        section.showStrategies(STRATEGIES)
        if settings is not None:
            study.strategy = str(settings.value("strategy")) or None
            self._take(settings.all())

    @guarded
    def cancel(self) -> None:
        """Call off all that the worker does, its own thoughts too; labels go on."""
        self._study.request(Verb.CANCEL)

    @guarded
    def restart(self) -> None:
        """End the worker and start it anew."""
        self._study.restartWorker()

    @guarded
    def chooseStrategy(self, name: str) -> None:
        """Have the worker choose slice pairs in another way, from now on."""
        if name != self._study.strategy:
            self._study.strategy = name
            if self._settings is not None:
                self._settings.setValue("strategy", name)
            self._study.restartWorker()

    @guarded
    def changeSettings(self, settings: Mapping[str, Any]) -> None:
        """Keep settings; those that a worker begins with mean another one."""
        before = {} if self._settings is None else self._settings.all()
        for name, value in settings.items() if self._settings is not None else ():
            self._settings.setValue(name, value)
        self._take(settings)
        if any(settings.get(name) != before.get(name) for name in BEGUN_WITH):
            self._study.restartWorker()

    def showError(self, text: str) -> None:
        """Show what went wrong."""
        self._section.showAdvice(text)

    @guarded
    def refresh(self) -> None:
        """Show the learning curve and the advice anew."""
        if self._study.isOpen:
            found = learning_so_far(self._study.project)
            self._section.showCurve(found.rounds)
            self._section.showAdvice(found.advice)

    # What is behind it

    def _take(self, settings: Mapping[str, Any]) -> None:
        """Let settings work that need no other worker, and show all of them."""
        if self._editor is not None and settings.get("brush"):
            self._editor.setBrush(float(settings["brush"]))
        shown = ("python", "brush", "spacing")
        self._section.showSettings({name: settings[name] for name in shown if name in settings})

    def _onOpened(self) -> None:
        if self._study.strategy:
            self._section.showStrategy(self._study.strategy)
        self._said = ""
        self._onTick()
        self.refresh()

    def _onEvent(self, event: Event) -> None:
        if event.kind is EventKind.ROUND:
            self.refresh()

    def _onTick(self) -> None:
        """Show the worker's state in words, when they change."""
        worker = self._study.worker
        said = self._words()
        if said == self._said:
            return
        self._said = said
        self._section.showState(said)
        self._section.setBusy(worker is not None and worker.state in (WorkerState.BUSY, WorkerState.READY))
        isOver = worker is None or worker.state in RESTARTABLE
        self._section.setRestartable(isOver and not self._study.isWaiting)

    def _words(self) -> str:
        """Say what the worker does, or why there is none."""
        if self._study.isWaiting:
            return _("Stopping the worker ...")
        if self._study.worker is None:
            return self._study.workerProblem or _("The worker starts once its Python is checked.")
        return _words(self._study.worker)

    def _onClosing(self) -> None:
        self._said = ""
        self._section.showState("")
        self._section.showCurve([])
        self._section.showAdvice("")
        self._section.setBusy(False)
        self._section.setRestartable(False)


def _words(worker: Any) -> str:
    """Say what a worker does."""
    said = {
        WorkerState.STARTING: _("The worker is starting."),
        WorkerState.HUNG: _("The worker does not answer. Labelling goes on; wait, or restart it."),
        WorkerState.STOPPING: _("Stopping the worker ..."),
        WorkerState.STOPPED: _("There is no worker."),
        WorkerState.CRASHED: _(
            "The worker has ended unexpectedly. All labels are saved; restart it to go on."
        ),
        WorkerState.LEFT: _("The worker has left; restart it to go on."),
    }
    return said.get(worker.state) or worker.doing or _("Nothing to do.")

"""Puts together what is seen, what it does, the scene and the worker; and takes it apart again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt

from longitudinal_al.frontend.worker_client import WorkerClient
from LongitudinalALLib.CheckedPython import CheckedPython
from LongitudinalALLib.Interpreter import Interpreter
from LongitudinalALLib.InterpreterCheck import Verdict
from LongitudinalALLib.Logic.Commands import Commands
from LongitudinalALLib.Logic.LabelLogic import LabelLogic
from LongitudinalALLib.Logic.LearningLogic import LearningLogic
from LongitudinalALLib.Logic.PairsLogic import PairsLogic
from LongitudinalALLib.Logic.ProjectLogic import ProjectLogic
from LongitudinalALLib.Logic.RegistrationLogic import RegistrationLogic
from LongitudinalALLib.Logic.ResultsLogic import ResultsLogic
from LongitudinalALLib.Logic.Study import Study
from LongitudinalALLib.Panel import Panel
from LongitudinalALLib.Requirements import Requirements
from LongitudinalALLib.SampleScans import fetchSampleScans
from LongitudinalALLib.Scene import Scene
from LongitudinalALLib.Settings import Settings
from LongitudinalALLib.WorkerProcess import workerOf

TICK_MILLISECONDS = 100


class Wiring:
    """The module at work.

    Attributes
    ----------
    panel : Panel
    scene : Scene
    study : Study
    projectLogic, pairsLogic, registrationLogic, labelLogic, learningLogic, resultsLogic

    Parameters
    ----------
    mrmlScene : vtkMRMLScene
    settings : Settings, optional
        Slicer's own by default.
    requirements : Requirements, optional
    """

    def __init__(self, mrmlScene: Any, settings: Any = None, requirements: Any = None) -> None:
        self._settings = Settings() if settings is None else settings
        self._python = CheckedPython(
            lambda: str(self._settings.value("python")),
            Requirements() if requirements is None else requirements,
            self._onVerdict,
        )
        self._hasBegun = False
        self.panel = Panel(mrmlScene)
        self.scene = Scene(mrmlScene)
        self.study = Study(self._startWorker)
        self._makeLogic()
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MILLISECONDS)
        self._timer.timeout.connect(self.study.tick)
        self._timer.start()

    def _makeLogic(self) -> None:
        panel, study, scene = self.panel, self.study, self.scene
        panel.learning.restartRequested.connect(self._python.forgetRefusal)  # before the worker starts
        commands = Commands(
            study, lambda: self.interpreter().path, lambda: self.interpreter().environmentMapping()
        )
        self.projectLogic = ProjectLogic(panel.project, study, self._settings, self._python)
        self.pairsLogic = PairsLogic(panel.pairs, study, scene, self._fetchSampleScans)
        self.registrationLogic = RegistrationLogic(panel.pairs, study, scene, self.pairsLogic)
        self.labelLogic = LabelLogic(panel.label, study, scene, panel.editor)
        self.learningLogic = LearningLogic(panel.learning, study, self._settings, panel.editor)
        self.resultsLogic = ResultsLogic(panel.results, study, scene, commands.run)
        for looksElsewhere in (panel.label.nextRequested, panel.label.backRequested):
            looksElsewhere.connect(self.registrationLogic.endCheck)
        self.resultsLogic.correctionRequested.connect(self.labelLogic.open)
        panel.pairs.pairChosen.connect(panel.results.setPair)
        panel.learning.settingsChanged.connect(self._onSettings)
        study.opened.connect(lambda: panel.setProjectOpen(True))
        study.closing.connect(lambda: panel.setProjectOpen(False))

    def enter(self, projectFolder: str = "") -> None:
        """The module is shown; the first time, the last project opens again.

        Parameters
        ----------
        projectFolder : str
            Of the project of the scene, which comes before the last one.
        """
        self.panel.enter()
        if not self._hasBegun:
            self._hasBegun = True
            self.projectLogic.begin(projectFolder)
            self.checkInterpreter()

    def exit(self) -> None:
        """The module is left."""
        self.panel.exit()

    def cleanup(self) -> None:
        """End the worker, take out of the scene what was put there, and delete all widgets."""
        self._timer.stop()
        self._python.stop()
        self.study.close()
        self.scene.release()
        self.panel.cleanup()

    def interpreter(self) -> Interpreter:
        """Return the Python that runs the worker; raises `NotReady` when none can be used yet."""
        return self._python.interpreter()

    def checkInterpreter(self) -> None:
        """Say under Advanced whether another Python than Slicer's own can run the worker."""
        if self._python.isOwn:
            self.panel.learning.showPythonVerdict("", True)
        self._python.check()

    # What is behind it

    def _startWorker(self, folder: Path, strategy: str | None) -> WorkerClient | None:
        """Start a worker, if its Python can be used; while that is being checked, it is not started yet."""
        interpreter = self._python.begin()
        if interpreter is None:
            return None
        spacing = float(self._settings.value("spacing"))
        worker = workerOf(folder, interpreter, strategy=strategy, spacing=spacing)
        worker.start()
        return worker

    def _onSettings(self, _settings: Any) -> None:
        self.checkInterpreter()
        self.projectLogic.showMissing()

    def _onVerdict(self, verdict: Verdict) -> None:
        """Show what was found, and start the worker that has waited for it."""
        self.panel.learning.showPythonVerdict(verdict.sentence, verdict.isUsable)
        if not verdict.isUsable:
            self.study.failWorker(verdict.sentence)
        elif self.study.worker is None:
            self.study.restartWorker()

    def _fetchSampleScans(self) -> Any:
        return fetchSampleScans(self.study.project.folder / "scans")

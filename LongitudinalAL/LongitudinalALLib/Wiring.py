"""Puts together what is seen, what it does, the scene and the worker; and takes it apart again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import qt

from LongitudinalALLib.Interpreter import VARIABLE, Interpreter, InterpreterCheck, Verdict, chosenInterpreter
from LongitudinalALLib.Logic.Commands import Commands
from LongitudinalALLib.Logic.LabelLogic import LabelLogic
from LongitudinalALLib.Logic.LearningLogic import LearningLogic
from LongitudinalALLib.Logic.PairsLogic import PairsLogic
from LongitudinalALLib.Logic.ProjectLogic import ProjectLogic
from LongitudinalALLib.Logic.ResultsLogic import ResultsLogic
from LongitudinalALLib.Logic.Study import Study
from LongitudinalALLib.Panel import Panel
from LongitudinalALLib.Requirements import Requirements
from LongitudinalALLib.SampleScans import fetchSampleScans
from LongitudinalALLib.Scene import Scene
from LongitudinalALLib.Settings import Settings
from LongitudinalALLib.WorkerProcess import WorkerProcess

TICK_MILLISECONDS = 100


class Wiring:
    """The module at work.

    Attributes
    ----------
    panel : Panel
    scene : Scene
    study : Study
    projectLogic, pairsLogic, labelLogic, learningLogic, resultsLogic

    Parameters
    ----------
    mrmlScene : vtkMRMLScene
    settings : Settings, optional
        Slicer's own by default.
    requirements : Requirements, optional
    """

    def __init__(self, mrmlScene: Any, settings: Any = None, requirements: Any = None) -> None:
        self._settings = Settings() if settings is None else settings
        self._requirements = Requirements() if requirements is None else requirements
        self._check: InterpreterCheck | None = None
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
        own = self._requirements if self._interpreterIsOwn() else None
        commands = Commands(
            study, lambda: self.interpreter().path, lambda: self.interpreter().environmentMapping()
        )
        self.projectLogic = ProjectLogic(panel.project, study, self._settings, own)
        self.pairsLogic = PairsLogic(panel.pairs, study, scene, self._fetchSampleScans)
        self.labelLogic = LabelLogic(panel.label, study, scene, panel.editor)
        self.learningLogic = LearningLogic(panel.learning, study, self._settings, panel.editor)
        self.resultsLogic = ResultsLogic(panel.results, study, scene, commands.run)
        self.resultsLogic.correctionRequested.connect(self.labelLogic.open)
        panel.pairs.pairChosen.connect(panel.results.setPair)
        panel.learning.settingsChanged.connect(lambda _settings: self.checkInterpreter())
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
        if self._check is not None:
            self._check.stop()
        self.study.close()
        self.scene.release()
        self.panel.cleanup()

    def interpreter(self) -> Interpreter:
        """Return the Python that runs the worker; raises `NotReady` when there is none."""
        return chosenInterpreter(str(self._settings.value("python")))

    def checkInterpreter(self) -> None:
        """Say under Advanced whether another Python than Slicer's own can run the worker."""
        if self._check is not None:
            self._check.stop()
            self._check = None
        if self._interpreterIsOwn():
            self.panel.learning.showPythonVerdict("", True)
            return
        self._check = InterpreterCheck(self.interpreter(), self._showVerdict)
        self._check.start()

    # What is behind it

    def _startWorker(self, folder: Path, strategy: str | None) -> WorkerProcess:
        worker = WorkerProcess(folder, self.interpreter(), strategy=strategy)
        worker.start()
        return worker

    def _interpreterIsOwn(self) -> bool:
        """Tell without looking for Slicer's own, which may be missing."""
        return not str(self._settings.value("python")).strip() and not os.environ.get(VARIABLE, "").strip()

    def _showVerdict(self, verdict: Verdict) -> None:
        self.panel.learning.showPythonVerdict(verdict.sentence, verdict.isUsable)

    def _fetchSampleScans(self) -> Any:
        return fetchSampleScans(self.study.project.folder / "scans")

"""All logic of the panel, put together once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from LongitudinalALLib.Logic.Commands import Commands
from LongitudinalALLib.Logic.LabelLogic import LabelLogic
from LongitudinalALLib.Logic.LearningLogic import LearningLogic
from LongitudinalALLib.Logic.PairsLogic import PairsLogic, SampleData
from LongitudinalALLib.Logic.ProjectLogic import ProjectLogic
from LongitudinalALLib.Logic.ResultsLogic import ResultsLogic
from LongitudinalALLib.Logic.Study import StartWorker, Study


class Wiring:
    """The logic of each section, and the study that they share; `tick` is to be called several times a second.

    Attributes
    ----------
    study : Study
    commands : Commands
    project, pairs, label, learning, results : logic of each section

    Parameters
    ----------
    sections : Panel
        Has `project`, `pairs`, `label`, `learning` and `results`.
    scene : Scene
    startWorker : callable
        See `StartWorker`.
    python, environment : callable
        Return the interpreter of commands, and the environment to start it in.
    settings, requirements, editor, sampleData
        See the logic that takes them; each may be left out.
    """

    def __init__(
        self,
        sections: Any,
        scene: Any,
        startWorker: StartWorker,
        *,
        python: Callable[[], str],
        environment: Callable[[], Mapping[str, str]],
        settings: Any = None,
        requirements: Any = None,
        editor: Any = None,
        sampleData: SampleData | None = None,
    ) -> None:
        self.sections = sections
        self.scene = scene
        self.study = Study(startWorker)
        self.commands = Commands(self.study, python, environment)
        self.project = ProjectLogic(sections.project, self.study, settings, requirements)
        self.pairs = PairsLogic(sections.pairs, self.study, scene, sampleData)
        self.label = LabelLogic(sections.label, self.study, scene, editor)
        self.learning = LearningLogic(sections.learning, self.study, settings, editor)
        self.results = ResultsLogic(sections.results, self.study, scene, self.commands.run)
        self.results.correctionRequested.connect(self.label.open)

    def begin(self, folder: str = "") -> None:
        """Open the project of a saved scene, or the last one."""
        self.project.begin(folder)

    def tick(self) -> None:
        """Hear the worker; for a timer."""
        self.study.tick()

    def close(self) -> None:
        """Close the project and end every process that was started; nothing is left in the scene."""
        self.study.close()

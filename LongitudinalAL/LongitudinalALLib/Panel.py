"""The panel: five sections, in the order of the work, and what they share."""

from __future__ import annotations

from typing import Any

import qt
import slicer

from LongitudinalALLib.Editor import Editor
from LongitudinalALLib.Keys import LABEL_KEYS, Keys
from LongitudinalALLib.LearningCurve import LearningCurve
from LongitudinalALLib.Sections.LabelSection import LabelSection
from LongitudinalALLib.Sections.LearningSection import LearningSection
from LongitudinalALLib.Sections.PairsSection import PairsSection
from LongitudinalALLib.Sections.ProjectSection import ProjectSection
from LongitudinalALLib.Sections.ResultsSection import ResultsSection


class Panel:
    """Puts the sections together, and brings them to life and to their end.

    Attributes
    ----------
    project, pairs, label, learning, results : Section
    editor : Editor
        The embedded Segment Editor.
    widget : qt.QWidget

    Parameters
    ----------
    scene : vtkMRMLScene
    """

    def __init__(self, scene: Any) -> None:
        self.editor = Editor(scene)
        self.project = ProjectSection()
        self.pairs = PairsSection()
        self.label = LabelSection()
        self.learning = LearningSection(LearningCurve(scene))
        self.results = ResultsSection()
        self.label.setEditor(self.editor.widget)
        self.pairs.setScene(scene)
        self.widget: Any = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        for section in self.sections():
            layout.addWidget(section.widget)
        layout.addStretch(1)
        self._keys = Keys({key: lambda name=name: self.label.press(name) for key, name in LABEL_KEYS.items()})
        self.setProjectOpen(False)

    def sections(self) -> list[Any]:
        """Return the sections, from top to bottom."""
        return [self.project, self.pairs, self.label, self.learning, self.results]

    def setProjectOpen(self, isOpen: bool) -> None:
        """Allow what needs an open project, or not."""
        self.pairs.setProjectOpen(isOpen)
        for section in (self.label, self.learning, self.results):
            section.widget.setEnabled(isOpen)

    def enter(self) -> None:
        """The module is shown."""
        self._keys.install(slicer.util.mainWindow())
        self.editor.enter()

    def exit(self) -> None:
        """The module is left: its keys are gone, and the views are heard no more."""
        self._keys.remove()
        self.editor.exit()

    def cleanup(self) -> None:
        """Delete everything; it cannot be used any more."""
        if self.widget is None:
            return
        self._keys.remove()
        self.editor.cleanup()
        for section in self.sections():
            section.cleanup()
        self.widget.setParent(None)
        self.widget.deleteLater()
        self.widget = None

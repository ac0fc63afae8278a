"""LongitudinalAL in 3D Slicer: the four classes that Slicer asks for, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class LongitudinalAL(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened.

    Contract: Slicer `Base/Python/slicer/ScriptedLoadableModule.py`.
    """

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "LongitudinalAL"
        parent.categories = [translate("qSlicerAbstractCoreModule", "Active Learning")]
        parent.dependencies = []
        parent.contributors = ["LongitudinalAL contributors"]
        parent.helpText = _(
            "Label what changed between two scans of a patient, with few labels: pairs are registered and "
            "differenced, a network learns from every label, and asks for the most informative slice pair "
            "next, with its reason. Research software, not a medical device."
        )
        parent.acknowledgementText = _(
            "After: Is Complete Labeling Necessary? Understanding Active Learning in Longitudinal Medical "
            "Imaging, IJCNN 2025 (arXiv 2511.18007)."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData() -> None:
    """List the sample data, once Slicer has started."""
    import SampleData

    from LongitudinalALLib import SampleScans

    icons = Path(__file__).resolve().parent / "Resources" / "Icons"
    SampleScans.registerSampleData(SampleData.SampleDataLogic, icons)


class LongitudinalALWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel, and the moments of its life that Slicer tells.

    Contract: Slicer `Base/Python/slicer/ScriptedLoadableModule.py`: `setup`, `enter`, `exit`, `cleanup`;
    `Base/Python/slicer/util.py`: `VTKObservationMixin`.
    """

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.wiring: Any = None
        self.logic: Any = None

    def setup(self) -> None:
        """Build the panel; nothing is started, downloaded or installed."""
        from LongitudinalALLib.Wiring import Wiring

        ScriptedLoadableModuleWidget.setup(self)
        self.logic = LongitudinalALLogic()
        self.wiring = Wiring(slicer.mrmlScene)
        self.layout.addWidget(self.wiring.panel.widget)
        self.wiring.study.opened.connect(self._keepProject)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self._onSceneClosed)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self._onSceneImported)

    def enter(self) -> None:
        """The module is shown."""
        self.wiring.enter(self.logic.parameters().projectFolder)

    def exit(self) -> None:
        """The module is left."""
        self.wiring.exit()

    def cleanup(self) -> None:
        """The module is unloaded or reloaded: nothing of it stays."""
        self.removeObservers()
        if self.wiring is not None:
            self.wiring.cleanup()
            self.wiring = None

    def onReload(self) -> None:
        """Reload the module with all of its files."""
        import sys

        for name in [
            each for each in sys.modules if each.split(".")[0] in ("LongitudinalALLib", "longitudinal_al")
        ]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _keepProject(self) -> None:
        """Note the project in the scene, so that the scene finds it again when it is loaded."""
        self.logic.parameters().projectFolder = str(self.wiring.study.project.folder)

    def _onSceneClosed(self, *_arguments: Any) -> None:
        """A closed scene has lost the parameters; the project stays open."""
        if self.wiring.study.isOpen:
            self._keepProject()

    def _onSceneImported(self, *_arguments: Any) -> None:
        """Open the project of a scene that was loaded."""
        folder = self.logic.parameters().projectFolder
        if folder and not self.wiring.study.isOpen:
            self.wiring.projectLogic.begin(folder)


class LongitudinalALLogic(ScriptedLoadableModuleLogic):
    """Holds what the module keeps in the scene.

    Contract: Slicer `Base/Python/slicer/ScriptedLoadableModule.py`, `getParameterNode`.
    """

    def parameters(self) -> Any:
        """Return the parameters in the scene."""
        from LongitudinalALLib.ParameterNode import ParameterNode

        return ParameterNode(self.getParameterNode())


class LongitudinalALTest(ScriptedLoadableModuleTest):
    """The self test; its steps are in `LongitudinalALLib.SelfTest`.

    Contract: Slicer `Base/Python/slicer/ScriptedLoadableModule.py`: "Reload and Test" calls `runTest` itself,
    `slicer.testing.runUnitTest` calls `run`, as `unittest` does, which counts what was skipped.
    """

    isCounted = False

    def run(self, result: Any = None) -> Any:
        """Run as one of `unittest`'s tests."""
        self.isCounted = True
        return super().run(result)

    def runTest(self, **_named: Any) -> None:
        """Run all steps; the user's scene is left as it is, and what is skipped is said."""
        import unittest

        from LongitudinalALLib.SelfTest import SelfTest

        try:
            SelfTest(say=self.delayDisplay).run()
        except unittest.SkipTest as skipped:
            self.delayDisplay(str(skipped))
            if self.isCounted:
                raise

"""A small host for MRML: what `slicer.util` expects of the application, from slicer-core's real classes.

`Host()` makes a scene with the nodes that Slicer starts with, its application logic, the layout logic and the
logics of modules, and puts them where Slicer has them: `slicer.mrmlScene`, `slicer.modules.<name>.logic()`,
`slicer.app`. What it stands in for is the Qt side only: `slicer.app` and its layout manager are small classes
in `host_application.py`; slice views are drawn off-screen, in `offscreen_view.py`.
"""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install -e '.[slicer-test]'")
vtk = pytest.importorskip("vtk", reason="vtk is not installed: pip install -e '.[slicer-test]'")
import slicer.util  # noqa: E402, F811
from host_application import Application  # noqa: E402
from offscreen_view import VIEW_SIZE, OffscreenView, canDraw  # noqa: E402

__all__ = ["Host", "canDraw", "slicer", "vtk"]

LOGICS = {
    "colors": "vtkMRMLColorLogic",
    "data": "vtkSlicerDataModuleLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "models": "vtkSlicerModelsLogic",
    "plots": "vtkSlicerPlotsLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "segmenteditor": "vtkSlicerSegmentEditorLogic",
    "subjecthierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "tables": "vtkSlicerTablesLogic",
    "terminologies": "vtkSlicerTerminologiesModuleLogic",
    "transforms": "vtkSlicerTransformLogic",
    "units": "vtkSlicerUnitsLogic",
    "volumes": "vtkSlicerVolumesLogic",
}
"""Module -> class of its logic, as in the application (`slicer.modules.<module>.logic()`)."""


class Host:
    """A scene and its logics, as in a just started application.

    Attributes
    ----------
    scene : vtkMRMLScene
    applicationLogic : vtkMRMLApplicationLogic
    layoutLogic : vtkMRMLLayoutLogic
    application : Application
        Stands in for `slicer.app`.
    """

    def __init__(self) -> None:
        _errorsToConsole()
        self.scene = slicer.vtkMRMLScene()
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        self.scene.AddNode(crosshair)
        self.applicationLogic = _applicationLogic(self.scene)
        self._logics = {module: self._moduleLogic(module, name) for module, name in LOGICS.items()}
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)
        self.sliceLogics: dict[str, Any] = {}
        self.views: dict[str, Any] = {}
        scene = slicer.vtkMRMLScene
        self._observers = [
            self.scene.AddObserver(scene.NodeAddedEvent, self._onNodeAdded),
            self.scene.AddObserver(scene.NodeRemovedEvent, self._onNodeRemoved),
        ]
        self.layoutLogic = slicer.vtkMRMLLayoutLogic()
        self.layoutLogic.SetMRMLApplicationLogic(self.applicationLogic)
        self.layoutLogic.SetMRMLScene(self.scene)
        self.layoutLogic.GetLayoutNode().SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self.application = Application(self)
        self.install()

    def install(self) -> None:
        """Put this host where Slicer has its application: one host at a time."""
        slicer.mrmlScene = self.scene
        slicer.app = self.application
        slicer.modules = SimpleNamespace(
            **{
                name: SimpleNamespace(name=name, logic=lambda x=logic: x)
                for name, logic in self._logics.items()
            }
        )

    def logic(self, module: str) -> Any:
        """Return the logic of a module by its name in lower case."""
        return self._logics[module]

    def sliceNode(self, tag: str) -> Any:
        """Return the slice node of a view by its singleton tag, or None."""
        return self.scene.GetSingletonNode(tag, "vtkMRMLSliceNode")

    def sliceLogic(self, tag: str) -> Any:
        """Return the slice logic of a view by its singleton tag."""
        return self.applicationLogic.GetSliceLogic(self.sliceNode(tag))

    def view(self, tag: str, size: tuple[int, int] = VIEW_SIZE) -> OffscreenView:
        """Return the off-screen view of a slice node, which follows the scene as one on the screen."""
        if tag not in self.views:
            self.views[tag] = OffscreenView(self.sliceLogic(tag), self.applicationLogic, size)
        return self.views[tag]

    def close(self) -> None:
        """Leave: forget the scene and take the application away."""
        for observer in self._observers:
            self.scene.RemoveObserver(observer)
        self.views.clear()
        for logic in [*self.sliceLogics.values(), self.layoutLogic]:
            logic.SetMRMLScene(None)
        self.applicationLogic.GetSliceLogics().RemoveAllItems()
        self.sliceLogics.clear()
        self.scene.Clear(1)
        if getattr(slicer, "mrmlScene", None) is self.scene:
            del slicer.mrmlScene, slicer.app, slicer.modules

    def _moduleLogic(self, module: str, className: str) -> Any:
        logic = getattr(slicer, className)()
        share = _shareDirectory(module)
        if share is not None and hasattr(logic, "SetModuleShareDirectory"):
            logic.SetModuleShareDirectory(share.as_posix())
        logic.SetMRMLScene(self.scene)
        logic.SetMRMLApplicationLogic(self.applicationLogic)
        with suppress(AttributeError, TypeError):
            self.applicationLogic.SetModuleLogic(module.capitalize(), logic)
        return logic

    def _onNodeAdded(self, *_: Any) -> None:
        """Give every slice node its logic, as the layout manager's views do in the application."""
        for node in self.sliceNodes():
            if node.GetLayoutName() and self.applicationLogic.GetSliceLogic(node) is None:
                self._addSliceLogic(node)

    def _onNodeRemoved(self, *_: Any) -> None:
        """Drop the logic of a slice node that was removed, as the layout manager drops its view."""
        tags = {node.GetLayoutName() for node in self.sliceNodes()}
        for tag in set(self.sliceLogics) - tags:
            self.views.pop(tag, None)
            logic = self.sliceLogics.pop(tag)
            self.applicationLogic.GetSliceLogics().RemoveItem(logic)
            logic.SetMRMLScene(None)

    def sliceNodes(self) -> list[Any]:
        """Return the slice nodes of all views that were ever shown."""
        count = self.scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")
        return [self.scene.GetNthNodeByClass(index, "vtkMRMLSliceNode") for index in range(count)]

    def _addSliceLogic(self, node: Any) -> None:
        logic = slicer.vtkMRMLSliceLogic()
        self.sliceLogics[node.GetLayoutName()] = logic
        logic.SetMRMLApplicationLogic(self.applicationLogic)
        self.applicationLogic.GetSliceLogics().AddItem(logic)
        logic.SetSliceNode(node)
        logic.SetMRMLScene(self.scene)
        logic.ResizeSliceNode(*VIEW_SIZE)


def _applicationLogic(scene: Any) -> Any:
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.GetColorLogic().SetMRMLScene(scene)
    logic.GetColorLogic().AddDefaultColorNodes()
    logic.SetSliceLogics(vtk.vtkCollection())
    logic.SetViewLogics(vtk.vtkCollection())
    slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(logic)
    slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(logic)
    return logic


def _shareDirectory(module: str) -> Path | None:
    """Return the folder of terminologies that trame-slicer carries, where it is installed."""
    if module != "terminologies":
        return None
    found = importlib.util.find_spec("trame_slicer")
    return Path(found.origin).parent / "resources" / module if found and found.origin else None


def _errorsToConsole() -> None:
    """Write VTK's errors where pytest catches them, never into a window."""
    output = vtk.vtkOutputWindow()
    output.SetDisplayModeToAlwaysStdErr()
    vtk.vtkOutputWindow.SetInstance(output)

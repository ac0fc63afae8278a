"""A small host for MRML: what `slicer.util` expects of the application, from slicer-core's real classes.

`Host()` makes a scene with the nodes that Slicer starts with, its application logic, the layout logic and the
logics of modules, and puts them where Slicer has them: `slicer.mrmlScene`, `slicer.modules.<name>.logic()`,
`slicer.app`. What it stands in for is the Qt side only: `slicer.app` and its layout manager are small classes
of this file; slice views are drawn off-screen.
"""

from __future__ import annotations

import importlib.util
import tempfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install -e '.[slicer-test]'")
vtk = pytest.importorskip("vtk", reason="vtk is not installed: pip install -e '.[slicer-test]'")
import slicer.util  # noqa: E402, F811
from vtk.util.numpy_support import vtk_to_numpy  # noqa: E402

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

VIEW_SIZE = (400, 400)
"""Pixels of a slice view that nobody has sized."""


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


class Application:
    """Stands in for `slicer.app` (qSlicerApplication) as far as code without Qt uses it."""

    applicationName = "LongitudinalAL test host"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._layoutManager = LayoutManager(host)
        self.temporaryPath = tempfile.gettempdir()

    def testingEnabled(self) -> bool:
        """Tell `slicer.util` not to ask anybody."""
        return True

    def applicationLogic(self) -> Any:
        """Return the application logic."""
        return self._host.applicationLogic

    def mrmlScene(self) -> Any:
        """Return the scene."""
        return self._host.scene

    def layoutManager(self) -> LayoutManager:
        """Return the stand-in of the layout manager."""
        return self._layoutManager

    def processEvents(self) -> None:
        """There are no events."""

    def pauseRender(self) -> None:
        """Pass on."""
        self._host.applicationLogic.PauseRender()

    def resumeRender(self) -> None:
        """Pass on."""
        self._host.applicationLogic.ResumeRender()

    def setOverrideCursor(self, _cursor: Any) -> None:
        """There is no cursor."""

    def restoreOverrideCursor(self) -> None:
        """There is no cursor."""


class LayoutManager:
    """Stands in for qSlicerLayoutManager: the real layout logic, and the slice logics of the views."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def layout(self) -> int:
        """Number of the layout shown."""
        return self._host.layoutLogic.GetLayoutNode().GetViewArrangement()

    def layoutLogic(self) -> Any:
        """Return the layout logic."""
        return self._host.layoutLogic

    def setLayout(self, number: int) -> None:
        """Show a layout."""
        self._host.layoutLogic.GetLayoutNode().SetViewArrangement(number)

    def sliceViewNames(self) -> list[str]:
        """Return the singleton tags of all slice views that were ever shown."""
        return [node.GetLayoutName() for node in self._host.sliceNodes()]

    def sliceWidget(self, tag: str) -> SimpleNamespace | None:
        """Return what stands in for a slice widget, or None."""
        node = self._host.sliceNode(tag)
        if node is None:
            return None
        logic = self._host.sliceLogic(tag)
        return SimpleNamespace(sliceLogic=lambda: logic, mrmlSliceNode=lambda: node)

    @property
    def threeDViewCount(self) -> int:
        """There are no 3-D views."""
        return 0

    def resetSliceViews(self) -> None:
        """Fit the volumes into all slice views."""
        self._host.applicationLogic.FitSliceToAll()


class OffscreenView:
    """A slice view without a window: the slice logic's image, and the displayable managers on top.

    In the application the image is drawn by CTK's light box renderer, which slicer-core does not have.
    Contract: Slicer `Libs/MRML/DisplayableManager/vtkMRMLDisplayableManagerGroup.h`,
    `Libs/MRML/Logic/vtkMRMLSliceLogic.h` (GetImageDataConnection, ResizeSliceNode).
    """

    MANAGERS = ("vtkMRMLSegmentationsDisplayableManager2D", "vtkMRMLModelSliceDisplayableManager")

    def __init__(self, logic: Any, applicationLogic: Any, size: tuple[int, int]) -> None:
        self._logic = logic
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self._mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self.renderer = vtk.vtkRenderer()
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self.renderer.AddViewProp(actor)
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.SetSize(*size)
        self._window.AddRenderer(self.renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        logic.ResizeSliceNode(*size)
        self._managers = self._displayableManagers(applicationLogic)

    def _displayableManagers(self, applicationLogic: Any) -> Any:
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(applicationLogic)
        group = slicer.vtkMRMLDisplayableManagerGroup()
        for name in self.MANAGERS:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        group.SetRenderer(self.renderer)
        for name in self.MANAGERS:
            manager = slicer.vtkMRMLDisplayableManagerGroup.InstantiateDisplayableManager(name)
            manager.SetMRMLApplicationLogic(applicationLogic)
            group.AddDisplayableManager(manager)
        group.SetMRMLDisplayableNode(self._logic.GetSliceNode())
        return group

    def setCaption(self, text: str) -> None:
        """Write a name into the lower left corner; in the application Slicer's corner annotation does."""
        actor = vtk.vtkTextActor()
        actor.SetInput(text)
        actor.SetPosition(10, 8)
        actor.GetTextProperty().SetFontSize(17)
        actor.GetTextProperty().SetShadow(True)
        self.renderer.AddViewProp(actor)

    def draw(self) -> None:
        """Draw what the scene shows now."""
        connection = self._logic.GetImageDataConnection()
        self._mapper.SetInputConnection(connection)
        self._mapper.GetInputAlgorithm() and self._mapper.GetInputAlgorithm().Update()
        self._window.Render()

    def picture(self) -> Any:
        """Return the pixels: uint8 (rows, columns, 3), the first row on top."""
        self.draw()
        reader = vtk.vtkWindowToImageFilter()
        reader.SetInput(self._window)
        reader.ReadFrontBufferOff()
        reader.Update()
        image = reader.GetOutput()
        columns, rows, _ = image.GetDimensions()
        pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)
        return pixels[::-1, :, :3].copy()


def canDraw() -> bool:
    """Tell whether there is something to draw with: a display, EGL or OSMesa."""
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    return bool(window.SupportsOpenGL())


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

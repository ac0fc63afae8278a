"""A slice view without a window, drawn by VTK as far as slicer-core has what the application draws with."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

VIEW_SIZE = (400, 400)
"""Pixels of a slice view that nobody has sized."""


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

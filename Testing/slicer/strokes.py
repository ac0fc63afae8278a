"""Paint as the Segment Editor's paint effect does: brush strokes of one slice, through its logic."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from vtk.util.numpy_support import vtk_to_numpy


class Painter:
    """A segment editor on a pair's labels.

    Contract: Slicer `Modules/Loadable/Segmentations/Logic/vtkSlicerSegmentEditorLogic.h`
    (SetSegmentEditorNode, ResetModifierLabelmapToDefault, ModifySegmentByLabelmap).
    """

    def __init__(self, host: Any, pair: Any) -> None:
        self.pair = pair
        self.node = host.scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        self.node.SetAndObserveSegmentationNode(pair.segmentation)
        self.node.SetAndObserveSourceVolumeNode(pair.followup)
        self.logic = slicer.vtkSlicerSegmentEditorLogic()
        self.logic.SetMRMLScene(host.scene)
        self.logic.SetSegmentEditorNode(self.node)

    def paint(
        self, k: int, mask: np.ndarray, segmentId: str = "LongitudinalAL_1", *, erase: bool = False
    ) -> None:
        """Add a mask (rows, columns) of slice `k` to a segment, or take it away."""
        image = self.modifier()
        extent = self.pair.grid.extent(k)
        dimensions = image.GetDimensions()[::-1]
        assert tuple(dimensions) == self.pair.grid.shape, dimensions
        voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(dimensions)
        np.moveaxis(voxels, self.pair.grid.axis, 0)[k] = mask
        mode = self.logic.ModificationModeRemove if erase else self.logic.ModificationModeAdd
        self.logic.ModifySegmentByLabelmap(
            self.pair.segmentation, segmentId, image, mode, extent, False, True
        )

    def modifier(self) -> Any:
        """Return an empty labelmap in the geometry that the Segment Editor draws on."""
        self.logic.UpdateReferenceGeometryImage()
        self.logic.ResetModifierLabelmapToDefault()
        return self.logic.GetModifierLabelmap()


def stroke(shape: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Return a random brush stroke, boolean (rows, columns): discs along a line, also over the edge."""
    rows, columns = np.indices(shape)
    start, end = generator.uniform(-2, np.array(shape) + 2, (2, 2))
    mask = np.zeros(shape, bool)
    radius = generator.uniform(0.6, 4.5)
    for part in np.linspace(0, 1, 12):
        row, column = start + part * (end - start)
        mask |= (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    return mask

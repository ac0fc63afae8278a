"""Predicted changes in the scene: a table to read and jump from, and a segmentation with terminology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from longitudinal_al.errors import GeometryMismatch, InvalidInput
from longitudinal_al.project.terminology import TERMINOLOGY
from LongitudinalALLib.SceneGrid import vtkMatrixOf
from LongitudinalALLib.SceneLabels import COLORS
from LongitudinalALLib.SceneNodes import removeNode
from LongitudinalALLib.SceneOpenPair import OpenPair

COLUMNS = ("Class", "Volume (mm³)", "R (mm)", "A (mm)", "S (mm)", "Diameter (mm)", "Decision")
DECISION = len(COLUMNS) - 1
DECISIONS = ("", "accepted", "corrected", "rejected")


class Results:
    """The predicted changes of the pair shown."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._ids: list[str] = []
        self._mask: np.ndarray | None = None
        self._changes: list[Mapping[str, Any]] = []

    @property
    def table(self) -> Any:
        """The table node, or None."""
        return self._scene.GetNodeByID(self._ids[0]) if self._ids else None

    def show(
        self, pair: OpenPair, changes: Sequence[Mapping[str, Any]], mask: np.ndarray | None = None
    ) -> None:
        """Show the changes of a pair.

        Parameters
        ----------
        changes : sequence of mapping
            `class` (number or name), `volume_mm3`, `centre_mm` (RAS), `diameter_mm`.
        mask : numpy.ndarray, optional
            uint8 (z, y, x) of the pair's grid: the class of every voxel.
        """
        if mask is not None and mask.shape != pair.grid.shape:
            raise GeometryMismatch(
                f"the prediction has {mask.shape} voxels, the pair {pair.grid.shape}: predict the pair again"
            )
        self.clear()
        self._changes = list(changes)
        self._mask = mask
        self._ids = [_table(self._scene, pair, self._changes).GetID()]
        if mask is not None:
            self._ids.append(_segmentation(self._scene, pair, mask).GetID())

    def decide(self, row: int, decision: str) -> None:
        """Note what was decided on a change: one of `DECISIONS`."""
        if not 0 <= row < len(self._changes):
            raise InvalidInput(f"there is no change {row} in the list of {len(self._changes)}")
        if decision not in DECISIONS:
            raise InvalidInput(f"a decision is one of {', '.join(DECISIONS[1:])}, not {decision!r}")
        if self.table is not None:
            self.table.SetCellText(row, DECISION, decision)

    def predictedSlice(self, pair: OpenPair, k: int) -> np.ndarray | None:
        """Return the prediction of slice `k`, uint8 (rows, columns); `None` without a mask."""
        return None if self._mask is None else np.take(self._mask, k, pair.grid.axis)

    def clear(self) -> None:
        """Take the list and its segmentation away."""
        for node in self.nodes():
            removeNode(self._scene, node)
        self._ids, self._changes, self._mask = [], [], None

    def nodes(self) -> list[Any]:
        """Return the nodes that are there."""
        found = (self._scene.GetNodeByID(id_) for id_ in self._ids)
        return [node for node in found if node is not None]


def _table(scene: Any, pair: OpenPair, changes: Sequence[Mapping[str, Any]]) -> Any:
    """Contract: Slicer `Libs/MRML/Core/vtkMRMLTableNode.h` (AddColumn, SetUseColumnNameAsColumnHeader)."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", f"Changes {pair.name}")
    for index, name in enumerate(COLUMNS):
        text = index in (0, DECISION)
        column = vtk.vtkStringArray() if text else vtk.vtkDoubleArray()
        column.SetName(name)
        for change in changes:
            value = _row(pair, change)[index]
            column.InsertNextValue(str(value) if text else float(value))
        node.AddColumn(column)
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def _row(pair: OpenPair, change: Mapping[str, Any]) -> list[Any]:
    kind = change["class"]
    name = pair.classes[kind - 1] if isinstance(kind, int) and 0 < kind <= len(pair.classes) else kind
    centre = [round(float(value), 1) for value in change["centre_mm"]]
    return [name, round(float(change["volume_mm3"]), 1), *centre, round(float(change["diameter_mm"]), 1), ""]


def _segmentation(scene: Any, pair: OpenPair, mask: np.ndarray) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"Predicted changes {pair.name}")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(pair.followup)
    node.SetAndObserveTransformNodeID(pair.followup.GetTransformNodeID())
    display = node.GetDisplayNode()
    display.SetOpacity2DFill(0.15)
    display.SetSliceIntersectionThickness(2)
    for number, name in enumerate(pair.classes, start=1):
        id_ = node.AddSegmentFromBinaryLabelmapRepresentation(
            _image(mask == number, pair), name, COLORS[(number - 1) % len(COLORS)]
        )
        segment = node.GetSegmentation().GetSegment(id_)
        segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), TERMINOLOGY)
    return node


def _image(mask: np.ndarray, pair: OpenPair) -> Any:
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*mask.shape[::-1])
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = mask.ravel()
    image.SetGeometryFromImageToWorldMatrix(vtkMatrixOf(pair.grid.ijkToRas))
    return image

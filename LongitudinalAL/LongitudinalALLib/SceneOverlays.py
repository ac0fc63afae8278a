"""What is laid over a slice on request: suggestion, uncertainty, attention, earlier labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from longitudinal_al.errors import GeometryMismatch, UnknownName
from LongitudinalALLib.SceneGrid import vtkMatrixOf
from LongitudinalALLib.SceneNodes import removeNode
from LongitudinalALLib.SceneOpenPair import OpenPair
from LongitudinalALLib.SceneViews import SliceViews
from LongitudinalALLib.SceneVolumes import Volume, addVolume

HEAT_OPACITY = 0.55
FAINT = 0.15
"""Less than this is not shown: of uncertainty and attention, which go from 0 to 1."""


@dataclass(frozen=True)
class Kind:
    """How an overlay looks: an outline in a colour, or a heat map."""

    title: str
    color: tuple[float, float, float] | None = None
    threshold: float = 0.5
    colors: str = ""


OVERLAYS = {
    "suggestion": Kind("Suggestion", color=(0.15, 0.9, 1.0)),
    "earlier labels": Kind("Earlier labels", color=(0.7, 1.0, 0.3)),
    "uncertainty": Kind("Uncertainty", colors="vtkMRMLColorTableNodeIron"),
    "attention": Kind("Attention", colors="vtkMRMLColorTableNodeOcean"),
}


class Overlays:
    """Overlays of one slice at a time; they are in no label, and go when another slice is shown."""

    def __init__(self, scene: Any, views: SliceViews) -> None:
        self._scene = scene
        self._views = views
        self._on = dict.fromkeys(OVERLAYS, False)
        self._nodes: dict[str, str] = {}
        self._place: tuple[OpenPair, int] | None = None

    @property
    def on(self) -> dict[str, bool]:
        """Which overlays are switched on."""
        return dict(self._on)

    def holds(self, name: str) -> bool:
        """Tell whether there is something to show for the slice shown."""
        return self._node(name) is not None

    def set(self, name: str, pair: OpenPair, k: int, values: np.ndarray) -> None:
        """Give what an overlay shows on slice `k`; it is seen if it is switched on.

        Parameters
        ----------
        values : numpy.ndarray
            (rows, columns): 0 to 1, or the classes of a label.
        """
        kind = _kind(name)
        if values.shape != pair.grid.sliceShape:
            raise GeometryMismatch(
                f"the {name} has {values.shape} pixels, a slice of the pair {pair.grid.sliceShape}: "
                "ask for it again"
            )
        if self._place != (pair, k):
            self.clear()
            self._place = (pair, k)
        self._remove(name)
        make = _outline if kind.color else _heat
        node = make(self._scene, kind, pair, k, values)
        node.SetSaveWithScene(False)
        node.SetAndObserveTransformNodeID(pair.followup.GetTransformNodeID())
        self._nodes[name] = node.GetID()
        self._refresh()

    def switch(self, name: str, on: bool) -> None:
        """Switch an overlay on or off; of the two heat maps, one is seen at a time."""
        if _kind(name).colors and on:
            for other, kind in OVERLAYS.items():
                self._on[other] = self._on[other] and not kind.colors
        self._on[name] = on
        self._refresh()

    def clear(self) -> None:
        """Take away what is laid over; what is switched on stays so for the next slice."""
        for name in list(self._nodes):
            self._remove(name)
        self._place = None

    def nodes(self) -> list[Any]:
        """Return the nodes that are there."""
        found = (self._node(name) for name in OVERLAYS)
        return [node for node in found if node is not None]

    def _node(self, name: str) -> Any:
        return self._scene.GetNodeByID(self._nodes.get(name, ""))

    def _remove(self, name: str) -> None:
        node = self._node(name)
        self._nodes.pop(name, None)
        if node is None:
            return
        if OVERLAYS[name].colors and self._views.isSet:
            self._hideHeat(node)
        removeNode(self._scene, node)

    def _hideHeat(self, node: Any) -> None:
        if self._views.compositeNode("followup").GetForegroundVolumeID() == node.GetID():
            self._views.showOver(None, 0.0, ("followup",))

    def _refresh(self) -> None:
        for name, kind in OVERLAYS.items():
            node = self._node(name)
            if node is None:
                continue
            if kind.color:
                node.GetDisplayNode().SetVisibility(self._on[name])
            elif self._on[name]:
                self._views.showOver(node, HEAT_OPACITY, ("followup",))
            else:
                self._hideHeat(node)
        if self._place and self._on["suggestion"] and self.holds("suggestion"):
            pair, k = self._place
            pair.suggest(k)


def _kind(name: str) -> Kind:
    if name not in OVERLAYS:
        raise UnknownName("overlay", name, OVERLAYS)
    return OVERLAYS[name]


def _heat(scene: Any, kind: Kind, pair: OpenPair, k: int, values: np.ndarray) -> Any:
    """Add a volume of one slice that lies on slice `k`."""
    grid = pair.grid
    matrix = grid.ijkToRas.copy()
    matrix[:3, 3] += k * matrix[:3, 2 - grid.axis]
    voxels = np.expand_dims(values.astype(np.float32), grid.axis)
    node = addVolume(scene, Volume(voxels, matrix), kind.title)
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(kind.colors)
    display.SetWindowLevel(1.0, 0.5)
    display.SetThreshold(FAINT, float(max(1.0, values.max())))
    display.SetApplyThreshold(True)
    return node


def _outline(scene: Any, kind: Kind, pair: OpenPair, k: int, values: np.ndarray) -> Any:
    """Add a segmentation with the outline of what reaches the threshold.

    Contract: Slicer `Libs/MRML/Core/vtkMRMLSegmentationNode.h` (AddSegmentFromBinaryLabelmapRepresentation).
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", kind.title)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetOpacity2DFill(0.0)
    display.SetOpacity2DOutline(1.0)
    display.SetSliceIntersectionThickness(2)
    display.SetVisibility(False)
    image = slicer.vtkOrientedImageData()
    image.SetExtent(pair.grid.extent(k))
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = (values >= kind.threshold).ravel()
    image.SetGeometryFromImageToWorldMatrix(vtkMatrixOf(pair.grid.ijkToRas))
    node.AddSegmentFromBinaryLabelmapRepresentation(image, kind.title, kind.color)
    return node

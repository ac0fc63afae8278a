"""The check view of a registration: flicker, checkerboard or edges of the baseline over the follow-up."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer.util

from longitudinal_al.errors import UnknownName
from LongitudinalALLib.SceneGrid import Grid
from LongitudinalALLib.SceneNodes import removeNode
from LongitudinalALLib.SceneOpenPair import OpenPair
from LongitudinalALLib.SceneViews import SliceViews
from LongitudinalALLib.SceneVolumes import Volume, addVolume

CHECK_MODES = ("off", "flicker", "checkerboard", "edges")
CELL_MM = 18.0
HIDDEN = -1e6
"""Voxels of this value are not shown, nor what is interpolated towards them."""
EDGE_SHARE = 93.0
"""Edges are what is steeper than this share of the tissue, in percent."""


class CheckView:
    """Lays the baseline over the follow-up, in the follow-up's view; it follows the baseline's transform."""

    def __init__(self, scene: Any, views: SliceViews) -> None:
        self._scene = scene
        self._views = views
        self._id = ""
        self.mode = "off"

    def show(self, pair: OpenPair, mode: str) -> None:
        """Show a check view, or end it ("off").

        Raises
        ------
        UnknownName
            When there is no such mode; `CHECK_MODES` are known.
        """
        if mode not in CHECK_MODES:
            raise UnknownName("check view", mode, CHECK_MODES)
        self.clear()
        self.mode = mode
        if mode == "flicker":
            self._views.showOver(pair.baseline, 1.0, ("followup",))
        elif mode != "off":
            node = _board(self._scene, pair) if mode == "checkerboard" else _edges(self._scene, pair)
            node.SetSaveWithScene(False)
            node.SetAndObserveTransformNodeID(pair.baseline.GetTransformNodeID())
            self._id = node.GetID()
            self._views.showOver(node, 1.0, ("followup",))

    def flick(self) -> None:
        """Show the other of the two, while the mode is "flicker"; for a timer, about twice a second."""
        if self.mode == "flicker" and self._views.isSet:
            composite = self._views.compositeNode("followup")
            composite.SetForegroundOpacity(0.0 if composite.GetForegroundOpacity() > 0.5 else 1.0)

    def clear(self) -> None:
        """End the check view."""
        if self.mode != "off" and self._views.isSet:
            self._views.showOver(None, 0.0, ("followup",))
        self.mode = "off"
        node = self._scene.GetNodeByID(self._id)
        self._id = ""
        if node is not None:
            removeNode(self._scene, node)

    def nodes(self) -> list[Any]:
        """Return the nodes that are there."""
        node = self._scene.GetNodeByID(self._id)
        return [] if node is None else [node]


def _voxels(node: Any) -> np.ndarray:
    return slicer.util.arrayFromVolume(node)


def _board(scene: Any, pair: OpenPair) -> Any:
    """Add the baseline with every other cell left out."""
    grid = pair.grid
    sums = np.zeros((1, 1, 1), int)
    for axis in range(3):
        if axis != grid.axis:
            cells = (np.arange(grid.shape[axis]) * grid.spacing[axis] // CELL_MM).astype(int)
            sums = sums + cells.reshape([-1 if each == axis else 1 for each in range(3)])
    voxels = _voxels(pair.baseline)
    shown = np.broadcast_to(sums % 2 == 0, grid.shape)
    board = np.where(shown, voxels, voxels.dtype.type(HIDDEN))
    node = addVolume(scene, Volume(board, grid.ijkToRas), "Checkerboard")
    source, display = pair.baseline.GetDisplayNode(), node.GetDisplayNode()
    display.SetWindowLevel(source.GetWindow(), source.GetLevel())
    _hideBelow(display, float(voxels.min()) - 1)
    return node


def _edges(scene: Any, pair: OpenPair) -> Any:
    """Add the steepest places of the baseline, slice by slice."""
    steep = _steepness(_voxels(pair.baseline), pair.grid)
    tissue = steep[steep > 0]
    limit = np.percentile(tissue[::7], EDGE_SHARE) if tissue.size else 1.0
    node = addVolume(
        scene, Volume((steep > limit).astype(np.float32), pair.grid.ijkToRas), "Edges of the baseline"
    )
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeYellow")
    display.SetWindowLevel(1.0, 0.5)
    display.SetInterpolate(False)
    _hideBelow(display, 0.5)
    return node


def _steepness(voxels: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the gradient's size within the slices, of voxels (z, y, x)."""
    axes = [axis for axis in range(3) if axis != grid.axis]
    slopes = [np.gradient(voxels, grid.spacing[axis], axis=axis) for axis in axes]
    return np.hypot(*slopes)


def _hideBelow(display: Any, value: float) -> None:
    display.SetThreshold(value, 1e6)
    display.SetApplyThreshold(True)

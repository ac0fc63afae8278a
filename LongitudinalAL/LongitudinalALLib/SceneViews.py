"""What the three slice views show: volumes, the plane of acquisition, one slice in all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import slicer
import vtk

from LongitudinalALLib.SceneGrid import Grid, matrixOf
from LongitudinalALLib.SceneLayout import ViewLayout
from LongitudinalALLib.SceneUserViews import UserViews
from LongitudinalALLib.SceneVolumes import ROLES

ORIENTATIONS = ("Sagittal", "Coronal", "Axial")
"""Slicer's preset for slices across right-left, posterior-anterior, inferior-superior."""


class SliceViews:
    """The three views and what they show.

    Parameters
    ----------
    scene : vtkMRMLScene
    applicationLogic : vtkMRMLApplicationLogic
        It knows the slice logics of the views.
    """

    def __init__(self, scene: Any, applicationLogic: Any) -> None:
        self._logic = applicationLogic
        self._layout = ViewLayout(scene, applicationLogic)
        self._users = UserViews(scene, applicationLogic)

    @property
    def isSet(self) -> bool:
        """Whether the three views are there now, in view or not."""
        return self._layout.isSet

    @property
    def isShown(self) -> bool:
        """Whether the three views are there and in view: the user has chosen no other layout since."""
        return self._layout.isShown

    def sliceNode(self, role: str) -> Any:
        """Return a view's slice node or None."""
        return self._layout.sliceNode(role)

    def compositeNode(self, role: str) -> Any:
        """Return the composite node of a view, which names its volumes."""
        return self._layout.sliceLogic(role).GetSliceCompositeNode()

    def set(self) -> None:
        """Show the three views, and remember what was shown before."""
        if not self._layout.wasSet:
            self._users.remember()
        self._layout.set()

    def restore(self) -> None:
        """Show again what was shown before `set`, and take the three views out of the scene."""
        self._layout.restore()

    def giveBack(self, isOurs: Callable[[str], bool]) -> None:
        """Put the user's own views back where they show one of our volumes; see `UserViews.giveBack`.

        The Segment Editor puts the volume that is painted on into every view.
        """
        self._users.giveBack(isOurs)

    def showVolumes(self, backgrounds: Mapping[str, Any]) -> None:
        """Put a volume into the background of each of the three views; only what changed is set."""
        for role, volume in backgrounds.items():
            composite = self.compositeNode(role)
            if composite.GetBackgroundVolumeID() != volume.GetID():
                composite.SetBackgroundVolumeID(volume.GetID())

    def showOver(self, volume: Any, opacity: float, roles: tuple[str, ...] = ROLES) -> None:
        """Lay a volume, or nothing, over the background of some of the views."""
        for role in roles:
            composite = self.compositeNode(role)
            composite.SetForegroundVolumeID(volume.GetID() if volume is not None else None)
            composite.SetForegroundOpacity(opacity if volume is not None else 0.0)

    def turn(self, grid: Grid, volume: Any) -> None:
        """Turn the three views into the plane of acquisition and fit the volume into them.

        Contract: Slicer `Libs/MRML/Core/vtkMRMLSliceNode.h` (SetOrientation, RotateToVolumePlane) and
        `Libs/MRML/Logic/vtkMRMLSliceLogic.h` (FitSliceToBackground, which also goes to the middle slice).
        """
        world = _directionInWorld(volume, grid.centre(0), grid.normal())
        orientation = ORIENTATIONS[int(np.argmax(np.abs(world)))]
        for role in ROLES:
            node = self.sliceNode(role)
            node.SetOrientation(orientation)
            node.RotateToVolumePlane(volume)
            self._layout.sliceLogic(role).FitSliceToBackground()

    def jump(self, grid: Grid, volume: Any, k: int) -> None:
        """Show slice `k` in all three; zoom and pan stay.

        Contract: `Libs/MRML/Core/vtkMRMLSliceNode.h` (JumpSliceByOffsetting moves along the normal only).
        """
        point = _inWorld(volume, grid.centre(k))
        for role in ROLES:
            self.sliceNode(role).JumpSliceByOffsetting(*point)

    def sliceShown(self, grid: Grid, volume: Any, role: str = "followup") -> int | None:
        """Return the slice that a view shows, `None` when it shows none or has been turned away."""
        node = self.sliceNode(role)
        if node is None:
            return None
        matrix = matrixOf(node.GetSliceToRAS())
        normal, origin = matrix[:3, 2], matrix[:3, 3]
        first = grid.centre(0)
        centre, across = _inWorld(volume, first), _directionInWorld(volume, first, grid.normal())
        along = float(normal @ across)
        if abs(along) < 0.999:
            return None
        step = np.linalg.norm(_inWorld(volume, grid.centre(1)) - centre)  # a transform may stretch
        k = round(float((origin - centre) @ normal) / along / float(step))
        return k if 0 <= k < grid.slices else None

    @contextmanager
    def drawnOnce(self) -> Iterator[None]:
        """Draw once after changes; Contract: `Libs/MRML/Logic/vtkMRMLApplicationLogic.h` (PauseRender)."""
        self._logic.PauseRender()
        try:
            yield
        finally:
            self._logic.ResumeRender()


def _inWorld(node: Any, point: np.ndarray) -> np.ndarray:
    """Move a point from a node's own space into the world, through the transforms above the node.

    Contract: Slicer `Libs/MRML/Core/vtkMRMLTransformNode.h` (GetTransformBetweenNodes; None is the world).
    """
    above = node.GetParentTransformNode()
    if above is None:
        return point
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(above, None, transform)
    return np.array(transform.TransformPoint([float(value) for value in point]))


def _directionInWorld(node: Any, point: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Move a unit direction at a point into the world."""
    moved = _inWorld(node, point + direction) - _inWorld(node, point)
    return moved / np.linalg.norm(moved)

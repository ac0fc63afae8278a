"""Three slice views side by side: baseline, follow-up, difference, in the plane of acquisition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from longitudinal_al.errors import NotReady
from LongitudinalALLib.SceneGrid import Grid, matrixOf
from LongitudinalALLib.SceneVolumes import ROLES

LAYOUT = 4417
"""Number of the layout; Slicer's own stay below 100."""
VIEW_GROUP = 17
"""Keeps the user's other views out of what is done in these."""
TAGS = {
    "baseline": "LongitudinalALBaseline",
    "followup": "LongitudinalALFollowUp",
    "difference": "LongitudinalALDifference",
}
COLORS = {"baseline": "#6898C8", "followup": "#78B878", "difference": "#D8A058"}
LETTERS = {"baseline": "B", "followup": "F", "difference": "D"}
ORIENTATIONS = ("Sagittal", "Coronal", "Axial")
"""Slicer's preset for slices across right-left, posterior-anterior, inferior-superior."""
LAYERS = ("Background", "Foreground", "Label")


@dataclass
class _ViewState:
    """What a view showed before it was touched."""

    layers: dict[str, str | None]
    opacity: float
    sliceToRas: Any
    fieldOfView: tuple[float, ...]
    origin: tuple[float, ...]
    orientation: str


class SliceViews:
    """The layout of three views, what they show, and the way back to what was there before.

    Parameters
    ----------
    scene : vtkMRMLScene
    applicationLogic : vtkMRMLApplicationLogic
        It knows the slice logics of the views.
    """

    def __init__(self, scene: Any, applicationLogic: Any) -> None:
        self._scene = scene
        self._logic = applicationLogic
        self._before: int | None = None
        self._userViews: dict[str, _ViewState] = {}
        self._active: dict[str, str | None] = {}

    @property
    def isSet(self) -> bool:
        """Whether the three views are in the layout now."""
        return self._before is not None and self.sliceNode("followup") is not None

    def sliceNode(self, role: str) -> Any:
        """Return a view's slice node or None. Contract: `Libs/MRML/Core/vtkMRMLScene.h`, GetSingletonNode."""
        return self._scene.GetSingletonNode(TAGS[role], "vtkMRMLSliceNode")

    def compositeNode(self, role: str) -> Any:
        """Return the composite node of a view, which names its volumes."""
        return self._sliceLogic(role).GetSliceCompositeNode()

    def _sliceLogic(self, role: str) -> Any:
        node = self.sliceNode(role)
        logic = self._logic.GetSliceLogic(node) if node else None
        if logic is None:
            raise NotReady("the three slice views are not there: show the slice pair again")
        return logic

    # Layout

    def set(self) -> None:
        """Show the three views, and remember what was shown before.

        Contract: Slicer `Libs/MRML/Core/vtkMRMLLayoutNode.h` (AddLayoutDescription, SetViewArrangement) and
        `Libs/MRML/Logic/vtkMRMLLayoutLogic.h` (makes the slice nodes that a layout names).
        """
        layout = self._layoutNode()
        if self._before is None:
            self._before = layout.GetViewArrangement()
            self._remember()
        if not layout.IsLayoutDescription(LAYOUT):
            layout.AddLayoutDescription(LAYOUT, layoutDescription())
        layout.SetViewArrangement(LAYOUT)
        for role in ROLES:
            composite = self.compositeNode(role)
            composite.SetLinkedControl(True)
            composite.SetHotLinkedControl(True)

    def restore(self) -> None:
        """Show again what was shown before `set`, and take the three views out of the scene."""
        if self._before is None:
            return
        layout = self._layoutNode()
        if layout.GetViewArrangement() == LAYOUT:
            layout.SetViewArrangement(self._before)
        self._before = None
        for role in ROLES:
            self._removeView(role)

    def _removeView(self, role: str) -> None:
        """Remove a view's nodes: its slice node first, since the slice logic would make the others anew."""
        node = self.sliceNode(role)
        if node is None:
            return
        logic = self._logic.GetSliceLogic(node)
        model = logic.GetSliceModelNode() if logic else None
        others = [
            logic.GetSliceCompositeNode() if logic else None,
            model.GetDisplayNode() if model else None,
            logic.GetSliceModelTransformNode() if logic else None,
            model,
        ]
        ids = [node.GetID(), *(other.GetID() for other in others if other is not None)]
        del logic, model, others
        for id_ in ids:
            found = self._scene.GetNodeByID(id_)
            if found is not None:
                self._scene.RemoveNode(found)

    def _layoutNode(self) -> Any:
        node = self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        if node is None:
            raise NotReady("the scene has no layout: open the pair in Slicer's main window")
        return node

    # What the user had

    def _remember(self) -> None:
        self._userViews = {}
        for composite, node in self._userNodes():
            self._userViews[composite.GetID()] = _ViewState(
                {layer: getattr(composite, f"Get{layer}VolumeID")() for layer in LAYERS},
                composite.GetForegroundOpacity(),
                matrixOf(node.GetSliceToRAS()),
                node.GetFieldOfView(),
                node.GetXYZOrigin(),
                node.GetOrientation(),
            )
        selection = self._scene.GetSingletonNode("Singleton", "vtkMRMLSelectionNode")
        if selection is not None:
            self._active = {what: getattr(selection, f"Get{what}")() for what in _SELECTED}

    def _userNodes(self) -> list[tuple[Any, Any]]:
        """Return (composite node, slice node) of every view but the three."""
        logics = self._logic.GetSliceLogics()
        found = (
            [logics.GetItemAsObject(index) for index in range(logics.GetNumberOfItems())] if logics else []
        )
        nodes = [(logic.GetSliceCompositeNode(), logic.GetSliceNode()) for logic in found]
        return [(c, n) for c, n in nodes if c and n and n.GetLayoutName() not in TAGS.values()]

    def giveBack(self, isOurs: Callable[[str], bool]) -> None:
        """Put back the user's views and selections where they show one of our volumes now.

        The Segment Editor puts the volume that is painted on into every view.

        Parameters
        ----------
        isOurs : callable
            Whether a node of this id was added by us.
        """
        for composite, node in self._userNodes():
            shown = {layer: getattr(composite, f"Get{layer}VolumeID")() for layer in LAYERS}
            if any(id_ and isOurs(id_) for id_ in shown.values()):
                self._putBack(composite, node, self._userViews.get(composite.GetID()))
        selection = self._scene.GetSingletonNode("Singleton", "vtkMRMLSelectionNode")
        for what, before in self._active.items() if selection is not None else ():
            now = getattr(selection, f"Get{what}")()
            if now and isOurs(now):
                getattr(selection, f"Set{what}")(
                    before if before and self._scene.GetNodeByID(before) else None
                )

    def _putBack(self, composite: Any, node: Any, state: _ViewState | None) -> None:
        for layer in LAYERS:
            id_ = state.layers[layer] if state else None
            present = id_ if id_ and self._scene.GetNodeByID(id_) else None
            getattr(composite, f"Set{layer}VolumeID")(present)
        if state is None:
            return
        composite.SetForegroundOpacity(state.opacity)
        _setMatrix(node, state.sliceToRas)
        node.SetFieldOfView(*state.fieldOfView)
        node.SetXYZOrigin(*state.origin)

    # What the three show

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
            self._sliceLogic(role).FitSliceToBackground()

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
        centre, across = (
            _inWorld(volume, grid.centre(0)),
            _directionInWorld(volume, grid.centre(0), grid.normal()),
        )
        along = float(normal @ across)
        if abs(along) < 0.999:
            return None
        k = round(float((origin - centre) @ normal) / along / grid.spacing[grid.axis])
        return k if 0 <= k < grid.slices else None

    @contextmanager
    def drawnOnce(self) -> Any:
        """Draw once after changes; Contract: `Libs/MRML/Logic/vtkMRMLApplicationLogic.h` (PauseRender)."""
        self._logic.PauseRender()
        try:
            yield
        finally:
            self._logic.ResumeRender()


_SELECTED = ("ActiveVolumeID", "SecondaryVolumeID", "ActiveLabelVolumeID")


def layoutDescription() -> str:
    """Return the layout as Slicer's XML: three slice views side by side, in a view group of their own."""
    return f'<layout type="horizontal">{"".join(_viewDescription(role) for role in ROLES)}</layout>'


def _viewDescription(role: str) -> str:
    properties = {
        "orientation": "Axial",
        "viewlabel": LETTERS[role],
        "viewcolor": COLORS[role],
        "viewgroup": str(VIEW_GROUP),
    }
    inner = "".join(
        f'<property name="{name}" action="default">{value}</property>' for name, value in properties.items()
    )
    return f'<item><view class="vtkMRMLSliceNode" singletontag="{TAGS[role]}">{inner}</view></item>'


def _setMatrix(node: Any, matrix: np.ndarray) -> None:
    for row in range(4):
        for column in range(4):
            node.GetSliceToRAS().SetElement(row, column, matrix[row, column])
    node.UpdateMatrices()


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

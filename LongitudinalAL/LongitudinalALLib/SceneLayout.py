"""The layout of three slice views side by side, and the way back to the layout from before."""

from __future__ import annotations

from typing import Any

import slicer

from longitudinal_al.errors import NotReady
from LongitudinalALLib.SceneVolumes import ROLES

LAYOUT = 4417
"""Number of the layout; Slicer's own stay below 100."""
STANDARD = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
"""What is given back where a scene was loaded that was saved in our layout."""
VIEW_GROUP = 17
"""Keeps the user's other views out of what is done in these."""
TAGS = {
    "baseline": "LongitudinalALBaseline",
    "followup": "LongitudinalALFollowUp",
    "difference": "LongitudinalALDifference",
}
COLORS = {"baseline": "#6898C8", "followup": "#78B878", "difference": "#D8A058"}
LETTERS = {"baseline": "B", "followup": "F", "difference": "D"}


class ViewLayout:
    """Puts the three views into Slicer's layout, and takes them out again.

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

    @property
    def wasSet(self) -> bool:
        """Whether `set` was called, and `restore` not since."""
        return self._before is not None

    @property
    def isSet(self) -> bool:
        """Whether the three views are there now, in view or not."""
        return self.wasSet and self._hasViews()

    @property
    def isShown(self) -> bool:
        """Whether the three views are there and in view: the user has chosen no other layout since."""
        return self.isSet and self._layoutNode().GetViewArrangement() == LAYOUT

    def sliceNode(self, role: str) -> Any:
        """Return a view's slice node or None. Contract: `Libs/MRML/Core/vtkMRMLScene.h`, GetSingletonNode."""
        return self._scene.GetSingletonNode(TAGS[role], "vtkMRMLSliceNode")

    def sliceLogic(self, role: str) -> Any:
        """Return the slice logic of a view; `NotReady` when the view is not there."""
        logic = self._logicOf(role)
        if logic is None:
            raise NotReady("the three slice views are not there: show the slice pair again")
        return logic

    def set(self) -> None:
        """Show the three views, linked, and remember which layout was shown before.

        Contract: Slicer `Libs/MRML/Core/vtkMRMLLayoutNode.h` (AddLayoutDescription; SetViewArrangement does
        nothing for the layout that is shown) and `Libs/MRML/Logic/vtkMRMLLayoutLogic.h` (makes the slice
        nodes that a layout names when it is set).
        """
        layout = self._layoutNode()
        self._before = self._another(layout.GetViewArrangement())
        if not layout.IsLayoutDescription(LAYOUT):
            layout.AddLayoutDescription(LAYOUT, layoutDescription())
        if not self._hasViews():
            layout.SetViewArrangement(self._before)
        layout.SetViewArrangement(LAYOUT)
        for role in ROLES:
            composite = self.sliceLogic(role).GetSliceCompositeNode()
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

    def _another(self, shown: int) -> int:
        """Return the layout to go back to: the one that is shown, or where that is ours, the one before."""
        if shown != LAYOUT:
            return shown
        return STANDARD if self._before is None else self._before

    def _hasViews(self) -> bool:
        return all(self._logicOf(role) is not None for role in ROLES)

    def _logicOf(self, role: str) -> Any:
        node = self.sliceNode(role)
        return self._logic.GetSliceLogic(node) if node else None

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

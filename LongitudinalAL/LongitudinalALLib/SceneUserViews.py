"""The user's own slice views and selected volumes, put back as they were where they show one of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from LongitudinalALLib.SceneGrid import matrixOf
from LongitudinalALLib.SceneLayout import TAGS

LAYERS = ("Background", "Foreground", "Label")
SELECTED = ("ActiveVolumeID", "SecondaryVolumeID", "ActiveLabelVolumeID")


@dataclass(frozen=True)
class ViewState:
    """What a view showed before it was touched."""

    layers: dict[str, str | None]
    opacity: float
    sliceToRas: np.ndarray
    fieldOfView: tuple[float, ...]
    origin: tuple[float, ...]


class UserViews:
    """All slice views but the three, and the selected volumes.

    Contract: Slicer `Libs/MRML/Core/vtkMRMLSliceCompositeNode.h`, `vtkMRMLSliceNode.h`,
    `vtkMRMLSelectionNode.h`.

    Parameters
    ----------
    scene : vtkMRMLScene
    applicationLogic : vtkMRMLApplicationLogic
    """

    def __init__(self, scene: Any, applicationLogic: Any) -> None:
        self._scene = scene
        self._logic = applicationLogic
        self._views: dict[str, ViewState] = {}
        self._selected: dict[str, str | None] = {}

    def remember(self) -> None:
        """Take down what is shown and selected now."""
        self._views = {composite.GetID(): _state(composite, node) for composite, node in self._nodes()}
        selection = self._selection()
        if selection is not None:
            self._selected = {what: getattr(selection, f"Get{what}")() for what in SELECTED}

    def giveBack(self, isOurs: Callable[[str], bool]) -> None:
        """Put back views and selections where they show one of our volumes now; all else is the user's.

        Parameters
        ----------
        isOurs : callable
            Whether a node of this id was added by us.
        """
        for composite, node in self._nodes():
            shown = (getattr(composite, f"Get{layer}VolumeID")() for layer in LAYERS)
            if any(id_ and isOurs(id_) for id_ in shown):
                self._putBack(composite, node, self._views.get(composite.GetID()))
        selection = self._selection()
        for what, before in self._selected.items() if selection is not None else ():
            now = getattr(selection, f"Get{what}")()
            if now and isOurs(now):
                getattr(selection, f"Set{what}")(self._present(before))

    def _selection(self) -> Any:
        return self._scene.GetSingletonNode("Singleton", "vtkMRMLSelectionNode")

    def _present(self, id_: str | None) -> str | None:
        return id_ if id_ and self._scene.GetNodeByID(id_) else None

    def _nodes(self) -> list[tuple[Any, Any]]:
        """Return (composite node, slice node) of every view but the three."""
        logics = self._logic.GetSliceLogics()
        count = logics.GetNumberOfItems() if logics else 0
        found = [logics.GetItemAsObject(index) for index in range(count)]
        nodes = [(logic.GetSliceCompositeNode(), logic.GetSliceNode()) for logic in found]
        return [(c, n) for c, n in nodes if c and n and n.GetLayoutName() not in TAGS.values()]

    def _putBack(self, composite: Any, node: Any, state: ViewState | None) -> None:
        for layer in LAYERS:
            getattr(composite, f"Set{layer}VolumeID")(self._present(state.layers[layer] if state else None))
        if state is None:
            return
        composite.SetForegroundOpacity(state.opacity)
        for row in range(4):
            for column in range(4):
                node.GetSliceToRAS().SetElement(row, column, state.sliceToRas[row, column])
        node.UpdateMatrices()
        node.SetFieldOfView(*state.fieldOfView)
        node.SetXYZOrigin(*state.origin)


def _state(composite: Any, node: Any) -> ViewState:
    return ViewState(
        {layer: getattr(composite, f"Get{layer}VolumeID")() for layer in LAYERS},
        composite.GetForegroundOpacity(),
        matrixOf(node.GetSliceToRAS()),
        node.GetFieldOfView(),
        node.GetXYZOrigin(),
    )

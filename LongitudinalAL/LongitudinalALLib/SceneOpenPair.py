"""A pair that is open in the scene: its nodes, its grid, its labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from longitudinal_al.errors import LongitudinalALError, NotReady
from LongitudinalALLib.SceneGrid import Grid, vtkMatrixOf
from LongitudinalALLib.SceneLabels import SliceLabels
from LongitudinalALLib.SceneNodes import PAIR, ROLE, pairNodes
from LongitudinalALLib.SceneVolumes import (
    DIFFERENCE_WINDOW,
    ROLES,
    TITLES,
    PreparedPair,
    Stamp,
    Volume,
    addVolume,
    imageOf,
    setWindowLevel,
    stampOf,
)

LABELS = "labels"
SLICES = "LongitudinalAL.Slices"
"""Attribute of the labels in a saved scene: which slices were seen, and what was saved of them."""


class OpenPair:
    """A pair's nodes; `Scene` opens it, shows it and closes it.

    Attributes
    ----------
    folder : pathlib.Path
        The pair's folder in the project.
    grid : Grid
    labels : SliceLabels
    shownSlices : set of int
        Slices that were in view while this pair was shown: what is painted elsewhere, no one has seen.
    suggestionsShown : set of int
        Slices on which the model's suggestion was shown.
    """

    def __init__(self, scene: Any, folder: Path, grid: Grid, classes: Sequence[str]) -> None:
        self.folder = folder
        self.grid = grid
        self.classes = tuple(classes)
        self.shownSlices: set[int] = set()
        self.suggestionsShown: set[int] = set()
        self._scene = scene
        self._ids: dict[str, str] = {}
        self._stamp: Stamp = None
        self.labels: SliceLabels = None  # type: ignore[assignment]  # set by fill

    @property
    def name(self) -> str:
        """The pair's name in the project."""
        return self.folder.name

    @property
    def baseline(self) -> Any:
        """Volume node of the baseline on the pair's grid."""
        return self.node("baseline")

    @property
    def followup(self) -> Any:
        """Volume node of the follow-up."""
        return self.node("followup")

    @property
    def difference(self) -> Any:
        """Volume node of the difference."""
        return self.node("difference")

    @property
    def segmentation(self) -> Any:
        """Segmentation node of the labels."""
        return self.node(LABELS)

    def has(self, role: str) -> bool:
        """Tell whether a node of this pair is still in the scene."""
        return self._present(role) is not None

    def node(self, role: str) -> Any:
        """Return a node of this pair.

        Raises
        ------
        NotReady
            When it is no longer in the scene.
        """
        node = self._present(role)
        if node is None:
            what = TITLES.get(role, role).lower()
            raise NotReady(f"the {what} of pair {self.name!r} is no longer in the scene: open the pair again")
        return node

    def volumes(self) -> dict[str, Any]:
        """Return the volume nodes by role."""
        return {role: self.node(role) for role in ROLES}

    def isComplete(self) -> bool:
        """Tell whether all nodes are in the scene."""
        return all(self.has(role) for role in (*ROLES, LABELS))

    def isCurrent(self) -> bool:
        """Tell whether the volumes are those of the pair's last preparation, as far as can be told."""
        return stampOf(self.folder) in (None, self._stamp)

    def strokes(self) -> list[int]:
        """Return the slices painted on and not saved that the annotator saw.

        Where it cannot be told, because a segment lies elsewhere, all slices that were seen.
        """
        try:
            return [k for k in self.labels.painted() if k in self.shownSlices]
        except LongitudinalALError:
            return sorted(self.shownSlices)

    def nodes(self) -> list[Any]:
        """Return the nodes that are still there."""
        return [node for role in self._ids if (node := self._present(role)) is not None]

    def nodesAreGone(self) -> None:
        """The scene has lost all nodes; what was painted is kept."""
        self._ids.clear()

    def fill(self, prepared: PreparedPair) -> None:
        """Add the nodes that are missing, taking up those of this pair that a loaded scene brought along.

        What was painted outlives its node: labels whose node was removed come back as they were. The volumes
        of a pair that was prepared anew get what the files hold now, and lie where the follow-up does: a
        baseline that was moved by hand has been registered by that.
        """
        anchor = self.node("followup") if self.has("followup") else next(iter(self.nodes()), None)
        above = None if anchor is None else anchor.GetTransformNodeID()
        isRenewed = self._stamp is not None and prepared.stamp != self._stamp
        for role in ROLES:
            if not self.has(role):
                self._ids[role] = self._volume(role, prepared).GetID()
                self.node(role).SetAndObserveTransformNodeID(above)
            elif isRenewed:
                _setVoxels(self.node(role), prepared.volumes[role])
                self.node(role).SetAndObserveTransformNodeID(above)
        self._stamp = prepared.stamp
        for role in ("baseline", "followup"):
            setWindowLevel(self.node(role), prepared.window, prepared.level)
        setWindowLevel(self.difference, DIFFERENCE_WINDOW, 0.0)
        if not self.has(LABELS):
            node = self._found(LABELS) or self._newSegmentation()
            node.SetAndObserveTransformNodeID(above)
            self._ids[LABELS] = node.GetID()
            self._takeLabels(node)
        self.labels.lock(self.followup)

    def _takeLabels(self, node: Any) -> None:
        """Draw on a new node, or on one of a loaded scene.

        Contract: Slicer `Libs/MRML/Core/vtkMRMLSegmentationNode.h` (SetAndObserveSegmentation).
        """
        if self.labels is not None:
            node.SetAndObserveSegmentation(self.labels.segmentation)
            self.labels.node = node
            return
        self.labels = SliceLabels(node, self.grid, self.classes)
        noted = json.loads(node.GetAttribute(SLICES) or "{}")
        self.shownSlices |= set(noted.get("seen", ()))
        self.suggestionsShown |= set(noted.get("suggested", ()))
        self.labels.saved = {int(k): checksum for k, checksum in noted.get("saved", {}).items()}

    def see(self, k: int) -> None:
        """Note that slice `k` was in view."""
        if k not in self.shownSlices:
            self.shownSlices.add(k)
            self._note()

    def suggest(self, k: int) -> None:
        """Note that the model's suggestion was shown on slice `k`."""
        if k not in self.suggestionsShown:
            self.suggestionsShown.add(k)
            self._note()

    def noteSaved(self, *slices: int) -> None:
        """Note that slices are saved as they are painted now."""
        for k in slices:
            self.labels.noteSaved(k)
        self._note()

    def _note(self) -> None:
        """Write into the labels' node what a saved scene has to bring back beside the strokes.

        No view need hear of it. Contract: Slicer `Libs/MRML/Core/vtkMRMLNode.h` (SetAttribute,
        DisableModifiedEvent).
        """
        if self.has(LABELS):
            noted = {
                "seen": sorted(self.shownSlices),
                "suggested": sorted(self.suggestionsShown),
                "saved": self.labels.saved,
            }
            node = self.segmentation
            node.DisableModifiedEventOn()
            node.SetAttribute(SLICES, json.dumps(noted))
            node.DisableModifiedEventOff()

    def _volume(self, role: str, prepared: PreparedPair) -> Any:
        volume = prepared.volumes[role]
        node = self._found(role)
        if node is not None and node.GetDisplayNode() is not None:
            self._leaveFile(node)
            _setVoxels(node, volume)
        else:
            node = addVolume(self._scene, volume, f"{TITLES[role]} {self.name}")
            self._mark(node, role)
        return node

    def _leaveFile(self, node: Any) -> None:
        """Take the prepared file from a node of a saved scene: not Slicer's to write, see `addVolume`."""
        storage = node.GetStorageNode()
        if storage is not None and Path(storage.GetFileName() or "").parent == self.folder:
            node.SetAndObserveStorageNodeID(None)
            self._scene.RemoveNode(storage)

    def _newSegmentation(self) -> Any:
        """Contract: Slicer `Libs/MRML/Core/vtkMRMLSegmentationDisplayNode.h` (opacity of fill, outline)."""
        node = self._scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"Labels {self.name}")
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetOpacity2DFill(0.3)
        display.SetOpacity2DOutline(1.0)
        display.SetSliceIntersectionThickness(2)
        self._mark(node, LABELS)
        return node

    def _mark(self, node: Any, role: str) -> None:
        node.SetAttribute(PAIR, str(self.folder))
        node.SetAttribute(ROLE, role)

    def _isMarked(self, node: Any, role: str) -> bool:
        return node.GetAttribute(PAIR) == str(self.folder) and node.GetAttribute(ROLE) == role

    def _present(self, role: str) -> Any:
        """Return a node of this pair, or None; one that has its id but not its marks is somebody else's."""
        node = self._scene.GetNodeByID(self._ids.get(role, ""))
        return node if node is not None and self._isMarked(node, role) else None

    def _found(self, role: str) -> Any:
        """Return a node that an earlier session left in a saved scene, or None."""
        return next((node for node in pairNodes(self._scene) if self._isMarked(node, role)), None)


def _setVoxels(node: Any, volume: Volume) -> None:
    """Give a volume node other voxels."""
    node.SetIJKToRASMatrix(vtkMatrixOf(volume.ijkToRas))
    node.SetAndObserveImageData(volume.image or imageOf(volume.voxels))

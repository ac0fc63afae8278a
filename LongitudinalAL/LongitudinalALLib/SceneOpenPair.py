"""A pair that is open in the scene: its nodes, its grid, its labels."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from longitudinal_al.errors import NotReady
from LongitudinalALLib.SceneGrid import Grid
from LongitudinalALLib.SceneLabels import SliceLabels
from LongitudinalALLib.SceneVolumes import ROLES, TITLES, PreparedPair, addVolume, imageOf, setWindowLevel

PAIR, ROLE = "LongitudinalAL.Pair", "LongitudinalAL.Role"
"""Attributes of every node: by them a pair is found again in a scene that was saved and loaded."""
LABELS = "labels"


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
        return self._scene.GetNodeByID(self._ids.get(role, "")) is not None

    def node(self, role: str) -> Any:
        """Return a node of this pair.

        Raises
        ------
        NotReady
            When it is no longer in the scene.
        """
        node = self._scene.GetNodeByID(self._ids.get(role, ""))
        if node is None:
            what = TITLES.get(role, role).lower()
            raise NotReady(f"the {what} of pair {self.name!r} is no longer in the scene: open the pair again")
        return node

    def volumes(self) -> dict[str, Any]:
        """Return the volume nodes by role."""
        return {role: self.node(role) for role in ROLES}

    def isComplete(self) -> bool:
        """Tell whether all nodes are in the scene, and on the pair's transform."""
        return all(self.has(role) for role in (*ROLES, LABELS))

    def nodes(self) -> list[Any]:
        """Return the nodes that are still there."""
        found = (self._scene.GetNodeByID(id_) for id_ in self._ids.values())
        return [node for node in found if node is not None]

    def fill(self, prepared: PreparedPair, window: tuple[float, float]) -> None:
        """Add the nodes that are missing, taking up those of this pair that a loaded scene brought along."""
        for role in ROLES:
            if not self.has(role):
                self._ids[role] = self._volume(role, prepared).GetID()
        for role in ("baseline", "followup"):
            setWindowLevel(self.node(role), *window)
        node = self._scene.GetNodeByID(self._ids.get(LABELS, "")) or self._found(LABELS)
        node = node or self._newSegmentation()
        self._ids[LABELS] = node.GetID()
        if self.labels is None or self.labels.node is not node:
            self.labels = SliceLabels(node, self.grid, self.classes)
        self.labels.lock(self.followup)

    def _volume(self, role: str, prepared: PreparedPair) -> Any:
        volume = prepared.volumes[role]
        node = self._found(role)
        if node is not None and node.GetImageData() is not None:
            node.SetAndObserveImageData(volume.image or imageOf(volume.voxels))
        else:
            path = self.folder / f"{role}.nii.gz"
            node = addVolume(self._scene, volume, f"{TITLES[role]} {self.name}", path)
            self._mark(node, role)
        return node

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

    def _found(self, role: str) -> Any:
        """Return a node that an earlier session left in a saved scene, or None."""
        for node in pairNodes(self._scene):
            if node.GetAttribute(ROLE) == role and node.GetAttribute(PAIR) == str(self.folder):
                return node
        return None


def pairNodes(scene: Any) -> list[Any]:
    """Return every node in a scene that belongs to a pair, from this session or from one that was saved."""
    nodes = (scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes()))
    return [node for node in nodes if node.GetAttribute(PAIR)]


class Observations:
    """What is observed, so that all of it can be let go; it keeps no observer alive."""

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, observed: Any, event: Any, callback: Callable[..., None]) -> None:
        """Call a method `callback(caller, event)` at an event, as long as its object lives."""
        method = weakref.WeakMethod(callback)

        def call(caller: Any, name: str) -> None:
            living = method()
            if living is not None:
                living(caller, name)

        self._tags.append((observed, observed.AddObserver(event, call)))

    @property
    def isEmpty(self) -> bool:
        """Whether nothing is observed."""
        return not self._tags

    def release(self) -> None:
        """Let all go."""
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags.clear()


def removeNode(scene: Any, node: Any) -> None:
    """Remove a node with its display and storage nodes.

    Contract: Slicer `Libs/MRML/Core/vtkMRMLDisplayableNode.h`, `vtkMRMLStorableNode.h`: else they are left.
    """
    attached = []
    if node.IsA("vtkMRMLDisplayableNode"):
        attached += [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        attached += [node.GetNthStorageNode(index) for index in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for each in attached:
        if each is not None and scene.IsNodePresent(each):
            scene.RemoveNode(each)

"""The labels of a pair as segments: read and written slice by slice, and checked against the pair's grid."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import slicer

from longitudinal_al.errors import GeometryMismatch, InvalidInput
from longitudinal_al.project.terminology import TERMINOLOGY
from LongitudinalALLib.SceneGrid import Grid
from LongitudinalALLib.SceneLabelCheck import OVERSAMPLING, checkFollowup, checkGeometry, checkSegments
from LongitudinalALLib.SceneLabelmap import Labelmap, sliceImage

COLORS = ((1.0, 0.31, 0.22), (0.24, 0.62, 1.0), (1.0, 0.78, 0.1), (0.66, 0.4, 1.0), (0.2, 0.8, 0.6))
"""Of class 1, 2 ...; they begin again after the last."""
NOTHING = 0
"""The checksum of a slice on which nothing is painted."""


class SliceLabels:
    """The segmentation of a pair, locked to its grid.

    A class is found by the id of its segment, so that renaming it changes nothing.

    Attributes
    ----------
    node : vtkMRMLSegmentationNode
        With a segment for each class, or without any yet; another one is given when it was removed.
    saved : dict of int to int
        Slice -> checksum of it as it was saved; the others were empty.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
    grid : Grid
    classes : sequence of str
        Names of the classes; class k of a label is entry k - 1.
    """

    def __init__(self, node: Any, grid: Grid, classes: Sequence[str]) -> None:
        self.node = node
        self.grid = grid
        self.classes = tuple(classes)
        self.saved: dict[int, int] = {}
        self._state: dict[str, tuple[int, int]] = {}
        self._known: dict[int, int] = {}

    @staticmethod
    def segmentId(number: int) -> str:
        """Return the id of the segment of class `number`, 1 or above."""
        return f"LongitudinalAL_{number}"

    @property
    def segments(self) -> Mapping[str, str]:
        """Id -> name of the class, class 1 first."""
        return {self.segmentId(number): name for number, name in enumerate(self.classes, start=1)}

    @property
    def segmentation(self) -> Any:
        """The vtkSegmentation of the node."""
        return self.node.GetSegmentation()

    def lock(self, followup: Any) -> None:
        """Tie the segmentation to the follow-up's grid and make the segments that are missing.

        Contract: Slicer `Libs/MRML/Core/vtkMRMLSegmentationNode.h`
        (SetReferenceImageGeometryParameterFromVolumeNode), `Libs/vtkSegmentationCore/vtkSegmentation.h`
        (AddEmptySegment, SetConversionParameter).
        """
        self.node.SetReferenceImageGeometryParameterFromVolumeNode(followup)
        self.segmentation.SetConversionParameter(OVERSAMPLING, "1")
        for place, (id_, name) in enumerate(self.segments.items()):
            if self.segmentation.GetSegment(id_) is None:
                self.segmentation.AddEmptySegment(id_, name, COLORS[place % len(COLORS)])
                tag = slicer.vtkSegment.GetTerminologyEntryTagName()
                self.segmentation.GetSegment(id_).SetTag(tag, TERMINOLOGY)

    def check(self, followup: Any | None) -> None:
        """Raise unless what is drawn now lies on the pair's grid.

        Parameters
        ----------
        followup : vtkMRMLScalarVolumeNode or None
            `None` when the user has removed it: what was painted can still be read.

        Raises
        ------
        NotReady
            When the segment of a class was deleted.
        GeometryMismatch
            When the follow-up, the segmentation or a segment lies elsewhere than the pair's grid.
        """
        if followup is not None:
            checkFollowup(followup, self.node, self.grid)
        checkGeometry(self.segmentation, self.grid)
        checkSegments(self.segmentation, self.grid, self.segments)

    # Reading

    def read(self, k: int) -> np.ndarray:
        """Return the label of slice `k`: uint8 (rows, columns), 0 = no change, number of the class elsewhere.

        Raises
        ------
        InvalidInput
            When something is painted there that is no class, or two classes overlap.
        """
        self.grid.checkSlice(k)
        label = np.zeros(self.grid.sliceShape, np.uint8)
        for number, (id_, name) in enumerate(self.segments.items(), start=1):
            painted = self._plane(id_, k)
            if painted is None:
                continue
            if (both := np.count_nonzero(label[painted])) > 0:
                raise InvalidInput(
                    f"on slice {k}, {both} pixels belong to {name!r} and to another "
                    "class: erase them in one of the two"
                )
            label[painted] = number
        self._refuseOthers(k)
        return label

    def _refuseOthers(self, k: int) -> None:
        """Refuse strokes that would be lost, because their segment is no class of the project."""
        for id_ in set(self.segmentation.GetSegmentIDs()) - set(self.segments):
            painted = self._plane(id_, k)
            if painted is not None and painted.any():
                raise InvalidInput(
                    f"on slice {k}, {np.count_nonzero(painted)} pixels were painted in the segment "
                    f"{self.segmentation.GetSegment(id_).GetName()!r}, which is no class of the project: "
                    f"paint them in {' or '.join(repr(name) for name in self.classes)}, "
                    "or delete that segment"
                )

    def _plane(self, id_: str, k: int) -> np.ndarray | None:
        return self._labelmap(id_).plane(k)

    def _labelmap(self, id_: str) -> Labelmap:
        return Labelmap(self.segmentation.GetSegment(id_), self.grid)

    # Writing

    def write(self, k: int, label: np.ndarray) -> None:
        """Replace the label of slice `k`; its neighbours are not touched.

        The slice is cleared in place, because no mode of SetBinaryLabelmapToSegment clears one slice of a
        labelmap that segments share; and drawn in place where the labelmap reaches, which takes no time.
        Elsewhere it is added.

        Raises
        ------
        GeometryMismatch
            When the label has another shape than a slice.
        InvalidInput
            When it holds a class that there is not.
        """
        self.grid.checkSlice(k)
        if label.shape != self.grid.sliceShape:
            raise GeometryMismatch(
                f"the label has {label.shape} pixels, "
                f"a slice of the pair {self.grid.sliceShape} (rows, columns)"
            )
        if label.size and int(label.max()) > len(self.classes):
            raise InvalidInput(
                f"the label holds class {int(label.max())}, the project has {len(self.classes)}"
            )
        for id_ in self.segments:
            self._labelmap(id_).clear(k)
        for number, id_ in enumerate(self.segments, start=1):
            mask = label == number
            if mask.any() and not self._labelmap(id_).draw(mask, k):
                self._add(id_, mask, k)

    def _add(self, id_: str, mask: np.ndarray, k: int) -> None:
        """Contract: Slicer `Modules/Loadable/Segmentations/Logic/vtkSlicerSegmentationsModuleLogic.h`.

        SetBinaryLabelmapToSegment: MODE_MERGE_MASK adds the mask with the segment's own value, where
        MODE_MERGE_MAX does not.
        """
        logic, image = slicer.vtkSlicerSegmentationsModuleLogic, sliceImage(self.grid, mask, k)
        logic.SetBinaryLabelmapToSegment(image, self.node, id_, logic.MODE_MERGE_MASK, image.GetExtent())

    # What is not saved yet

    def noteSaved(self, k: int) -> None:
        """Remember slice `k` as it is now: it counts as painted only once it changes again."""
        ids = self.segmentation.GetSegmentIDs()
        self.saved[k] = _together({id_: self._labelmap(id_).checksum(k) for id_ in ids})

    def painted(self) -> list[int]:
        """Return the slices that differ from what was last written or noted as saved, in order.

        What is painted in another segment than those of the classes counts too: it is refused when it is
        read, but not overlooked.
        """
        now = self._checksums()
        slices = {*self.saved, *now}
        return sorted(k for k in slices if now.get(k, NOTHING) != self.saved.get(k, NOTHING))

    def _checksums(self) -> dict[int, int]:
        """Return slice -> checksum of what is painted in all segments; read anew only after a change."""
        maps = {id_: self._labelmap(id_) for id_ in self.segmentation.GetSegmentIDs()}
        state = {id_: each.state() for id_, each in maps.items()}
        if state != self._state:
            sums = {id_: each.checksums() for id_, each in maps.items()}
            slices = set().union(*sums.values())
            self._known = {k: _together({id_: each.get(k, 0) for id_, each in sums.items()}) for k in slices}
            self._state = state
        return self._known


def _together(sums: Mapping[str, int]) -> int:
    """Return one checksum of several segments' on a slice (id -> checksum, 0 for nothing)."""
    painted = [f"{id_} {value}" for id_, value in sorted(sums.items()) if value]
    return zlib.crc32("\n".join(painted).encode()) or 1 if painted else NOTHING

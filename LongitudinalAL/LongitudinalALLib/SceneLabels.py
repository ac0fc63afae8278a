"""The labels of a pair as segments: read and written slice by slice, and checked against the pair's grid."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from longitudinal_al.errors import GeometryMismatch, InvalidInput, NotReady
from LongitudinalALLib.SceneGrid import Grid, matrixOf, vtkMatrixOf

BINARY = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
GEOMETRY = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
OVERSAMPLING = "Oversampling factor"
COLORS = ((1.0, 0.31, 0.22), (0.24, 0.62, 1.0), (1.0, 0.78, 0.1), (0.66, 0.4, 1.0), (0.2, 0.8, 0.6))
"""Of class 1, 2 ...; they begin again after the last."""
TERMINOLOGY = (
    "Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^49755003^Morphologically Altered Structure~SCT^4147007^Mass~^^"
    "~Anatomic codes - DICOM master list~^^~^^"
)
"""Terminology of every class: category and type as Slicer's own list names them."""


class SliceLabels:
    """The segmentation of a pair, locked to its grid.

    A class is found by the id of its segment, so that renaming it changes nothing.

    Parameters
    ----------
    node : vtkMRMLSegmentationNode
        With a segment for each class, or without any yet.
    grid : Grid
    classes : sequence of str
        Names of the classes; class k of a label is entry k - 1.
    """

    def __init__(self, node: Any, grid: Grid, classes: Sequence[str]) -> None:
        self.node = node
        self.grid = grid
        self.classes = tuple(classes)
        self._saved: dict[int, int] = {}

    @staticmethod
    def segmentId(number: int) -> str:
        """Return the id of the segment of class `number`, 1 or above."""
        return f"LongitudinalAL_{number}"

    @property
    def segmentIds(self) -> list[str]:
        """Ids of the segments of all classes, class 1 first."""
        return [self.segmentId(number) for number in range(1, len(self.classes) + 1)]

    # Making

    def lock(self, followup: Any) -> None:
        """Tie the segmentation to the follow-up's grid and make the segments that are missing.

        Contract: Slicer `Libs/MRML/Core/vtkMRMLSegmentationNode.h`
        (SetReferenceImageGeometryParameterFromVolumeNode), `Libs/vtkSegmentationCore/vtkSegmentation.h`
        (AddEmptySegment, SetConversionParameter).
        """
        self.node.SetReferenceImageGeometryParameterFromVolumeNode(followup)
        segmentation = self.node.GetSegmentation()
        segmentation.SetConversionParameter(OVERSAMPLING, "1")
        for number, name in enumerate(self.classes, start=1):
            if segmentation.GetSegment(self.segmentId(number)) is None:
                color = COLORS[(number - 1) % len(COLORS)]
                segmentation.AddEmptySegment(self.segmentId(number), name, color)
                tag = slicer.vtkSegment.GetTerminologyEntryTagName()
                segmentation.GetSegment(self.segmentId(number)).SetTag(tag, TERMINOLOGY)

    # Checking

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
            self._checkVolume(followup)
        segmentation = self.node.GetSegmentation()
        self._checkReference(segmentation)
        for name, id_ in zip(self.classes, self.segmentIds, strict=True):
            segment = segmentation.GetSegment(id_)
            if segment is None:
                raise NotReady(
                    f"the segment of {name!r} was deleted: undo that in the Segment Editor, "
                    "or show the slice pair again"
                )
            self._offset(segment.GetRepresentation(BINARY), f"the segment of {name!r}")

    def _checkVolume(self, followup: Any) -> None:
        matrix = vtk.vtkMatrix4x4()
        followup.GetIJKToRASMatrix(matrix)
        image = followup.GetImageData()
        shape = image.GetDimensions()[::-1] if image is not None else (0, 0, 0)
        self.grid.checkSame(shape, matrixOf(matrix), "the follow-up in the scene")
        above, own = followup.GetParentTransformNode(), self.node.GetParentTransformNode()
        if above is not own:
            names = [node.GetName() if node else "none" for node in (above, own)]
            raise GeometryMismatch(
                f"the follow-up lies under the transform {names[0]!r}, its labels under {names[1]!r}: "
                "put both under the same transform, or take them out"
            )

    def _checkReference(self, segmentation: Any) -> None:
        """Check the grid that the Segment Editor draws on; it is kept as text in the segmentation."""
        factor = segmentation.GetConversionParameter(OVERSAMPLING)
        if factor and float(factor) != 1.0:
            raise GeometryMismatch(
                f"oversampling is {factor}: strokes would reach the neighbouring slices; set it to 1 in the "
                "Segment Editor's geometry, or close the pair and open it again"
            )
        image = slicer.vtkOrientedImageData()
        text = segmentation.GetConversionParameter(GEOMETRY)
        if not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False):
            raise GeometryMismatch("the labels have lost their grid: close the pair and open it again")
        shape = tuple(size for size in image.GetDimensions()[::-1])
        self.grid.checkSame(shape, _imageToWorld(image), "the geometry of the labels")

    def _offset(self, image: Any, what: str) -> tuple[int, int, int]:
        if image is None or image.IsEmpty():
            return 0, 0, 0
        return self.grid.offsetOf(_imageToWorld(image), what)

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
        for number, id_ in enumerate(self.segmentIds, start=1):
            painted = self._plane(id_, k)
            if painted is None:
                continue
            if (both := np.count_nonzero(label[painted])) > 0:
                raise InvalidInput(
                    f"on slice {k}, {both} pixels belong to {self.classes[number - 1]!r} and to another "
                    "class: erase them in one of the two"
                )
            label[painted] = number
        self._refuseOthers(k)
        return label

    def _refuseOthers(self, k: int) -> None:
        """Refuse strokes that would be lost, because their segment is no class of the project."""
        segmentation = self.node.GetSegmentation()
        for id_ in set(segmentation.GetSegmentIDs()) - set(self.segmentIds):
            painted = self._plane(id_, k)
            if painted is not None and painted.any():
                raise InvalidInput(
                    f"on slice {k}, {np.count_nonzero(painted)} pixels were painted in the segment "
                    f"{segmentation.GetSegment(id_).GetName()!r}, which is no class of the project: "
                    f"paint them in {' or '.join(repr(name) for name in self.classes)}, "
                    "or delete that segment"
                )

    def _plane(self, id_: str, k: int) -> np.ndarray | None:
        """Return where a segment is painted on slice `k`, boolean (rows, columns); `None` for nowhere."""
        found = self._planeInPlace(id_, k)
        if found is None:
            return None
        plane, low = found
        painted = plane == self.node.GetSegmentation().GetSegment(id_).GetLabelValue()
        return _placed(painted, self._without(low), self.grid.sliceShape)

    def _without(self, triple: Sequence[int]) -> tuple[int, int]:
        rows, columns = (value for axis, value in enumerate(triple) if axis != self.grid.axis)
        return rows, columns

    # Writing

    def write(self, k: int, label: np.ndarray) -> None:
        """Replace the label of slice `k`; its neighbours are not touched.

        The slice is cleared in place, because no mode of SetBinaryLabelmapToSegment clears one slice of a
        labelmap that segments share; and drawn in place where the labelmap reaches, which takes no time.
        Elsewhere it is added. Contract: Slicer
        `Modules/Loadable/Segmentations/Logic/vtkSlicerSegmentationsModuleLogic.h`
        (SetBinaryLabelmapToSegment: MODE_MERGE_MASK adds the mask with the segment's own value, where
        MODE_MERGE_MAX does not).

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
        self._clear(k)
        for number, id_ in enumerate(self.segmentIds, start=1):
            mask = label == number
            if mask.any() and not self._drawInPlace(id_, mask, k):
                self._add(id_, mask, k)
        self.noteSaved(k)

    def _clear(self, k: int) -> None:
        for id_ in self.segmentIds:
            found = self._planeInPlace(id_, k)
            segment = self.node.GetSegmentation().GetSegment(id_)
            if found is not None and (here := found[0] == segment.GetLabelValue()).any():
                found[0][here] = 0
                _changed(segment)

    def _drawInPlace(self, id_: str, mask: np.ndarray, k: int) -> bool:
        """Draw into the labelmap itself; False where it does not reach, or holds something else there."""
        segment = self.node.GetSegmentation().GetSegment(id_)
        self._makeRoom(segment.GetRepresentation(BINARY))
        found = self._planeInPlace(id_, k)
        if found is None:
            return False
        plane, _ = found
        if plane.shape != mask.shape or plane[mask].any():
            return False
        plane[mask] = segment.GetLabelValue()
        _changed(segment)
        return True

    def _makeRoom(self, image: Any) -> None:
        """Let a labelmap that holds nothing yet reach over the whole grid."""
        if image is None or not image.IsEmpty():
            return
        image.SetGeometryFromImageToWorldMatrix(vtkMatrixOf(self.grid.ijkToRas))
        image.SetDimensions(*self.grid.shape[::-1])
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        vtk_to_numpy(image.GetPointData().GetScalars())[:] = 0

    def _planeInPlace(self, id_: str, k: int) -> tuple[np.ndarray, tuple[int, int, int]] | None:
        """Return a slice of a segment's labelmap as far as it reaches, not copied, and where that begins.

        `None` where the labelmap does not reach the slice.
        """
        segment = self.node.GetSegmentation().GetSegment(id_)
        found = _block(segment.GetRepresentation(BINARY), self._offset)
        if found is None:
            return None
        block, low = found
        index = k - low[self.grid.axis]
        if not 0 <= index < block.shape[self.grid.axis]:
            return None
        return np.moveaxis(block, self.grid.axis, 0)[index], low

    def _add(self, id_: str, mask: np.ndarray, k: int) -> None:
        logic, image = slicer.vtkSlicerSegmentationsModuleLogic, self._image(mask, k)
        logic.SetBinaryLabelmapToSegment(image, self.node, id_, logic.MODE_MERGE_MASK, image.GetExtent())

    def _image(self, mask: np.ndarray, k: int) -> Any:
        """Return the painted part of a slice as a vtkOrientedImageData of ones and zeros."""
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = [[rows[0], rows[-1]], [columns[0], columns[-1]]]
        part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        box.insert(self.grid.axis, [k, k])
        image = slicer.vtkOrientedImageData()
        image.SetExtent([int(value) for axis in reversed(box) for value in axis])
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        shape = [last - first + 1 for first, last in box]
        scalars = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)
        scalars[...] = np.expand_dims(part, self.grid.axis)
        image.SetGeometryFromImageToWorldMatrix(vtkMatrixOf(self.grid.ijkToRas))
        return image

    # What is not saved yet

    def noteSaved(self, k: int) -> None:
        """Remember slice `k` as it is now: it counts as painted only once it changes again."""
        self._saved[k] = _checksum(self.read(k))

    def painted(self) -> list[int]:
        """Return the slices whose label differs from what was last written or noted as saved, in order."""
        candidates = set(self._saved)
        for id_ in self.segmentIds:
            segment = self.node.GetSegmentation().GetSegment(id_)
            found = _block(segment.GetRepresentation(BINARY), self._offset) if segment else None
            if found is None:
                continue
            block, low = found
            others = tuple(axis for axis in range(3) if axis != self.grid.axis)
            held = np.flatnonzero((block == segment.GetLabelValue()).any(others)) + low[self.grid.axis]
            candidates.update(int(k) for k in held if 0 <= k < self.grid.slices)
        empty = _checksum(np.zeros(self.grid.sliceShape, np.uint8))
        return sorted(k for k in candidates if _checksum(self.read(k)) != self._saved.get(k, empty))


def _imageToWorld(image: Any) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return matrixOf(matrix)


def _block(image: Any, offset: Any) -> tuple[np.ndarray, tuple[int, int, int]] | None:
    """Return a labelmap's voxels (z, y, x), not copied, and where they begin on the grid; `None` if empty."""
    if image is None or image.IsEmpty() or image.GetPointData().GetScalars() is None:
        return None
    extent = image.GetExtent()
    shape = [extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in (2, 1, 0)]
    block = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)
    shift = offset(image, "a segment")
    z, y, x = (extent[2 * axis] + shift[2 - axis] for axis in (2, 1, 0))
    return block, (z, y, x)


def _placed(plane: np.ndarray, low: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Put a plane that begins at `low` into a slice of `shape`; what lies outside must be empty."""
    whole = np.zeros(shape, bool)
    first = [max(0, -begin) for begin in low]
    last = [min(size, total - begin) for size, total, begin in zip(plane.shape, shape, low, strict=True)]
    inside = plane[first[0] : last[0], first[1] : last[1]]
    if np.count_nonzero(inside) != np.count_nonzero(plane):
        raise GeometryMismatch("a label was painted beyond the edge of the volume: erase what lies outside")
    if inside.size:
        whole[
            low[0] + first[0] : low[0] + first[0] + inside.shape[0],
            low[1] + first[1] : low[1] + first[1] + inside.shape[1],
        ] = inside
    return whole


def _changed(segment: Any) -> None:
    """Tell that a labelmap was changed in place; views see a first stroke by the segment's event only."""
    image = segment.GetRepresentation(BINARY)
    image.GetPointData().GetScalars().Modified()
    image.Modified()
    segment.Modified()


def _checksum(label: np.ndarray) -> int:
    return zlib.crc32(label.tobytes())
